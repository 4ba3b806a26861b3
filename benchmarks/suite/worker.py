"""One contender in a process of its own, which takes its turns on demand.

    python worker.py PEER WHERE CORE

For each turn, it reads a line ``warm size`` from its input, does that much work, and prints the measurements: CPU of
the
process, CPU of the thread, and wall time, in seconds, and the amount of work. A peer that measures its own time reports
that instead.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from suite import machine, peers


async def work(name: str, where: peers.Where) -> None:
    """Take turns until the input ends."""
    async with peers.find(name)(where) as act:
        _say({})
        for line in sys.stdin:
            warm, size = map(int, line.split())
            if warm:
                # Connections that were idle since the last turn are opened again here.
                await act(warm)
            gc.collect()
            cpu, thread, wall = time.process_time(), time.thread_time(), time.perf_counter()
            done = await act(size)
            figures: dict[str, float] = {
                "wall": time.perf_counter() - wall,
                "thread": time.thread_time() - thread,
                "cpu": time.process_time() - cpu,
            }
            _say(figures | ({"count": done} if isinstance(done, int) else done))


def _say(figures: dict[str, float]) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    name, where, core = sys.argv[1:]
    machine.stay_on(json.loads(core))
    asyncio.run(work(name, peers.Where(**json.loads(where))))
