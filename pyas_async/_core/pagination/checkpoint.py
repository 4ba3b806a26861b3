"""A place in an iteration that outlives the process; here, a place in one listing.

It holds what a later iteration needs to go on without a row lost or repeated: whose listing, its filters, the token of
the *current* page with its birth on the wall clock, how far in the page the reader was, and the rows yielded so far.

As text it is JSON of one line::

    {"version": 1, "account": …, "filters": {…}, "page_size": 300, "token": …, "born": …, "index": 12, "walked": 300,
     "total": 5000, "changed": false, "done": false, "probe": …, "rows": "<base64>", "check": "<crc32>"}

``rows`` holds 8 bytes a row, little endian, which makes 10.7 characters.
"""

from array import array
from typing import Any

import attrs

from pyas_async._core.pagination import checkpoint_format
from pyas_async._core.pagination.checkpoint_format import check_fields, damaged, pack, seal, unpack, unseal
from pyas_async._public import public
from pyas_async.errors import CheckpointError

_FIELDS: dict[str, checkpoint_format.Check] = {
    "account": checkpoint_format.name,
    "page_size": checkpoint_format.nullable(checkpoint_format.size),
    "token": checkpoint_format.nullable(checkpoint_format.word),
    "born": checkpoint_format.moment,
    "index": checkpoint_format.count,
    "walked": checkpoint_format.nullable(checkpoint_format.count),
    "total": checkpoint_format.nullable(checkpoint_format.whole),
    "changed": checkpoint_format.flag,
    "done": checkpoint_format.flag,
    "rows": lambda value: isinstance(value, str),
}
FILTERS = ("startDate", "endDate", "type")
"""The filters of a listing, as the service is asked. A text with others would ask it for other things, in our name."""


@public
@attrs.frozen(kw_only=True, repr=False, eq=False)
class Checkpoint:
    """A place in an iteration, for ``resume=…``; ``str(checkpoint)`` is its text, `parse` the way back.

    It is cheap to take after every row; only its text costs. Resuming a listing takes one call while the page token
    lives, 15 minutes, and a fresh walk that skips what was yielded after that. What was done with the rows is exactly
    once only if it is stored together with the checkpoint.

    There are two kinds, and each leads back to where it came from: ``iter_all``, or ``iter_accounts``.

    Attributes:
        account_id: Whose listing it is; ``None`` where it is of many accounts.
        items: Rows yielded so far.
        done: Whether nothing is left to go on with.
        filters: The filters, as the service is asked.
        page_size: The page size that is asked for.
    """

    account_id: str | None
    items: int
    done: bool
    filters: tuple[tuple[str, str], ...]
    page_size: int | None

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint from its text.

        Raises:
            CheckpointError: If the text is damaged, or written by another version.
        """
        document = unseal(text)
        if "kind" in document:
            from pyas_async._core.accounts.checkpoint import AccountsCheckpoint  # noqa: PLC0415  (it is made of this)

            return AccountsCheckpoint.read(document)
        return ListingCheckpoint.read(document, read_filters(document))

    def check_filters(self, given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Give the filters to go on with: these, and no others."""
        own = dict(self.filters)
        for name, value in given:
            if own.get(name) != value:
                got = f"<one with {name}={own[name]!r}>" if name in own else f"<one without {name}>"
                raise CheckpointError("resume", f"a checkpoint of a listing with {name}={value!r}", got)
        return self.filters

    def check_page_size(self, given: int, *, left_out: int) -> None:
        """Refuse another page size: a page token wants the one that it was made with."""
        if given not in (left_out, self.page_size):
            raise CheckpointError("resume", f"a checkpoint with page_size={given}", f"<one with {self.page_size}>")

    def __str__(self) -> str:
        """Write the checkpoint as JSON. It holds page tokens: treat it like the data that they lead to."""
        return seal(self._document())

    def __eq__(self, other: object) -> bool:
        """Compare by what is written."""
        return isinstance(other, Checkpoint) and str(self) == str(other)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self.account_id, self.items, self.done))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as text."""
        return Checkpoint.parse, (str(self),)

    def _document(self) -> dict[str, Any]:
        raise NotImplementedError


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ListingCheckpoint(Checkpoint):
    """A place in one listing; without more than an account and its filters, the place before the first row.

    Attributes:
        token: The token of the current page; ``None`` for the first.
        born: When the token arrived, in seconds of the wall clock.
        index: Rows of the current page that were yielded.
        walked: Rows of the current walk before the current page, repeated ones included; ``None`` if that is not known.
        total: The total that the service reported first in the current walk.
        changed: Whether it has reported another one since.
    """

    account_id: str
    items: int = 0
    done: bool = False
    token: str | None = attrs.field(default=None, repr=False)
    born: float = 0.0
    index: int = 0
    walked: int | None = 0
    total: int | None = None
    changed: bool = False
    # Shared with the iteration, and longer than `items` as soon as that goes on.
    _rows: "array[int]" = attrs.field(alias="rows", factory=lambda: array("q"))

    @classmethod
    def of(cls, given: Checkpoint | str) -> "ListingCheckpoint":
        """Take a checkpoint of one listing, or its text.

        Raises:
            CheckpointError: If it is damaged, or of the other kind.
        """
        checkpoint = given if isinstance(given, Checkpoint) else Checkpoint.parse(given)
        if not isinstance(checkpoint, cls):
            got = "<one of many accounts: iter_accounts(resume=…) goes on from it>"
            raise CheckpointError("resume", "a checkpoint of one listing, as iter_all() gives", got)
        return checkpoint

    @classmethod
    def read(cls, document: dict[str, Any], filters: tuple[tuple[str, str], ...]) -> "ListingCheckpoint":
        """Read what `place` gave."""
        check_fields(document, _FIELDS)
        log = unpack(document["rows"])
        return cls(
            account_id=document["account"],
            items=len(log),
            done=document["done"],
            filters=filters,
            page_size=document["page_size"],
            token=document["token"],
            born=float(document["born"]),
            index=document["index"],
            walked=document["walked"],
            total=document["total"],
            changed=document["changed"],
            rows=log,
        )

    def place(self) -> dict[str, Any]:
        """Write what is this listing's own."""
        return {
            "account": self.account_id,
            "page_size": self.page_size,
            "token": self.token,
            "born": round(self.born, 3),
            "index": self.index,
            "walked": self.walked,
            "total": self.total,
            "changed": self.changed,
            "done": self.done,
            "rows": pack(self.log()),
        }

    def log(self) -> "array[int]":
        """Give the digests of the rows yielded so far, as a copy."""
        return self._rows[: self.items]

    def check_account(self, given: str | None) -> str:
        """Give the account to go on with: this one, and no other."""
        if given is not None and given != self.account_id:
            raise CheckpointError("resume", f"a checkpoint of the account {given!r}", f"<one of {self.account_id!r}>")
        return self.account_id

    def __repr__(self) -> str:
        """Show where it stands; the page token is left out."""
        return f"Checkpoint(account_id={self.account_id!r}, items={self.items}, done={self.done})"

    def _document(self) -> dict[str, Any]:
        return {"filters": dict(self.filters), **self.place()}


def read_filters(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read the filters of either kind."""
    filters = document.get("filters")
    if not isinstance(filters, dict) or not all(
        name in FILTERS and checkpoint_format.name(value) for name, value in filters.items()
    ):
        damaged("'filters' are missing, or others than there are")
    return tuple(filters.items())
