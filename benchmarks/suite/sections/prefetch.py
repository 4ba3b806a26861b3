"""The gain of prefetching: `prefetch.py`, over a socket, with 50 ms of latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.figures import RATIO, Figure
from suite.scripts import run_script

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "Prefetching: how much sooner a listing ends, for a reader that works as long on a page as a page takes"


def run(plan: Plan) -> list[Figure]:
    """Measure the gain."""
    report = run_script("prefetch", f"--rounds={2 if plan.quick else 7}", f"--pages={10 if plan.quick else 30}")
    found = []
    for name, times in report["seconds"].items():
        gains = [one / other for one, other in zip(times["without"], times["with"], strict=True)]
        found.append(Figure(f"prefetch.{name}", f"a reader that {name}", RATIO, gains, (">=", 1.75)))
    return found
