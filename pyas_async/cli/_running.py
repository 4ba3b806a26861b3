"""How a command is run: an event loop around it, signals heeded, and errors told without a traceback."""

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import anyio

from pyas_async.cli._failing import Exit, code_of, text_of
from pyas_async.cli._options import Common
from pyas_async.cli._output import clean, say, say_error

AsyncWork = Callable[[], Awaitable[int | None]]


def perform(work: Callable[[], int | None], common: Common) -> int:
    """Do a command's work, and give its exit code; without one of its own, 0."""
    with _heed_sigterm() as terminated, _tell_warnings():
        try:
            return work() or Exit.OK
        except BrokenPipeError:
            raise
        except KeyboardInterrupt as error:
            first, *others = getattr(error, "__notes__", ()) or ("interrupted",)
            for line in (f"pyas: {first}", *others):
                say(line)
            return Exit.TERMINATED if terminated else Exit.INTERRUPTED
        except Exception as error:  # noqa: BLE001  (whatever it is, a line and a number tell it)
            if common.debug:
                traceback.print_exception(error, file=sys.stderr)
            say_error(*text_of(error))
            for note in getattr(error, "__notes__", ()):
                say(note)
            return code_of(error)


def perform_async(work: AsyncWork, common: Common) -> int:
    """Do a command's work in an event loop. Ctrl-C cancels it, and what it does when cancelled is done."""
    return perform(lambda: anyio.run(work), common)


@contextmanager
def _heed_sigterm() -> Iterator[list[int]]:
    """Treat SIGTERM like Ctrl-C, and remember that it was one."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def end(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        handler: Any = signal.getsignal(signal.SIGINT)
        # The event loop's own way to cancel what it runs, if there is one; where a shell has switched SIGINT off, as
        # for what it runs in the background, there is none.
        (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGTERM, before)


class _Teller(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(clean(f"pyas: {record.levelname.lower()}: {record.getMessage()}"))


@contextmanager
def _tell_warnings() -> Iterator[None]:
    """Show what the library warns of."""
    log, teller = logging.getLogger("pyas_async"), _Teller(logging.WARNING)
    log.addHandler(teller)
    try:
        yield
    finally:
        log.removeHandler(teller)
