"""Where calls are at home: one process, and one event loop. What belongs to another cannot be used, nor woken."""

import os

import anyio.lowlevel

from pyas_async._core.ratelimit.queue import Queue
from pyas_async.errors import WrongEventLoopError


class LoopGuard:
    """The process and the event loop of a client's first call, which its connections belong to."""

    def __init__(self) -> None:
        """Be at home nowhere yet."""
        self._loop_guard: tuple[int, object] | None = None

    def check(self) -> None:
        """Refuse a call from elsewhere.

        Raises:
            WrongEventLoopError: If the client was used in another event loop before, or before a fork.
        """
        process = os.getpid()
        if (
            self._loop_guard is not None and self._loop_guard[0] != process
        ):  # asked first: there, asyncio knows of no loop any more
            msg = (
                "the client was used before this process was forked off; its connections are the other process's. Make "
                "a client in each process, or one before the fork that is not used until after it"
            )
            raise WrongEventLoopError(msg)
        home = process, anyio.lowlevel.current_token()
        if self._loop_guard is None:
            self._loop_guard = home
        elif self._loop_guard != home:
            msg = (
                "the client was used in another event loop before, which its connections belong to; "
                "make one client in each loop, or run the program in one asyncio.run()"
            )
            raise WrongEventLoopError(msg)


def is_left(queue: Queue) -> bool:
    """Whether those who stand in line did so in an event loop that has ended, so that nobody will ever wake them.

    Raises:
        WrongEventLoopError: If they can be woken, but not from here: they wait in another event loop, or process.
    """
    process = os.getpid()
    if queue.process is None:
        queue.process = process
    elif queue.process != process:
        msg = (
            "the RateBudget was used before this process was forked off; it counts the other process's calls. Make "
            "one in each process, with share= for its part of the key's limit, or with a store"
        )
        raise WrongEventLoopError(msg)
    if not queue.tickets or queue.loop == anyio.lowlevel.current_token():
        return False
    if not has_ended(queue.loop):
        msg = (
            "calls of another event loop wait for the same RateBudget; give the clients of each loop a budget of "
            "their own, with share= for their part of the key's limit"
        )
        raise WrongEventLoopError(msg)
    return True


def has_ended(loop: object) -> bool:
    """Whether an event loop runs no more, nor ever will."""
    token = getattr(loop, "native_token", loop)  # since anyio 4.11 it is wrapped
    if (is_closed := getattr(token, "is_closed", None)) is not None:  # asyncio's
        return bool(is_closed())
    call_soon = getattr(token, "run_sync_soon", None)  # trio's, which refuses once its run has ended
    if call_soon is None:
        return False
    try:
        call_soon(_nothing, idempotent=True)
    except RuntimeError:
        return True
    return False


def _nothing() -> None:
    """Do it."""
