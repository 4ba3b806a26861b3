"""The books of an iteration over many accounts: what became of them, and what is left to go on with."""

from __future__ import annotations

from typing import Any

import attrs

from pyas_async._core.accounts import AccountsStats, AccountsTally
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.pagination.listing_state import IterationStats

FILTERS = (("type", "live"),)
NOTHING = AccountsStats(
    begun=0, done=0, failed=0, pages=0, items=0, calls=0, restarts=0, duplicates_skipped=0, total_reported=0, missing=0
)
STATS = IterationStats(
    pages=1, items=20, calls=300, restarts=4_000, duplicates_skipped=50_000, total_reported=600_000, missing=7_000_000
)
NONE = IterationStats(pages=0, items=0, calls=0, restarts=0, duplicates_skipped=0, total_reported=None, missing=None)
SILENT = attrs.evolve(STATS, total_reported=None, missing=None)


def place(account_id: str, items: int = 0, *, done: bool = False) -> ListingCheckpoint:
    """Mark a place in a listing."""
    return ListingCheckpoint(account_id=account_id, filters=FILTERS, page_size=30, items=items, done=done)


def resumed() -> AccountsTally:
    """Go on from a place with two listings under way, and two that had failed."""
    checkpoint = AccountsCheckpoint(
        items=100,
        done=False,
        filters=FILTERS,
        page_size=30,
        drawn=9,
        ids=5,
        under_way=(place("a", 10), place("b", 20)),
        failures=[place("y", 30), place("z")],
        end=2,
    )
    return AccountsTally(FILTERS, 30, checkpoint)


def mark(ledger: AccountsTally, *under_way: ListingCheckpoint, exhausted: bool = True) -> AccountsCheckpoint:
    """Mark the place of all."""
    return ledger.checkpoint(under_way, drawn=9, ids=5, exhausted=exhausted)


def shown(checkpoint: AccountsCheckpoint) -> tuple[Any, ...]:
    """Give rows, end, and the accounts under way and failed."""
    accounts = ([listing.account_id for listing in listings] for listings in (checkpoint.under_way, checkpoint.failed))
    return checkpoint.items, checkpoint.done, *accounts


def test_an_account_is_begun() -> None:
    """A new account begins before its first row, with the filters and the page size of all; nothing is waiting."""
    ledger = AccountsTally(FILTERS, 30)

    assert place("a") == ledger.begin("a")
    assert (None, None) == (ledger.next_to_resume(), ledger.next_to_retry())
    assert NOTHING == ledger.stats([])
    assert (0, True, [], []) == shown(mark(ledger))
    assert (0, False, [], []) == shown(mark(ledger, exhausted=False))


def test_sums() -> None:
    """What each account has done adds up, under its own name; what the service did not say adds nothing."""
    ledger = AccountsTally(FILTERS, 30)
    ledger.end(place("a", 20, done=True), STATS, failed=False)
    ledger.end(place("b", 20), STATS, failed=True)
    ledger.refuse()
    for _ in range(2):
        ledger.end(place("c", done=True), NONE, failed=False)
    ended = attrs.asdict(ledger.stats([]))
    both = attrs.asdict(ledger.stats([STATS, SILENT]))

    assert {"begun": 5, "done": 3, "failed": 2} == {name: ended.pop(name) for name in ("begun", "done", "failed")}
    assert {"begun": 7, "done": 3, "failed": 2} == {name: both.pop(name) for name in ("begun", "done", "failed")}
    assert {name: 2 * number for name, number in attrs.asdict(STATS).items()} == ended
    assert {name: (3 if name in {"total_reported", "missing"} else 4) * number
            for name, number in attrs.asdict(STATS).items()} == both  # fmt: skip
    assert 5 == ledger.stats([]).begun


def test_rows_of_all() -> None:
    """A checkpoint counts the rows of accounts that ended, and of those under way; done ones leave nothing else."""
    ledger = AccountsTally(FILTERS, 30)
    ledger.end(place("a", 20, done=True), STATS, failed=False)
    ledger.end(place("b", 5), STATS, failed=True)
    ledger.end(place("c", 7, done=True), STATS, failed=True)
    checkpoint = mark(ledger, place("d", 3), place("e", 1, done=True))

    assert (36, False, ["d"], ["b"]) == shown(checkpoint)
    assert (FILTERS, 30, 9, 5) == (checkpoint.filters, checkpoint.page_size, checkpoint.drawn, checkpoint.ids)
    assert (33, False, [], ["b"]) == shown(mark(ledger, place("e", 1, done=True)))


def test_a_checkpoint_stays_what_it_was() -> None:
    """What fails later is no part of a place that was marked before."""
    ledger = AccountsTally(FILTERS, 30)
    ledger.end(place("b"), STATS, failed=True)
    checkpoint = mark(ledger)
    ledger.end(place("c"), STATS, failed=True)

    assert (["b"], ["b", "c"]) == (shown(checkpoint)[3], shown(mark(ledger))[3])


def test_going_on() -> None:
    """Who goes on takes up those under way in turn, then those that had failed, and keeps what was not taken up."""
    ledger = resumed()
    assert (100, False, ["a", "b"], ["y", "z"]) == shown(mark(ledger))
    a = ledger.next_to_resume()
    assert a == place("a", 10)
    assert (100, False, ["a", "b"], ["y", "z"]) == shown(mark(ledger, place("a", 10)))
    assert (90, False, ["b"], ["y", "z"]) == shown(mark(ledger))
    assert ledger.next_to_resume() == place("b", 20)
    assert None is ledger.next_to_resume()
    assert (70, False, [], ["y", "z"]) == shown(mark(ledger))
    assert ledger.next_to_retry() == place("y", 30)
    assert (40, False, [], ["z"]) == shown(mark(ledger))
    assert ledger.next_to_retry() == place("z")
    assert None is ledger.next_to_retry()
    assert (40, True, [], []) == shown(mark(ledger))


def test_what_fails_again_is_not_tried_again() -> None:
    """An account that fails in this iteration waits for the next one, behind those of the iterations before."""
    ledger = resumed()
    assert ledger.next_to_retry() == place("y", 30)
    ledger.end(place("y", 31), STATS, failed=True)
    assert ledger.next_to_retry() == place("z")
    ledger.end(place("z"), STATS, failed=True)

    assert None is ledger.next_to_retry()
    assert (101, False, ["a", "b"], ["y", "z"]) == shown(mark(ledger))
