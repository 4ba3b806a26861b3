"""The cost of remembering the rows of a long listing: memory, time, and the size of a checkpoint.

    python benchmarks/rows_memory.py [--rows 1000000] [--rounds 3] [--json FILE]

Rows are streamed through `iter_all` from an in-process transport that makes pages as cheaply as possible; its own time
is subtracted. Every round of every part runs in a new process, since the allocator's state after one would affect the
next.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import math
import platform
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from pyas_async import Checkpoint, Meeting, PyasClient, RetryPolicy
from pyas_async._core.checkpoints.seen_rows import SeenRows

PAGE: Final = 300
# With fewer rows, the total is below 200 kB, however much that is per row.
FEW: Final = 1_000
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
# A row as in the service's documentation.
ROW: Final = (
    '{"uuid":"%022x==","id":%d,"host_id":"KDcuGIm1QgePTO8WbOqwIQ","topic":"Weekly review %d","type":2,'
    '"start_time":"2026-%02d-%02dT%02d:%02d:00Z","duration":60,"timezone":"America/Los_Angeles",'
    '"agenda":"What was decided, what is open, and who does it until when.",'
    '"created_at":"2025-11-01T08:00:00Z","join_url":"https://us05web.zoom.us/j/%d?pwd=%022x"}'
)
# The figures, their units, and their goals.
MEASURES: Final = {
    "memory.steady": ("bytes a row remembered, by tracemalloc, at the end", "<= 100"),
    "memory.worst": (f"the same after the page where it is worst, of all from {FEW:,} rows on", "<= 100"),
    "memory.worst_at": ("rows there (the set has just grown)", ""),
    "memory.least": ("the same after the page where it is best (the set is about to grow)", ""),
    "memory.resumed": ("bytes a row of a memory made from a checkpoint, at the worst of such lengths", "<= 100"),
    "memory.peak": ("bytes a row at the highest peak, while the set grows, over the rows at the end", ""),
    "stream.remember": ("ns a row spent in the memory of rows", ""),
    "stream.row": ("ns a row of CPU in iter_all, all told", ""),
    "stream.share": ("the memory's share of that, in percent", "<= 25"),
    "stream.start": ("MB resident after the first page", ""),
    "stream.peak": ("MB resident at the peak", ""),
    "stream.growth": ("bytes of resident memory by which the peak grew, a row", ""),
    "checkpoint.size": ("bytes of text a row", ""),
    "checkpoint.over": ("bytes of text beyond 12 a row", "<= 2048"),
    "checkpoint.take": ("µs to take a checkpoint", ""),
    "checkpoint.write": ("ms to write it as text", ""),
    "checkpoint.parse": ("ms to read that text", ""),
    "checkpoint.resume": ("ms to begin a listing from it", ""),
}


class Service:
    """Makes pages in this process, and measures its own time."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.spent = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a list call."""
        began = time.process_time()
        first = int(request.url.params.get("nextPageToken", "0"), 16)
        last = min(first + PAGE, self.rows)
        token = f"{last:040x}" if last < self.rows else ""
        head = f'{{"page_size":{PAGE},"total_records":{self.rows},"next_page_token":"{token}"'
        body = f'{{"success":true,"data":{head},"meetings":[{",".join(map(row, range(first, last)))}]}}}}'
        response = httpx.Response(200, content=body.encode())
        self.spent += time.process_time() - began
        return response

    def client(self) -> PyasClient:
        """Make a client of this service."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return PyasClient("key", base_url="http://localhost", http_client=http, retry=RetryPolicy.none())


def identity(number: int) -> tuple[int, int]:
    """Return the number and the uuid of a meeting, as 88 bits, both unique."""
    return 10_000_000_000 + number * 7919, number * 0x9E3779B97F4A7C15F39CC1 % 2**88


def row(number: int) -> str:
    """Return a row."""
    meeting, uuid = identity(number)
    moment = (number // 1344 % 12 + 1, number // 48 % 28 + 1, number // 2 % 24, number % 2 * 30)
    return ROW % (uuid, meeting, number, *moment, meeting, uuid)


def resident() -> float:
    """Return the peak of this process's resident memory so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure_memory(rows: int) -> dict[str, float]:
    """Fill a memory of rows page by page, and measure its allocations."""

    def page(first: int) -> tuple[Meeting, ...]:
        numbers = range(first, min(first + PAGE, rows))
        names = ((number, *identity(number)) for number in numbers)
        return tuple(
            Meeting(id=meeting, uuid=f"{uuid:022x}==", start_time=BEGIN + timedelta(minutes=30 * number))
            for number, meeting, uuid in names
        )

    SeenRows().add_new(page(0))
    gc.collect()
    tracemalloc.start()
    memory = SeenRows()
    worst, worst_at, least, peak = 0.0, 0, math.inf, 0
    for first in range(0, rows, PAGE):
        meetings = page(first)
        before = tracemalloc.get_traced_memory()[0]
        held = 0 if first == 0 else before
        tracemalloc.reset_peak()
        memory.add_new(meetings)
        # What the page itself takes is not the memory's.
        own = tracemalloc.get_traced_memory()[1] - before + held
        peak = max(peak, own)
        del meetings
        each = tracemalloc.get_traced_memory()[0] / len(memory)
        if len(memory) >= min(FEW, rows):
            worst, worst_at = max((worst, worst_at), (each, len(memory)))
            least = min(least, each)
    gc.collect()
    steady = tracemalloc.get_traced_memory()[0] / rows
    assert len(memory) == rows
    return {
        "steady": steady,
        "worst": worst,
        "worst_at": worst_at,
        "least": least,
        "resumed": max(resumed_at(length, memory) for length in sizes(rows)),
        "peak": peak / rows,
    }


def sizes(rows: int) -> list[int]:
    """Return lengths up to `rows` at which a set has just grown: that happens at three fifths of its capacity."""
    filled = (3 * 2**power // 5 + 2 for power in range(11, 40))
    return list(itertools.takewhile(lambda length: length <= rows, filled)) or [rows]


def resumed_at(length: int, memory: SeenRows) -> float:
    """Make a memory of rows from a checkpoint of that length, and measure its allocations."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    resumed = SeenRows(memory.log[:length])
    return (tracemalloc.get_traced_memory()[0] - before) / len(resumed)


def measure_stream(rows: int) -> dict[str, float]:
    """Stream the rows, and measure the share of CPU time for remembering them."""
    remembering = 0.0
    fresh = SeenRows.add_new

    def timed(self: SeenRows, rows: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
        nonlocal remembering
        began = time.process_time()
        new = fresh(self, rows)
        remembering += time.process_time() - began
        return new

    async def stream() -> tuple[float, float]:
        service = Service(rows)
        count, start = 0, 0.0
        began = time.process_time()
        async for _ in service.client().meetings.iter_all(account_id="a", verify_total="raise"):
            count += 1
            if count == PAGE:
                start = resident()
        assert count == rows
        return time.process_time() - began - service.spent, start

    SeenRows.add_new = timed  # type: ignore[method-assign]  # a clock around it; once a page, so it adds next to nothing
    whole, start = asyncio.run(stream())
    peak = resident()
    return {
        "remember": remembering / rows * 1e9,
        "row": whole / rows * 1e9,
        "share": remembering / whole * 100,
        "start": start / 1e6,
        "peak": peak / 1e6,
        "growth": (peak - start) / rows,
    }


def measure_checkpoint(rows: int) -> dict[str, float]:
    """Take, write and parse checkpoints in the middle of the last page."""

    async def prepare() -> dict[str, float]:
        client = Service(rows).client()
        listing = client.meetings.iter_all(account_id="a")
        for _ in range(rows - PAGE // 2):
            await anext(listing)
        takes = 1000
        began = time.perf_counter()
        for _ in range(takes):
            checkpoint = listing.checkpoint()
        took = time.perf_counter() - began
        checkpoint = listing.checkpoint()
        began = time.perf_counter()
        text = str(checkpoint)
        wrote = time.perf_counter()
        Checkpoint.parse(text)
        parsed = time.perf_counter()
        rest = client.meetings.iter_all(resume=checkpoint)
        resumed = time.perf_counter()
        assert sum([1 async for _ in rest]) == PAGE // 2
        return {
            "size": len(text) / checkpoint.items,
            "over": len(text) - 12 * checkpoint.items,
            "take": took / takes * 1e6,
            "write": (wrote - began) * 1e3,
            "parse": (parsed - wrote) * 1e3,
            "resume": (resumed - parsed) * 1e3,
        }

    return asyncio.run(prepare())


PARTS: Final = {"memory": measure_memory, "stream": measure_stream, "checkpoint": measure_checkpoint}


def run(part: str, rows: int) -> dict[str, float]:
    """Measure a part in a new process."""
    command = [sys.executable, __file__, "--rows", str(rows), "--part", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{part}: {done.stderr}")
    print(".", end="", file=sys.stderr, flush=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return {f"{part}.{name}": value for name, value in figures.items()}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="What remembering the rows of a long listing costs.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.rows)))
        return
    rounds = [
        {name: value for part in PARTS for name, value in run(part, options.rows).items()}
        for _ in range(options.rounds)
    ]
    figures = {
        name: {
            "median": statistics.median(one[name] for one in rounds),
            "least": min(one[name] for one in rounds),
            "most": max(one[name] for one in rounds),
        }
        for name in MEASURES
    }
    where = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    print(f"\n{options.rows:,} rows, medians of {options.rounds} rounds (least to most), {where}\n")
    for name, (meaning, goal) in MEASURES.items():
        median, least, most = figures[name].values()
        print(f"{median:10,.1f}  ({least:,.1f} to {most:,.1f})".ljust(42), f"{goal:8}", meaning)
    if options.json:
        report = {"rows": options.rows, "rounds": options.rounds, "where": where, "figures": figures}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
