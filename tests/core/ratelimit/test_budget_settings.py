"""The settings of the call budget, and its snapshot."""

from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from core.tools import NOON, try_acquire
from pyas_async import ConfigurationError, RateBudget
from pyas_async._core.ratelimit.tickets import Ticket


def test_snapshot() -> None:
    """The snapshot shows the limit, the calls that remain, when more come, and how many calls wait."""
    budget = RateBudget(3)
    fresh = budget.snapshot(0.0, NOON)
    try_acquire(budget, 0.0)
    budget.settle(1.0)
    try_acquire(budget, 1.0)
    for _ in range(4):
        budget.queue.add(Ticket())
    used = budget.snapshot(1.0, NOON)

    assert (3, 3, None, 0) == (fresh.limit, fresh.remaining, fresh.resets_at, fresh.waiting)
    assert (3, 1, NOON + timedelta(seconds=301), 4) == (used.limit, used.remaining, used.resets_at, used.waiting)


def test_snapshot_without_a_limit() -> None:
    """If neither the user nor the service has named a limit, the snapshot has none."""
    shown = RateBudget().snapshot(0.0, NOON)

    assert (None, None, None) == (shown.limit, shown.remaining, shown.resets_at)


def test_snapshot_of_a_pause() -> None:
    """In a pause no calls remain, and more come when it ends, even if a slot becomes free earlier."""
    budget = RateBudget(2)
    try_acquire(budget, 0.0)
    budget.settle(0.0)
    budget.pause(400.0, 0.0)
    shown = budget.snapshot(100.0, NOON)

    assert (0, NOON + timedelta(seconds=300)) == (shown.remaining, shown.resets_at)


def test_snapshot_to_the_moment() -> None:
    """If all slots are taken, `resets_at` is when the first becomes free, in UTC; a pause is over at its end."""
    budget = RateBudget(2, guard=0.0)
    for moment in (0.0, 2.0):
        budget.learn({}, moment, NOON)
        try_acquire(budget, moment)
        budget.settle(moment)
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    shown = budget.snapshot(2.0, elsewhere)
    assert (0, NOON + timedelta(seconds=298)) == (shown.remaining, shown.resets_at)
    assert shown.resets_at is not None
    assert UTC is shown.resets_at.tzinfo
    assert 1 == budget.snapshot(300.0, NOON).remaining
    fresh = RateBudget(2)
    fresh.pause(10.0, 0.0)
    assert [(0, NOON + timedelta(seconds=1)), (2, None)] == [
        (shown.remaining, shown.resets_at) for shown in (fresh.snapshot(9.0, NOON), fresh.snapshot(10.0, NOON))
    ]


def test_snapshot_of_the_service() -> None:
    """The service's own limit is shown if it has named one; the calls that remain are shown in any case."""
    silent, named = RateBudget(), RateBudget()
    silent.learn({"x-ratelimit-remaining": "7"}, 0.0, NOON)
    named.learn({"x-ratelimit-remaining": "7", "x-ratelimit-limit": "100"}, 0.0, NOON)

    assert [(None, 7), (100, 7)] == [
        (shown.limit, shown.remaining) for shown in (silent.snapshot(0.0, NOON), named.snapshot(0.0, NOON))
    ]
    assert [7, 7] == [budget.bulk_slots(0.0) for budget in (silent, named)]


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
    """A wrong setting is refused by its name."""
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
    """The error names the setting, what it may be, and what was given."""
    with pytest.raises(ConfigurationError) as caught:
        RateBudget(**{setting: wrong})

    for words in ("RateBudget", setting, expected, repr(wrong)):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "smallest", [{"limit": 1}, {"window": 0.001}, {"share": 1}, {"share": 0.001}, {"guard": 0}, {"limit": None}]
)
def test_smallest_settings(smallest: dict[str, Any]) -> None:
    """The bounds themselves are allowed."""
    assert 0 == RateBudget(**smallest).in_flight


@pytest.mark.parametrize(
    ("window", "guard"), [(300.0, 1.0), (50.0, 1.0), (10.0, 0.2), (1.0, 0.02), (0.001, 0.000_02), (86_400.0, 1.0)]
)
def test_guard_fits_the_window(window: float, guard: float) -> None:
    """By default a call holds its slot a fiftieth of the window longer, and at most a second; a given guard counts."""
    for budget, seconds in ((RateBudget(1, window=window), guard), (RateBudget(1, window=window, guard=7.0), 7.0)):
        budget.learn({}, 0.0, NOON)
        assert try_acquire(budget, 0.0)
        budget.settle(0.0)
        assert pytest.approx(window + seconds) == budget.wait_time(0.0)


def test_share_of_a_plan() -> None:
    """A budget can be a part of a plan."""
    plans = (RateBudget.developer(share=0.5), RateBudget.growth(share=0.5), RateBudget.scale(share=0.5))

    assert [50, 1_500, 2_500] == [budget.snapshot(0.0, NOON).remaining for budget in plans]


def test_plans() -> None:
    """The budgets of the plans have the service's numbers."""
    limits = [
        made.snapshot(0.0, NOON).limit for made in (RateBudget.developer(), RateBudget.growth(), RateBudget.scale())
    ]

    assert [100, 3_000, 5_000] == limits
