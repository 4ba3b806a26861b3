"""The calls spent, over the least possible: `budget.py`, in virtual time, in small worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.figures import RATIO, Figure
from suite.scripts import run_script

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "Calls spent over the least possible: 10 and 50 listings at once on one key, in virtual time"
WHO: Final = {
    "ours": ("iter_all for each account", ("<=", 1.0)),
    "semaphore": ("by hand, a semaphore around each call (cut off at five times as many)", None),
    "queue": ("by hand, a queue that keeps to the limit, first in, first out", None),
}


def run(plan: Plan) -> list[Figure]:
    """Simulate the worlds."""
    sizes = "10" if plan.quick else "10,50"
    spent: dict[str, list[float]] = {}
    for row in run_script("budget", f"--accounts={sizes}")["rows"]:
        for one in row["runs"]:
            spent.setdefault(row["who"], []).append(one["pages"] / one["least"])
    # Every world must reach the goal, so the worst one counts.
    return [
        Figure(f"spent.{who}", f"{what}, of {len(spent[who])} worlds the worst", RATIO, [max(spent[who])], goal)
        for who, (what, goal) in WHO.items()
    ]
