"""Any text is a checkpoint that can be resumed from, or raises CheckpointError."""

from __future__ import annotations

import contextlib
import json
import pickle
from array import array
from typing import TYPE_CHECKING, Any

import inside
from fuzz.documents import LETTERS, Draws, changed, drawn, write
from fuzz.running import fuzz, within_time
from pyas_async import Checkpoint, CheckpointError, PyasClient
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint, add_id
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.text import checksum

if TYPE_CHECKING:
    from pyas_async._runtime.pagination.iterator import MeetingIterator

FILTERS = (("startDate", "01-31-2026"), ("type", "scheduled"))
PLACES = [
    ListingCheckpoint(account_id="acc", filters=FILTERS, page_size=300),
    ListingCheckpoint(
        account_id="acc", filters=(), page_size=None, token="token", arrived_wall=1.5,
        index=2, walked=4, total=9, items=3, changed=True, rows=array("q", [1, -2, 2**62]),
    ),
    ListingCheckpoint(account_id="acc", filters=(), page_size=1, done=True, walked=None),
]  # fmt: skip
MANY = [
    AccountsCheckpoint(
        items=3, done=False, filters=FILTERS, page_size=300, ids_read=3, ids_crc=add_id(0, "acc"), end=1,
        active=(PLACES[1], ListingCheckpoint(account_id="b", filters=FILTERS, page_size=300)), failures=[PLACES[0]],
    ),
]  # fmt: skip
DOCUMENTS: list[dict[str, Any]] = [json.loads(str(place)) for place in (*PLACES, *MANY)]
for _document in DOCUMENTS:
    del _document["check"]
CLIENT = PyasClient("fuzzed-key-5b1e", account_id=None)


def sealed(node: Any) -> str:  # noqa: ANN401  (a document)
    """Write a document with the matching checksum, as someone who changes a checkpoint on purpose can."""
    text = write(node).decode("utf-8", "replace")
    try:
        document = json.loads(text)
        document.pop("check", None)
        return f'{text[:-1]}, "check": {json.dumps(checksum(document))}}}'
    except (ValueError, AttributeError, RecursionError):
        return text


def text_of(draws: Draws) -> str:
    """Draw a changed checkpoint with a matching checksum, or a damaged text."""
    text = sealed(changed(draws, DOCUMENTS))
    if draws.number(4) == 3:
        at = draws.number(len(text) + 1)
        text = text[:at] + draws.of(LETTERS) + text[at + draws.number(2) :]
    return text


def check_checkpoint(checkpoint: Checkpoint) -> None:
    """Check that a checkpoint survives writing and reading, pickle and ``repr``."""
    assert checkpoint.items >= 0
    assert str(checkpoint) == str(Checkpoint.parse(str(checkpoint)))
    assert checkpoint == pickle.loads(pickle.dumps(checkpoint))
    assert repr(checkpoint).startswith("Checkpoint(")
    assert {name for name, _ in checkpoint.filters} <= {"startDate", "endDate", "type"}


def check_next(listing: MeetingIterator, checkpoint: Checkpoint) -> None:
    """Check that a resumed listing makes a request that can be sent, and for its own account only."""
    assert repr(listing)
    assert listing.checkpoint() is not None
    call = inside.next_call(listing)
    if call is None:
        return
    pairs = [(name, value.encode().decode()) for name, value in call.query]
    assert ["accountId"] == [name for name, _ in pairs if name == "accountId"]
    assert checkpoint.account_id == pairs[0][1]
    assert len(pairs) == len({name for name, _ in pairs})


@fuzz(drawn(text_of))
def test_checkpoints(text: str) -> None:
    """A text can be resumed from, or raises CheckpointError."""
    checkpoint: Checkpoint | None = None
    with within_time():
        try:
            checkpoint = Checkpoint.parse(text)
        except CheckpointError as error:
            assert "checkpoint" in str(error)  # noqa: PT017  (either is fine)
            pickle.dumps(error)
        for given in (text, checkpoint):
            if given is not None:
                with contextlib.suppress(CheckpointError):
                    listing = CLIENT.meetings.iter_all(resume=given)
                    assert checkpoint is not None
                    check_checkpoint(checkpoint)
                    check_next(listing, checkpoint)
                with contextlib.suppress(CheckpointError):
                    CLIENT.meetings.iter_accounts(["acc"], resume=given)
                    assert checkpoint is not None
                    check_checkpoint(checkpoint)


@fuzz(drawn(lambda draws: "".join(chr(draws.number(300)) for _ in range(draws.number(24)))))
def test_texts(text: str) -> None:
    """A text that is not a checkpoint raises CheckpointError."""
    try:
        Checkpoint.parse(text)
    except CheckpointError:
        return
    raise AssertionError(text)
