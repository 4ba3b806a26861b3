"""Contenders in processes of their own, which take turns in each round, in a rotating order."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from suite import machine
from suite.peers import Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).resolve().parent
LATENCY: Final = 0.02
GENERATIONS: Final = 3
"""How often the processes are restarted.

Memory layout and hash seeds vary by chance, which changes the results of a process by some percent.
"""


@attrs.frozen
class Turn:
    """The measurements of a contender's turn.

    Attributes:
        wall: Seconds.
        cpu: Seconds of CPU, all threads together.
        thread: Seconds of CPU in the thread of the event loop.
        count: The amount of work, in most sections the number of meetings.
        longest: Seconds of CPU in the longest step of the event loop, where it was measured.
    """

    wall: float
    cpu: float
    thread: float
    count: int
    longest: float = 0.0

    @property
    def each(self) -> float:
        """Nanoseconds of CPU per unit of work."""
        return self.cpu / self.count * 1e9


@contextmanager
def service(generated: str, latency: float = LATENCY) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Serve from another process; yield the addresses, and the sizes of the responses."""
    core, _ = machine.share_out()
    with contextlib.ExitStack() as stack:
        authority = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "authority.pem")
        command = [sys.executable, str(HERE / "server.py"), "--latency", "0", str(latency), "--authority", authority]
        command += [] if core is None else ["--core", str(core)]
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            url, slow_url, encrypted_url = facts.pop("urls")
            yield Where(url, slow_url, encrypted_url, authority, facts.pop("ids"), generated), facts
        finally:
            process.terminate()


class _Worker:
    def __init__(self, name: str, where: Where) -> None:
        self.name = name
        _, core = machine.share_out()
        command = [sys.executable, str(HERE / "worker.py"), name, json.dumps(attrs.asdict(where)), json.dumps(core)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear()

    def turn(self, warm: int, size: int) -> Turn:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{warm} {size}\n")
        self._process.stdin.flush()
        return Turn(**self._hear())

    def end(self) -> None:
        self._process.communicate(timeout=30)

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found


def contest(names: Sequence[str], where: Where, *, warm: int, size: int, rounds: int) -> dict[str, list[Turn]]:
    """Run `rounds` turns of each contender; turns with the same index ran one after another."""
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    generations = min(GENERATIONS, rounds)
    for generation in range(generations):
        with contextlib.ExitStack() as stack:
            workers = [_Worker(name, where) for name in names]
            for worker in workers:
                stack.callback(worker.end)
                # The first turn fills the caches.
                worker.turn(warm, size)
            share = rounds // generations + (generation < rounds % generations)
            for number in range(share):
                first = number % len(workers)
                for worker in workers[first:] + workers[:first]:
                    turns[worker.name].append(worker.turn(warm, size))
                print(".", end="", file=sys.stderr, flush=True)
    return turns


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide round by round: a disturbance of one turn affects its neighbour as well."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
