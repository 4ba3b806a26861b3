"""Texts that are resumed from: a place to go on with, or the one refusal, whatever somebody has done to them."""

from __future__ import annotations

import contextlib
import json
import pickle
from array import array
from typing import TYPE_CHECKING, Any

import inside
from fuzz.documents import LETTERS, Chance, changed, drawn, write
from fuzz.running import fuzz, soon
from pyas_async import Checkpoint, CheckpointError, PyasClient
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint, add_id
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.text import check_sum

if TYPE_CHECKING:
    from pyas_async._runtime.pagination.iterator import MeetingIterator

FILTERS = (("startDate", "01-31-2026"), ("type", "scheduled"))
PLACES = [
    ListingCheckpoint(account_id="acc", filters=FILTERS, page_size=300),
    ListingCheckpoint(
        account_id="acc", filters=(), page_size=None, token="token", born=1.5, index=2, walked=4, total=9, items=3,
        changed=True, rows=array("q", [1, -2, 2**62]),
    ),
    ListingCheckpoint(account_id="acc", filters=(), page_size=1, done=True, walked=None),
]  # fmt: skip
MANY = [
    AccountsCheckpoint(
        items=3, done=False, filters=FILTERS, page_size=300, drawn=3, ids=add_id(0, "acc"), end=1,
        under_way=(PLACES[1], ListingCheckpoint(account_id="b", filters=FILTERS, page_size=300)), failures=[PLACES[0]],
    ),
]  # fmt: skip
DOCUMENTS: list[dict[str, Any]] = [json.loads(str(place)) for place in (*PLACES, *MANY)]
for _document in DOCUMENTS:
    del _document["check"]
CLIENT = PyasClient("fuzzed-key-5b1e", account_id=None)


def sealed(node: Any) -> str:  # noqa: ANN401  (a document)
    """Write a document with the check sum that fits it: whoever changes a checkpoint on purpose can do that."""
    text = write(node).decode("utf-8", "replace")
    try:
        document = json.loads(text)
        document.pop("check", None)
        return f'{text[:-1]}, "check": {json.dumps(check_sum(document))}}}'
    except (ValueError, AttributeError, RecursionError):
        return text


def text_of(chance: Chance) -> str:
    """Draw a checkpoint that somebody has changed, with a check sum that fits, or a text that is damaged."""
    text = sealed(changed(chance, DOCUMENTS))
    if chance.number(4) == 3:
        at = chance.number(len(text) + 1)
        text = text[:at] + chance.of(LETTERS) + text[at + chance.number(2) :]
    return text


def check_place(place: Checkpoint) -> None:
    """See that a place can be written, read, packed and shown."""
    assert place.items >= 0
    assert str(place) == str(Checkpoint.parse(str(place)))
    assert place == pickle.loads(pickle.dumps(place))
    assert repr(place).startswith("Checkpoint(")
    assert {name for name, _ in place.filters} <= {"startDate", "endDate", "type"}


def check_next(listing: MeetingIterator, place: Checkpoint) -> None:
    """See that a listing that goes on asks for something that can be sent, and for nothing but its own account's."""
    assert repr(listing)
    assert listing.checkpoint() is not None
    call = inside.next_call(listing)
    if call is None:
        return
    pairs = [(name, value.encode().decode()) for name, value in call.query]
    assert ["accountId"] == [name for name, _ in pairs if name == "accountId"]
    assert place.account_id == pairs[0][1]
    assert len(pairs) == len({name for name, _ in pairs})


@fuzz(drawn(text_of))
def test_checkpoints(text: str) -> None:
    """A text is a place that can be gone on from, or it is refused as a checkpoint."""
    place: Checkpoint | None = None
    with soon():
        try:
            place = Checkpoint.parse(text)
        except CheckpointError as error:
            assert "checkpoint" in str(error)  # noqa: PT017  (either is fine)
            pickle.dumps(error)
        for given in (text, place):
            if given is not None:
                with contextlib.suppress(CheckpointError):
                    listing = CLIENT.meetings.iter_all(resume=given)
                    assert place is not None
                    check_place(place)
                    check_next(listing, place)
                with contextlib.suppress(CheckpointError):
                    CLIENT.meetings.iter_accounts(["acc"], resume=given)
                    assert place is not None
                    check_place(place)


@fuzz(drawn(lambda chance: "".join(chr(chance.number(300)) for _ in range(chance.number(24)))))
def test_texts(text: str) -> None:
    """What never was a checkpoint is refused as one."""
    try:
        Checkpoint.parse(text)
    except CheckpointError:
        return
    raise AssertionError(text)
