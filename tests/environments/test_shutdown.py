"""A program that ends with an open client, or in the middle of its work, exits at once with 0 and prints nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.socket_server import found, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.socket_server import Seen, Wire

PROGRAM = Path(__file__).parent / "exit_program.py"


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve a meeting, listings, and one meeting that never gets a response."""
    over = threading.Event()

    def answer(seen: Seen) -> bytes | None:
        return None if seen.target.partition("?")[0].endswith("/90") and over.wait(60) else found(seen)

    with wire(answer) as server:
        yield server
        over.set()


def each_program() -> Iterator[object]:
    """Yield each program with each loop. The ordinary suite uses one of the two, since each case starts a process."""
    for number, program in enumerate(["unclosed", "exit_in_blocks", "interrupted", "in_daemon_threads"]):
        for backend in ("asyncio", "trio"):
            ordinary = (backend == "trio") == (number % 2 == 1)
            yield pytest.param(backend, program, marks=() if ordinary else pytest.mark.long)


@pytest.mark.parametrize(("anyio_backend", "program"), list(each_program()))
def test_exit(service: Wire, anyio_backend: str, program: str) -> None:
    """A program can end at any time, on asyncio and trio."""
    check(service, anyio_backend, program)


@pytest.mark.parametrize("program", ["tasks_left", "stopped"])
def test_exit_on_asyncio(service: Wire, program: str) -> None:
    """A program can end on asyncio while tasks outlive the main function, or while the loop is stopped."""
    check(service, "asyncio", program)


def check(service: Wire, backend: str, program: str) -> None:
    """Run a program, and check its exit code and output."""
    done = subprocess.run(
        [sys.executable, PROGRAM, service.url, backend, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = "interrupted" if program == "interrupted" else ""
    assert (0, said, "") == (done.returncode, done.stdout, done.stderr)
