"""A position in one listing that outlives the process.

It holds what a later iteration needs to continue without losing or repeating a row: the account, the filters, the token
that requests the *current* page and its time of arrival on the wall clock, how many rows of that page were yielded, and
digests of all rows yielded so far. A walk is one pass over the pages, from the first.

As text it is one line of JSON::

    {"version": 1, "account": …, "filters": {…}, "page_size": 300, "token": …, "born": …, "index": 12, "walked": 300,
     "total": 5000, "changed": false, "done": false, "probe": …, "rows": "<base64>", "unreadable": 0, "check": …}

``born`` is when the token arrived (`arrived_wall`). ``rows`` holds 8 bytes for each row, little endian; in base64 these
are 10.7 characters. The rows without an identity that were passed are among them; ``unreadable`` is their number.
"""

from array import array
from collections.abc import Mapping
from typing import Any

import attrs

from pyas_async._core.checkpoints import text
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import CheckpointError

_FIELDS: Mapping[str, text.Check] = {
    "account": text.is_filled,
    "page_size": text.nullable(text.is_positive),
    "token": text.nullable(text.is_page_token),
    "born": text.is_moment,
    "index": text.is_count,
    "walked": text.nullable(text.is_count),
    "total": text.nullable(text.is_whole),
    "changed": text.is_flag,
    "done": text.is_flag,
    "rows": lambda value: isinstance(value, str),
    "unreadable": text.is_count,
}


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ListingCheckpoint(Checkpoint):
    """A position in one listing: before the first row if only the account and the filters are given.

    Attributes:
        token: The token that requests the current page; ``None`` for the first.
        arrived_wall: When the token arrived, in seconds of the wall clock.
        index: Rows of the current page that were yielded or passed.
        unreadable: Rows without an identity that were passed.
        walked: Rows of the current walk before the current page, repeated ones included; ``None`` if that is not known.
        total: The first total that the service reported in the current walk.
        changed: Whether the service has reported another total since.
    """

    account_id: str
    items: int = 0
    done: bool = False
    token: str | None = attrs.field(default=None, repr=False)
    arrived_wall: float = 0.0
    index: int = 0
    walked: int | None = 0
    total: int | None = None
    changed: bool = False
    unreadable: int = 0
    # Shared with the iteration, which appends to it: only the first entries, one for each row that was yielded or
    # passed, belong to this checkpoint.
    _rows: "array[int]" = attrs.field(alias="rows", factory=lambda: array("q"))

    @classmethod
    def of(cls, given: Checkpoint | str) -> "ListingCheckpoint":
        """Return the checkpoint of one listing from a checkpoint or its text.

        Raises:
            CheckpointError: If it is damaged, or is a checkpoint of many accounts.
        """
        checkpoint = given if isinstance(given, Checkpoint) else Checkpoint.parse(given)
        if not isinstance(checkpoint, cls):
            got = "<one of many accounts: iter_accounts(resume=…) goes on from it>"
            raise CheckpointError("resume", "a checkpoint of one listing, as iter_all() gives", got)
        return checkpoint

    @classmethod
    def read(cls, document: Mapping[str, Any], filters: tuple[tuple[str, str], ...]) -> "ListingCheckpoint":
        """Make a checkpoint from what `own_fields` returned, and from the filters, which are stored separately.

        Raises:
            CheckpointError: If a field is missing, or has a value that this library does not write.
        """
        text.check_fields(document, _FIELDS)
        rows, unreadable = text.unpack(document["rows"]), document["unreadable"]
        if unreadable > len(rows):
            text.refuse("it has fewer rows than unreadable ones")
        return cls(
            account_id=document["account"],
            items=len(rows) - unreadable,
            unreadable=unreadable,
            done=document["done"],
            filters=filters,
            page_size=document["page_size"],
            token=document["token"],
            arrived_wall=float(document["born"]),
            index=document["index"],
            walked=document["walked"],
            total=document["total"],
            changed=document["changed"],
            rows=rows,
        )

    def own_fields(self) -> dict[str, Any]:
        """Return the fields of the checkpoint's text, without the filters: many listings can share these."""
        return {"account": self.account_id, **self.position(), "rows": text.pack(self.rows())}

    def position(self) -> dict[str, Any]:
        """Return the fields that say where the listing is, without the rows that it has yielded."""
        return {
            "page_size": self.page_size,
            "token": self.token,
            "born": round(self.arrived_wall, 3),
            "index": self.index,
            "walked": self.walked,
            "total": self.total,
            "changed": self.changed,
            "done": self.done,
            "unreadable": self.unreadable,
        }

    def rows(self) -> "array[int]":
        """Return the digests of the rows yielded or passed so far, as a copy."""
        return self._rows[: self.items + self.unreadable]

    def __str__(self) -> str:
        """Write the checkpoint as JSON. It holds page tokens: treat it like the data that they lead to."""
        return text.seal({"filters": dict(self.filters), **self.own_fields()})

    def __repr__(self) -> str:
        # Without the page token.
        return f"Checkpoint(account_id={self.account_id!r}, items={self.items}, done={self.done})"
