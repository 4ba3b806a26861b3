"""What the budget does beyond counting: it feels its way, learns a limit, and keeps places back for who needs them."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from core.strategies import brisk
from core.tools import NOON, try_acquire
from pyas_async import RateBudget

WINDOW = 300.0


def heard(limit: int | None = None, *, share: float = 1.0, guard: float = 0.0) -> RateBudget:
    """Make a budget that has had an answer, which said nothing."""
    budget = RateBudget(limit, share=share, guard=guard)
    budget.learn({}, 0.0, NOON)
    return budget


def takes(budget: RateBudget, now: float, *, bulk: bool = False, most: int = 1_000) -> int:
    """Take all places that there are."""
    return sum(try_acquire(budget, now, bulk=bulk) for _ in range(most))


def headers(remaining: int, resets_in: float) -> dict[str, str]:
    """Write the headers of the service's limiter."""
    reset = NOON + timedelta(seconds=resets_in)
    return {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": f"{reset:%a, %d %b %Y %H:%M:%S GMT}"}


@pytest.mark.parametrize(
    ("given", "named", "calls"), [(20, None, 20), (None, 400, 400), (20, 400, 20), (None, None, 100)]
)
def test_how_far_calls_are_spread_after_a_pause(given: int | None, named: int | None, calls: int) -> None:
    """After a pause as many calls as a window has are spread over a twentieth of it; where nobody knows, 100."""
    budget = heard(given)
    if named is not None:
        budget.learn({"x-ratelimit-limit": str(named), "x-ratelimit-remaining": str(named)}, 0.0, NOON)
    budget.pause(60.0, 1_000.0)

    assert WINDOW / 20 / calls == pytest.approx(budget.spacing(1_060.0))
    assert 0.0 == budget.spacing(1_060.0 + WINDOW / 20)


def test_calls_are_spread_no_longer_than_they_paused() -> None:
    """After a pause of a second, calls are spread over a second, whenever that was."""
    budget = heard(20)
    budget.pause(1.0, 1_000.0)

    assert 1.0 / 20 == pytest.approx(budget.spacing(1_001.0))
    assert 0.0 == budget.spacing(1_002.0)


def test_what_others_may_still_spend_is_not_shown_as_left() -> None:
    """Of what the service says is left, the part that is others' by agreement is not this program's to spend."""
    budget = heard(100, share=0.5)
    budget.learn(headers(60, 100.0), 0.0, NOON)

    assert 10 == budget.snapshot(0.0, NOON).remaining
    assert 10 == budget.slots_until(0.0, 1.0)


def test_the_least_wait_counts_from_now() -> None:
    """A call that comes later waits less long for the same place."""
    budget = heard(1)
    assert try_acquire(budget, 10.0)
    budget.settle(10.0)

    assert [300.0, 200.0, 0.0] == [budget.min_wait(now) for now in (10.0, 110.0, 310.0)]


@pytest.mark.parametrize("limit", [None, 100])
def test_first_call_goes_alone(limit: int | None) -> None:
    """Before the first answer nobody knows what others have left of the key: one call goes ahead of all others."""
    budget = RateBudget(limit)

    assert 1 == takes(budget, 0.0)
    assert 0 == takes(budget, 0.9)
    budget.learn({}, 0.95, NOON)
    assert takes(budget, 0.95) >= 99


def test_a_slow_answer_holds_nobody_up() -> None:
    """Who waits for the first answer for a second goes without it, one by one."""
    budget = RateBudget(100)

    assert [1, 1, 1] == [takes(budget, now) for now in (0.0, 1.0, 2.0)]


def test_first_call_after_a_pause_goes_alone() -> None:
    """After a 429, one call asks whether the way is free."""
    budget = heard(100)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)
    budget.pause(10.0, 0.0)

    assert 0 == takes(budget, 9.9)
    assert 1 == takes(budget, 10.0)
    budget.learn({}, 10.2, NOON)
    assert takes(budget, 10.2) == 98


def test_unknown_window() -> None:
    """Where no limit was given, one call goes ahead in each window of the service, until it speaks of that window."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(2, 60), 0.0, NOON)
    assert 2 == takes(budget, 1.0)
    for _ in range(2):
        budget.settle(2.0, reported=True)

    assert 1 == takes(budget, 61.0)
    budget.learn(headers(99, 300), 61.5, NOON)
    assert takes(budget, 61.5) == 98


def test_the_moment_of_a_new_window() -> None:
    """The asking begins with the end of the service's window, and ends with an answer, if need be at that moment."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(2, 60), 0.0, NOON)

    assert 1 == takes(budget, 60.0)
    budget.learn({}, 60.0, NOON)
    assert 1_000 == takes(budget, 60.0)


def test_given_limit_needs_no_asking() -> None:
    """Where the limit was given, a new window is no reason to ask, unless the service has never shown that many."""
    sure, unsure = heard(100), heard(100)
    for budget, most in ((sure, 99), (unsure, 41)):
        budget.learn(headers(most, 60), 0.0, NOON)
        budget.learn(headers(2, 60), 1.0, NOON)

    assert [100, 1] == [takes(budget, 61.5) for budget in (sure, unsure)]


def refuse(budget: RateBudget, calls: int, *, of_under_way: int = 0) -> None:
    """Make so many calls, and have the next refused, and some of those that were under way at that moment."""
    for _ in range(calls + 1):
        assert try_acquire(budget, 0.0)
    for _ in range(calls + 1 - 2 * of_under_way):
        budget.settle(0.0)
    budget.pause(30.0, 0.0)
    for number in range(2 * of_under_way):
        budget.settle(0.1)
        if number % 2:
            budget.pause(29.9, 0.1)
    budget.learn({}, 30.0, NOON)


@pytest.mark.parametrize("under_way", [0, 10])
def test_limit_learned_from_a_refusal(under_way: int) -> None:
    """A service that never says what is left says it by refusing: what went through is what a window holds."""
    budget = heard()
    refuse(budget, 100, of_under_way=under_way)

    assert 100 - under_way - 2 * under_way == takes(budget, 30.0)  # those answered in the pause may count anew
    assert 100 - under_way == inside.learned_limit(budget)


def test_share_of_a_learned_limit() -> None:
    """What was learned from a refusal is shared like a limit that was given."""
    budget = heard(share=0.5)
    refuse(budget, 100)

    assert 50 == takes(budget, 30.0)


def test_learned_limit_grows_where_it_binds() -> None:
    """Others may have used the key when the limit was learned, so a little more is tried, if all of it was used."""
    used, idle = heard(), heard()
    for budget in (used, idle):
        refuse(budget, 100)
    assert 100 == takes(used, 31.0)
    for _ in range(100):
        used.settle(31.0)

    assert 105 == takes(used, WINDOW + 32.0)
    assert 100 == takes(idle, 5 * WINDOW)


def test_early_refusal_teaches_nothing() -> None:
    """A refusal after a few calls says that others use the key, and not how many calls there are."""
    budget = heard()
    refuse(budget, 10)

    assert 1_000 == takes(budget, 30.0)


def test_told_limit_needs_no_lesson() -> None:
    """Where the service says what is left, a refusal says that others use the key, and teaches nothing."""
    budget = heard()
    budget.learn(headers(99, 300), 0.0, NOON)
    for _ in range(60):
        assert try_acquire(budget, 1.0)
        budget.settle(1.0)
    budget.pause(10.0, 1.0)
    budget.learn(headers(99, 300), 301.0, NOON)

    assert 99 == takes(budget, 301.0)


def test_silent_answer_in_a_new_window() -> None:
    """Where the service has told its limit once, an answer that tells nothing does not lift it."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(99, 60), 0.0, NOON)
    budget.learn({}, 61.0, NOON)

    assert 100 == takes(budget, 61.0)


def test_smaller_plan_than_given() -> None:
    """Where the service names a smaller limit than was given, the smaller one counts, for everything."""
    budget = RateBudget.growth()
    budget.learn(headers(99, 60) | {"x-ratelimit-limit": "100"}, 0.0, NOON)

    assert 200 == budget.max_listings(890.0)
    assert 100 == budget.snapshot(0.0, NOON).limit
    assert 1 == takes(budget, 62.0)
    budget.learn({}, 62.1, NOON)
    assert 99 == takes(budget, 62.1)


def test_zooms_limits_are_not_the_keys() -> None:
    """Headers of Zoom's own limits say nothing of the key."""
    budget = heard()
    told = budget.learn(headers(0, 60) | {"x-ratelimit-type": "Daily-limit"}, 0.0, NOON)

    assert (False, None) == (told, budget.snapshot(0.0, NOON).remaining)


def test_no_window_is_longer_than_a_window() -> None:
    """A reset that is further off than a window, by a wrong zone or a lie, holds nobody up for longer than that."""
    budget = heard(100)
    budget.learn(headers(0, 80_000), 0.0, NOON)

    assert WINDOW == budget.wait_time(0.0)


def test_when_more_comes() -> None:
    """The snapshot's end is that of what holds calls back, and not that of what does not."""
    budget = heard(100)
    budget.learn(headers(99, 200), 0.0, NOON)
    for _ in range(5):
        assert try_acquire(budget, 0.0)
        budget.settle(0.0, reported=True)
    budget.learn(headers(97, 200), 0.0, NOON)

    assert NOON + timedelta(seconds=WINDOW) == budget.snapshot(0.0, NOON).resets_at
    budget.learn(headers(50, 200), 0.0, NOON)
    assert NOON + timedelta(seconds=200) == budget.snapshot(0.0, NOON).resets_at


def test_who_stands_far_behind_waits_for_later_windows() -> None:
    """The places come back in turns: who has more before them than a window holds waits for the next one, at least."""
    budget = heard(100)
    for _ in range(100):
        assert try_acquire(budget, 0.0)
        budget.settle(0.0)

    waits = [budget.min_wait(0.0, ahead) for ahead in (0, 99, 100, 250)]
    assert [WINDOW, WINDOW, 2 * WINDOW, 3 * WINDOW] == waits


def test_the_least_wait() -> None:
    """Who has room ahead waits for nothing; else for the end of a pause, or of the service's window, at least."""
    budget = heard(100)
    assert 0.0 == budget.min_wait(0.0)
    budget.learn(headers(5, 60), 0.0, NOON)
    assert try_acquire(budget, 0.0)
    assert [0.0, 60.0] == [budget.min_wait(0.0, ahead) for ahead in (4, 5)]
    assert [50.0, 0.0] == [budget.min_wait(now, 5) for now in (10.0, 60.0)]
    budget.pause(30.0, 10.0)
    assert [20.0, 0.0, 40.0] == [budget.min_wait(20.0), budget.min_wait(41.0), budget.min_wait(20.0, 5)]
    budget.pause(100.0, 20.0)
    assert 100.0 == budget.min_wait(20.0, 5)


def test_the_least_wait_behind_calls_under_way() -> None:
    """Calls under way may give their places to those ahead at any moment; who has more before them waits."""
    budget = heard(3)
    assert try_acquire(budget, 0.0)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)

    assert [0.0, 0.0, WINDOW] == [budget.min_wait(0.0, ahead) for ahead in (0, 1, 2)]


def test_nothing_is_kept_back_without_need() -> None:
    """Where nobody makes single calls, bulk calls have all places; so they have a window after the last one."""
    assert 100 == takes(heard(100), 0.0, bulk=True)
    budget = heard(100)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)
    assert 100 == takes(budget, WINDOW + 1, bulk=True)


def test_kept_back_for_single_calls() -> None:
    """Bulk calls leave the places that single calls will need if they come as in the last window."""
    budget = heard(100)
    for number in range(20):  # one each 15 seconds
        assert try_acquire(budget, 15.0 * number)
        budget.settle(15.0 * number)
    now = 15.0 * 19
    assert 80 >= takes(budget, now, bulk=True) >= 76  # their places come back as they will be needed
    assert 0.0 < (budget.wait_time(now, bulk=True) or 0.0) <= WINDOW / 16
    assert 0.0 == budget.wait_time(now)


def test_when_to_look_again() -> None:
    """Who waits is told when: at the end of the service's window, or when a place comes back; a sixteenth of one later.

    What is kept back for single calls grows less with time, too.
    """
    told = heard(100)
    told.learn(headers(0, 60), 0.0, NOON)
    assert 50.0 == told.wait_time(10.0)
    budget, early = heard(100), heard(100)
    for _ in range(100):
        assert try_acquire(budget, 0.0)
        budget.cancel()
        assert try_acquire(early, 0.0)
        early.cancel()
    early.acquire(-295.0, bulk=True)
    early.settle(-290.0)
    for each in (budget, early):
        while each.wait_time(1.0, bulk=True) == 0:
            each.acquire(1.0, bulk=True)
    assert [18.75, 9.0] == [each.wait_time(1.0, bulk=True) for each in (budget, early)]


def test_kept_back_at_most_half() -> None:
    """However many single calls there were, bulk calls have half of what there is."""
    budget = heard(100)
    for _ in range(100):
        assert try_acquire(budget, 0.0)
        budget.cancel()

    assert 50 == takes(budget, 1.0, bulk=True)


def test_claim() -> None:
    """The longest listing claims a little more than it needs, at most a fifth, and what it can use in half a window."""
    budget = heard(1_000)

    assert [12, 200, 150] == [
        budget.listing_reserve(10, 0.1),
        budget.listing_reserve(900, 0.1),
        budget.listing_reserve(900, 1.0),
    ]
    assert 0 == RateBudget().listing_reserve(10, 0.1)


def test_crowds_are_spread_after_a_pause() -> None:
    """After a pause calls go out over a twentieth of the window, after a short one over its time; then as they can."""
    budget = heard(100)
    assert 0.0 == budget.spacing(0.0)
    budget.pause(1.0, 0.0)
    assert [0.01, 0.01, 0.0] == [pytest.approx(budget.spacing(now)) for now in (1.0, 1.9, 2.0)]
    budget.pause(100.0, 10.0)

    assert [0.15, 0.15, 0.0] == [pytest.approx(budget.spacing(now)) for now in (110.0, 124.9, 125.0)]
    unknown = RateBudget()
    unknown.pause(100.0, 0.0)
    assert 0.15 == pytest.approx(unknown.spacing(100.0))


history = st.lists(st.tuples(st.floats(0, 40), st.floats(0, 5)), max_size=40)


@brisk
@given(st.integers(1, 12), history, st.floats(0, 2_000))
def test_promised_places_come(limit: int, history: list[tuple[float, float]], ahead: float) -> None:
    """The places that are promised until a moment are there by then, for whoever takes each as soon as it is free."""
    budget, now = heard(limit, guard=1.0), 0.0
    for gap, takes_time in history:
        now += gap
        if try_acquire(budget, now):
            now += takes_time
            budget.settle(now)
    until = now + ahead
    promised, found = budget.slots_until(now, until), 0
    while now <= until:
        while try_acquire(budget, now):
            found += 1
            budget.settle(now)
        now += budget.wait_time(now) or 0.0

    assert promised <= found


def test_promises_of_the_service() -> None:
    """Where the service has said less than the own count, less is promised; its next window brings all again."""
    budget = heard(100)
    budget.learn(headers(99, 60), 0.0, NOON)
    budget.learn(headers(5, 60), 0.0, NOON)

    assert [5, 100] == [budget.slots_until(0.0, until) for until in (59.0, 61.0)]
    told = RateBudget(guard=0.0)
    told.learn(headers(99, 60), 0.0, NOON)
    assert [99, 199] == [told.slots_until(0.0, until) for until in (59.0, 61.0)]
    assert 100 == told.slots_until(100.0, 101.0)
    assert math.inf == RateBudget().slots_until(0.0, 1.0)
