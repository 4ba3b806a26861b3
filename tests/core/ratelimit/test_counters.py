"""The count of our own calls and the service's count, to the call and to the second."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from core.tools import NOON
from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter

HOLD = 305.0
"""Seconds for which a slot stays taken after its call."""


def counter(given: int | None, *, share: float = 1.0) -> LocalCounter:
    """Make a counter with a limit."""
    return LocalCounter(given, HOLD, share=share)


def settled(local: LocalCounter, *moments: float) -> LocalCounter:
    """Make calls that are over at these moments."""
    for moment in moments:
        local.acquire()
        local.settle(moment)
    return local


def test_slots() -> None:
    """A call in flight holds a slot, and one that is over holds it for a while longer."""
    local = counter(3)
    assert (3, 0) == (local.free_slots(0.0), local.used)
    local.acquire()
    assert (2, 1) == (local.free_slots(0.0), local.used)
    settled(local, 10.0)
    assert (1, 2) == (local.free_slots(314.9), local.used)
    assert (2, 1) == (local.free_slots(315.0), local.used)


def test_unknown_limit() -> None:
    """Without a limit the free slots are unknown, but calls are counted."""
    local = settled(counter(None), 0.0)

    assert (None, None, 1) == (local.free_slots(0.0), local.limit, local.used)


def test_slots_that_come_free() -> None:
    """How many slots become free before a moment, when the next does, and when the n-th can, in turns."""
    local = settled(counter(4), 0.0, 1.0, 2.0)

    assert [0, 1, 2, 3] == [local.freed_before(moment) for moment in (305.0, 306.0, 306.1, 307.1)]
    assert 305.0 == local.next_freed_at()
    assert [305.0, 306.0, 307.0, 307.0, 610.0, 611.0] == [local.earliest_free_at(number) for number in range(6)]
    assert (None, -math.inf) == (counter(4).next_freed_at(), counter(4).earliest_free_at(9))


def refused(calls: int, *, share: float = 1.0, given: int | None = None, seconds: float = 30.0) -> LocalCounter:
    """Make calls at 0, of which the last is refused."""
    local = settled(counter(given, share=share), *[0.0] * calls)
    local.learn_from_refusal(0.0, seconds)
    return local


@pytest.mark.parametrize(
    ("refusal", "limit"),
    [
        ({"calls": 101}, 100),
        ({"calls": 51}, 50),
        ({"calls": 50}, None),  # others have spent the rest
        ({"calls": 101, "share": 0.5}, 50),
        ({"calls": 101, "share": 0.001}, 1),
        ({"calls": 101, "given": 7}, 7),
        ({"calls": 101, "seconds": 0.9}, None),  # a fault, not the end of a window
        ({"calls": 101, "seconds": 1.0}, 100),
    ],
)
def test_limit_from_a_refusal(refusal: dict[str, Any], limit: int | None) -> None:
    """If no limit was given, the calls that went through before a refusal are a window's limit."""
    assert limit == refused(**refusal).limit


def test_how_many_calls_are_remembered() -> None:
    """No more calls are remembered than the limit; without one, than any plan sells."""
    assert 2 == settled(counter(2), 0.0, 0.0, 0.0).used
    assert 20_000 == settled(counter(None), *[0.0] * 20_001).used


def test_refusals_of_one_window() -> None:
    """Each further refusal of a call that was in flight lowers the limit by one; later, a new window begins."""
    local = refused(101)
    assert 0 == local.used
    local.learn_from_refusal(29.9, 5.0)
    assert 99 == local.limit
    settled(local, *[30.0] * 61)
    local.learn_from_refusal(30.0, 5.0)
    assert (60, 0) == (local.limit, local.used)


def test_a_learned_limit_grows() -> None:
    """A learned limit grows by a twentieth after each window in which all of it was used, and not after others."""
    local = refused(101)
    settled(local, *[40.0] * 99)
    assert (1, 100) == (local.free_slots(334.9), local.limit)
    settled(local, 334.9)
    assert 0 == local.free_slots(334.9)
    local.free_slots(335.0)
    assert 105 == local.limit
    local.free_slots(640.0)
    assert 105 == local.limit
    assert None is refused(20).limit


def test_it_grows_after_the_window_that_was_full() -> None:
    """That a window was full counts once, at its end."""
    local = refused(101)
    settled(local, *[31.0] * 100)
    local.free_slots(31.0)
    local.free_slots(336.0)
    assert 105 == local.limit
    local.free_slots(640.9)
    assert 105 == local.limit
    local.free_slots(641.0)
    assert 105 == local.limit


def headers(left: object, limit: object = None, resets_in: float | None = None) -> dict[str, str]:
    """Write the headers of the service's limiter."""
    found = {"x-ratelimit-remaining": str(left)}
    if limit is not None:
        found["x-ratelimit-limit"] = str(limit)
    if resets_in is not None:
        found["x-ratelimit-reset"] = (NOON + timedelta(seconds=resets_in)).isoformat()
    return found


def learn(service: ServiceCounter, found: dict[str, str], now: float = 0.0) -> bool:
    """Read the headers of an answer."""
    return service.learn(found, now, NOON, window=300.0, guard=5.0, precision=5.0)


def test_remaining() -> None:
    """The number that a response gives counts until its window ends, guard included; unreported calls lower it."""
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


def test_limit() -> None:
    """The limit is the one that the service names; else one more than ever remained."""
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
    ("resets_in", "resets_at"), [(None, 310.0), (60.0, 75.0), (300.0, 315.0), (9_999.0, 315.0), (-5.0, 15.0)]
)
def test_window(resets_in: float | None, resets_at: float) -> None:
    """The service's window ends when it says, plus the guard, and after a window at most; unsaid, after a window."""
    service = ServiceCounter()
    learn(service, headers(7, resets_in=resets_in), now=10.0)

    assert resets_at == service.resets_at


@pytest.mark.parametrize(
    ("resets_in", "resets_at"),
    [(None, 11.0), (0.01, 11.01), (0.5, 11.02), (1.0, 11.02), (9_999.0, 11.02), (-5.0, 11.0)],
)
def test_short_window(resets_in: float | None, resets_at: float) -> None:
    """What headers in whole seconds say of a window of one second makes it no longer."""
    service = ServiceCounter()
    service.learn(headers(7, resets_in=resets_in), 10.0, NOON, window=1.0, guard=0.02, precision=1.0)

    assert resets_at == pytest.approx(service.resets_at)


@pytest.mark.parametrize(
    ("second", "now", "left"),
    [
        (headers(9, resets_in=60.0), 0.0, 7),  # responses overtake one another
        (headers(3, resets_in=60.0), 0.0, 3),
        (headers(9, resets_in=62.0), 0.0, 7),  # dates are whole seconds: not a new window
        (headers(9, resets_in=63.0), 0.0, 9),
        (headers(9, resets_in=-4.0), 65.0, 9),  # the window is over
    ],
)
def test_the_lowest_count_of_a_window(second: dict[str, str], now: float, left: int) -> None:
    """Within a window the lowest number holds; a window that ends clearly later, or a later response, is new."""
    service = ServiceCounter()
    learn(service, headers(7, resets_in=60.0))
    learn(service, second, now)

    assert left == service.remaining(now)


def test_the_end_of_a_window() -> None:
    """A response at the very end of a window, or later, belongs to the next one, however soon that ends."""
    for now in (60.0, 61.0):
        service = ServiceCounter()
        service.learn(headers(7, resets_in=60.0), 0.0, NOON, window=300.0, guard=0.0, precision=0.0)
        service.learn(headers(9, resets_in=0.5), now, NOON, window=300.0, guard=0.0, precision=0.0)
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
def test_no_count(found: dict[str, str]) -> None:
    """A response without a count, or with one of Zoom's own limits, says nothing about the key's."""
    service = ServiceCounter()

    assert not learn(service, found)
    assert (None, None, -math.inf) == (service.remaining(0.0), service.limit, service.resets_at)


def test_each_header_that_changes_is_read() -> None:
    """Responses that differ in limit, reset or date are parsed; others say the same and are not."""
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


def test_used_at() -> None:
    """The slots that are taken at a moment are those that have not become free by then."""
    local = settled(counter(4), 0.0, 1.0)
    local.acquire()

    assert [3, 2, 1] == [local.used_at(moment) for moment in (305.0, 305.5, 306.5)]
