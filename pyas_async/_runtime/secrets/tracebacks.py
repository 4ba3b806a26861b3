"""Tracebacks of errors that third-party code raised inside a request, without the frames that hold the request."""

from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

import anyio

E = TypeVar("E", bound=BaseException)
# The frames of these packages hold requests and headers. A traceback that shows variables would show the API key.
_PACKAGES_WITH_REQUESTS = {"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "hpack"}
_OURS_WITH_REQUESTS = ("pyas_async._runtime.attempts", "pyas_async._runtime.http")


def without_request_frames(error: E) -> E:
    """Remove the frames of httpx, of the packages below it and of our transport from the tracebacks of an error.

    The frames of the code that raised it stay, and so do those of its callers.
    """
    for one in _with_related(error):
        one.__traceback__ = _without_request_frames(one.__traceback__)
    return error


def _without_request_frames(traceback: TracebackType | None) -> TracebackType | None:
    kept = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in _PACKAGES_WITH_REQUESTS and not module.startswith(_OURS_WITH_REQUESTS):
            kept.append(traceback)
        traceback = traceback.tb_next
    rebuilt = None
    for one in reversed(kept):
        rebuilt = TracebackType(rebuilt, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return rebuilt


def _with_related(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes and contexts, and the members of groups among them, each once."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        pending += [one.__cause__, one.__context__]
        pending += one.exceptions if isinstance(one, BaseExceptionGroup) else []
        yield one


def cancellation_of(error: BaseException) -> BaseException | None:
    """Return the cancellation that an exception is or wraps; ``None`` if it is or holds another error.

    On trio, tasks that are cancelled together raise a group. That happens when it connects to a host with two
    addresses.
    """
    cancelled = anyio.get_cancelled_exc_class()
    while isinstance(error, BaseExceptionGroup) and error.split(cancelled)[1] is None:
        error = error.exceptions[0]
    return error if isinstance(error, cancelled) else None


def without_frames(cancellation: BaseException) -> BaseException:
    """Remove the frames of a cancellation, and of those in its context, which name the task that cancelled."""
    link: BaseException | None = cancellation
    while link is not None:
        link.__traceback__ = link.__cause__ = None
        if not isinstance(link.__context__, anyio.get_cancelled_exc_class()):
            link.__context__ = None
        link = link.__context__
    return cancellation
