"""The command in processes of their own, which begin in no time: forked from one that has imported everything.

As a script, it is that process: it reads orders from stdin, and forks for each a process that calls the command.
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
    """A process that is under way, or was: until `wait` is called, nobody else is begun.

    Attributes:
        pid: Its number.
        terminal: The other end of its terminal, if it has one.
    """

    pid: int
    terminal: int
    answers: IO[str]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def type(self, text: str) -> None:
        """Type at its terminal."""
        os.write(self.terminal, text.encode())

    def screen(self, until: str | None = None) -> str:
        """Read what it wrote to its terminal, until it is gone, or a text came."""
        seen = b""
        try:
            while (until is None or until.encode() not in seen) and (more := os.read(self.terminal, 65_536)):
                seen += more
        except OSError:  # Linux, when the last process that had it open is gone
            pass
        return seen.decode()

    def wait(self) -> int:
        """Wait for its end, and give its exit code; below 0, the signal that ended it."""
        return int(self.answers.readline())


class Forks:
    """Begins processes."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self.folder = folder

    def begin(self, *arguments: object, terminal: bool = False) -> Child:
        """Call the command in a process of its own; its output goes to files, or to a terminal of its own."""
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
        """Call the command, and wait for it: its exit code, and what it wrote."""
        code = self.begin(*arguments).wait()
        out, err = ((self.folder / name).read_text("utf-8") for name in ("out", "err"))
        return code, out, err


@contextmanager
def forks(environment: Mapping[str, str], folder: Path) -> Iterator[Forks]:
    """Have a process that others are forked from; it lists a meeting, so that all that takes time is done.

    Args:
        environment: Settings of the command.
        folder: Where its output goes, unless it has a terminal.
    """
    # Who is killed while it writes its coverage leaves a file that cannot be read.
    calm = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    command = [sys.executable, __file__]
    settings = {**calm, **environment}
    with subprocess.Popen(command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "ready\n" == server.stdout.readline()
        yield Forks(server, folder)
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
        os.read(heard, 1)  # from here on, signals and a terminal's other end find it as it shall be
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
        ends = [os.open(order["terminal"], os.O_RDWR)] * 3  # which makes it the one that signals come from
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
