"""The tally of an iteration over many accounts: their counts, and which of them are left to resume or retry."""

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


def position(account_id: str, items: int = 0, *, done: bool = False) -> ListingCheckpoint:
    """Make a position in a listing."""
    return ListingCheckpoint(account_id=account_id, filters=FILTERS, page_size=30, items=items, done=done)


def resumed() -> AccountsTally:
    """Make the tally of an iteration that resumes two active listings, and two that had failed."""
    checkpoint = AccountsCheckpoint(
        items=100,
        done=False,
        filters=FILTERS,
        page_size=30,
        ids_read=9,
        ids_crc=5,
        active=(position("a", 10), position("b", 20)),
        failures=[position("y", 30), position("z")],
        end=2,
    )
    return AccountsTally(FILTERS, 30, checkpoint)


def checkpoint_of(tally: AccountsTally, *active: ListingCheckpoint, exhausted: bool = True) -> AccountsCheckpoint:
    """Return the checkpoint of the whole iteration."""
    return tally.checkpoint(active, ids_read=9, ids_crc=5, exhausted=exhausted)


def summary(checkpoint: AccountsCheckpoint) -> tuple[Any, ...]:
    """Return the rows, whether it is done, and the accounts that are active and those that failed."""
    accounts = ([listing.account_id for listing in listings] for listings in (checkpoint.active, checkpoint.failed))
    return checkpoint.items, checkpoint.done, *accounts


def test_an_account_is_begun() -> None:
    """A new account begins before its first row, with the filters and page size of all; there is none to resume."""
    tally = AccountsTally(FILTERS, 30)

    assert position("a") == tally.begin("a")
    assert (None, None) == (tally.next_to_resume(), tally.next_to_retry())
    assert NOTHING == tally.stats([])
    assert (0, True, [], []) == summary(checkpoint_of(tally))
    assert (0, False, [], []) == summary(checkpoint_of(tally, exhausted=False))


def test_sums() -> None:
    """The counts of all accounts are added up, each under its name; a total that was not reported adds nothing."""
    tally = AccountsTally(FILTERS, 30)
    tally.end(position("a", 20, done=True), STATS, failed=False)
    tally.end(position("b", 20), STATS, failed=True)
    tally.refuse()
    for _ in range(2):
        tally.end(position("c", done=True), NONE, failed=False)
    ended = attrs.asdict(tally.stats([]))
    both = attrs.asdict(tally.stats([STATS, SILENT]))

    assert {"begun": 5, "done": 3, "failed": 2} == {name: ended.pop(name) for name in ("begun", "done", "failed")}
    assert {"begun": 7, "done": 3, "failed": 2} == {name: both.pop(name) for name in ("begun", "done", "failed")}
    assert {name: 2 * number for name, number in attrs.asdict(STATS).items()} == ended
    assert {name: (3 if name in {"total_reported", "missing"} else 4) * number
            for name, number in attrs.asdict(STATS).items()} == both  # fmt: skip
    assert 5 == tally.stats([]).begun


def test_rows_of_all() -> None:
    """A checkpoint counts the rows of ended accounts and of active ones; of finished ones it keeps nothing else."""
    tally = AccountsTally(FILTERS, 30)
    tally.end(position("a", 20, done=True), STATS, failed=False)
    tally.end(position("b", 5), STATS, failed=True)
    tally.end(position("c", 7, done=True), STATS, failed=True)
    checkpoint = checkpoint_of(tally, position("d", 3), position("e", 1, done=True))

    assert (36, False, ["d"], ["b"]) == summary(checkpoint)
    assert (FILTERS, 30, 9, 5) == (checkpoint.filters, checkpoint.page_size, checkpoint.ids_read, checkpoint.ids_crc)
    assert (33, False, [], ["b"]) == summary(checkpoint_of(tally, position("e", 1, done=True)))


def test_a_checkpoint_stays_what_it_was() -> None:
    """An account that fails later is not part of a checkpoint that was taken before."""
    tally = AccountsTally(FILTERS, 30)
    tally.end(position("b"), STATS, failed=True)
    checkpoint = checkpoint_of(tally)
    tally.end(position("c"), STATS, failed=True)

    assert (["b"], ["b", "c"]) == (summary(checkpoint)[3], summary(checkpoint_of(tally))[3])


def test_resuming() -> None:
    """Active accounts are resumed in order, then failed ones retried; a checkpoint keeps those not taken up yet."""
    tally = resumed()
    assert (100, False, ["a", "b"], ["y", "z"]) == summary(checkpoint_of(tally))
    a = tally.next_to_resume()
    assert a == position("a", 10)
    assert (100, False, ["a", "b"], ["y", "z"]) == summary(checkpoint_of(tally, position("a", 10)))
    assert (90, False, ["b"], ["y", "z"]) == summary(checkpoint_of(tally))
    assert tally.next_to_resume() == position("b", 20)
    assert None is tally.next_to_resume()
    assert (70, False, [], ["y", "z"]) == summary(checkpoint_of(tally))
    assert tally.next_to_retry() == position("y", 30)
    assert (40, False, [], ["z"]) == summary(checkpoint_of(tally))
    assert tally.next_to_retry() == position("z")
    assert None is tally.next_to_retry()
    assert (40, True, [], []) == summary(checkpoint_of(tally))


def test_an_account_that_fails_again_is_not_retried() -> None:
    """An account that fails in this iteration is left to the next one, after those that failed before."""
    tally = resumed()
    assert tally.next_to_retry() == position("y", 30)
    tally.end(position("y", 31), STATS, failed=True)
    assert tally.next_to_retry() == position("z")
    tally.end(position("z"), STATS, failed=True)

    assert None is tally.next_to_retry()
    assert (101, False, ["a", "b"], ["y", "z"]) == summary(checkpoint_of(tally))
