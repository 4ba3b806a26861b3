"""Checks that a client, and a queue in front of a budget, are used in one process and one event loop only.

Connections belong to the event loop that opened them, and a call can be woken only in the loop in which it waits.
"""

import os

import anyio.lowlevel

from pyas_async._core.ratelimit.queue import Queue
from pyas_async.errors import WrongEventLoopError


class LoopGuard:
    """The process and the event loop of a client's first call, which own its connections."""

    def __init__(self) -> None:
        self._owner: tuple[int, object] | None = None

    def check(self) -> None:
        """Make sure that a call comes from the owner; the first call becomes it.

        Raises:
            WrongEventLoopError: If the client was used in another event loop before, or before a fork.
        """
        process = os.getpid()
        # Before the event loop: in a forked process, asyncio no longer knows of one.
        if self._owner is not None and self._owner[0] != process:
            msg = (
                "the client was used before this process was forked off; its connections are the other process's. Make "
                "a client in each process, or one before the fork that is not used until after it"
            )
            raise WrongEventLoopError(msg)
        caller = process, anyio.lowlevel.current_token()
        if self._owner is None:
            self._owner = caller
        elif self._owner != caller:
            msg = (
                "the client was used in another event loop before, which its connections belong to; "
                "make one client in each loop, or run the program in one asyncio.run()"
            )
            raise WrongEventLoopError(msg)


def is_abandoned(queue: Queue) -> bool:
    """Whether the calls in a queue wait in an event loop that has ended, so that nothing will ever wake them.

    Raises:
        WrongEventLoopError: If the calls can be woken, but not from here: they wait in another event loop or process.
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
    """Whether an event loop has ended for good."""
    token = getattr(loop, "native_token", loop)  # since anyio 4.11 it is wrapped
    if (is_closed := getattr(token, "is_closed", None)) is not None:  # asyncio's
        return bool(is_closed())
    call_soon = getattr(token, "run_sync_soon", None)  # trio's; it raises once its run has ended
    if call_soon is None:
        return False
    try:
        call_soon(_do_nothing, idempotent=True)
    except RuntimeError:
        return True
    return False


def _do_nothing() -> None:
    pass
