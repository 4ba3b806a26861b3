"""The cost of single parts, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from suite.contest import contest, middle, ratios
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "Single parts, without a network: CPU"
DECISIONS: Final = "budget, scheduler and retries, for a call that waits for nothing"


def run(plan: Plan) -> list[Figure]:
    """Measure the parts."""
    items = _each(["inside.by_row", "inside.by_page", "inside.by_generator"], plan, 1)
    bare = items["inside.by_generator"]
    names = [f"inside.{name}" for name in ("decisions", "retries", "untold", "safe", "safe_injected", "unsafe")]
    calls = {name: [each / 1e3 for each in found] for name, found in _each(names, plan, 5_000).items()}
    without = middle(calls["inside.unsafe"])
    by_row, by_page = ratios(items["inside.by_row"], bare), ratios(items["inside.by_page"], bare)
    own, injected = ([each - without for each in calls[name]] for name in ("inside.safe", "inside.safe_injected"))
    told = [whole - less for whole, less in zip(calls["inside.decisions"], calls["inside.untold"], strict=True)]
    return [
        Figure("inside.generator", "a row yielded by a bare async generator", "ns", bare),
        Figure("inside.row", "a row yielded by iter_all ÷ that", RATIO, by_row, ("<=", 1.5)),
        Figure("inside.page", "a row of pages() ÷ that", RATIO, by_page, ("<=", 0.3)),
        Figure("inside.decisions", DECISIONS, "µs", calls["inside.decisions"], ("<=", 3.0)),
        Figure("inside.retries", "of that: attempts and retries", "µs", calls["inside.retries"]),
        Figure("inside.told", "of that: what the response says is left of the limit", "µs", told),
        Figure("inside.safe", "safety from cancellation, a call", "µs", own, ("<=", 40.0)),
        Figure("inside.safe_injected", "the same through an injected client", "µs", injected, ("<=", 40.0)),
    ]


def _each(names: list[str], plan: Plan, size: int) -> dict[str, list[float]]:
    turns = contest(names, plan.where, warm=size, size=size, rounds=plan.close())
    return {name: [turn.each for turn in found] for name, found in turns.items()}
