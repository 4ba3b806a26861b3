"""Questions to a person at the terminal, if there is one."""

import getpass
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyas_async.cli._output import say


def at_terminal() -> bool:
    """Whether a person can be asked: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask a question and return the answer; an empty string at end of file."""
    with _default_sigint():
        say(question)
        with _new_line_on_abort():
            _wait_for_line()
            return sys.stdin.readline().strip()


def ask_secret(question: str) -> str:
    """Ask for a secret without echoing it; an empty string at end of file."""
    with _default_sigint():
        try:
            with _new_line_on_abort():
                return getpass.getpass(f"{question} (not shown): ").strip()
        except EOFError:
            return ""


def _wait_for_line() -> None:
    """Wait until a line is typed, or a signal arrives.

    Python calls signal handlers between its own instructions. A signal that arrives after the last of these, but before
    the process sleeps in `read`, would wait for the line. The wakeup descriptor has no such gap.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread() or not sys.stdin.isatty():
        return
    try:
        typed = sys.stdin.fileno()
    except OSError:  # a test's replacement for stdin, which never blocks
        return
    wakeup, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    before = signal.set_wakeup_fd(wakeup_write)
    try:
        while typed not in select.select([typed, wakeup], [], [])[0]:
            numbers = os.read(wakeup, 512)  # a handler that ends the question has been called by now
            if before != -1:
                os.write(before, numbers)
    finally:
        signal.set_wakeup_fd(before)
        os.close(wakeup)
        os.close(wakeup_write)


@contextmanager
def _new_line_on_abort() -> Iterator[None]:
    """Start a new line for the next message, if the answer did not end its line."""
    try:
        yield
    except (EOFError, KeyboardInterrupt):
        say("")
        raise


@contextmanager
def _default_sigint() -> Iterator[None]:
    """Let Ctrl-C end a question. The event loop's own handler would only cancel a task, and wait for the answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
