"""The call budget as it is set and shown."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from core.tools import NOON, take
from pyas_async import ConfigurationError, RateBudget
from pyas_async._core.queue import Ticket


def test_snapshot() -> None:
    """The snapshot shows the limit, what is left, when more comes, and who waits."""
    budget = RateBudget(3)
    fresh = budget.snapshot(0.0, NOON)
    take(budget, 0.0)
    budget.spent(1.0)
    take(budget, 1.0)
    for _ in range(4):
        budget.queue.join(Ticket())
    used = budget.snapshot(1.0, NOON)

    assert (3, 3, None, 0) == (fresh.limit, fresh.remaining, fresh.resets_at, fresh.waiting)
    assert (3, 1, NOON + timedelta(seconds=301), 4) == (used.limit, used.remaining, used.resets_at, used.waiting)


def test_snapshot_knows_nothing() -> None:
    """Where neither the user nor the service has said anything, the snapshot says so."""
    shown = RateBudget().snapshot(0.0, NOON)

    assert (None, None, None) == (shown.limit, shown.remaining, shown.resets_at)


def test_snapshot_of_a_pause() -> None:
    """In a pause nothing is left, and more comes when it ends, even where a place is free earlier."""
    budget = RateBudget(2)
    take(budget, 0.0)
    budget.spent(0.0)
    budget.pause(400.0, 0.0)
    shown = budget.snapshot(100.0, NOON)

    assert (0, NOON + timedelta(seconds=300)) == (shown.remaining, shown.resets_at)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": True},
        {"limit": 1.5},
        {"window": 0},
        {"window": math.nan},
        {"share": 0},
        {"share": 1.1},
        {"share": math.nan},
        {"guard": -1},
        {"guard": math.inf},
        {"limit": "100"},
        {"share": "half"},
    ],
)
def test_refusals(wrong: dict[str, Any]) -> None:
    """A budget that cannot be is refused by the name of its setting."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RateBudget(**wrong)


@pytest.mark.parametrize(
    ("setting", "wrong", "expected"),
    [
        ("limit", 0, "calls from 1"),
        ("window", -1.0, "above 0"),
        ("share", 2, "above 0 and at most 1"),
        ("guard", -1, "seconds >= 0"),
        ("store", 5, "BudgetStore"),
    ],
)
def test_refusals_say_what_may_be(setting: str, wrong: Any, expected: str) -> None:  # noqa: ANN401
    """A refused setting is told with what it may be, and what came."""
    with pytest.raises(ConfigurationError) as caught:
        RateBudget(**{setting: wrong})

    for words in ("RateBudget", setting, expected, repr(wrong)):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "least", [{"limit": 1}, {"window": 0.001}, {"share": 1}, {"share": 0.001}, {"guard": 0}, {"limit": None}]
)
def test_the_least_that_can_be(least: dict[str, Any]) -> None:
    """The bounds themselves are within bounds."""
    assert 0 == RateBudget(**least).in_flight


def test_share_of_a_plan() -> None:
    """A part of a plan's calls can be spent."""
    plans = (RateBudget.developer(share=0.5), RateBudget.growth(share=0.5), RateBudget.scale(share=0.5))

    assert [50, 1_500, 2_500] == [budget.snapshot(0.0, NOON).remaining for budget in plans]


def test_plans() -> None:
    """The plans of the service have their numbers."""
    limits = [
        made.snapshot(0.0, NOON).limit for made in (RateBudget.developer(), RateBudget.growth(), RateBudget.scale())
    ]

    assert [100, 3_000, 5_000] == limits
