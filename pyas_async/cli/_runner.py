"""Runs a command: with an event loop, signal handling, and errors without tracebacks."""

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

from pyas_async.cli._errors import Exit, code_of, text_of
from pyas_async.cli._options import Common
from pyas_async.cli._output import clean, say, say_error

AsyncWork = Callable[[], Awaitable[int | None]]


def perform(work: Callable[[], int | None], common: Common) -> int:
    """Run a command's work, and return its exit code; 0 if it returns none."""
    with _handle_sigterm() as terminated, _show_warnings():
        try:
            return work() or Exit.OK
        except BrokenPipeError:
            raise
        except KeyboardInterrupt as error:
            first, *others = getattr(error, "__notes__", ()) or ("interrupted",)
            for line in (f"pyas: {first}", *others):
                say(line)
            return Exit.TERMINATED if terminated else Exit.INTERRUPTED
        except Exception as error:  # noqa: BLE001  (every error becomes a message and an exit code)
            if common.debug:
                traceback.print_exception(error, file=sys.stderr)
            say_error(*text_of(error))
            for note in getattr(error, "__notes__", ()):
                say(note)
            return code_of(error)


def perform_async(work: AsyncWork, common: Common) -> int:
    """Run a command's work in an event loop. Ctrl-C cancels it; its cleanup still runs."""
    return perform(lambda: anyio.run(work), common)


@contextmanager
def _handle_sigterm() -> Iterator[list[int]]:
    """Treat SIGTERM like Ctrl-C; the yielded list contains it afterwards."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def end(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        handler: Any = signal.getsignal(signal.SIGINT)
        # The event loop's handler, which cancels what the loop runs, if there is one. If a shell has disabled SIGINT,
        # as for jobs in the background, there is none.
        (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGTERM, before)


class _MessageHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # The commands themselves show that they wait.
        if getattr(record, "pyas_event", None) not in ("LongWait", "Waiting"):
            say(clean(f"pyas: {record.levelname.lower()}: {record.getMessage()}"))


@contextmanager
def _show_warnings() -> Iterator[None]:
    """Show the library's warnings."""
    log, handler = logging.getLogger("pyas_async"), _MessageHandler(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
