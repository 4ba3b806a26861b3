"""The active listings: when each ends, and which has the most pages left, to the second."""

from __future__ import annotations

import math

import pytest

import inside
from pyas_async._core.ratelimit.listings import ActiveListings


def test_until_the_token_expires() -> None:
    """A listing is active until its token expires or it is ended; the last update counts."""
    listings = ActiveListings()
    assert (0, math.inf) == (listings.count(0.0), listings.next_end(0.0))
    listings.update("a", 100.0, 0.0)
    listings.update("b", 200.0, 0.0)
    assert (2, True) == (listings.count(99.9), "a" in listings)
    assert (1, False) == (listings.count(100.0), "a" in listings)
    listings.update("b", 150.0, 100.0)
    assert (1, 0) == (listings.count(149.9), listings.count(150.0))
    listings.update("c", 900.0, 150.0)
    listings.end("c")
    listings.end("never begun")
    assert (0, False) == (listings.count(150.0), "c" in listings)


def test_when_to_check() -> None:
    """The next check for an end is when the next token expires, or in a second, for abandoned listings."""
    listings = ActiveListings()
    listings.update("a", 100.0, 0.0)
    listings.update("b", 50.0, 0.0)

    assert [1.0, 50.0, 51.0, math.inf] == [listings.next_end(now) for now in (0.0, 49.5, 50.0, 100.0)]


def test_abandoned_ones_are_not_counted() -> None:
    """Abandoned listings are removed at the next count, or when the longest is asked for."""
    listings = ActiveListings()
    for name in "ab":
        listings.update(name, 100.0, 0.0, pages=5)
    listings.abandoned.extend(["a", "a", "never begun"])
    assert (1, 0) == (listings.count(0.0), len(listings.abandoned))
    listings.abandoned.append("b")
    assert None is listings.longest(0.0)


def test_the_longest() -> None:
    """The longest listing has the most pages left, and two at least; earlier updates of it do not count."""
    listings = ActiveListings()
    listings.update("short", 900.0, 0.0, pages=1)
    assert None is listings.longest(0.0)
    listings.update("a", 900.0, 0.0, pages=2)
    listings.update("b", 900.0, 0.0, pages=9)
    assert ("b", 9, math.inf, 1.0) == listings.longest(0.0)
    listings.update("b", 900.0, 0.5, pages=1)
    assert ("a", 2, math.inf, 1.0) == listings.longest(0.5)
    assert None is listings.longest(1.0)


def test_how_long_it_is_busy() -> None:
    """A listing is busy for a second after a page, in which its consumer may ask, and for five after its call."""
    listings = ActiveListings()
    listings.update("a", 900.0, 0.0, pages=9)
    listings.call_sent("never begun", 0.5, 0.5)
    assert None is listings.longest(1.0)
    listings.call_sent("a", 3.0, 4.0)

    assert ("a", 9, math.inf, 9.0) == listings.longest(8.9)
    assert None is listings.longest(9.0)


def test_seconds_for_a_page() -> None:
    """A page takes the consumer's time and the call's, without the queue's; the last page counts for a quarter."""
    listings = ActiveListings()
    listings.update("a", 900.0, 0.0, pages=9)
    listings.call_sent("a", 2.0, 10.0)
    listings.update("a", 900.0, 11.0, pages=8)
    assert ("a", 8, 3.0, 12.0) == listings.longest(11.0)
    listings.call_sent("a", 12.0, 12.0)
    listings.update("a", 900.0, 18.0, pages=7)
    assert ("a", 7, (3 * 3.0 + 7.0) / 4, 19.0) == listings.longest(18.0)
    listings.call_sent("a", 17.0, 18.0)
    listings.update("a", 900.0, 18.5, pages=6)
    longest = listings.longest(18.5)
    assert longest is not None
    assert pytest.approx((3 * 4.0 + 0.5) / 4) == longest.page_seconds


def test_a_page_without_a_call() -> None:
    """An update without a call says nothing about how long a page takes."""
    listings = ActiveListings()
    listings.update("a", 900.0, 0.0, pages=9)
    listings.call_sent("a", 2.0, 2.0)
    listings.update("a", 900.0, 3.0, pages=8)
    listings.update("a", 900.0, 9.0, pages=8)

    assert ("a", 8, math.inf, 10.0) == listings.longest(9.0)


def test_outdated_entries_are_dropped() -> None:
    """However often a listing is updated, few outdated entries are kept, and no current one is lost."""
    listings = ActiveListings()
    listings.update("b", 5_000.0, 0.0, pages=999)
    for now in range(1_000):
        listings.update("a", 2_000.0 + now, float(now), pages=1_000 - now if now < 999 else 2)
        assert inside.entries_by_expiry(listings) <= 2 * 2 + 65
        assert inside.entries_by_length(listings) <= 2 * 2 + 65

    listings.call_sent("b", 999.0, 999.0)
    assert ("b", 999, math.inf, 1_004.0) == listings.longest(999.0)
    assert [2, 1, 0] == [listings.count(now) for now in (2_998.0, 2_999.0, 5_000.0)]
