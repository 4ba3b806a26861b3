"""What somebody else's code raised inside a request, without the frames whose variables hold the request."""

from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

E = TypeVar("E", bound=BaseException)
# Their frames hold requests and headers, and so the API key, which tracebacks with variables would show.
_HOLDERS = {"httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "hpack"}
_OURS = "pyas_async._runtime.http"


def without_requests(error: E) -> E:
    """Take the frames of httpx, of what is below it, and of our transport out of the tracebacks of an error.

    The frames of whoever raised it stay, and so do those of whoever called.
    """
    for one in _dragged(error):
        one.__traceback__ = _without(one.__traceback__)
    return error


def _without(traceback: TracebackType | None) -> TracebackType | None:
    kept = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in _HOLDERS and not module.startswith(_OURS):
            kept.append(traceback)
        traceback = traceback.tb_next
    made = None
    for one in reversed(kept):
        made = TracebackType(made, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return made


def _dragged(error: BaseException) -> Iterator[BaseException]:
    ahead: list[BaseException | None] = [error]
    seen: set[int] = set()
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        ahead += [one.__cause__, one.__context__]
        ahead += one.exceptions if isinstance(one, BaseExceptionGroup) else []
        yield one
