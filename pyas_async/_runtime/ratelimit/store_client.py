"""Requests to the store that several processes share: one at a time, with a timeout, and what follows a failure.

The module is loaded only if a budget has a store.
"""

from collections.abc import Callable

import anyio
import anyio.lowlevel

from pyas_async._core.ratelimit.leases import StoreShare
from pyas_async._runtime.clock import Clock


class StoreClient:
    """What a client asks the store of its budget with."""

    def __init__(self, share: StoreShare, on_alone: Callable[[str, float], None] | None) -> None:
        """Prepare to ask a store.

        Args:
            share: This process's part in the budget that the store counts.
            on_alone: Called when the store fails, with the fault and the seconds until it is asked again.
        """
        self._share = share
        self._on_alone = on_alone
        self._requests: set[anyio.CancelScope] = set()

    async def ask(self, seconds: float, clock: Clock, on_end: Callable[[], None]) -> None:
        """Send a report to the store, and ask for the slots that are wanted.

        A store that fails must not end a call: this process counts alone for a while then.

        Args:
            seconds: How long the call that asks can wait.
            clock: Tells the time.
            on_end: Called when the request has ended, in whatever way.
        """
        leases, began = self._share.leases, clock.now()
        report = self._share.report(began)
        scope = anyio.move_on_after(min(seconds, leases.answer_time))
        self._requests.add(scope)
        leases.asking, lease, fault = True, None, None
        try:
            with scope:
                lease = await leases.store.lease(report)
                fault = self._share.accept(report, lease, clock.now())
        except Exception as error:  # noqa: BLE001  (it is the user's code)
            fault = f"raised {type(error).__name__}"
        finally:
            self._requests.discard(scope)
            leases.asking = False
            now = clock.now()
            if lease is None and fault is None:
                fault = leases.note_unanswered(now - began)
            if fault is not None:
                self._count_alone(fault, self._share.count_alone(now))
            # Cancelled or not, calls that slept until the answer must check again.
            on_end()
        # A store that answers without suspending, and leases no slot, must not block the event loop.
        await anyio.lowlevel.checkpoint()

    def close(self) -> None:
        """Cancel the requests in flight."""
        for scope in self._requests:
            scope.cancel()

    def _count_alone(self, fault: str, seconds: float) -> None:
        if self._on_alone is not None:
            self._on_alone(fault, seconds)
