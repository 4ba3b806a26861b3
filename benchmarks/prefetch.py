"""The gain of prefetching, for a consumer that awaits and for one that computes.

    python benchmarks/prefetch.py [--rounds 7] [--json FILE]

The sandbox serves over a socket from another process, with some latency. Each consumer works on a page for as long as a
page takes to arrive, so doing both at once takes half the time: a gain of 2, less the first page, which cannot be
worked
on before it arrives. Runs with and without prefetching alternate.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from pyas_async import PyasClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

PAGE: Final = 300
CONSUMERS: Final = ("awaits", "computes")
GOAL: Final = 1.75


@contextmanager
def sandbox(pages: int, latency: float) -> Iterator[dict[str, Any]]:
    """Serve `pages` pages from another process, and yield its facts."""
    sizes = ["--accounts=1", f"--meetings={pages * PAGE}", f"--latency={latency}"]
    command = [sys.executable, "-m", "pyas_async.sandbox", *sizes]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


async def awaits(seconds: float) -> None:
    """Work like a consumer that waits for a database."""
    await anyio.sleep(seconds)


async def computes(seconds: float) -> None:
    """Work like a consumer that blocks the event loop."""
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        pass


async def walk(client: PyasClient, work: Callable[[], Awaitable[None]] | None, *, prefetch: bool) -> float:
    """Read the listing with some work on each page; return the seconds."""
    began = time.perf_counter()
    async with client.meetings.iter_all(prefetch=prefetch) as listing:
        async for _ in listing.pages():
            if work is not None:
                await work()
    return time.perf_counter() - began


async def measure(service: dict[str, Any], pages: int, rounds: int) -> dict[str, Any]:
    """Alternate the runs, round by round."""
    async with PyasClient(service["api_key"], base_url=service["url"], account_id=service["account_ids"][0]) as client:
        await walk(client, None, prefetch=False)
        page = statistics.median([await walk(client, None, prefetch=False) for _ in range(3)]) / pages
        seconds: dict[str, dict[str, list[float]]] = {name: {"without": [], "with": []} for name in CONSUMERS}
        for _ in range(rounds):
            for name, consumer in zip(CONSUMERS, (awaits, computes), strict=True):
                work = partial(consumer, page)
                seconds[name]["without"].append(await walk(client, work, prefetch=False))
                seconds[name]["with"].append(await walk(client, work, prefetch=True))
            print(".", end="", file=sys.stderr, flush=True)
    return {"page": page, "seconds": seconds}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="What prefetching gains.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that each answer waits")
    parser.add_argument("--backend", choices=["asyncio", "trio"], default="asyncio")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    with sandbox(options.pages, options.latency) as service:
        report = anyio.run(measure, service, options.pages, options.rounds, backend=options.backend)
    bound = 2 * options.pages / (options.pages + 1)
    where = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}, {options.backend}"
    print(f"\n{options.pages} pages of {PAGE} rows, a page and the work on it {report['page'] * 1e3:.1f} ms each")
    print(f"medians of {options.rounds} rounds, {where}; the gain is {bound:.2f} at best, wanted: {GOAL}\n")
    print(f"{'a consumer that':18}{'without':>9}{'with':>9}{'gain':>7}  (least to most)")
    report["gains"] = {}
    for name, times in report["seconds"].items():
        gains = [one / other for one, other in zip(times["without"], times["with"], strict=True)]
        report["gains"][name] = {"median": statistics.median(gains), "least": min(gains), "most": max(gains)}
        without, prefetched = (statistics.median(times[how]) for how in ("without", "with"))
        spread = f"({min(gains):.2f} to {max(gains):.2f})"
        print(f"{name:18}{without:7.2f} s{prefetched:7.2f} s{statistics.median(gains):7.2f}  {spread}")
    if options.json:
        report |= {"pages": options.pages, "rounds": options.rounds, "where": where, "bound": bound}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
