"""The paging machine's guards: page sizes that are refused, loops, and pages without end."""

from __future__ import annotations

from typing import Literal

import pytest

from core.machines import DEAD, SIZE, TOO_OLD, following, page
from pyas_async import BadRequestError, Meeting, Page, PaginationError, PaginationIncompleteError, PaginationLoopError
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine


def test_page_size_is_refused() -> None:
    """The largest page is asked for by default; a service that refuses it is asked for its own, once."""
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
    """A page size that the caller chose is not exchanged for another."""
    with pytest.raises(BadRequestError):
        PaginationMachine(ListingRules(page_size=200)).on_error(SIZE)


def test_same_size_to_the_end() -> None:
    """Every request of a listing asks for the same size, after a restart as well."""
    machine = PaginationMachine(ListingRules(page_size=7))
    sizes = []
    for act in (page(1, token="a"), DEAD, page(2, token="b")):
        ask = machine.next()
        sizes.append(None if ask is None else ask.page_size)
        machine.on_page(act, 0.0, 0.0) if isinstance(act, Page) else machine.on_error(act)

    assert [7, 7, 7] == sizes


def test_loop() -> None:
    """A token that comes again after a page without anything new is a loop, and ends the listing."""
    machine = following()

    assert () == machine.on_page(page(1, token="a"), 0.0, 0.0)
    assert machine.ended
    assert isinstance(machine.failure, PaginationLoopError)


def test_one_token_for_all_pages() -> None:
    """A service that keeps one token for the whole listing is none that loops, while its pages bring rows."""
    machine = following()

    assert [[2], [3], [4]] == [[row.id for row in machine.on_page(page(n, token="a"), 0.0, 0.0)] for n in (2, 3, 4)]


def test_page_that_leads_back_is_no_new_place() -> None:
    """The rows of a page that came twice, as its token led back to it, stand in for none that the total tells of."""
    machine = PaginationMachine(ListingRules(verify_total="raise"))
    machine.on_page(page(1, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, total=4), 0.0, 0.0)

    assert 1 == machine.counts.missing
    assert isinstance(machine.failure, PaginationIncompleteError)


def test_page_that_leads_back_over_a_resume() -> None:
    """Whoever goes on from a checkpoint's token, and is led back to it, counts from there."""
    first = PaginationMachine(ListingRules(verify_total="raise"))
    first.on_page(page(1, token="a", total=4), 0.0, 0.0)
    machine = PaginationMachine(ListingRules(verify_total="raise"), first.checkpoint("account", (), 1))
    machine.on_page(page(2, 3, token="a", total=4), 0.0, 0.0)
    machine.on_page(page(2, 3, total=4), 0.0, 0.0)

    assert 1 == machine.counts.missing
    assert isinstance(machine.failure, PaginationIncompleteError)


def test_one_token_for_all_pages_fits_its_total() -> None:
    """Where one token stands for every page, the rows that came are held against the total."""
    machine = following(ListingRules(verify_total="raise"))
    for act in (page(2, 3, token="a", total=5), page(4, token="a", total=5), page(5, total=5)):
        machine.on_page(act, 0.0, 0.0)

    assert (0, None) == (machine.counts.missing, machine.failure)


def test_token_again_after_a_restart() -> None:
    """A fresh walk may get the tokens of one that grew too old: that is no loop."""
    machine = following()
    machine.on_error(TOO_OLD)

    assert () == machine.on_page(page(1, token="a"), 0.0, 0.0)
    assert not machine.ended


def test_refused_token_again() -> None:
    """A token that the service has refused is not sent again, even if the service itself hands it out."""
    machine = following()
    machine.on_error(DEAD)

    assert [2] == [row.id for row in machine.on_page(page(1, 2, token="a"), 0.0, 0.0)]
    assert machine.next() is None
    assert isinstance(machine.failure, PaginationLoopError)


def test_empty_pages() -> None:
    """Empty pages with a token go on, a row makes them count anew, and without one they are given up in the end."""
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
    """The total is what the service said last; a page that says nothing changes nothing."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(page(1, token="a", total=3), 0.0, 0.0)
    machine.on_page(page(2, token="b", total=4), 0.0, 0.0)
    machine.on_page(page(3), 0.0, 0.0)

    assert (4, 3) == (machine.counts.total_reported, machine.counts.items)


def short(verify_total: Literal["off", "warn", "raise", "repair"]) -> PaginationMachine:
    """Make a machine that came to the end of a listing of three rows with one of them missing."""
    machine = PaginationMachine(ListingRules(verify_total=verify_total, max_restarts=1))
    machine.on_page(page(1, token="a", total=3), 0.0, 0.0)
    machine.on_page(page(3, total=3), 0.0, 0.0)
    return machine


def test_total_off() -> None:
    """Who does not ask for it is told nothing of a total that does not fit."""
    machine = short("off")

    assert (True, None, None) == (machine.ended, machine.drift, machine.failure)


def test_total_warn() -> None:
    """By default, missing rows are reported, and fail nothing."""
    machine = short("warn")

    assert (True, 1, None) == (machine.ended, machine.counts.missing, machine.failure)
    assert machine.drift


def test_total_raise() -> None:
    """Who asks for it gets an error after the last row."""
    assert isinstance(short("raise").failure, PaginationIncompleteError)


def test_total_repair() -> None:
    """Who asks for it gets the rows that were missed, by a fresh walk that repeats none."""
    machine = short("repair")

    assert not machine.ended
    assert [2] == [row.id for row in machine.on_page(page(1, 2, 3, total=3), 0.0, 0.0)]
    assert (True, None, 0) == (machine.ended, machine.drift, machine.counts.missing)


def test_repair_ends() -> None:
    """A total that is a lie is walked for no more often than may be."""
    machine = short("repair")
    machine.on_page(page(1, 2, 3, total=9), 0.0, 0.0)

    assert machine.ended
    assert machine.drift
    assert machine.failure is None


def test_what_max_items_cut_off_is_not_taken() -> None:
    """A checkpoint after `max_items` rows leads to the rest of their page, not past it."""
    machine = PaginationMachine(ListingRules(max_items=1))
    rows = tuple(Meeting(id=number, uuid=f"u{number}") for number in (1, 2, 3))

    given = machine.on_page(Page(meetings=rows, next_page_token="t1"), now=0.0, wall=0.0)
    place = machine.checkpoint("acc", (), taken=len(given))
    resumed = PaginationMachine(ListingRules(), resume=place, now=0.0, wall=0.0)

    assert rows[:1] == given
    assert (1, None, False) == (place.items, place.token, place.done)
    assert rows[1:] == resumed.on_page(Page(meetings=rows, next_page_token="t1"), now=0.0, wall=0.0)


def test_total_that_is_told_no_more() -> None:
    """A service that says a total before a checkpoint and none after it has told nothing of a change."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(Page(meetings=(Meeting(id=1),), next_page_token="t1", total_records=9), now=0.0, wall=0.0)
    place = machine.checkpoint("acc", (), taken=1)
    resumed = PaginationMachine(ListingRules(verify_total="raise"), resume=place, now=0.0, wall=0.0)

    resumed.on_page(Page(meetings=(Meeting(id=2),)), now=0.0, wall=0.0)

    assert resumed.ended
    assert (None, None) == (resumed.drift, resumed.failure)


def test_total_that_changes_and_changes_back() -> None:
    """A total that changed under way is drift, even if the last one is the first again, and over a resume."""
    rows = [Meeting(id=number) for number in range(1, 4)]
    machine = PaginationMachine(ListingRules())
    machine.on_page(Page(meetings=(rows[0],), next_page_token="t1", total_records=3), now=0.0, wall=0.0)
    machine.on_page(Page(meetings=(rows[1],), next_page_token="t2", total_records=2), now=0.0, wall=0.0)
    place = machine.checkpoint("acc", (), taken=1)
    resumed = PaginationMachine(ListingRules(verify_total="raise"), resume=place, now=0.0, wall=0.0)

    for walk in (machine, resumed):
        walk.on_page(Page(meetings=(rows[2],), total_records=3), now=0.0, wall=0.0)

    assert machine.drift is not None
    assert isinstance(resumed.failure, PaginationIncompleteError)
