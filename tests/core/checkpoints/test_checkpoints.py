"""Checkpoints of both kinds and their texts, which later releases must be able to read."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from array import array
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from pyas_async import Checkpoint, CheckpointError
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint, add_id
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.seen_rows import PROBE

if TYPE_CHECKING:
    from collections.abc import Callable

FILTERS = (("startDate", "01-31-2026"), ("type", "live"))
ROWS = array("q", [1, -2, 2**63 - 1])
WRITTEN_ROWS = base64.b64encode(b"".join(row.to_bytes(8, "little", signed=True) for row in ROWS)).decode()
LISTING: dict[str, Any] = {
    "account": "a",
    "page_size": 300,
    "token": "tok",
    "born": 1_700_000_000.123,
    "index": 2,
    "walked": 600,
    "total": 5_000,
    "changed": True,
    "done": False,
    "rows": WRITTEN_ROWS,
    "unreadable": 0,
}
ONE: dict[str, Any] = {"version": 1, "filters": dict(FILTERS), **LISTING, "probe": PROBE}
MANY: dict[str, Any] = {
    "version": 1,
    "kind": "accounts",
    "filters": dict(FILTERS),
    "page_size": 300,
    "drawn": 4,
    "ids": 99,
    "items": 8_125,
    "done": False,
    "under_way": [LISTING, "b"],
    "failed": ["c"],
    "probe": PROBE,
}


def one(**changes: Any) -> ListingCheckpoint:  # noqa: ANN401
    """Make a checkpoint in the middle of a listing."""
    whole: dict[str, Any] = {
        "account_id": "a",
        "items": 3,
        "filters": FILTERS,
        "page_size": 300,
        "token": "tok",
        "arrived_wall": 1_700_000_000.1234,
        "index": 2,
        "walked": 600,
        "total": 5_000,
        "changed": True,
        "rows": ROWS + array("q", [7]),
    }
    return ListingCheckpoint(**whole | changes)


def beginning(account_id: str) -> ListingCheckpoint:
    """Make a checkpoint before the first row of a listing."""
    return ListingCheckpoint(account_id=account_id, filters=FILTERS, page_size=300)


def many() -> AccountsCheckpoint:
    """Make a checkpoint of many accounts, four of which were drawn."""
    return AccountsCheckpoint(
        items=8_125,
        done=False,
        filters=FILTERS,
        page_size=300,
        ids_read=4,
        ids_crc=99,
        active=(one(), beginning("b")),
        failures=[beginning("x"), beginning("c"), beginning("y")],
        first=1,
        end=2,
    )


def sealed(document: dict[str, Any]) -> str:
    """Write a document with the checksum that matches."""
    check = zlib.crc32(json.dumps(document, sort_keys=True).encode())
    return json.dumps(document | {"check": f"{check:08x}"})


@pytest.mark.parametrize(("make", "document"), [(one, ONE), (many, MANY)], ids=["one", "many"])
def test_text(make: Callable[[], Checkpoint], document: dict[str, Any]) -> None:
    """A checkpoint is written in the documented format, as one line: later releases must read it."""
    checkpoint = make()
    written = json.loads(str(checkpoint))
    check = written.pop("check")

    assert document == written
    assert json.loads(sealed(document))["check"] == check
    assert "\n" not in str(checkpoint)


@pytest.mark.parametrize("document", [ONE, MANY], ids=["one", "many"])
def test_back_from_text(document: dict[str, Any]) -> None:
    """A checkpoint that was read from a text is written as the same text."""
    assert document == {name: value for name, value in json.loads(str(Checkpoint.parse(sealed(document)))).items()
                        if name != "check"}  # fmt: skip


def test_equality() -> None:
    """Checkpoints with the same text are equal and have the same hash; a pickle is equal to its original."""
    assert one() == ListingCheckpoint.of(sealed(ONE))
    assert hash(one()) == hash(ListingCheckpoint.of(sealed(ONE)))
    assert one() != one(index=3)
    assert one() != str(one())
    for checkpoint in (one(), many()):
        pickled = pickle.loads(pickle.dumps(checkpoint))
        assert type(checkpoint) is type(pickled)
        assert checkpoint == pickled
    assert 3 == len({one(), one(account_id="b"), one(items=2), one()})
    assert {hash(one()), hash(one(done=True))} != {hash(one())}


def test_repr() -> None:
    """The ``repr`` shows the account and the progress, and no page token."""
    assert "Checkpoint(account_id='a', items=3, done=False)" == repr(one())
    assert "Checkpoint(drawn=4, under_way=2, failed=1, items=8125, done=False)" == repr(many())


def test_rows_of_a_checkpoint() -> None:
    """The rows are those up to the checkpoint, however many came later, and a copy that may be changed."""
    checkpoint = one()
    checkpoint.rows().append(5)

    assert ROWS == checkpoint.rows()
    assert array("q") == beginning("a").rows()
    assert (0, False, None, 0.0, 0, 0, None, False) == (
        beginning("a").items, beginning("a").done, beginning("a").token, beginning("a").arrived_wall,
        beginning("a").index, beginning("a").walked, beginning("a").total, beginning("a").changed,
    )  # fmt: skip


def test_fields_that_are_read() -> None:
    """Every field of the text is read: account, filters, current page, rows and counts."""
    read = ListingCheckpoint.of(sealed(ONE))

    assert ("a", 3, False, FILTERS, 300) == (
        read.account_id, read.items, read.done, read.filters, read.page_size,
    )  # fmt: skip
    assert ("tok", 1_700_000_000.123, 2, 600, 5_000, True) == (
        read.token, read.arrived_wall, read.index, read.walked, read.total, read.changed,
    )  # fmt: skip
    assert ROWS == read.rows()
    assert ListingCheckpoint.of(sealed(ONE | {"done": True})).done


def test_fields_that_are_read_of_many() -> None:
    """The same for many accounts: the sums, and the position in each listing that has not reached its end."""
    read = AccountsCheckpoint.of(sealed(MANY))

    assert (None, 8_125, False, FILTERS, 300, 4, 99) == (
        read.account_id, read.items, read.done, read.filters, read.page_size, read.ids_read, read.ids_crc,
    )  # fmt: skip
    assert [("a", 3, FILTERS, 300), ("b", 0, FILTERS, 300)] == [
        (listing.account_id, listing.items, listing.filters, listing.page_size) for listing in read.active
    ]
    assert [("c", 0, FILTERS, 300)] == [
        (listing.account_id, listing.items, listing.filters, listing.page_size) for listing in read.failed
    ]


@pytest.mark.parametrize(
    "changes", [{"items": 1}, {"items": 0, "done": True}, {"items": 0, "page_size": 10}, {"items": 0, "token": "t"}]
)
def test_listings_that_are_written_in_full(changes: dict[str, Any]) -> None:
    """A listing that was begun, or has its own page size, is written in full; others are written as their account."""
    whole: dict[str, Any] = {"account_id": "a", "filters": FILTERS, "page_size": 300, "rows": ROWS, **changes}
    begun = ListingCheckpoint(**whole)
    checkpoint = AccountsCheckpoint(
        items=1, done=False, filters=FILTERS, page_size=300, ids_read=1, ids_crc=0, active=(begun,), failures=[], end=0
    )

    assert [begun.own_fields()] == json.loads(str(checkpoint))["under_way"]


def refusal(refused: Callable[[], object]) -> CheckpointError:
    """Return the error with which a checkpoint is refused."""
    with pytest.raises(CheckpointError) as caught:
        refused()
    return caught.value


@pytest.mark.parametrize("name", [name for name in ONE if name != "version"])
@pytest.mark.parametrize("wrong", ["missing", "of another kind"])
def test_each_field_is_checked(name: str, wrong: str) -> None:
    """A text that lacks a field, or has a wrong value for it, is refused; the error names the field."""
    document = {key: value for key, value in ONE.items() if key != name} | ({} if wrong == "missing" else {name: [1]})
    error = refusal(lambda: Checkpoint.parse(sealed(document)))

    assert "checkpoint" == error.field
    assert "the whole text" in error.expected
    assert "damage" in error.got
    assert repr(name) in error.got


def test_unreadable_rows_are_remembered() -> None:
    """Rows that were passed without being yielded are remembered, but are not counted as yielded."""
    checkpoint = ListingCheckpoint.of(str(one(items=2, unreadable=1)))

    assert (2, 1, ROWS) == (checkpoint.items, checkpoint.unreadable, checkpoint.rows())
    many = AccountsCheckpoint.of(
        AccountsCheckpoint(
            items=0, done=False, filters=FILTERS, page_size=300, ids_read=1, ids_crc=0,
            active=(attrs.evolve(beginning("a"), unreadable=1, rows=ROWS),), failures=[], end=0,
        )
    )  # fmt: skip
    assert [1] == [listing.unreadable for listing in AccountsCheckpoint.of(str(many)).active]


@pytest.mark.parametrize("name", ["page_size", "token", "walked", "total"])
def test_fields_that_may_be_null(name: str) -> None:
    """Page size, token, total and the number of rows walked may be unknown."""
    assert None is getattr(ListingCheckpoint.of(sealed(ONE | {name: None})), name)


@pytest.mark.parametrize("name", [name for name in MANY if name not in {"version", "kind"}])
def test_each_field_of_many_is_checked(name: str) -> None:
    """The same for many accounts."""
    for document in ({key: value for key, value in MANY.items() if key != name}, MANY | {name: "x"}):
        error = refusal(lambda document=document: Checkpoint.parse(sealed(document)))  # type: ignore[misc]
        assert repr(name) in error.got


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "no"),
        ("[" * 100_000, "not a JSON object"),
        ("[]", "not a JSON object"),
        (sealed(ONE | {"unreadable": 4}), "fewer rows than unreadable"),
        (sealed(ONE | {"rows": "AAAA*"}), "rows"),
        (sealed(ONE | {"rows": WRITTEN_ROWS + "*"}), "rows"),
        (sealed(ONE | {"rows": "AAAA"}), "rows"),
        (sealed(MANY | {"kind": "crowd"}), "kind"),
        (sealed(MANY | {"under_way": [5]}), "a listing is neither"),
        (sealed(ONE)[:-3] + '"}', "checksum"),
        (json.dumps(ONE), "checksum"),
    ],
)
def test_damage(text: str, got: str) -> None:
    """A damaged text is refused, and the error says what is wrong with it."""
    error = refusal(lambda: Checkpoint.parse(text))

    assert "checkpoint" == error.field
    assert "str(checkpoint)" in error.expected
    assert got in error.got


def test_texts_that_this_release_cannot_read() -> None:
    """Texts of another version, of a Python that hashes differently, and objects that are not text are refused."""
    version = refusal(lambda: Checkpoint.parse(sealed(ONE | {"version": 2})))
    endless = refusal(lambda: Checkpoint.parse(sealed(ONE | {"version": "9" * 300})))
    python = refusal(lambda: Checkpoint.parse(sealed(ONE | {"probe": PROBE + 1})))
    no_text = refusal(lambda: Checkpoint.parse(5))  # type: ignore[arg-type]

    assert ["checkpoint"] * 4 == [error.field for error in (version, endless, python, no_text)]
    assert ("version 1" in version.expected, "<version 2>") == (True, version.got)
    assert f"<version {'9' * 20}>" == endless.got
    assert ("CPython" in python.expected, "hashes differently" in python.got) == (True, True)
    assert ("text of a checkpoint" in no_text.expected, "<int>") == (True, no_text.got)


def test_the_other_kind() -> None:
    """Each kind is refused by the method for the other kind, and the error names the right method."""
    listing = refusal(lambda: ListingCheckpoint.of(many()))
    accounts = refusal(lambda: AccountsCheckpoint.of(str(one())))

    assert ["resume", "resume"] == [listing.field, accounts.field]
    assert ("iter_all" in listing.expected, "iter_accounts" in listing.got) == (True, True)
    assert ("iter_accounts" in accounts.expected, "iter_all" in accounts.got) == (True, True)
    assert "'a'" in accounts.got


def test_its_own_kind() -> None:
    """Each kind is accepted as an object, which is returned itself, and as text."""
    listing, accounts = one(), many()

    assert listing is ListingCheckpoint.of(listing)
    assert accounts is AccountsCheckpoint.of(accounts)
    assert (listing, accounts) == (ListingCheckpoint.of(str(listing)), AccountsCheckpoint.of(str(accounts)))


def test_other_accounts() -> None:
    """An input that does not begin with the accounts that were drawn is refused: too few, or others."""
    many().check_ids(4, 99)
    few = refusal(lambda: many().check_ids(3, 99))
    others = refusal(lambda: many().check_ids(4, 98))

    assert ["account_ids", "account_ids"] == [few.field, others.field]
    assert "the 4 accounts" in few.expected
    assert ("no more than 3" in few.got, "in another order" in others.got) == (True, True)


def test_check_sum_of_ids() -> None:
    """The checksum depends on all ids, their order, and where each ends. Texts store it, so it never changes."""
    assert zlib.crc32(b"acc-1\0\xc3\xa4\0") == add_id(add_id(0, "acc-1"), "ä")
    assert add_id(add_id(0, "a"), "b") != add_id(add_id(0, "b"), "a")
    assert add_id(add_id(0, "a"), "bc") != add_id(add_id(0, "ab"), "c")
    assert add_id(0, "\ud800") != add_id(0, "?")
