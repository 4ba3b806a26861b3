"""The listings under way: when each ends, and which has the longest way to go, to the second."""

from __future__ import annotations

import math

import pytest

import inside
from pyas_async._core.ratelimit.listings import ActiveListings


def test_until_the_token_dies() -> None:
    """A listing is under way until its token dies, or until it is said to have ended; what was said last counts."""
    listings = ActiveListings()
    assert (0, math.inf) == (listings.count(0.0), listings.next_death(0.0))
    listings.stands("a", 100.0, 0.0)
    listings.stands("b", 200.0, 0.0)
    assert (2, True) == (listings.count(99.9), "a" in listings)
    assert (1, False) == (listings.count(100.0), "a" in listings)
    listings.stands("b", 150.0, 100.0)
    assert (1, 0) == (listings.count(149.9), listings.count(150.0))
    listings.stands("c", 900.0, 150.0)
    listings.ended("c")
    listings.ended("never begun")
    assert (0, False) == (listings.count(150.0), "c" in listings)


def test_when_to_look() -> None:
    """Who waits for the end of one looks when the next token dies, or in a second, for abandoned ones."""
    listings = ActiveListings()
    listings.stands("a", 100.0, 0.0)
    listings.stands("b", 50.0, 0.0)

    assert [1.0, 50.0, 51.0, math.inf] == [listings.next_death(now) for now in (0.0, 49.5, 50.0, 100.0)]


def test_abandoned_ones_are_not_counted() -> None:
    """Listings that nobody holds are taken out when somebody counts, or asks for the longest."""
    listings = ActiveListings()
    for name in "ab":
        listings.stands(name, 100.0, 0.0, pages=5)
    listings.abandoned.extend(["a", "a", "never begun"])
    assert (1, 0) == (listings.count(0.0), len(listings.abandoned))
    listings.abandoned.append("b")
    assert None is listings.claim(0.0)


def test_the_longest() -> None:
    """The one with the most pages left claims, from two pages on; what was said of it before does not count."""
    listings = ActiveListings()
    listings.stands("short", 900.0, 0.0, pages=1)
    assert None is listings.claim(0.0)
    listings.stands("a", 900.0, 0.0, pages=2)
    listings.stands("b", 900.0, 0.0, pages=9)
    assert ("b", 9, math.inf, 1.0) == listings.claim(0.0)
    listings.stands("b", 900.0, 0.5, pages=1)
    assert ("a", 2, math.inf, 1.0) == listings.claim(0.5)
    assert None is listings.claim(1.0)


def test_how_long_it_is_busy() -> None:
    """A listing claims for a second after a page, in which its reader may ask, and for five after it asked."""
    listings = ActiveListings()
    listings.stands("a", 900.0, 0.0, pages=9)
    listings.sends("never begun", 0.5, 0.5)
    assert None is listings.claim(1.0)
    listings.sends("a", 3.0, 4.0)

    assert ("a", 9, math.inf, 9.0) == listings.claim(8.9)
    assert None is listings.claim(9.0)


def test_seconds_a_page() -> None:
    """A page takes its reader's time and its call's, not that in the queue; the last one counts a quarter."""
    listings = ActiveListings()
    listings.stands("a", 900.0, 0.0, pages=9)
    listings.sends("a", 2.0, 10.0)
    listings.stands("a", 900.0, 11.0, pages=8)
    assert ("a", 8, 3.0, 12.0) == listings.claim(11.0)
    listings.sends("a", 12.0, 12.0)
    listings.stands("a", 900.0, 18.0, pages=7)
    assert ("a", 7, (3 * 3.0 + 7.0) / 4, 19.0) == listings.claim(18.0)
    listings.sends("a", 17.0, 18.0)
    listings.stands("a", 900.0, 18.5, pages=6)
    claim = listings.claim(18.5)
    assert claim is not None
    assert pytest.approx((3 * 4.0 + 0.5) / 4) == claim[2]


def test_a_page_nobody_asked_for() -> None:
    """A page that came without a call of its own says nothing of how long one takes."""
    listings = ActiveListings()
    listings.stands("a", 900.0, 0.0, pages=9)
    listings.sends("a", 2.0, 2.0)
    listings.stands("a", 900.0, 3.0, pages=8)
    listings.stands("a", 900.0, 9.0, pages=8)

    assert ("a", 8, math.inf, 10.0) == listings.claim(9.0)


def test_what_was_said_before_is_thrown_away() -> None:
    """However often a listing is heard of, little more is kept than what counts; and what counts, is."""
    listings = ActiveListings()
    listings.stands("b", 5_000.0, 0.0, pages=999)
    for now in range(1_000):
        listings.stands("a", 2_000.0 + now, float(now), pages=1_000 - now if now < 999 else 2)
        assert inside.entries_by_expiry(listings) <= 2 * 2 + 65
        assert inside.entries_by_length(listings) <= 2 * 2 + 65

    listings.sends("b", 999.0, 999.0)
    assert ("b", 999, math.inf, 1_004.0) == listings.claim(999.0)
    assert [2, 1, 0] == [listings.count(now) for now in (2_998.0, 2_999.0, 5_000.0)]
