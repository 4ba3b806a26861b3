"""What the budget does beyond counting: it probes, learns a limit, and reserves slots for the calls that need them."""

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


def answered(limit: int | None = None, *, share: float = 1.0, guard: float = 0.0) -> RateBudget:
    """Make a budget that has had a response, which reported nothing."""
    budget = RateBudget(limit, share=share, guard=guard)
    budget.learn({}, 0.0, NOON)
    return budget


def acquire_all(budget: RateBudget, now: float, *, bulk: bool = False, most: int = 1_000) -> int:
    """Take all free slots; return how many there were."""
    return sum(try_acquire(budget, now, bulk=bulk) for _ in range(most))


def headers(remaining: int, resets_in: float) -> dict[str, str]:
    """Write the headers of the service's limiter."""
    reset = NOON + timedelta(seconds=resets_in)
    return {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": f"{reset:%a, %d %b %Y %H:%M:%S GMT}"}


@pytest.mark.parametrize(
    ("given", "named", "calls"), [(20, None, 20), (None, 400, 400), (20, 400, 20), (None, None, 100)]
)
def test_how_far_calls_are_spread_after_a_pause(given: int | None, named: int | None, calls: int) -> None:
    """After a pause a window's calls are spread over a twentieth of it; 100 calls, if the limit is unknown."""
    budget = answered(given)
    if named is not None:
        budget.learn({"x-ratelimit-limit": str(named), "x-ratelimit-remaining": str(named)}, 0.0, NOON)
    budget.pause(60.0, 1_000.0)

    assert WINDOW / 20 / calls == pytest.approx(budget.spacing(1_060.0))
    assert 0.0 == budget.spacing(1_060.0 + WINDOW / 20)


def test_calls_are_spread_no_longer_than_they_paused() -> None:
    """After a pause of a second, calls are spread over a second, whenever that is."""
    budget = answered(20)
    budget.pause(1.0, 1_000.0)

    assert 1.0 / 20 == pytest.approx(budget.spacing(1_001.0))
    assert 0.0 == budget.spacing(1_002.0)


def test_calls_of_others_are_not_shown_as_remaining() -> None:
    """Of the calls that the service says remain, those that belong to others by agreement do not count."""
    budget = answered(100, share=0.5)
    budget.learn(headers(100, 100.0), 0.0, NOON)
    for _ in range(20):
        assert try_acquire(budget, 0.0)
        budget.settle(0.0)
    budget.learn(headers(70, 100.0), 0.0, NOON)  # others have spent ten

    assert 30 == budget.snapshot(0.0, NOON).remaining
    assert 30 == budget.slots_until(0.0, 1.0)


@pytest.mark.parametrize(
    ("share", "remaining", "slots"),
    [
        (0.5, 99, 50),
        (0.5, 60, 50),
        (0.5, 50, 50),
        (0.5, 49, 0),
        (0.1, 91, 10),
        (0.1, 10, 10),
        (0.07, 9, 7),
        (0.8, 22, 2),
    ],
)
def test_calls_that_were_gone_before(share: float, remaining: int, slots: int) -> None:
    """Calls that were gone before the first response are the others', unless more are gone than these may spend.

    Then this program has spent some itself before it was restarted, and takes all that it may have spent for its own.
    """
    budget = RateBudget(100, share=share)
    budget.learn(headers(remaining, 100.0), 0.0, NOON)

    assert slots == acquire_all(budget, 0.0)


def test_min_wait_counts_from_now() -> None:
    """A call that comes later waits less for the same slot."""
    budget = answered(1)
    assert try_acquire(budget, 10.0)
    budget.settle(10.0)

    assert [300.0, 200.0, 0.0] == [budget.min_wait(now) for now in (10.0, 110.0, 310.0)]


@pytest.mark.parametrize("limit", [None, 100])
def test_first_call_goes_alone(limit: int | None) -> None:
    """Before the first response it is unknown what others have left of the key: one call goes ahead of all others."""
    budget = RateBudget(limit)

    assert 1 == acquire_all(budget, 0.0)
    assert 0 == acquire_all(budget, 0.9)
    budget.learn({}, 0.95, NOON)
    assert acquire_all(budget, 0.95) >= 99


def test_a_slow_response_holds_no_call_up() -> None:
    """After a second without the first response, all other calls go out."""
    budget = RateBudget(100)

    assert [1, 0, 99] == [acquire_all(budget, now) for now in (0.0, 0.999, 1.0)]


def test_the_second_counts_from_the_first_call() -> None:
    """First calls that fail without a response follow one another, and together they take a second at most."""
    budget = RateBudget(100)
    for now in (0.0, 0.3, 0.6):
        assert 1 == acquire_all(budget, now)
        budget.cancel()
    assert 1 == acquire_all(budget, 0.9)

    assert [0, 99] == [acquire_all(budget, now) for now in (0.999, 1.0)]


@pytest.mark.parametrize("event", ["pause", "window"])
def test_each_probe_takes_a_second(event: str) -> None:
    """After a pause, and in an unknown window, a probe without a response holds calls up for a second."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(99, 60), 0.0, NOON)
    if event == "pause":
        budget.pause(60.0, 0.0)

    assert [1, 0] == [acquire_all(budget, now) for now in (100.0, 100.999)]
    assert acquire_all(budget, 101.0) >= 99


def test_first_call_after_a_pause_goes_alone() -> None:
    """After a 429, one call finds out whether others may go."""
    budget = answered(100)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)
    budget.pause(10.0, 0.0)

    assert 0 == acquire_all(budget, 9.9)
    assert 1 == acquire_all(budget, 10.0)
    budget.learn({}, 10.2, NOON)
    assert acquire_all(budget, 10.2) == 98


def test_unknown_window() -> None:
    """If no limit was given, one call goes ahead in each window of the service, until a response tells of it."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(2, 60), 0.0, NOON)
    assert 2 == acquire_all(budget, 1.0)
    for _ in range(2):
        budget.settle(2.0, reported=True)

    assert 1 == acquire_all(budget, 61.0)
    budget.learn(headers(99, 300), 61.5, NOON)
    assert acquire_all(budget, 61.5) == 98


def test_the_moment_of_a_new_window() -> None:
    """Probing begins at the end of the service's window, and ends with a response, even at the same moment."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(2, 60), 0.0, NOON)

    assert 1 == acquire_all(budget, 60.0)
    budget.learn({}, 60.0, NOON)
    assert 1_000 == acquire_all(budget, 60.0)


def test_given_limit_needs_no_probe() -> None:
    """If the limit was given, a new window needs no probe, unless the service has never shown that many calls."""
    sure, unsure = answered(100), answered(100)
    for budget, most in ((sure, 99), (unsure, 41)):
        budget.learn(headers(most, 60), 0.0, NOON)
        budget.learn(headers(2, 60), 1.0, NOON)

    assert [100, 1] == [acquire_all(budget, 61.5) for budget in (sure, unsure)]


def refuse(budget: RateBudget, calls: int, *, of_in_flight: int = 0) -> None:
    """Make some calls, of which the last is refused, as are some that are in flight at that moment."""
    for _ in range(calls + 1):
        assert try_acquire(budget, 0.0)
    for _ in range(calls + 1 - 2 * of_in_flight):
        budget.settle(0.0)
    budget.pause(30.0, 0.0)
    for number in range(2 * of_in_flight):
        budget.settle(0.1)
        if number % 2:
            budget.pause(29.9, 0.1)
    budget.learn({}, 30.0, NOON)


@pytest.mark.parametrize("in_flight", [0, 10])
def test_limit_learned_from_a_refusal(in_flight: int) -> None:
    """If the service never says what remains, a refusal does: the calls that went through are a window's limit."""
    budget = answered()
    refuse(budget, 100, of_in_flight=in_flight)

    assert 100 - in_flight - 2 * in_flight == acquire_all(budget, 30.0)  # those answered in the pause may count again
    assert 100 - in_flight == inside.learned_limit(budget)


def test_share_of_a_learned_limit() -> None:
    """A learned limit is shared like a given one."""
    budget = answered(share=0.5)
    refuse(budget, 100)

    assert 50 == acquire_all(budget, 30.0)


def test_learned_limit_grows_if_it_is_used_up() -> None:
    """Others may have used the key when the limit was learned, so a little more is tried if all of it was used."""
    used, idle = answered(), answered()
    for budget in (used, idle):
        refuse(budget, 100)
    assert 100 == acquire_all(used, 31.0)
    for _ in range(100):
        used.settle(31.0)

    assert 105 == acquire_all(used, WINDOW + 32.0)
    assert 100 == acquire_all(idle, 5 * WINDOW)


def test_early_refusal_teaches_nothing() -> None:
    """A refusal after a few calls says that others use the key, and not what the limit is."""
    budget = answered()
    refuse(budget, 10)

    assert 1_000 == acquire_all(budget, 30.0)


def test_no_limit_is_learned_if_the_service_reports() -> None:
    """If the service says what remains, a refusal says that others use the key, and no limit is learned."""
    budget = answered()
    budget.learn(headers(99, 300), 0.0, NOON)
    for _ in range(60):
        assert try_acquire(budget, 1.0)
        budget.settle(1.0)
    budget.pause(10.0, 1.0)
    budget.learn(headers(99, 300), 301.0, NOON)

    assert 99 == acquire_all(budget, 301.0)


def test_response_without_a_count_in_a_new_window() -> None:
    """If the service has named its limit once, a response that reports nothing does not lift it."""
    budget = RateBudget(guard=0.0)
    budget.learn(headers(99, 60), 0.0, NOON)
    budget.learn({}, 61.0, NOON)

    assert 100 == acquire_all(budget, 61.0)


def test_smaller_plan_than_given() -> None:
    """If the service names a lower limit than was given, the lower one counts, for everything."""
    budget = RateBudget.growth()
    budget.learn(headers(99, 60) | {"x-ratelimit-limit": "100"}, 0.0, NOON)

    assert 200 == budget.max_listings(890.0)
    assert 100 == budget.snapshot(0.0, NOON).limit
    assert 1 == acquire_all(budget, 62.0)
    budget.learn({}, 62.1, NOON)
    assert 99 == acquire_all(budget, 62.1)


def test_zooms_limits_are_not_the_keys() -> None:
    """Headers of Zoom's own limits say nothing about the key."""
    budget = answered()
    reported = budget.learn(headers(0, 60) | {"x-ratelimit-type": "Daily-limit"}, 0.0, NOON)

    assert (False, None) == (reported, budget.snapshot(0.0, NOON).remaining)


def test_no_window_is_longer_than_a_window() -> None:
    """A reset further off than a window, because of a wrong zone or a lie, holds calls up for a window at most."""
    budget = answered(100)
    budget.learn(headers(0, 80_000), 0.0, NOON)

    assert WINDOW == budget.wait_time(0.0)


def test_when_more_comes() -> None:
    """The snapshot's `resets_at` belongs to the count that holds calls back, not to the other one."""
    budget = answered(100)
    budget.learn(headers(99, 200), 0.0, NOON)
    for _ in range(5):
        assert try_acquire(budget, 0.0)
        budget.settle(0.0, reported=True)
    budget.learn(headers(97, 200), 0.0, NOON)

    assert NOON + timedelta(seconds=WINDOW) == budget.snapshot(0.0, NOON).resets_at
    budget.learn(headers(50, 200), 0.0, NOON)
    assert NOON + timedelta(seconds=200) == budget.snapshot(0.0, NOON).resets_at


def test_min_wait_far_behind_in_the_queue() -> None:
    """Slots come back in turns: a call behind more calls than the limit waits for a later window, at least."""
    budget = answered(100)
    for _ in range(100):
        assert try_acquire(budget, 0.0)
        budget.settle(0.0)

    waits = [budget.min_wait(0.0, ahead) for ahead in (0, 99, 100, 250)]
    assert [WINDOW, WINDOW, 2 * WINDOW, 3 * WINDOW] == waits


def test_min_wait() -> None:
    """A call with enough free slots waits for nothing; else at least for the end of a pause, or of the window."""
    budget = answered(100)
    assert 0.0 == budget.min_wait(0.0)
    budget.learn(headers(5, 60), 0.0, NOON)
    assert try_acquire(budget, 0.0)
    assert [0.0, 60.0] == [budget.min_wait(0.0, ahead) for ahead in (4, 5)]
    assert [50.0, 0.0] == [budget.min_wait(now, 5) for now in (10.0, 60.0)]
    budget.pause(30.0, 10.0)
    assert [20.0, 0.0, 40.0] == [budget.min_wait(20.0), budget.min_wait(41.0), budget.min_wait(20.0, 5)]
    budget.pause(100.0, 20.0)
    assert 100.0 == budget.min_wait(20.0, 5)


def test_min_wait_with_calls_in_flight() -> None:
    """The slots of calls in flight may become free for the calls before; a call behind more than those waits."""
    budget = answered(3)
    assert try_acquire(budget, 0.0)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)

    assert [0.0, 0.0, WINDOW] == [budget.min_wait(0.0, ahead) for ahead in (0, 1, 2)]


def test_nothing_is_kept_back_without_need() -> None:
    """Without interactive calls, bulk calls have all slots; also a window after the last interactive one."""
    assert 100 == acquire_all(answered(100), 0.0, bulk=True)
    budget = answered(100)
    assert try_acquire(budget, 0.0)
    budget.settle(0.0)
    assert 100 == acquire_all(budget, WINDOW + 1, bulk=True)


def test_slots_kept_for_interactive_calls() -> None:
    """Bulk calls leave the slots that interactive calls need if as many come as in the last window."""
    budget = answered(100)
    for number in range(20):  # one each 15 seconds
        assert try_acquire(budget, 15.0 * number)
        budget.settle(15.0 * number)
    now = 15.0 * 19
    assert 80 >= acquire_all(budget, now, bulk=True) >= 76  # their slots come back when they are needed
    assert 0.0 < (budget.wait_time(now, bulk=True) or 0.0) <= WINDOW / 16
    assert 0.0 == budget.wait_time(now)


def test_wait_time() -> None:
    """A call waits until the service's window ends or a slot becomes free; a bulk call a sixteenth of a window at most.

    The number of slots that are reserved for interactive calls falls with time, too.
    """
    reporting = answered(100)
    reporting.learn(headers(0, 60), 0.0, NOON)
    assert 50.0 == reporting.wait_time(10.0)
    budget, early = answered(100), answered(100)
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


def test_at_most_half_is_kept() -> None:
    """However many interactive calls there were, bulk calls have half of the slots."""
    budget = answered(100)
    for _ in range(100):
        assert try_acquire(budget, 0.0)
        budget.cancel()

    assert 50 == acquire_all(budget, 1.0, bulk=True)


def test_listing_reserve() -> None:
    """A little more than the listing needs is reserved, at most a fifth and what it can use in half a window."""
    budget = answered(1_000)

    found = [budget.listing_reserve(pages, seconds) for pages, seconds in ((10, 0.1), (900, 0.1), (900, 1.0))]
    assert [12, 200, 150] == found
    assert 0 == RateBudget().listing_reserve(10, 0.1)


def test_calls_are_spread_after_a_pause() -> None:
    """After a pause calls go out over a twentieth of the window, after a shorter one over its time; then freely."""
    budget = answered(100)
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
def test_promised_slots_come(limit: int, history: list[tuple[float, float]], ahead: float) -> None:
    """The slots that are promised until a moment are there by then, if each is taken as soon as it is free."""
    budget, now = answered(limit, guard=1.0), 0.0
    for gap, seconds in history:
        now += gap
        if try_acquire(budget, now):
            now += seconds
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
    """If the service says less than the own count, less is promised; its next window brings all slots again."""
    budget = answered(100)
    budget.learn(headers(99, 60), 0.0, NOON)
    budget.learn(headers(5, 60), 0.0, NOON)

    assert [5, 100] == [budget.slots_until(0.0, until) for until in (59.0, 61.0)]
    reporting = RateBudget(guard=0.0)
    reporting.learn(headers(99, 60), 0.0, NOON)
    assert [99, 199] == [reporting.slots_until(0.0, until) for until in (59.0, 61.0)]
    assert 100 == reporting.slots_until(100.0, 101.0)
    assert math.inf == RateBudget().slots_until(0.0, 1.0)
