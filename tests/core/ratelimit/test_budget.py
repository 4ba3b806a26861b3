"""The call budget: never more calls than the limit, whatever the service's window; what the service says is heard."""

from __future__ import annotations

import heapq
import math
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.strategies import brisk
from core.tools import NOON, try_acquire
from pyas_async import RateBudget

WINDOW = 300.0
gaps = st.lists(st.floats(0, 120), min_size=1, max_size=80)
delays = st.lists(st.floats(0, 60), min_size=80, max_size=80)
parts = st.lists(st.floats(0, 1), min_size=80, max_size=80)


def headers(remaining: int | None = None, resets_in: float | None = None) -> dict[str, str]:
    """Write the headers of the service's limiter."""
    found = {}
    if remaining is not None:
        found["x-ratelimit-remaining"] = str(remaining)
    if resets_in is not None:
        found["x-ratelimit-reset"] = (NOON + timedelta(seconds=resets_in)).strftime("%a %b %d %Y %H:%M:%S GMT+0000")
    return found


def arrivals(budget: RateBudget, gaps: list[float], delays: list[float], parts: list[float]) -> list[float]:
    """Send as often as the budget lets us; tell when each call came to the service, somewhere before its answer."""
    now, counted = 0.0, list[float]()
    under_way: list[float] = []
    for number, gap in enumerate(gaps):
        now += gap
        while under_way and under_way[0] <= now:
            budget.settle(heapq.heappop(under_way))
        if try_acquire(budget, now):
            counted.append(now + delays[number] * parts[number])
            heapq.heappush(under_way, now + delays[number])
    return counted


@brisk
@given(st.integers(1, 8), gaps, delays, parts, st.floats(0, WINDOW))
def test_never_above_the_limit(
    limit: int, gaps: list[float], delays: list[float], parts: list[float], phase: float
) -> None:
    """However calls come and however long their answers try_acquire, no window of the service holds more than the limit."""
    counted = sorted(arrivals(RateBudget(limit), gaps, delays, parts))
    fixed = [sum(1 for at in counted if math.floor((at + phase) / WINDOW) == k) for k in range(40)]
    sliding = [sum(1 for at in counted if start <= at < start + WINDOW) for start in counted]

    assert max(fixed) <= limit
    assert max(sliding, default=0) <= limit


@brisk
@given(st.integers(1, 200), st.integers(1, 100))
@example(100, 29)
def test_share(limit: int, percent: int) -> None:
    """A program spends its share of the limit at once, and no more; at least one call, or it could do nothing."""
    budget = RateBudget(limit, share=percent / 100)
    budget.learn({}, 0.0, NOON)
    taken = sum(try_acquire(budget, 0.0) for _ in range(limit + 1))

    assert taken == max(1, limit * percent // 100)


@brisk
@given(st.integers(1, 20), st.floats(0, 100), st.floats(0, 5))
def test_places_come_back(limit: int, answered: float, guard: float) -> None:
    """A place is free again a window after its answer and the guard, not before; ``wait`` says when."""
    budget = RateBudget(limit, guard=guard)
    budget.learn({}, 0.0, NOON)
    for _ in range(limit):
        try_acquire(budget, 0.0)
    assert budget.wait_time(0.0) is None
    budget.settle(answered)
    free = answered + WINDOW + guard

    assert free - answered == pytest.approx(budget.wait_time(answered) or 0.0)
    assert not try_acquire(budget, free - 0.001)
    assert try_acquire(budget, free + 0.001)
    assert not try_acquire(budget, free + 0.001)


def test_wait_is_zero_where_there_is_room() -> None:
    """Where a place is free, nobody waits."""
    assert 0.0 == RateBudget(1).wait_time(0.0)
    assert 0.0 == RateBudget().wait_time(0.0)


def test_give_back() -> None:
    """A place whose call never went out is free at once."""
    budget = RateBudget(1)
    try_acquire(budget, 0.0)
    budget.cancel()

    assert try_acquire(budget, 0.0)
    assert not try_acquire(budget, 0.0)


@pytest.mark.parametrize("limit", [None, 100])
def test_service_knows_less(limit: int | None) -> None:
    """What the service says is left bounds the calls, until its window is over."""
    budget = RateBudget(limit)
    budget.learn(headers(2, resets_in=60), 0.0, NOON)

    assert [True, True, False] == [try_acquire(budget, 1.0) for _ in range(3)]
    assert not try_acquire(budget, 59.0)
    assert try_acquire(budget, 61.0)


def test_service_knows_more() -> None:
    """What the service says is left does not lift the own limit: its window may end in a moment."""
    budget = RateBudget(1)
    budget.learn(headers(99, resets_in=60), 0.0, NOON)

    assert [True, False] == [try_acquire(budget, 0.0) for _ in range(2)]


def test_least_counts() -> None:
    """Answers overtake each other: within a window, the least that was seen counts."""
    budget = RateBudget(100)
    budget.learn(headers(1, resets_in=60), 0.0, NOON)
    budget.learn(headers(5, resets_in=60), 0.0, NOON)

    assert [True, False] == [try_acquire(budget, 0.0) for _ in range(2)]


def test_used_up_by_others() -> None:
    """A key that others have used up says nothing of its plan: when its window is over, a call goes out and asks."""
    budget = RateBudget(guard=0.0)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0, reported=budget.learn(headers(0, resets_in=20), 0.0, NOON))
    budget.pause(20.0, 0.0)

    assert not try_acquire(budget, 19.9)
    assert try_acquire(budget, 20.1)
    # After a pause, calls are spread a little: as over a plan that is sold, not as over one of a single call.
    assert budget.spacing(20.1) <= 0.15


@pytest.mark.parametrize("limit", [None, 100])
def test_next_window_counts_anew(limit: int | None) -> None:
    """An answer of the service's next window tells its count, even where it comes a moment before we expected it."""
    budget = RateBudget(limit)
    budget.learn(headers(0, resets_in=10), 0.0, NOON)
    budget.learn(headers(99, resets_in=309), 9.5, NOON + timedelta(seconds=9))

    assert try_acquire(budget, 11.0)


@pytest.mark.parametrize("limit", [None, 100])
def test_lost_answers_count(limit: int | None) -> None:
    """A call whose answer was lost, or said nothing, counts against what the service said was left."""
    budget = RateBudget(limit)
    budget.learn(headers(1, resets_in=60), 0.0, NOON)
    assert try_acquire(budget, 1.0)
    budget.settle(2.0)

    assert not try_acquire(budget, 3.0)


def test_clocks_differ() -> None:
    """A reset is so far off as the service's own clock says, whatever ours shows."""
    budget = RateBudget()
    date = NOON.strftime("%a, %d %b %Y %H:%M:%S GMT")
    budget.learn(headers(0, resets_in=60) | {"date": date}, 0.0, NOON - timedelta(hours=1))

    assert 60.0 <= (budget.wait_time(0.0) or 0.0) <= 61.0


@brisk
@given(st.text(max_size=12), st.text(max_size=30))
def test_any_headers(remaining: str, reset: str) -> None:
    """Headers that say nothing sensible break nothing."""
    budget = RateBudget(5)
    budget.learn({"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}, 0.0, NOON)

    assert (budget.wait_time(0.0) or 0.0) >= 0.0


def test_pause() -> None:
    """While the service turns calls away, none goes out; a shorter pause does not end a longer one."""
    budget = RateBudget(10)
    budget.pause(60.0, 0.0)
    budget.pause(5.0, 1.0)

    assert 40.0 == budget.wait_time(20.0)
    assert not try_acquire(budget, 59.0)
    assert try_acquire(budget, 60.0)


def test_reserve_for_others() -> None:
    """With a share, what is left to the others is not taken from them when the service counts low.

    What was gone before the first answer may have been spent by this very program, before it was started anew.
    """
    budget = RateBudget(100, share=0.8)
    budget.learn(headers(22, resets_in=60), 0.0, NOON)

    assert 2 == sum(try_acquire(budget, 0.0) for _ in range(10))


def test_others_have_their_share() -> None:
    """What others spend while we look is taken from their share, and leaves us ours: shares add up to the whole."""
    budget = RateBudget(100, share=0.25)
    budget.learn(headers(100, resets_in=300), 0.0, NOON)
    assert 5 == sum(try_acquire(budget, 0.0) for _ in range(5))
    for _ in range(5):
        budget.settle(1.0)
    # Three others have spent all of theirs.
    budget.learn(headers(20, resets_in=299), 1.0, NOON)

    assert 20 == sum(try_acquire(budget, 1.0) for _ in range(25))


def test_doubt_ends() -> None:
    """A window after the first answer, all that we spent is known, and what others spend is theirs."""
    budget = RateBudget(100, share=0.5, guard=0.0)
    budget.learn(headers(40, resets_in=300), 0.0, NOON)
    assert not try_acquire(budget, 299.0)
    budget.learn(headers(50, resets_in=300), 300.0, NOON)

    assert 50 == sum(try_acquire(budget, 300.0) for _ in range(60))
