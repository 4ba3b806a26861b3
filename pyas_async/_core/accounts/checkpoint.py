"""A place among the listings of many accounts.

It holds how many accounts were drawn and what their ids add up to, and the place in each listing that was begun and has
not come to its end. As text::

    {"version": 1, "kind": "accounts", "filters": {…}, "page_size": 300, "drawn": 40, "ids": <crc32>, "items": 8125,
     "done": false, "under_way": [{"account": …, "token": …, …}, "acc-40"], "failed": ["acc-7"], "probe": …, "check": …}

Filters and page size stand there once; a listing that gave no row and has no token is its account's id alone.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import attrs

from pyas_async._core.pagination import checkpoint_format
from pyas_async._core.pagination.checkpoint import Checkpoint, ListingCheckpoint, read_filters
from pyas_async._core.pagination.checkpoint_format import check_fields, damaged
from pyas_async.errors import CheckpointError

_FIELDS: dict[str, checkpoint_format.Check] = {
    "page_size": checkpoint_format.size,
    "drawn": checkpoint_format.count,
    "ids": checkpoint_format.count,
    "items": checkpoint_format.count,
    "done": checkpoint_format.flag,
    "under_way": checkpoint_format.array_of_any,
    "failed": checkpoint_format.array_of_any,
}


def add_id(total: int, account_id: str) -> int:
    """Add an id to what the ids drawn so far add up to; another order makes another sum."""
    return zlib.crc32(account_id.encode("utf-8", "surrogatepass") + b"\0", total)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class AccountsCheckpoint(Checkpoint):
    """A place among the listings of many accounts.

    Attributes:
        drawn: Accounts that were drawn from the input.
        ids: What their ids add up to.
        under_way: Where the listings stand that were begun and not finished.
    """

    account_id: None = None
    page_size: int
    drawn: int
    ids: int
    under_way: tuple[ListingCheckpoint, ...]
    # Shared with the iteration, which only ever appends to it: what counts is from `_first` up to `_end`.
    _failures: Sequence[ListingCheckpoint] = attrs.field(alias="failures")
    _first: int = attrs.field(alias="first", default=0)
    _end: int = attrs.field(alias="end")

    @property
    def failed(self) -> list[ListingCheckpoint]:
        """Where the listings stood that failed."""
        return list(self._failures[self._first : self._end])

    @classmethod
    def of(cls, given: Checkpoint | str) -> "AccountsCheckpoint":
        """Take a checkpoint of many accounts, or its text.

        Raises:
            CheckpointError: If it is damaged, or of the other kind.
        """
        checkpoint = given if isinstance(given, Checkpoint) else Checkpoint.parse(given)
        if not isinstance(checkpoint, cls):
            got = f"<one of the account {checkpoint.account_id!r} alone: iter_all(resume=…) goes on from it>"
            raise CheckpointError("resume", "a checkpoint of many accounts, as iter_accounts() gives", got)
        return checkpoint

    @classmethod
    def read(cls, document: dict[str, Any]) -> "AccountsCheckpoint":
        """Read a document of this kind."""
        if document["kind"] != "accounts":
            damaged("its kind is unknown")
        check_fields(document, _FIELDS)
        filters, size = read_filters(document), document["page_size"]

        def listing(place: object) -> ListingCheckpoint:
            if checkpoint_format.name(place):
                return ListingCheckpoint(account_id=place, filters=filters, page_size=size)
            return ListingCheckpoint.read(place, filters) if isinstance(place, dict) else damaged("a place is none")

        failures = [listing(place) for place in document["failed"]]
        return cls(
            items=document["items"],
            done=document["done"],
            filters=filters,
            page_size=document["page_size"],
            drawn=document["drawn"],
            ids=document["ids"],
            under_way=tuple(listing(place) for place in document["under_way"]),
            failures=failures,
            end=len(failures),
        )

    def check_ids(self, drawn: int, ids: int) -> None:
        """Refuse an input whose beginning is not the one that was drawn."""
        if (drawn, ids) != (self.drawn, self.ids):
            expected = f"the {self.drawn:,} accounts that the checkpoint's iteration had drawn, in the same order"
            got = f"<no more than {drawn:,}>" if drawn < self.drawn else "<others, or in another order>"
            raise CheckpointError("account_ids", expected, got)

    def __repr__(self) -> str:
        """Show where it stands; page tokens are left out."""
        places = f"under_way={len(self.under_way)}, failed={self._end - self._first}"
        return f"Checkpoint(drawn={self.drawn}, {places}, items={self.items}, done={self.done})"

    def _document(self) -> dict[str, Any]:
        return {
            "kind": "accounts",
            "filters": dict(self.filters),
            "page_size": self.page_size,
            "drawn": self.drawn,
            "ids": self.ids,
            "items": self.items,
            "done": self.done,
            "under_way": [self._place(listing) for listing in self.under_way],
            "failed": [self._place(listing) for listing in self.failed],
        }

    def _place(self, listing: ListingCheckpoint) -> dict[str, Any] | str:
        begun = listing.items or listing.done or listing.token is not None or listing.page_size != self.page_size
        return listing.place() if begun else listing.account_id
