"""Fifty gets at once, of a service that takes 20 ms for each: how far from the 20 ms that they would take at best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import LATENCY, contest
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "50 gets at once, 20 ms each, wall ÷ 20 ms"
AT_ONCE: Final = 50
WHO: Final = {
    "ours.gets": ("plain httpx", ("<=", 1.5)),
    "ours.gets_aiohttp_transport": ("over httpx-aiohttp", ("<=", 1.3)),
    "byhand.gets": ("an httpx.AsyncClient by hand", None),
    "byhand.gets_aiohttp_transport": ("an httpx.AsyncClient by hand, over httpx-aiohttp", None),
}


def run(plan: Plan) -> list[Figure]:
    """Measure."""
    turns = contest(list(WHO), plan.where, warm=AT_ONCE, size=AT_ONCE, rounds=plan.close())
    return [
        Figure(f"burst.{name}", what, RATIO, [turn.wall / LATENCY for turn in turns[name]], goal)
        for name, (what, goal) in WHO.items()
    ]
