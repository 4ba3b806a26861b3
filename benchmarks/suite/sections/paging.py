"""Iterating over a listing: CPU per meeting, ours and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest, ratios
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "A listing of 12,000 meetings in 40 pages: CPU per meeting"
BASE: Final = "byhand.base"
OURS: Final = "ours.rows"
ENCRYPTED: Final = ("ours.encrypted", "byhand.encrypted")
CLOSEST: Final = {
    OURS: ("iter_all ÷ BASE", ("<=", 1.0)),
    "ours.pages": ("pages() ÷ BASE", ("<=", 0.97)),
}
CLOSE: Final = {
    "ours.aiohttp_transport": ("iter_all over httpx-aiohttp ÷ BASE", ("<=", 0.75)),
    "ours.prefetched": ("iter_all under `async with`, which prefetches, ÷ BASE", None),
    "byhand.encrypted": ("BASE over TLS ÷ BASE", None),
    "byhand.generator": ("BASE as an async generator of rows ÷ BASE", None),
    "byhand.aiohttp_transport": ("BASE over httpx-aiohttp ÷ BASE", None),
    "others.aiohttp": ("aiohttp by hand ÷ BASE", None),
    "others.transport": ("floor: httpx's transport, called directly, ÷ BASE", None),
    "others.connection": ("floor: the same over a connection of ours ÷ BASE", None),
    "others.streams": ("floor: asyncio's streams, as little HTTP as will do, ÷ BASE", None),
}
FAR: Final = {
    "others.pydantic": ("httpx + pydantic", ("<=", 0.55)),
    "others.openapi": ("a client of openapi-python-client", ("<=", 0.45)),
    "others.openai": ("httpx + openai's models", ("<=", 0.06)),
}


def run(plan: Plan) -> list[Figure]:
    """Compare the contenders in this section."""
    size = 10 if plan.quick else 40
    # A comparison close to its goal gets more turns: they are short, and disturbances of a machine last longer than
    # one.
    closest = _each([BASE, *CLOSEST], plan, size, 3 * plan.close())
    close = _each([BASE, ENCRYPTED[0], *CLOSE], plan, size, plan.close())
    far = _each([BASE, OURS, *FAR], plan, size // 4, plan.close())
    found = [Figure("paging.base", "BASE: httpx and msgspec's Structs by hand, a plain `for`", "ns", closest[BASE])]
    found += [
        Figure(f"paging.{name}", what, RATIO, ratios(those[name], those[BASE]), goal)
        for those, peers in ((closest, CLOSEST), (close, CLOSE))
        for name, (what, goal) in peers.items()
    ]
    tls = ratios(*(close[name] for name in ENCRYPTED))
    found.append(Figure("paging.encrypted", "iter_all over TLS ÷ BASE over TLS", RATIO, tls))
    for name, (what, goal) in FAR.items():
        found.append(Figure(f"paging.{name}", f"iter_all ÷ {what}", RATIO, ratios(far[OURS], far[name]), goal))
        found.append(Figure(f"paging.{name}.base", f"{what} ÷ BASE", RATIO, ratios(far[name], far[BASE])))
    return found


def _each(names: list[str], plan: Plan, size: int, rounds: int) -> dict[str, list[float]]:
    turns = contest(names, plan.where, warm=1, size=size, rounds=rounds)
    return {name: [turn.each for turn in found] for name, found in turns.items()}
