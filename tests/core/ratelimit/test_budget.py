"""The call budget: never more calls than the limit, in any window of the service; what the service reports counts."""

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
    """Send whenever a slot is free; return when each call reached the service, at some moment before its response."""
    now, counted = 0.0, list[float]()
    in_flight: list[float] = []
    for number, gap in enumerate(gaps):
        now += gap
        while in_flight and in_flight[0] <= now:
            budget.settle(heapq.heappop(in_flight))
        if try_acquire(budget, now):
            counted.append(now + delays[number] * parts[number])
            heapq.heappush(in_flight, now + delays[number])
    return counted


@brisk
@given(st.integers(1, 8), gaps, delays, parts, st.floats(0, WINDOW))
def test_never_above_the_limit(
    limit: int, gaps: list[float], delays: list[float], parts: list[float], phase: float
) -> None:
    """However calls come and however long their responses take, no window of the service has more than the limit."""
    counted = sorted(arrivals(RateBudget(limit), gaps, delays, parts))
    fixed = [sum(1 for at in counted if math.floor((at + phase) / WINDOW) == k) for k in range(40)]
    sliding = [sum(1 for at in counted if start <= at < start + WINDOW) for start in counted]

    assert max(fixed) <= limit
    assert max(sliding, default=0) <= limit


@brisk
@given(st.integers(1, 200), st.integers(1, 100))
@example(100, 29)
def test_share(limit: int, percent: int) -> None:
    """A program can spend its share of the limit at once, and no more, but always one call."""
    budget = RateBudget(limit, share=percent / 100)
    budget.learn({}, 0.0, NOON)
    acquired = sum(try_acquire(budget, 0.0) for _ in range(limit + 1))

    assert acquired == max(1, limit * percent // 100)


@brisk
@given(st.integers(1, 20), st.floats(0, 100), st.floats(0, 5))
def test_slots_come_free(limit: int, answered: float, guard: float) -> None:
    """A slot becomes free a window and the guard after its response, not before; `wait_time` says when."""
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


def test_no_wait_if_a_slot_is_free() -> None:
    """If a slot is free, no call waits."""
    assert 0.0 == RateBudget(1).wait_time(0.0)
    assert 0.0 == RateBudget().wait_time(0.0)


def test_cancel() -> None:
    """The slot of a call that was not sent is free at once."""
    budget = RateBudget(1)
    try_acquire(budget, 0.0)
    budget.cancel()

    assert try_acquire(budget, 0.0)
    assert not try_acquire(budget, 0.0)


@pytest.mark.parametrize("limit", [None, 100])
def test_service_knows_less(limit: int | None) -> None:
    """The number of calls that remain, as the service says, is a bound until its window is over."""
    budget = RateBudget(limit)
    budget.learn(headers(2, resets_in=60), 0.0, NOON)

    assert [True, True, False] == [try_acquire(budget, 1.0) for _ in range(3)]
    assert not try_acquire(budget, 59.0)
    assert try_acquire(budget, 61.0)


def test_service_knows_more() -> None:
    """A higher number from the service does not raise the own limit: its window may end in a moment."""
    budget = RateBudget(1)
    budget.learn(headers(99, resets_in=60), 0.0, NOON)

    assert [True, False] == [try_acquire(budget, 0.0) for _ in range(2)]


def test_lowest_count_holds() -> None:
    """Responses overtake each other: within a window, the lowest number holds."""
    budget = RateBudget(100)
    budget.learn(headers(1, resets_in=60), 0.0, NOON)
    budget.learn(headers(5, resets_in=60), 0.0, NOON)

    assert [True, False] == [try_acquire(budget, 0.0) for _ in range(2)]


def test_used_up_by_others() -> None:
    """A key that others have used up says nothing about its plan: when its window is over, one call probes."""
    budget = RateBudget(guard=0.0)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0, reported=budget.learn(headers(0, resets_in=20), 0.0, NOON))
    budget.pause(20.0, 0.0)

    assert not try_acquire(budget, 19.9)
    assert try_acquire(budget, 20.1)
    # After a pause calls are spread a little, as for a plan that is sold, and not as for a plan of one call.
    assert budget.spacing(20.1) <= 0.15


@pytest.mark.parametrize("limit", [None, 100])
def test_next_window_counts_anew(limit: int | None) -> None:
    """A response of the service's next window brings a new count, even a moment before the window was expected."""
    budget = RateBudget(limit)
    budget.learn(headers(0, resets_in=10), 0.0, NOON)
    budget.learn(headers(99, resets_in=309), 9.5, NOON + timedelta(seconds=9))

    assert try_acquire(budget, 11.0)


@pytest.mark.parametrize("limit", [None, 100])
def test_lost_responses_count(limit: int | None) -> None:
    """A call whose response was lost, or reported nothing, lowers the number that the service said remains."""
    budget = RateBudget(limit)
    budget.learn(headers(1, resets_in=60), 0.0, NOON)
    assert try_acquire(budget, 1.0)
    budget.settle(2.0)

    assert not try_acquire(budget, 3.0)


def test_clocks_differ() -> None:
    """How far off a reset is goes by the service's own clock, whatever ours shows."""
    budget = RateBudget()
    date = NOON.strftime("%a, %d %b %Y %H:%M:%S GMT")
    budget.learn(headers(0, resets_in=60) | {"date": date}, 0.0, NOON - timedelta(hours=1))

    assert 60.0 <= (budget.wait_time(0.0) or 0.0) <= 61.0


@brisk
@given(st.text(max_size=12), st.text(max_size=30))
def test_any_headers(remaining: str, reset: str) -> None:
    """Headers without a sensible value break nothing."""
    budget = RateBudget(5)
    budget.learn({"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}, 0.0, NOON)

    assert (budget.wait_time(0.0) or 0.0) >= 0.0


def test_pause() -> None:
    """While the service refuses calls, none goes out; a shorter pause does not end a longer one."""
    budget = RateBudget(10)
    budget.pause(60.0, 0.0)
    budget.pause(5.0, 1.0)

    assert 40.0 == budget.wait_time(20.0)
    assert not try_acquire(budget, 59.0)
    assert try_acquire(budget, 60.0)


def test_reserve_for_others() -> None:
    """With a share, this program leaves the others their part when the service says that few calls remain.

    Calls that were gone before the first response may be this program's own, before it was restarted.
    """
    budget = RateBudget(100, share=0.8)
    budget.learn(headers(22, resets_in=60), 0.0, NOON)

    assert 2 == sum(try_acquire(budget, 0.0) for _ in range(10))


def test_others_have_their_share() -> None:
    """Calls that others spend meanwhile count against their share, not ours: the shares add up to the limit."""
    budget = RateBudget(100, share=0.25)
    budget.learn(headers(100, resets_in=300), 0.0, NOON)
    assert 5 == sum(try_acquire(budget, 0.0) for _ in range(5))
    for _ in range(5):
        budget.settle(1.0)
    # Three others have spent all of theirs.
    budget.learn(headers(20, resets_in=299), 1.0, NOON)

    assert 20 == sum(try_acquire(budget, 1.0) for _ in range(25))


def test_unexplained_calls_are_forgotten() -> None:
    """A window after the first response, all own calls are known, and the rest are the others'."""
    budget = RateBudget(100, share=0.5, guard=0.0)
    budget.learn(headers(40, resets_in=300), 0.0, NOON)
    assert not try_acquire(budget, 299.0)
    budget.learn(headers(50, resets_in=300), 300.0, NOON)

    assert 50 == sum(try_acquire(budget, 300.0) for _ in range(60))
