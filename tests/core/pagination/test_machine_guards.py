"""The guards of the pagination machine: refused page sizes, loops, pages without end, and totals that do not fit."""

from __future__ import annotations

from typing import Literal

import pytest

from core.machines import EXPIRED, SIZE, TOO_OLD, following, page
from pyas_async import BadRequestError, Meeting, Page, PaginationError, PaginationIncompleteError, PaginationLoopError
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine


def test_page_size_is_refused() -> None:
    """The largest page size is requested by default; if the service refuses it, no size is requested, and that once."""
    machine = PaginationMachine(ListingRules())
    first = machine.next()
    assert "size" == machine.on_error(SIZE)
    second = machine.next()

    assert first is not None
    assert second is not None
    assert (300, None) == (first.page_size, second.page_size)
    with pytest.raises(BadRequestError):
        machine.on_error(SIZE)


def test_page_size_of_the_caller() -> None:
    """A page size that the caller chose is not replaced by another."""
    with pytest.raises(BadRequestError):
        PaginationMachine(ListingRules(page_size=200)).on_error(SIZE)


def test_same_size_to_the_end() -> None:
    """Every request of a listing has the same page size, after a restart as well."""
    machine = PaginationMachine(ListingRules(page_size=7))
    sizes = []
    for step in (page(1, token="a"), EXPIRED, page(2, token="b")):
        request = machine.next()
        sizes.append(None if request is None else request.page_size)
        machine.on_page(step, 0.0, 0.0) if isinstance(step, Page) else machine.on_error(step)

    assert [7, 7, 7] == sizes


def test_loop() -> None:
    """A token that comes again after a page without a new row is a loop, and ends the listing."""
    machine = following()

    assert () == machine.on_page(page(1, token="a"), 0.0, 0.0)
    assert machine.ended
    assert isinstance(machine.failure, PaginationLoopError)


def test_one_token_for_all_pages() -> None:
    """A service may use one token for the whole listing: that is no loop while its pages have new rows."""
    machine = following()

    assert [[2], [3], [4]] == [[row.id for row in machine.on_page(page(n, token="a"), 0.0, 0.0)] for n in (2, 3, 4)]


def test_page_that_leads_back_hides_no_missing_row() -> None:
    """If a token leads back to its own page, the rows that come twice do not make up for missing ones."""
    machine = PaginationMachine(ListingRules(verify_total="raise"))
    machine.on_page(page(1, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, total=4), 0.0, 0.0)

    assert 1 == machine.counts.missing
    assert isinstance(machine.failure, PaginationIncompleteError)


def test_page_that_leads_back_over_a_resume() -> None:
    """If a token leads back to the token of the checkpoint that was resumed, rows are counted from there."""
    first = PaginationMachine(ListingRules(verify_total="raise"))
    first.on_page(page(1, token="a", total=4), 0.0, 0.0)
    machine = PaginationMachine(ListingRules(verify_total="raise"), first.checkpoint("account", (), 1))
    machine.on_page(page(2, 3, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, total=4), 0.0, 0.0)

    assert 1 == machine.counts.missing
    assert isinstance(machine.failure, PaginationIncompleteError)


def test_one_token_for_all_pages_fits_its_total() -> None:
    """If one token stands for every page, all rows that came are compared with the total."""
    machine = following(ListingRules(verify_total="raise"))
    for step in (page(2, 3, token="a", total=5), page(4, token="a", total=5), page(5, total=5)):
        machine.on_page(step, 0.0, 0.0)

    assert (0, None) == (machine.counts.missing, machine.failure)


def test_token_again_after_a_restart() -> None:
    """A fresh walk may get a token again that had only grown too old: that is no loop."""
    machine = following()
    machine.on_error(TOO_OLD)

    assert () == machine.on_page(page(1, token="a"), 0.0, 0.0)
    assert not machine.ended


def test_refused_token_again() -> None:
    """A token that the service has refused is not sent again, even if the service hands it out again."""
    machine = following()
    machine.on_error(EXPIRED)

    assert [2] == [row.id for row in machine.on_page(page(1, 2, token="a"), 0.0, 0.0)]
    assert machine.next() is None
    assert isinstance(machine.failure, PaginationLoopError)


def test_empty_pages() -> None:
    """Empty pages with a token are followed; a row resets their count, and without one the listing is given up."""
    machine = PaginationMachine(ListingRules())
    for number in range(40):
        machine.on_page(page(token=f"first {number}"), 0.0, 0.0)
    machine.on_page(page(1, token="row"), 0.0, 0.0)
    for number in range(40):
        machine.on_page(page(token=f"second {number}"), 0.0, 0.0)
    assert not machine.ended
    for number in range(200):
        if not machine.ended:
            machine.on_page(page(token=f"third {number}"), 0.0, 0.0)

    assert machine.ended
    assert isinstance(machine.failure, PaginationError)


def test_total_is_the_last_one_reported() -> None:
    """The total is the one reported last; a page without a total changes nothing."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(page(1, token="a", total=3), 0.0, 0.0)
    machine.on_page(page(2, token="b", total=4), 0.0, 0.0)
    machine.on_page(page(3), 0.0, 0.0)

    assert (4, 3) == (machine.counts.total_reported, machine.counts.items)


def with_a_row_missing(verify_total: Literal["off", "warn", "raise", "repair"]) -> PaginationMachine:
    """Make a machine that has reached the end of a listing of three rows, with one of them missing."""
    machine = PaginationMachine(ListingRules(verify_total=verify_total, max_restarts=1))
    machine.on_page(page(1, token="a", total=3), 0.0, 0.0)
    machine.on_page(page(3, total=3), 0.0, 0.0)
    return machine


def test_total_off() -> None:
    """With ``"off"``, a total that does not match is not reported."""
    machine = with_a_row_missing("off")

    assert (True, None, None) == (machine.ended, machine.drift, machine.failure)


def test_total_warn() -> None:
    """By default, missing rows are reported, and are no error."""
    machine = with_a_row_missing("warn")

    assert (True, 1, None) == (machine.ended, machine.counts.missing, machine.failure)
    assert machine.drift


def test_total_raise() -> None:
    """With ``"raise"``, missing rows are an error after the last row."""
    assert isinstance(with_a_row_missing("raise").failure, PaginationIncompleteError)


def test_total_repair() -> None:
    """With ``"repair"``, a fresh walk yields the missing rows, and repeats none."""
    machine = with_a_row_missing("repair")

    assert not machine.ended
    assert [2] == [row.id for row in machine.on_page(page(1, 2, 3, total=3), 0.0, 0.0)]
    assert (True, None, 0) == (machine.ended, machine.drift, machine.counts.missing)


def test_repair_ends() -> None:
    """If the total is wrong, there are no more repairing walks than `max_restarts`."""
    machine = with_a_row_missing("repair")
    machine.on_page(page(1, 2, 3, total=9), 0.0, 0.0)

    assert machine.ended
    assert machine.drift
    assert machine.failure is None


def test_what_max_items_cut_off_is_not_taken() -> None:
    """A checkpoint after `max_items` rows leads to the rest of their page, not past it."""
    machine = PaginationMachine(ListingRules(max_items=1))
    rows = tuple(Meeting(id=number, uuid=f"u{number}") for number in (1, 2, 3))

    given = machine.on_page(Page(meetings=rows, next_page_token="t1"), now=0.0, wall=0.0)
    checkpoint = machine.checkpoint("acc", (), taken=len(given))
    resumed = PaginationMachine(ListingRules(), resume=checkpoint, now=0.0, wall=0.0)

    assert rows[:1] == given
    assert (1, None, False) == (checkpoint.items, checkpoint.token, checkpoint.done)
    assert rows[1:] == resumed.on_page(Page(meetings=rows, next_page_token="t1"), now=0.0, wall=0.0)


def test_total_that_is_not_reported_again() -> None:
    """If the service reports a total before a checkpoint and none after it, that is no sign of a change."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(Page(meetings=(Meeting(id=1),), next_page_token="t1", total_records=9), now=0.0, wall=0.0)
    checkpoint = machine.checkpoint("acc", (), taken=1)
    resumed = PaginationMachine(ListingRules(verify_total="raise"), resume=checkpoint, now=0.0, wall=0.0)

    resumed.on_page(Page(meetings=(Meeting(id=2),)), now=0.0, wall=0.0)

    assert resumed.ended
    assert (None, None) == (resumed.drift, resumed.failure)


def test_total_that_changes_and_changes_back() -> None:
    """A total that changed during the walk is drift, even if it changed back, and across a resume as well."""
    rows = [Meeting(id=number) for number in range(1, 4)]
    machine = PaginationMachine(ListingRules())
    machine.on_page(Page(meetings=(rows[0],), next_page_token="t1", total_records=3), now=0.0, wall=0.0)
    machine.on_page(Page(meetings=(rows[1],), next_page_token="t2", total_records=2), now=0.0, wall=0.0)
    checkpoint = machine.checkpoint("acc", (), taken=1)
    resumed = PaginationMachine(ListingRules(verify_total="raise"), resume=checkpoint, now=0.0, wall=0.0)

    for walk in (machine, resumed):
        walk.on_page(Page(meetings=(rows[2],), total_records=3), now=0.0, wall=0.0)

    assert machine.drift is not None
    assert isinstance(resumed.failure, PaginationIncompleteError)
