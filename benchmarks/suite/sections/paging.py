"""Iterating over a listing: CPU per meeting, ours and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest, middle, ratios
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "A listing of 12,000 meetings in 40 pages, CPU per meeting"
BASE: Final = "byhand.base"
GOALS: Final = {
    "ours.rows": ("iter_all ÷ BASE", ("<=", 1.0)),
    "ours.pages": ("pages() ÷ BASE", ("<=", 0.97)),
    "ours.prefetched": ("iter_all under `async with`, so prefetching, ÷ BASE", None),
    "byhand.generator": ("BASE as an async generator of rows ÷ BASE", None),
}


def run(plan: Plan) -> list[Figure]:
    """Measure."""
    size = 10 if plan.quick else 40
    turns = contest([BASE, *GOALS], plan.where, warm=1, size=size, rounds=plan.close())
    cpu = {name: [turn.cpu / turn.count * 1e9 for turn in found] for name, found in turns.items()}
    base = Figure("paging.base", "BASE: httpx by hand, msgspec into Structs, a plain `for`", "ns", cpu[BASE])
    found = [
        Figure(f"paging.{name.partition('.')[2]}", what, RATIO, ratios(cpu[name], cpu[BASE]), goal)
        for name, (what, goal) in GOALS.items()
    ]
    print(f"  BASE {middle(cpu[BASE]):,.0f} ns")
    return [base, *found]
