"""Questions to whoever sits at the terminal, if somebody does."""

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
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask a question, and give the answer; nothing at the end of what is typed."""
    with _ctrl_c_at_once():
        say(question)
        with _own_line():
            _wait_for_line()
            return sys.stdin.readline().strip()


def ask_secret(question: str) -> str:
    """Ask for what nobody shall see; nothing at the end of what is typed."""
    with _ctrl_c_at_once():
        try:
            with _own_line():
                return getpass.getpass(f"{question} (not shown): ").strip()
        except EOFError:
            return ""


def _wait_for_line() -> None:
    """Wait until a line is typed, or a signal comes.

    Python calls the handlers of signals between its own steps. One that came after the last of them, but before the
    process sleeps in `read`, would wait with it. The wakeup descriptor has no such gap.
    """
    if os.name == "nt" or threading.current_thread() is not threading.main_thread() or not sys.stdin.isatty():
        return
    try:
        typed = sys.stdin.fileno()
    except OSError:  # what stands in for a terminal has its line already
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told)
    try:
        while typed not in select.select([typed, heard], [], [])[0]:
            numbers = os.read(heard, 512)  # a handler that ends the question has been called by now
            if before != -1:
                os.write(before, numbers)
    finally:
        signal.set_wakeup_fd(before)
        os.close(heard)
        os.close(told)


@contextmanager
def _own_line() -> Iterator[None]:
    """Have what is told next begin a line of its own, if the answer did not end one."""
    try:
        yield
    except (EOFError, KeyboardInterrupt):
        say("")
        raise


@contextmanager
def _ctrl_c_at_once() -> Iterator[None]:
    """Let Ctrl-C end the question: the event loop would only take note of it, and wait for the answer all the same."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
