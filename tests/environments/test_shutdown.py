"""A program that ends with a client open, or in the middle of its work, ends at once, with 0, and without a word."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.wires import found, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.wires import Seen, Wire

PROGRAM = Path(__file__).parent / "left.py"


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve a meeting, listings, and one meeting that is never answered."""
    over = threading.Event()

    def answer(seen: Seen) -> bytes | None:
        return None if seen.target.partition("?")[0].endswith("/90") and over.wait(60) else found(seen)

    with wire(answer) as server:
        yield server
        over.set()


def each_program() -> Iterator[object]:
    """Give each program on each loop; one of the two is enough for the ordinary suite: it takes a process."""
    for number, program in enumerate(["unclosed", "exit_in_blocks", "interrupted", "in_daemon_threads"]):
        for backend in ("asyncio", "trio"):
            ordinary = (backend == "trio") == (number % 2 == 1)
            yield pytest.param(backend, program, marks=() if ordinary else pytest.mark.long)


@pytest.mark.parametrize(("anyio_backend", "program"), list(each_program()))
def test_left_behind(service: Wire, anyio_backend: str, program: str) -> None:
    """Whatever is under way when the program ends, on asyncio and trio."""
    check(service, anyio_backend, program)


@pytest.mark.parametrize("program", ["tasks_left", "stopped"])
def test_left_behind_on_asyncio(service: Wire, program: str) -> None:
    """The same where asyncio's tasks outlive their main function, or their loop stands still."""
    check(service, "asyncio", program)


def check(service: Wire, backend: str, program: str) -> None:
    """Run a program."""
    done = subprocess.run(
        [sys.executable, PROGRAM, service.url, backend, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = "interrupted" if program == "interrupted" else ""
    assert (0, said, "") == (done.returncode, done.stdout, done.stderr)
