"""The longest time for which the event loop is blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest
from suite.figures import Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "The longest step of the event loop, while pages of 300 rows are walked: CPU"
WHO: Final = {
    "stretches.rows": "rows",
    "stretches.details": "rows of the size of details",
    "stretches.odd": "the same, and no row is as documented",
}


def run(plan: Plan) -> list[Figure]:
    """Measure the longest steps."""
    turns = contest(list(WHO), plan.where, warm=1, size=5, rounds=plan.rounds)
    return [
        Figure(name, what, "ms", [turn.longest * 1e3 for turn in turns[name]], ("<=", 5.0))
        for name, what in WHO.items()
    ]
