"""After a fork, unused objects work in the child, and used ones are refused with a message that names them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.socket_server import wire

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")

PROGRAM = Path(__file__).parent / "fork_program.py"
FORKED = "WrongEventLoopError: the client was used before this process was forked off"
BUDGET = "WrongEventLoopError: the RateBudget was used before this process was forked off"
EXPECTED = [
    "child of an unused client: get: ok",
    "parent: ok",
    f"child in the parent's loop: get: {FORKED}",
    f"child in the parent's loop: aclose: {FORKED}",
    "parent: ok",
    f"child of a used client: get: {FORKED}",
    f"child of a used client: aclose: {FORKED}",
    f"child of a used client: another client on the same budget: {BUDGET}",
    "child of a used client: another client: ok",
    "parent of a child that used it: ok",
]


def test_fork(anyio_backend: str) -> None:
    """A child process never uses or closes its parent's connections, and never counts in its parent's budget."""
    with wire() as server:
        done = subprocess.run(
            [sys.executable, PROGRAM, server.url, anyio_backend],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        requests = [(int(seen.target.partition("?")[0].rpartition("/")[2]), seen.turn) for seen in server.requests]
    assert (0, "") == (done.returncode, done.stderr)
    assert EXPECTED == [line.partition(";")[0] for line in done.stdout.splitlines()]
    # The parent's second call used its first connection, and nothing else did.
    assert [(4, 1), (1, 1), (3, 2), (7, 1), (8, 1)] == requests
