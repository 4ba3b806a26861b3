"""Fifty gets at once, with a service that takes 20 ms for each: the total over the 20 ms that are possible at best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import LATENCY, contest
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "50 gets at once, 20 ms each: time over the 20 ms that they take at best"
AT_ONCE: Final = 50
WHO: Final = {
    "ours.gets": ("ours, plain httpx", ("<=", 1.5)),
    "ours.gets_aiohttp_transport": ("ours, over httpx-aiohttp", ("<=", 1.3)),
    "byhand.gets": ("an httpx.AsyncClient by hand", None),
    "byhand.gets_aiohttp_transport": ("an httpx.AsyncClient by hand, over httpx-aiohttp", None),
    "others.aiohttp_gets": ("aiohttp by hand", None),
    "others.transport_gets": ("floor: a transport of httpx's for each get, called directly", None),
}


def run(plan: Plan) -> list[Figure]:
    """Compare the contenders in this section."""
    turns = contest(list(WHO), plan.where, warm=AT_ONCE, size=AT_ONCE, rounds=plan.close())
    found = [
        Figure(f"burst.{name}", what, RATIO, [turn.wall / LATENCY for turn in turns[name]], goal)
        for name, (what, goal) in WHO.items()
    ]
    cpu, floor = (
        [turn.cpu / turn.count * 1e6 for turn in turns[name]] for name in ("ours.gets", "others.transport_gets")
    )
    return [
        *found,
        Figure("burst.cpu", "ours, plain httpx: CPU of a get", "µs", cpu),
        Figure("burst.cpu.floor", "that floor: CPU of a get", "µs", floor),
    ]
