"""Sixteen accounts of twenty pages at once, with a service that takes 20 ms for each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import LATENCY, contest
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "16 accounts of 20 pages, 16 at once, 20 ms a page: time over the 400 ms that they take at best"
PAGES: Final = 20
WHO: Final = {
    "ours.accounts": ("iter_accounts", ("<=", 1.3)),
    "byhand.accounts": ("BASE, a task for each account", None),
}


def run(plan: Plan) -> list[Figure]:
    """Compare the contenders in this section."""
    pages = 5 if plan.quick else PAGES
    turns = contest(list(WHO), plan.where, warm=1, size=pages, rounds=plan.rounds)
    found = [
        Figure(f"accounts.{name}", what, RATIO, [turn.wall / pages / LATENCY for turn in turns[name]], goal)
        for name, (what, goal) in WHO.items()
    ]
    busy = [turn.cpu / turn.wall for turn in turns["ours.accounts"]]
    return [*found, Figure("accounts.busy", "iter_accounts: the part of that time in which the CPU is busy", "", busy)]
