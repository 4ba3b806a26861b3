"""What a budget says of the time to come, place by place, and what it keeps back for whom."""

from __future__ import annotations

import math

import pytest

from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async._core.ratelimit.forecast import Forecast

WINDOW = 300.0
ROUND = 325.0
"""Seconds in which every place comes back once: the window and a twentieth, the guard, and a slow answer."""


def forecast(given: int | None = 100, *freed_at: float, told: int | None = None, share: float = 1.0) -> Forecast:
    """Look ahead from a window's calls, of which some are over; and from what the service has named."""
    own, service = LocalCounter(given, WINDOW + 5.0, share=share), ServiceCounter()
    own.freed_at.extend(freed_at)
    service.named_limit, service.resets_at = told, 60.0
    return Forecast(own, service, window=WINDOW, guard=5.0, share=share)


@pytest.mark.parametrize(
    ("until", "places"),
    [
        (-10.0, 98),
        (0.0, 98),
        (99.0, 98),
        (100.5, 99),
        (110.0, 100),
        (324.0, 100),
        (325.0, 198),
        (425.5, 199),
        (650.0, 298),
    ],
)
def test_own_places(until: float, places: int) -> None:
    """What is free now, what comes back until then one by one, and all again with each round."""
    assert places == forecast(100, 100.0, 101.0).slots_until(0.0, until, None)


@pytest.mark.parametrize(
    ("until", "theirs", "places"),
    [(59.0, 3, 3), (60.0, 3, 3), (60.5, 3, 103), (60.0 + ROUND, 3, 203), (59.0, -2, 0), (59.0, 0, 0)],
)
def test_what_the_service_leaves(until: float, theirs: int, places: int) -> None:
    """What the service says is left until its window ends; then all, and all again with each round."""
    assert places == forecast(None, told=100).slots_until(0.0, until, theirs)


def test_nothing_comes_before_now() -> None:
    """At this moment, what comes back in the next is not there."""
    assert [99, 100] == [forecast(100, 0.5).slots_until(0.0, until, None) for until in (0.0, 0.6)]


def test_the_lesser_count() -> None:
    """Of both counts, the lesser is promised."""
    assert [90, 98] == [forecast(100, 100.0, 101.0, told=100).slots_until(0.0, 50.0, theirs) for theirs in (90, 99)]


@pytest.mark.parametrize(("until", "places"), [(0.0, 100), (324.0, 100), (325.0, 200)])
def test_a_limit_that_was_named_once(until: float, places: int) -> None:
    """Where the service has named its limit and says nothing of its window, that many come in each round."""
    assert places == forecast(None, told=100).slots_until(0.0, until, None)


def test_nobody_knows() -> None:
    """Where nobody has named a limit, nothing is short, and nothing is claimed."""
    unknown = forecast(None)
    unknown.add_interactive(0.0)

    assert (None, math.inf, math.inf, math.inf, 0) == (
        unknown.limit(),
        unknown.slots_until(0.0, 1.0, None),
        unknown.max_listings(890.0),
        unknown.bulk_slots(1.0, None, None),
        unknown.listing_reserve(10, 1.0),
    )
    assert 5 == unknown.bulk_slots(1.0, 5, None)


def test_what_is_mine() -> None:
    """Of the limit that was given and this program's part of the one that the service names, the lesser."""
    assert [100, 40, 100, 50] == [
        forecast(100).limit(), forecast(100, told=40).limit(), forecast(100, told=200).limit(),
        forecast(None, told=100, share=0.5).limit(),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("life", "listings"), [(162.5, 50), (324.0, 99), (325.0, 100), (649.0, 100), (650.0, 200), (0.1, 1)]
)
def test_listings(life: float, listings: int) -> None:
    """So many listings as get a call in a token's life, in whole rounds where it is longer than one; at least one."""
    assert listings == forecast(100).max_listings(life)


def test_one_of_several() -> None:
    """Where several processes spend the limit, each counts on its part alone, whatever the others leave unused."""
    ahead = forecast(100, 100.0, 101.0)
    ahead.processes = 4

    assert (25, 25, 5, 23) == (
        ahead.limit(),
        ahead.max_listings(325.0),
        ahead.listing_reserve(10, 1.0),
        ahead.slots_until(0.0, 0.0, None),
    )
    assert 25 == ahead.slots_until(0.0, 102.0, None)
    assert 48 == ahead.slots_until(0.0, 325.0, None)


def singles(number: int, *freed_at: float, at: float = 0.0) -> Forecast:
    """Look ahead after so many single calls at once."""
    ahead = forecast(100, *freed_at)
    for _ in range(number):
        ahead.add_interactive(at)
    return ahead


@pytest.mark.parametrize(
    ("number", "freed_at", "at", "own", "spare"),
    [
        (0, [], 0.0, 20, 20),  # nobody makes single calls
        (16, [], 0.0, 20, 1),  # 16 will come again, and 3 of 100 more may
        (16, [], 0.0, 33, 14),
        (16, [], 0.0, 34, 34),  # more than twice as many are there
        (16, [110.0] * 8, 0.0, 20, 9),  # 8 places come back before the half of them needs one
        (16, [11.0] * 20, 0.0, 20, 17),  # all of them come back in time
        (16, [60.0] * 20, 0.0, 20, 15),  # two of them too late
        (16, [210.0] * 20, 0.0, 20, 7),  # ten of them too late
        (1, [], 0.0, 3, 1),  # one comes again, and another may
        (60, [], 0.0, 100, 50),  # at most half of the limit
        (16, [], -290.0, 20, 20),  # all of that was a window ago
        (16, [], -289.9, 20, 1),
    ],
)
def test_kept_back(number: int, freed_at: list[float], at: float, own: int, spare: int) -> None:
    """Kept back is what the single calls of the last window will lack if they come again, and a little more."""
    assert spare == singles(number, *freed_at, at=at).bulk_slots(10.0, own, None)


def test_spare_by_the_lesser_count() -> None:
    """What is free for bulk is what both counts leave, less what is kept back."""
    assert [-9, 1, 7] == [
        singles(16).bulk_slots(10.0, 20, 10),
        singles(16).bulk_slots(10.0, 20, 30),
        singles(0).bulk_slots(0.0, None, 7),
    ]


def test_withdrawn_calls_are_not_expected_again() -> None:
    """A single call that did not go out will not come again: the last of them is taken back."""
    ahead = singles(16)
    ahead.add_interactive(5.0)
    ahead.cancel_interactive()
    assert 1 == ahead.bulk_slots(10.0, 20, None)
    assert 20 == ahead.bulk_slots(300.0, 20, None)
    ahead.cancel_interactive()
    assert 20 == ahead.bulk_slots(300.0, 20, None)


def test_claims() -> None:
    """A listing claims a quarter more than its pages, at most a fifth of all, and what it can use in half a window."""
    ahead = forecast(100)

    assert [12, 20, 15, 1, 20] == [
        ahead.listing_reserve(10, 1.0), ahead.listing_reserve(99, 1.0), ahead.listing_reserve(99, 10.0), ahead.listing_reserve(99, 150.0), ahead.listing_reserve(99, 0.0),
    ]  # fmt: skip
