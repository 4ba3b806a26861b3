"""Cancels a call that has not been sent."""

import contextlib
from collections.abc import Iterator

import anyio

from pyas_async._runtime.events.trace import CallTrace
from pyas_async.errors import PyasError


class CallCancelledError(PyasError):
    """The call was cancelled before a request was sent. No public method raises it."""


class UnsentCall:
    """Cancels a call as long as no request was sent. A call whose request was sent goes on."""

    __slots__ = ("_scope", "_trace")

    def __init__(self, trace: CallTrace) -> None:
        self._trace = trace
        self._scope: anyio.CancelScope | None = None

    def cancel(self) -> None:
        """Make the call raise `CallCancelledError`, if no request was sent yet."""
        if not self._trace.requests:
            self._trace.cancelled = True
            if self._scope is not None:
                self._scope.cancel()

    def check(self) -> None:
        """Raise `CallCancelledError` if the call was cancelled."""
        if self._trace.cancelled:
            msg = "the call was cancelled before it was sent"
            raise CallCancelledError(msg)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """End a wait inside the block as soon as the call is cancelled, and raise `CallCancelledError` then."""
        self.check()
        with anyio.CancelScope() as scope:
            self._scope = scope
            yield
        self._scope = None
        # A wait that succeeds at the moment of its cancellation counts as a success. The caller checks again before it
        # sends.
        if scope.cancelled_caught:
            self.check()
