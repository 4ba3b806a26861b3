"""What a budget expects, slot by slot, and which slots it reserves for which calls."""

from __future__ import annotations

import math

import pytest

from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async._core.ratelimit.forecast import Forecast

WINDOW = 300.0
CYCLE = 325.0
"""Seconds in which every slot comes back once: the window and a twentieth, the guard, and a slow response."""


def forecast(given: int | None = 100, *freed_at: float, named: int | None = None, share: float = 1.0) -> Forecast:
    """Make a forecast for a limit, with calls that are over, and the limit that the service has named."""
    local, service = LocalCounter(given, WINDOW + 5.0, share=share), ServiceCounter()
    local.freed_at.extend(freed_at)
    service.named_limit, service.resets_at = named, 60.0
    return Forecast(local, service, window=WINDOW, guard=5.0, share=share)


@pytest.mark.parametrize(
    ("until", "slots"),
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
def test_slots_by_the_own_count(until: float, slots: int) -> None:
    """The free slots, those that come back until then, and all of them once more for each cycle."""
    assert slots == forecast(100, 100.0, 101.0).slots_until(0.0, until, None)


@pytest.mark.parametrize(
    ("until", "remaining", "slots"),
    [(59.0, 3, 3), (60.0, 3, 3), (60.5, 3, 103), (60.0 + CYCLE, 3, 203), (59.0, -2, 0), (59.0, 0, 0)],
)
def test_slots_by_the_service(until: float, remaining: int, slots: int) -> None:
    """The calls that remain, as the service says, until its window ends; then all, and all once more for each cycle."""
    assert slots == forecast(None, named=100).slots_until(0.0, until, remaining)


def test_no_slot_comes_before_its_time() -> None:
    """A slot that comes back in a moment is not there now."""
    assert [99, 100] == [forecast(100, 0.5).slots_until(0.0, until, None) for until in (0.0, 0.6)]


def test_the_lower_count() -> None:
    """The lower of both counts holds."""
    assert [90, 98] == [forecast(100, 100.0, 101.0, named=100).slots_until(0.0, 50.0, left) for left in (90, 99)]


@pytest.mark.parametrize(("until", "slots"), [(0.0, 100), (324.0, 100), (325.0, 200)])
def test_a_limit_that_was_named_once(until: float, slots: int) -> None:
    """If the service has named its limit and says nothing about its window, that many slots come in each cycle."""
    assert slots == forecast(None, named=100).slots_until(0.0, until, None)


def test_unknown_limit() -> None:
    """Without a limit no slots are short, and none are reserved."""
    unknown = forecast(None)
    unknown.demand.add(0.0)

    assert (None, math.inf, math.inf, math.inf, 0) == (
        unknown.limit(),
        unknown.slots_until(0.0, 1.0, None),
        unknown.max_listings(890.0),
        unknown.bulk_slots(1.0, None, None),
        unknown.listing_reserve(10, 1.0),
    )
    assert 5 == unknown.bulk_slots(1.0, 5, None)


def test_limit() -> None:
    """The lower of the given limit and this program's part of the one that the service names."""
    assert [100, 40, 100, 50] == [
        forecast(100).limit(), forecast(100, named=40).limit(), forecast(100, named=200).limit(),
        forecast(None, named=100, share=0.5).limit(),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("life", "listings"), [(162.5, 50), (324.0, 99), (325.0, 100), (649.0, 100), (650.0, 200), (0.1, 1)]
)
def test_max_listings(life: float, listings: int) -> None:
    """As many listings as get a call in a token's life, which counts in whole cycles if it is longer than one."""
    assert listings == forecast(100).max_listings(life)


def test_one_of_several() -> None:
    """If several processes spend the limit, each counts only on its part, whatever the others leave unused."""
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


def after_interactive(number: int, *freed_at: float, at: float = 0.0) -> Forecast:
    """Make a forecast after so many interactive calls at once."""
    ahead = forecast(100, *freed_at)
    for _ in range(number):
        ahead.demand.add(at)
    return ahead


@pytest.mark.parametrize(
    ("number", "freed_at", "at", "free", "for_bulk"),
    [
        (0, [], 0.0, 20, 20),  # there are no interactive calls
        (16, [], 0.0, 20, 1),  # 16 will come again, and 3 of 100 more may
        (16, [], 0.0, 33, 14),
        (16, [], 0.0, 34, 34),  # more than twice as many slots are free
        (16, [110.0] * 8, 0.0, 20, 9),  # 8 slots come back before half of the calls need one
        (16, [11.0] * 20, 0.0, 20, 17),  # all of them come back in time
        (16, [60.0] * 20, 0.0, 20, 15),  # two of them too late
        (16, [210.0] * 20, 0.0, 20, 7),  # ten of them too late
        (1, [], 0.0, 3, -8),  # it may be the first of a person's calls: eight come, and three more may
        (1, [], -100.0, 5, 2),  # nothing has followed it for a while: two come, and one or two more may
        (60, [], 0.0, 100, 50),  # at most half of the limit
        (16, [], -290.0, 20, 20),  # all of that was a window ago
        (16, [], -289.9, 20, 1),
    ],
)
def test_interactive_reserve(number: int, freed_at: list[float], at: float, free: int, for_bulk: int) -> None:
    """The slots that interactive calls lack if as many come as in the last window are reserved, and a few more."""
    assert for_bulk == after_interactive(number, *freed_at, at=at).bulk_slots(10.0, free, None)


def test_bulk_slots_by_the_lower_count() -> None:
    """Bulk calls get what the lower count leaves, less what is reserved for interactive calls."""
    assert [1, -3, 1, 7] == [
        after_interactive(16).bulk_slots(10.0, 20, 10),
        after_interactive(16).bulk_slots(10.0, 20, 2),
        after_interactive(16).bulk_slots(10.0, 20, 30),
        after_interactive(0).bulk_slots(0.0, None, 7),
    ]


def test_cancelled_calls_are_not_expected_again() -> None:
    """An interactive call that was not sent is not expected again."""
    ahead = after_interactive(16)
    ahead.demand.add(5.0)
    ahead.demand.cancel()
    assert 1 == ahead.bulk_slots(10.0, 20, None)
    assert 20 == ahead.bulk_slots(300.0, 20, None)
    ahead.demand.cancel()
    assert 20 == ahead.bulk_slots(300.0, 20, None)


def test_listing_reserve() -> None:
    """A quarter more than the pages is reserved, at most a fifth of all slots and what half a window is enough for."""
    ahead = forecast(100)

    assert 12 == ahead.listing_reserve(10, 1.0)
    assert [20, 15, 1, 20] == [ahead.listing_reserve(99, seconds) for seconds in (1.0, 10.0, 150.0, 0.0)]
