"""The pagination machine with a service whose tokens expire and whose rows are added, removed and repeated."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from core.service import LIFE, Listing, Walk, make_row
from core.strategies import brisk
from pyas_async import PaginationError, PaginationIncompleteError, PaginationLoopError
from pyas_async._core.pagination.listing_state import ListingRules, VerifyTotal
from pyas_async._core.pagination.machine import PaginationMachine

positions = st.integers(0, 50)
listing_events = (
    st.tuples(st.sampled_from(["page", "page", "vague page", "kill", "age", "time"]), st.just(0))
    | st.tuples(st.sampled_from(["insert", "remove", "repeat"]), positions)
)  # fmt: skip
verifications: st.SearchStrategy[VerifyTotal] = st.sampled_from(["off", "warn", "raise", "repair"])
sizes = st.tuples(st.integers(0, 25), st.integers(1, 8))
"""How many rows there are, and how many the service puts on a page."""


def listing_of(size: tuple[int, int]) -> Listing:
    """Make a listing."""
    return Listing([make_row(number) for number in range(size[0])], size[1])


def apply(walk: Walk, event: str, position: int, number: int) -> None:
    """Apply one event to the walk, or to its listing."""
    listing = walk.listing
    match event:
        case "page":
            walk.step()
        case "vague page":
            walk.step(vague=True)
        case "kill":
            listing.expired |= set(listing.tokens)
        case "age":
            walk.now += LIFE + 1
        case "time":
            walk.now += 100.0
        case "insert":
            listing.insert(position, make_row(1_000 + number))
        case "remove":
            listing.remove_ahead(position)
        case "repeat":
            listing.repeat(position)


@brisk
@given(sizes, st.lists(listing_events, max_size=40), st.integers(0, 4), verifications)
@example((9, 3), [("page", 0), ("insert", 0), ("page", 0), ("kill", 0)], 3, "warn")
@example((9, 3), [("page", 0), ("kill", 0)] * 9, 3, "repair")
def test_drift(
    size: tuple[int, int], events: list[tuple[str, int]], max_restarts: int, verify_total: VerifyTotal
) -> None:
    """Each row that stays in the listing comes, no row comes twice or was never there, and calls are bounded."""
    listing = listing_of(size)
    before, ever = list(listing.rows), set(listing.rows)
    walk = Walk(PaginationMachine(ListingRules(max_restarts=max_restarts, verify_total=verify_total)), listing)
    longest = len(listing.rows)
    for number, (event, position) in enumerate(events):
        if walk.ended_by is None:
            apply(walk, event, position, number)
        ever |= set(listing.rows)
        longest = max(longest, len(listing.rows))
    if walk.ended_by is None:
        walk.finish()

    assert len(set(walk.yielded)) == len(walk.yielded)
    assert set(walk.yielded) <= ever
    if walk.ended_by is None or isinstance(walk.ended_by, PaginationIncompleteError):
        assert set(before) & set(listing.rows) <= set(walk.yielded)
    assert not isinstance(walk.ended_by, PaginationLoopError)
    counts = walk.machine.counts
    assert len(walk.yielded) == counts.items
    assert counts.restarts <= max_restarts * (len(walk.yielded) + 2)
    assert listing.calls <= (counts.restarts + 1) * (math.ceil(longest / listing.cap) + 1) + counts.restarts
    assert walk.machine.ended


@brisk
@given(sizes)
def test_quiet_walk(size: tuple[int, int]) -> None:
    """If nothing changes, the pages together are the listing, with no call too many."""
    listing = listing_of(size)
    walk = Walk(PaginationMachine(ListingRules()), listing)
    walk.finish()

    assert listing.rows == walk.yielded
    assert max(1, math.ceil(len(listing.rows) / listing.cap)) == listing.calls == walk.machine.counts.pages
    assert (0, 0) == (walk.machine.counts.restarts, walk.machine.counts.duplicates_skipped)


@brisk
@given(sizes, st.integers(1, 30))
def test_max_items(size: tuple[int, int], limit: int) -> None:
    """`max_items` gives the first rows of the listing, and requests no page that is not needed."""
    listing = listing_of(size)
    walk = Walk(PaginationMachine(ListingRules(max_items=limit)), listing)
    walk.finish()

    assert listing.rows[:limit] == walk.yielded
    assert max(1, math.ceil(min(limit, len(listing.rows)) / listing.cap)) == listing.calls
    assert len(walk.yielded) == walk.machine.counts.items


@brisk
@given(st.integers(0, 5), st.integers(1, 5))
def test_max_restarts(max_restarts: int, cap: int) -> None:
    """If each token expires before a new row came, there are `max_restarts` fresh walks, and no more."""
    listing = Listing([make_row(number) for number in range(cap + 1)], cap)
    walk = Walk(PaginationMachine(ListingRules(max_restarts=max_restarts)), listing)
    while walk.ended_by is None:
        walk.step()
        walk.now += LIFE + 1

    assert isinstance(walk.ended_by, PaginationError)
    assert (max_restarts, max_restarts + 1) == (walk.machine.counts.restarts, listing.calls)
    assert listing.rows[:cap] == walk.yielded


@brisk
@given(st.integers(1, 6), st.floats(0.1, 2000))
def test_slow_consumer(cap: int, pause: float) -> None:
    """However slowly rows are taken, only valid tokens are sent; a listing that makes progress reaches its end."""
    listing = Listing([make_row(number) for number in range(20)], cap)
    walk = Walk(PaginationMachine(ListingRules(max_restarts=1)), listing)
    while walk.ended_by is None and not walk.machine.ended:
        walk.step()
        walk.now += pause

    assert [] == listing.refused
    assert (walk.yielded == listing.rows) is (walk.ended_by is None)


def test_progress_resets_the_count() -> None:
    """`max_restarts` counts restarts in a row: after a new row, the count begins anew."""
    listing = Listing([make_row(number) for number in range(8)], 2)
    walk = Walk(PaginationMachine(ListingRules(max_restarts=1)), listing)
    reached = 0
    while walk.ended_by is None and not walk.machine.ended:
        walk.step()
        if len(walk.yielded) > reached:
            reached = len(walk.yielded)
            listing.expired |= set(listing.tokens)

    assert walk.ended_by is None
    assert listing.rows == walk.yielded
    assert 3 == walk.machine.counts.restarts


def test_rows_are_told_apart_by_all_three() -> None:
    """Rows that share their id, their uuid, or their start with others are different rows."""
    first = make_row(0)
    later = (first[0], first[1], make_row(1)[2])
    other: list[Any] = [first, later, (first[0], "another", first[2]), (99, first[1], first[2])]
    walk = Walk(PaginationMachine(ListingRules()), Listing(other, 2))
    walk.finish()

    assert other == walk.yielded
