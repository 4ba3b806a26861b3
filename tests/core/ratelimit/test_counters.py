"""The count of our own calls and that of the service, to the call and to the second."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from core.tools import NOON
from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter

LIFE = 305.0
"""Seconds for which a place stays taken after its call."""


def counting(given: int | None, *, share: float = 1.0) -> LocalCounter:
    """Count against so many calls."""
    return LocalCounter(given, LIFE, share=share)


def settled(own: LocalCounter, *moments: float) -> LocalCounter:
    """Make calls that are over at these moments."""
    for moment in moments:
        own.in_flight += 1
        own.settle(moment)
    return own


def test_own_places() -> None:
    """A call under way takes a place, and one that is over keeps it until its life is over."""
    own = counting(3)
    assert (3, 0) == (own.free_slots(0.0), own.used)
    own.in_flight = 1
    assert (2, 1) == (own.free_slots(0.0), own.used)
    settled(own, 10.0)
    assert (1, 2) == (own.free_slots(314.9), own.used)
    assert (2, 1) == (own.free_slots(315.0), own.used)


def test_unknown_places() -> None:
    """Where nobody has said how many there are, nobody knows what is left; calls are counted all the same."""
    own = settled(counting(None), 0.0)

    assert (None, None, 1) == (own.free_slots(0.0), own.limit, own.used)


def test_places_that_come_back() -> None:
    """Those that come back before a moment, when the next does, and when the one of a number does, in turns."""
    own = settled(counting(4), 0.0, 1.0, 2.0)

    assert [0, 1, 2, 3] == [own.freed_before(moment) for moment in (305.0, 306.0, 306.1, 307.1)]
    assert 305.0 == own.next_freed_at()
    assert [305.0, 306.0, 307.0, 307.0, 610.0, 611.0] == [own.earliest_free_at(number) for number in range(6)]
    assert (None, -math.inf) == (counting(4).next_freed_at(), counting(4).earliest_free_at(9))


def refused(calls: int, *, share: float = 1.0, given: int | None = None, seconds: float = 30.0) -> LocalCounter:
    """Make so many calls at 0, of which the last is refused."""
    own = settled(counting(given, share=share), *[0.0] * calls)
    own.learn_from_refusal(0.0, seconds)
    return own


@pytest.mark.parametrize(
    ("refusal", "allowed"),
    [
        ({"calls": 101}, 100),
        ({"calls": 51}, 50),
        ({"calls": 50}, None),  # others have spent the rest
        ({"calls": 101, "share": 0.5}, 50),
        ({"calls": 101, "share": 0.001}, 1),
        ({"calls": 101, "given": 7}, 7),
        ({"calls": 101, "seconds": 0.9}, None),  # some fault, and no window's end
        ({"calls": 101, "seconds": 1.0}, 100),
    ],
)
def test_what_a_refusal_teaches(refusal: dict[str, Any], allowed: int | None) -> None:
    """Where no limit was given, the calls that went through before a refusal are what a window holds."""
    assert allowed == refused(**refusal).limit


def test_what_is_remembered() -> None:
    """No more calls are remembered than there are; where nobody knows how many, than any plan sells."""
    assert 2 == settled(counting(2), 0.0, 0.0, 0.0).used
    assert 20_000 == settled(counting(None), *[0.0] * 20_001).used


def test_refusals_of_one_window() -> None:
    """Of the calls under way at a refusal, each that is refused as well takes one off; later, a new one begins."""
    own = refused(101)
    assert 0 == own.used
    own.learn_from_refusal(29.9, 5.0)
    assert 99 == own.limit
    settled(own, *[30.0] * 61)
    own.learn_from_refusal(30.0, 5.0)
    assert (60, 0) == (own.limit, own.used)


def test_a_learned_limit_grows() -> None:
    """A learned limit grows by a twentieth in each window in which all of it was used, and not in others."""
    own = refused(101)
    settled(own, *[40.0] * 99)
    assert (1, 100) == (own.free_slots(334.9), own.limit)
    settled(own, 334.9)
    assert 0 == own.free_slots(334.9)
    own.free_slots(335.0)
    assert 105 == own.limit
    own.free_slots(640.0)
    assert 105 == own.limit
    assert None is refused(20).limit


def test_it_grows_after_the_window_that_was_full() -> None:
    """A window that is full is remembered until it ends, and then forgotten."""
    own = refused(101)
    settled(own, *[31.0] * 100)
    own.free_slots(31.0)
    own.free_slots(336.0)
    assert 105 == own.limit
    own.free_slots(640.9)
    assert 105 == own.limit
    own.free_slots(641.0)
    assert 105 == own.limit


def headers(left: object, limit: object = None, resets_in: float | None = None) -> dict[str, str]:
    """Write what the service says."""
    found = {"x-ratelimit-remaining": str(left)}
    if limit is not None:
        found["x-ratelimit-limit"] = str(limit)
    if resets_in is not None:
        found["x-ratelimit-reset"] = (NOON + timedelta(seconds=resets_in)).isoformat()
    return found


def learn(service: ServiceCounter, found: dict[str, str], now: float = 0.0) -> bool:
    """Read the headers of an answer."""
    return service.learn(found, now, NOON, window=300.0, guard=5.0)


def test_it_says_what_is_left() -> None:
    """What an answer says is left counts until its window ends, the guard included; calls not counted take some off."""
    service = ServiceCounter()
    assert (None, None, -math.inf) == (service.remaining(0.0), service.limit, service.resets_at)
    service.count_unreported()
    assert learn(service, headers(7, resets_in=60.0))
    service.count_unreported()

    assert (6, 6, None, 65.0) == (
        service.remaining(0.0),
        service.remaining(64.9),
        service.remaining(65.0),
        service.resets_at,
    )


def test_its_limit() -> None:
    """The limit is the one that it names; else one more than it ever had left."""
    service = ServiceCounter()
    learn(service, headers(0))
    assert (1, None) == (service.limit, service.named_limit)
    learn(service, headers(7))
    assert (8, None) == (service.limit, service.named_limit)
    learn(service, headers(99))
    learn(service, headers(5))
    assert (100, None) == (service.limit, service.named_limit)
    learn(service, headers(5, limit=3_000))
    learn(service, headers(4))
    assert (3_000, 3_000) == (service.limit, service.named_limit)
    learn(service, headers(4, limit=0))
    assert 3_000 == service.limit


@pytest.mark.parametrize(
    ("resets_in", "resets"), [(None, 310.0), (60.0, 75.0), (300.0, 315.0), (9_999.0, 315.0), (-5.0, 15.0)]
)
def test_its_window(resets_in: float | None, resets: float) -> None:
    """Its window ends when it says, with the guard, and is no longer than a window; unsaid, it is one."""
    service = ServiceCounter()
    learn(service, headers(7, resets_in=resets_in), now=10.0)

    assert resets == service.resets_at


@pytest.mark.parametrize(
    ("second", "now", "left"),
    [
        (headers(9, resets_in=60.0), 0.0, 7),  # answers overtake one another
        (headers(3, resets_in=60.0), 0.0, 3),
        (headers(9, resets_in=62.0), 0.0, 7),  # whole seconds are no new window
        (headers(9, resets_in=63.0), 0.0, 9),
        (headers(9, resets_in=-4.0), 65.0, 9),  # the window is over
    ],
)
def test_the_least_of_a_window(second: dict[str, str], now: float, left: int) -> None:
    """Within a window the least counts; one that ends clearly later, or comes after the end, is a new one."""
    service = ServiceCounter()
    learn(service, headers(7, resets_in=60.0))
    learn(service, second, now)

    assert left == service.remaining(now)


def test_the_end_of_a_window() -> None:
    """What is said at the very end of a window, or later, is of the next one, however soon that ends."""
    for now in (60.0, 61.0):
        service = ServiceCounter()
        service.learn(headers(7, resets_in=60.0), 0.0, NOON, window=300.0, guard=0.0)
        service.learn(headers(9, resets_in=0.5), now, NOON, window=300.0, guard=0.0)
        assert 9 == service.remaining(now)


@pytest.mark.parametrize(
    "found",
    [
        {},
        headers("many"),
        headers(7) | {"x-ratelimit-type": "Daily-limit"},
        headers(7) | {"x-ratelimit-category": "Light"},
    ],
)
def test_it_says_nothing(found: dict[str, str]) -> None:
    """An answer without a count, or with one of Zoom's own limits, says nothing of the key's."""
    service = ServiceCounter()

    assert not learn(service, found)
    assert (None, None, -math.inf) == (service.remaining(0.0), service.limit, service.resets_at)


def test_each_header_that_changes_is_read() -> None:
    """Answers of one second say the same, and are not read again; what differs in limit, reset or date is."""
    service = ServiceCounter()
    said = headers(9, limit=10, resets_in=60.0) | {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}

    def resets(left: int, **changed: str) -> float:
        said.update({f"x-ratelimit-{name}" if name != "date" else name: text for name, text in changed.items()})
        assert learn(service, said | {"x-ratelimit-remaining": str(left)})
        return service.resets_at

    assert (65.0, 10) == (resets(9), service.named_limit)
    assert (65.0, 10) == (resets(8), service.named_limit)
    assert (65.0, 12) == (resets(7, limit="12"), service.named_limit)
    assert 95.0 == resets(6, reset=(NOON + timedelta(seconds=90)).isoformat())
    # The distance is between the service's own two moments, whatever the clock here says.
    assert 85.0 == resets(5, date="Sun, 22 Nov 2026 12:00:10 GMT")


def test_the_place_in_a_window_that_is_full() -> None:
    """Places that are taken at a moment are those that have not come back by then."""
    own = settled(counting(4), 0.0, 1.0)
    own.in_flight = 1

    assert [3, 2, 1] == [own.used_at(moment) for moment in (305.0, 305.5, 306.5)]
