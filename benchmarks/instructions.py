"""Count the instructions of a page with valgrind's callgrind, which are stable where times are not.

    python benchmarks/instructions.py [PEER ...]

Each peer reads the same listing once and three times, in separate processes; the cost of a page is the difference.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs

from suite import peers
from suite.contest import service

PEERS: Final = (
    "byhand.base",
    "others.transport",
    "others.connection",
    "others.streams",
    "ours.rows",
    "ours.pages",
    "ours.unsent",
)
PAGES: Final = 40


def count(name: str, where: peers.Where, walks: int) -> int:
    """Count the instructions of a process that reads the listing `walks` times."""
    done = _process(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", name=name, where=where, walks=walks
    )
    found = re.search(r"Collected : (\d+)", done)
    assert found is not None, done
    return int(found[1])


def _process(*before: str, name: str, where: peers.Where, walks: int) -> str:
    command = [*before, sys.executable, __file__, "--walk", name, json.dumps(attrs.asdict(where)), str(walks)]
    environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(Path(__file__).resolve().parent)}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stderr


async def walk(name: str, where: peers.Where, walks: int) -> None:
    """Read the listing, after two short ones that fill the caches."""
    async with peers.find(name)(where) as act:
        for pages in (10, 10, *[PAGES] * walks):
            await act(pages)


def main() -> None:
    """Print a line for each peer."""
    if sys.argv[1:2] == ["--walk"]:
        name, service_at, walks = sys.argv[2:]
        asyncio.run(walk(name, peers.Where(**json.loads(service_at)), int(walks)))
        return
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed; on Debian and Ubuntu: sudo apt install valgrind")
    with service("") as (where, _):
        for name in sys.argv[1:] or PEERS:
            _process(name=name, where=where, walks=1)  # which compiles the modules for the other runs
            once, thrice = [count(name, where, walks) for walks in (1, 3)]
            print(f"{name:24} {(thrice - once) / (2 * PAGES) / 1e6:6.2f} million instructions a page", flush=True)


if __name__ == "__main__":
    main()
