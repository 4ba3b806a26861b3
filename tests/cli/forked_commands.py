"""Runs the command in processes that start at once, since they are forked from one that has imported everything.

As a script, this is that process: it reads orders from stdin, and for each forks a process that calls the command.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pyas_async.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class Child:
    """A forked process. Call `wait` before the next one is started.

    Attributes:
        pid: Its process id.
        terminal: The other end of its terminal, if it has one.
    """

    pid: int
    terminal: int
    answers: IO[str]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to it."""
        os.kill(self.pid, number)

    def type(self, text: str) -> None:
        """Type at its terminal."""
        os.write(self.terminal, text.encode())

    def screen(self, until: str | None = None) -> str:
        """Read its terminal's output until it ends, or until a text appears."""
        seen = b""
        try:
            while (until is None or until.encode() not in seen) and (more := os.read(self.terminal, 65_536)):
                seen += more
        except OSError:  # on Linux, after the last process has closed it
            pass
        return seen.decode()

    def wait(self) -> int:
        """Wait for its end, and return its exit code; below 0, the signal that ended it."""
        return int(self.answers.readline())


class ForkedCommands:
    """Starts forked processes."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self.folder = folder

    def begin(self, *arguments: object, terminal: bool = False) -> Child:
        """Start the command in a process; its output goes to files, or to a terminal of its own."""
        leader, follower = pty.openpty() if terminal else (-1, -1)
        for name in ("out", "err"):
            if not (self.folder / name).is_fifo():
                (self.folder / name).write_bytes(b"")
        order = {
            "arguments": [str(argument) for argument in arguments],
            "terminal": os.ttyname(follower) if terminal else None,
            "folder": str(self.folder),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        child = Child(int(self._server.stdout.readline()), leader, self._server.stdout)
        if terminal:
            os.close(follower)
        return child

    def call(self, *arguments: object) -> tuple[int, str, str]:
        """Call the command and wait for it; return its exit code, stdout and stderr."""
        code = self.begin(*arguments).wait()
        out, err = ((self.folder / name).read_text("utf-8") for name in ("out", "err"))
        return code, out, err


@contextmanager
def forks(environment: Mapping[str, str], folder: Path) -> Iterator[ForkedCommands]:
    """Run the process from which others are forked. It first lists a meeting, so that everything slow is done.

    Args:
        environment: Environment variables of the command.
        folder: The folder for its output, unless it has a terminal.
    """
    # A process that is killed while it writes its coverage leaves an unreadable file.
    calm = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    command = [sys.executable, __file__]
    settings = {**calm, **environment}
    with subprocess.Popen(command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "ready\n" == server.stdout.readline()
        yield ForkedCommands(server, folder)
        assert server.stdin is not None
        server.stdin.close()


def _serve() -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        assert main(["meetings", "list", "--limit", "1", "--json"]) == 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        heard, ready = os.pipe()
        pid = os.fork()
        if not pid:
            _become(order, ready)
        os.read(heard, 1)  # from here on, signals and the terminal are set up
        for end in (heard, ready):
            os.close(end)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, Any], ready: int) -> None:
    folder = Path(order["folder"])
    if order["terminal"] is None:
        ends = [os.open(os.devnull, os.O_RDONLY)]
        ends += [os.open(folder / name, os.O_WRONLY) for name in ("out", "err")]
    else:
        os.setsid()
        ends = [os.open(order["terminal"], os.O_RDWR)] * 3  # opening it makes it the controlling terminal
    for number, end in enumerate(ends):
        os.dup2(end, number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.write(ready, b".")
    code = 1
    try:
        code = main(order["arguments"])
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
