"""The position of a listing in numbers: its checkpoints, its counts, its walks, and the texts of its errors."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from core.machines import EXPIRED, TOO_OLD, UNCLEAR, following, page
from pyas_async import APIStatusError, BadRequestError, Meeting, Page, PageTokenExpiredError, PaginationError
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.seen_rows import digests
from pyas_async._core.pagination.listing_state import (
    MAX_PAGES_WITHOUT_NEW_ROWS,
    IterationStats,
    ListingCounts,
    ListingRules,
    PageRequest,
    Position,
    ReportedTotal,
    Walk,
)
from pyas_async._core.pagination.machine import PaginationMachine

FILTERS = (("type", "live"),)


def checkpoint_of(machine: PaginationMachine, taken: int, prefetched: object = None) -> ListingCheckpoint:
    """Return the checkpoint after so many rows of the current page."""
    return machine.checkpoint("acc", FILTERS, taken, prefetched=prefetched)


def fields_of(checkpoint: ListingCheckpoint) -> dict[str, Any]:
    """Return the position that a checkpoint holds, without account, filters, page size and rows."""
    kept = attrs.asdict(checkpoint, recurse=False)
    return {name: kept[name] for name in START}


START: dict[str, Any] = {
    "items": 0, "done": False, "token": None, "arrived_wall": 0.0,
    "index": 0, "walked": 0, "total": None, "changed": False,
}  # fmt: skip


def test_checkpoints_on_the_way() -> None:
    """In the middle of a page, a checkpoint has the page's own token; at its end, the token that leads past it."""
    machine = PaginationMachine(ListingRules(page_size=2))
    assert START == fields_of(checkpoint_of(machine, 0))
    machine.on_page(page(1, 2, token="a", total=6), 5.0, 1_005.0)
    assert START | {"items": 1, "index": 1} == fields_of(checkpoint_of(machine, 1))
    after_first = START | {"items": 2, "token": "a", "arrived_wall": 1_005.0, "walked": 2, "total": 6}
    assert after_first == fields_of(checkpoint_of(machine, 2))
    machine.on_page(page(2, 3, 4, token="b", total=7), 6.0, 1_006.0)
    assert after_first | {"items": 3, "index": 1} == fields_of(checkpoint_of(machine, 1))
    after_second = after_first | {"items": 4, "token": "b", "arrived_wall": 1_006.0, "walked": 5, "changed": True}
    assert after_second == fields_of(checkpoint_of(machine, 2))
    machine.on_page(page(5), 7.0, 1_007.0)
    assert after_second | {"items": 4} == fields_of(checkpoint_of(machine, 0))
    end = checkpoint_of(machine, 1)
    at_end = {"items": 5, "done": True, "arrived_wall": 1_007.0, "walked": 6, "total": 6, "changed": True}
    assert START | at_end == fields_of(end)
    assert ("acc", FILTERS, 2) == (end.account_id, end.filters, end.page_size)
    assert digests([Meeting(id=number) for number in range(1, 6)]) == list(end.rows())


def test_checkpoints_with_a_prefetched_result() -> None:
    """At the end of a page, a token that is known to be dead is not kept; within the page, the page's own is."""
    for prefetched in (EXPIRED, TOO_OLD, UNCLEAR):
        machine = following()
        machine.on_page(page(2, 3, token="b"), 1.0, 1.0)
        assert START | {"items": 3} == fields_of(checkpoint_of(machine, 2, prefetched))
        assert "a" == checkpoint_of(machine, 1, prefetched).token
    machine = following()
    for harmless in (None, page(9), BadRequestError("no", status=401)):
        assert "a" == checkpoint_of(machine, 1, harmless).token


def test_resuming() -> None:
    """A resumed listing sends the token of the checkpoint while it is valid, and knows the rows."""
    checkpoint = ListingCheckpoint(
        account_id="acc", filters=FILTERS, page_size=2, items=2, token="a", arrived_wall=1_000.0,
        index=0, walked=5, total=9, changed=True, rows=checkpoint_of(following(), 1).rows() * 2,
    )  # fmt: skip
    machine = PaginationMachine(ListingRules(page_size=300), checkpoint, now=50.0, wall=1_010.0)
    assert PageRequest("a", 2, 40.0 + 890.0) == machine.next()
    again = checkpoint_of(machine, 0)
    assert fields_of(checkpoint) == fields_of(again)
    assert checkpoint.rows() == again.rows()
    assert () == machine.on_page(page(1, token="b", total=9), 51.0, 1_011.0)
    assert (6, 9, True) == (
        checkpoint_of(machine, 0).walked,
        checkpoint_of(machine, 0).total,
        checkpoint_of(machine, 0).changed,
    )
    machine.on_page(page(2, token="a"), 52.0, 1_012.0)
    assert ("a", 5) == (checkpoint_of(machine, 1).token, checkpoint_of(machine, 1).walked)


@pytest.mark.parametrize(("reported", "changed"), [(9, False), (10, True)])
def test_a_total_over_a_checkpoint(reported: int, changed: bool) -> None:
    """A total that differs from the one reported before the checkpoint has changed; the first one is kept."""
    checkpoint = ListingCheckpoint(account_id="acc", filters=(), page_size=2, token="a", total=9)
    machine = PaginationMachine(ListingRules(), checkpoint)
    machine.on_page(page(1, token="b", total=reported), 0.0, 0.0)

    assert (9, changed) == (checkpoint_of(machine, 1).total, checkpoint_of(machine, 1).changed)


@pytest.mark.parametrize("times", [0, 1])
def test_a_resumed_token_that_died(times: int) -> None:
    """A resumed listing may restart `max_restarts` times, whatever happened before the checkpoint."""
    machine = PaginationMachine(
        ListingRules(max_restarts=times),
        ListingCheckpoint(account_id="acc", filters=(), page_size=2, token="a", items=0),
    )
    if times:
        assert "answer" == machine.on_error(EXPIRED)
        assert PageRequest(None, 2, None) == machine.next()
    else:
        with pytest.raises(PaginationError, match="expired 1 times"):
            machine.on_error(EXPIRED)


def test_known_rows_may_be_passed_again() -> None:
    """A resumed listing and a fresh walk may pass page after page of known rows."""
    rows = tuple(range(30))
    machine = PaginationMachine(ListingRules())
    machine.on_page(page(*rows, token="a"), 0.0, 0.0)
    resumed = PaginationMachine(ListingRules(), checkpoint_of(machine, 30))
    machine.on_error(TOO_OLD)
    for each in (machine, resumed):
        for number in range(MAX_PAGES_WITHOUT_NEW_ROWS + 1):
            each.on_page(page(1, token=f"t{number}"), 0.0, 0.0)
        assert not each.ended


def test_resuming_without_a_token() -> None:
    """Without a token, the listing begins at the first page; at the end, there is nothing to request."""
    fresh = PaginationMachine(ListingRules(), ListingCheckpoint(account_id="acc", filters=(), page_size=30))
    done = PaginationMachine(ListingRules(), ListingCheckpoint(account_id="acc", filters=(), page_size=30, done=True))

    assert PageRequest(None, 30, None) == fresh.next()
    assert (None, True) == (done.next(), checkpoint_of(done, 0).done)


def test_a_token_from_the_future() -> None:
    """If the wall clock was set back, the token seems to come from the future, and counts as new."""
    checkpoint = ListingCheckpoint(account_id="acc", filters=(), page_size=30, token="a", arrived_wall=2_000.0)

    assert (
        PageRequest("a", 30, 50.0 + 890.0)
        == PaginationMachine(ListingRules(), checkpoint, now=50.0, wall=1_000.0).next()
    )


def test_call_of_a_request() -> None:
    """The call of a request has the account, the filters, the size and the token, and must go out while it is valid."""
    call = PageRequest("a", 30, 12.5).call("acc", FILTERS)
    first = PageRequest(None, None, None).call("acc", ())

    expected = (("accountId", "acc"), *FILTERS, ("maxResults", "30"), ("nextPageToken", "a"))
    assert (expected, True, 12.5) == (call.query, call.has_page_token, call.not_after)
    assert ((("accountId", "acc"),), False, None) == (first.query, first.has_page_token, first.not_after)


@pytest.mark.parametrize(("life", "use"), [(900.0, 890.0), (200.0, 190.0), (100.0, 95.0)])
def test_use_of_a_token(life: float, use: float) -> None:
    """A token is sent until ten seconds before its end, or until a twentieth of a short life before it."""
    assert PageRequest("a", 300, 7.0 + use) == following(ListingRules(token_ttl=life), 7.0).next()


def test_counts() -> None:
    """Pages, rows, repeated rows and fresh walks are counted, and the last total is kept."""
    machine = PaginationMachine(ListingRules())
    assert (ListingCounts(), 0) == (machine.counts, machine.rows_given)
    machine.on_page(page(1, 2, token="a", total=9), 0.0, 0.0)
    machine.on_page(page(2, 3, token="b"), 0.0, 0.0)
    machine.on_error(EXPIRED)
    machine.on_page(page(1, 2, 3), 0.0, 0.0)

    expected = ListingCounts(pages=3, items=3, restarts=1, duplicates_skipped=4, total_reported=9, missing=None)
    assert expected == machine.counts
    assert (0, True) == (machine.rows_given, machine.ended)


def test_stats() -> None:
    """The stats for users have the rows that were yielded, and the requests that were sent."""
    counts = ListingCounts(
        pages=1, items=20, restarts=300, unreadable=8, duplicates_skipped=4_000, total_reported=50_000, missing=600_000
    )

    assert IterationStats(
        pages=1,
        items=17,
        calls=7,
        restarts=300,
        unreadable=6,
        duplicates_skipped=4_000,
        total_reported=50_000,
        missing=600_000,
    ) == counts.stats(waiting=3, unreadable_waiting=2, calls=7)


def test_max_items_to_the_row() -> None:
    """The last wanted row ends a listing if there is more; otherwise its own end does, with its total."""
    for ids, token, ended, missing in (
        ((1, 2), None, True, 0),
        ((1, 2), "a", True, None),
        ((1, 2, 3), None, True, None),
    ):
        machine = PaginationMachine(ListingRules(max_items=2))
        assert [1, 2] == [row.id for row in machine.on_page(page(*ids, token=token, total=len(ids)), 0.0, 0.0)]
        assert (ended, missing, 2) == (machine.ended, machine.counts.missing, machine.rows_given)


def test_missing_rows() -> None:
    """At the end, rows are counted that the service reported and that did not come; repeated rows count as come."""
    machine = PaginationMachine(ListingRules())
    machine.on_page(page(1, 1, token="a", total=5), 0.0, 0.0)
    machine.on_page(page(2), 0.0, 0.0)

    assert 2 == machine.counts.missing
    assert machine.drift is not None
    assert ("5", "3 rows") == tuple(words for words in ("5", "3 rows") if words in machine.drift)


@pytest.mark.parametrize(
    ("reported", "seen", "missing", "drift"),
    [([], 3, None, False), ([3], 3, 0, False), ([3], 2, 1, True), ([3], 4, 0, False), ([3, 4], 4, 0, True),
     ([4, 3, 4], 4, 0, True)],
)  # fmt: skip
def test_totals(reported: list[int], seen: int, missing: int | None, drift: bool) -> None:
    """A total that was not reached, or changed, shows that the listing changed; more rows than the total do not."""
    total = ReportedTotal()
    for number in reported:
        total.update(number)

    assert (missing, drift) == (total.missing(seen), total.drift(seen) is not None)


def test_text_of_drift() -> None:
    """The text has both totals, and how many rows came."""
    total = ReportedTotal()
    total.update(1_000)
    total.update(2_000)
    said = total.drift(1_500) or ""

    assert ["1,000", "2,000", "1,500"] == [number for number in ("1,000", "2,000", "1,500") if number in said]


@pytest.mark.parametrize(("reported", "changed"), [([5], False), ([6], True), ([6, 5], True), ([5, 5], False)])
def test_a_total_from_before_a_checkpoint(reported: list[int], changed: bool) -> None:
    """Totals of a resumed walk are compared with the total before the checkpoint."""
    total = ReportedTotal(first=5)
    for number in reported:
        total.update(number)

    assert (5, reported[-1], changed) == (total.first, total.last, total.changed)


def test_a_token_that_leads_back() -> None:
    """A token that came before keeps its first position; a new one, and the end, are where the walk is."""
    walk = Walk(tokens={"a": 7, "b": None})

    assert [7, None, 9, 9] == [walk.locate(Position(token=token, walked=9)).walked for token in ("a", "b", "c", None)]


def test_a_listing_that_is_led_back() -> None:
    """If a token comes again, the checkpoint has the position to which it led before, with the rows before that."""
    machine = following()
    machine.on_page(page(2, token="b"), 0.0, 0.0)
    machine.on_page(page(3, token="a"), 0.0, 0.0)

    assert ("a", 3, 1) == (
        checkpoint_of(machine, 1).token,
        checkpoint_of(machine, 1).items,
        checkpoint_of(machine, 1).walked,
    )


def test_position_after_a_page() -> None:
    """The position after a page has the page's token, the time when it came, and the rows of one more page."""
    total = ReportedTotal(first=9, last=9, changed=True)
    start = Position(token="a", arrived_at=1.0, arrived_wall=2.0, walked=5)
    after = start.after(page(1, 2, token="b"), 2, total, 3.0, 4.0)

    assert Position(token="b", arrived_at=3.0, arrived_wall=4.0, walked=7, total=9, changed=True) == after
    assert None is attrs.evolve(start, walked=None).after(page(1), 1, total, 3.0, 4.0).walked


@pytest.mark.parametrize(
    ("known", "pages", "stuck"),
    [
        (0, [(0, 0)] * MAX_PAGES_WITHOUT_NEW_ROWS, False),
        (0, [(0, 0)] * (MAX_PAGES_WITHOUT_NEW_ROWS + 1), True),
        (0, [(0, 0)] * MAX_PAGES_WITHOUT_NEW_ROWS + [(1, 1), (0, 0)], False),
        (1_000, [(0, 0)] * (MAX_PAGES_WITHOUT_NEW_ROWS + 1), True),
        (0, [(1, 0)] * (MAX_PAGES_WITHOUT_NEW_ROWS + 1), True),
        (0, [(1, 0)] * MAX_PAGES_WITHOUT_NEW_ROWS, False),
        (25, [(1, 0)] * 51, True),
        (26, [(1, 0)] * 51, False),
        (26, [(1, 0)] * 53, True),
        (26, [(1, 0)] * 52, False),
        (26, [(1, 0)] * 52 + [(1, 1), (1, 0)], False),
        (26, [(1, 0)] * 52 + [(1, 1)] + [(1, 0)] * 52, False),
    ],
)
def test_when_a_walk_is_stuck(known: int, pages: list[tuple[int, int]], stuck: bool) -> None:
    """A walk is stuck after more than 50 empty pages, or as many without a new row and twice the known rows."""
    walk = Walk(known=known)
    for rows, new in pages:
        walk.count_page(rows, new)

    assert stuck is walk.is_stuck


@pytest.mark.parametrize(
    ("times", "refusal", "said"), [(0, EXPIRED, "expired"), (3, EXPIRED, "expired"), (3, UNCLEAR, "Not Found")]
)
def test_too_long_for_its_tokens(times: int, refusal: APIStatusError, said: str) -> None:
    """The error says how often tokens expired, after how many rows, and what to do."""
    machine = PaginationMachine(ListingRules(max_restarts=times, token_ttl=60.0))
    with pytest.raises(PaginationError) as caught:
        for number in range(9):
            machine.on_page(page(1, token=f"t{number}"), 0.0, 0.0)
            machine.on_error(refusal)

    for words in (f"expired {times + 1} times", "after 1 rows", "60 s", "narrower dates", said):
        assert words in str(caught.value)
    assert machine.ended
    assert times == machine.counts.restarts


def test_text_of_a_loop() -> None:
    """The error says why it is a loop, after how many rows, and what to do."""
    looping, refusing = following(), following()
    looping.on_page(page(1, token="a"), 0.0, 0.0)
    refusing.on_error(EXPIRED)
    refusing.on_page(page(2, token="a"), 0.0, 0.0)
    endless = following()
    while not endless.ended:
        endless.on_page(page(token=f"t{endless.counts.pages}"), 0.0, 0.0)

    for machine, words in (
        (looping, ["second time", "1 rows", "Narrow the dates"]),
        (refusing, ["refused", "2 rows", "Narrow the dates"]),
        (endless, ["51 pages", "1 rows", "Narrow the dates"]),
    ):
        assert [] == [word for word in words if word not in str(machine.failure)]
        assert None is checkpoint_of(machine, 9).token or machine is endless


def test_reasons_to_restart() -> None:
    """A token that was or may have been refused is told from one that only grew too old, which may come again."""
    assert ["answer", "age", "answer"] == [following().on_error(error) for error in (EXPIRED, TOO_OLD, UNCLEAR)]
    machine = following()
    machine.on_error(TOO_OLD)
    assert [2] == [row.id for row in machine.on_page(page(2, token="a"), 0.0, 0.0)]
    assert not machine.ended


def test_an_expiry_that_is_raised() -> None:
    """With ``on_expired="raise"``, the error is raised, the checkpoint has no token, and the listing has ended."""
    machine = following(ListingRules(on_expired="raise"))
    with pytest.raises(PageTokenExpiredError):
        machine.on_error(EXPIRED)

    assert (None, None, True) == (checkpoint_of(machine, 1).token, machine.next(), machine.ended)
    assert not following(ListingRules(on_expired="raise")).counts_as_expired(UNCLEAR)
    assert following(ListingRules(on_expired="raise")).counts_as_expired(EXPIRED)


def test_abandoned() -> None:
    """An abandoned listing reports neither drift nor failure."""
    machine = PaginationMachine(ListingRules(verify_total="raise"))
    machine.on_page(page(1, total=5), 0.0, 0.0)
    assert None not in (machine.drift, machine.failure)
    machine.abandon()

    assert (None, None, True) == (machine.drift, machine.failure, machine.ended)


def test_repairs() -> None:
    """Repairing walks go on as long as each but the first brings a new row; they are counted as restarts."""
    machine = PaginationMachine(ListingRules(verify_total="repair", max_restarts=9))
    machine.on_page(page(1, total=4), 0.0, 0.0)
    assert (False, 1) == (machine.ended, machine.counts.restarts)
    machine.on_page(page(1, 2, total=4), 0.0, 0.0)
    assert (False, 2) == (machine.ended, machine.counts.restarts)
    machine.on_page(page(1, 2, total=4), 0.0, 0.0)

    assert (True, 2, 2) == (machine.ended, machine.counts.restarts, machine.counts.missing)
    assert machine.drift is not None
    assert None is machine.failure


@pytest.mark.parametrize("times", [0, 1, 2])
def test_repairs_are_bounded(times: int) -> None:
    """However many rows repairing walks bring, there are no more of them than `max_restarts`."""
    machine = PaginationMachine(ListingRules(verify_total="repair", max_restarts=times))
    for last in range(1, times + 2):
        assert not machine.ended
        machine.on_page(page(*range(last + 1), total=99), 0.0, 0.0)

    assert (True, times) == (machine.ended, machine.counts.restarts)


def test_missing_rows_that_are_raised() -> None:
    """The error has the text of the warning; with `max_items`, there is no error."""
    whole, part = (
        PaginationMachine(ListingRules(verify_total="raise")),
        PaginationMachine(ListingRules(verify_total="raise", max_items=5)),
    )
    for machine in (whole, part):
        machine.on_page(page(1, total=9), 0.0, 0.0)

    assert whole.drift == str(whole.failure)
    assert (None, None, 8) == (part.drift, part.failure, part.counts.missing)


def test_a_page_after_the_end_is_not_counted() -> None:
    """A page that arrives after the end is not counted."""
    machine = PaginationMachine(ListingRules())
    machine.stop()

    assert () == machine.on_page(Page(meetings=(Meeting(id=1),)), 0.0, 0.0)
    assert ListingCounts() == machine.counts
