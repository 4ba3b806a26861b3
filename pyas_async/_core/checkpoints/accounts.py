"""A position in the listings of many accounts.

It holds how many account ids were read from the input, a checksum of these ids, and the position in each listing that
was begun and has not reached its end. As text::

    {"version": 1, "kind": "accounts", "filters": {…}, "page_size": 300, "drawn": 40, "ids": <crc32>, "items": 8125,
     "done": false, "under_way": [{"account": …, "token": …, …}, "acc-40"], "failed": ["acc-7"], "probe": …, "check": …}

Filters and page size are written once. A listing that has yielded no row and has no token is written as its account id
alone.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from pyas_async._core.checkpoints import text
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import CheckpointError

_FIELDS: Mapping[str, text.Check] = {
    "page_size": text.is_positive,
    "drawn": text.is_count,
    "ids": text.is_count,
    "items": text.is_count,
    "done": text.is_flag,
    "under_way": text.is_list,
    "failed": text.is_list,
}


def add_id(total: int, account_id: str) -> int:
    """Return the CRC-32 of the ids read so far and one more; it depends on their order."""
    return zlib.crc32(account_id.encode("utf-8", "surrogatepass") + b"\0", total)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class AccountsCheckpoint(Checkpoint):
    """A position in the listings of many accounts.

    Attributes:
        ids_read: How many account ids were read from the input.
        ids_crc: The CRC-32 of these ids, see `add_id`.
        active: The positions in the listings that were begun and not finished.
    """

    account_id: None = None
    page_size: int
    ids_read: int
    ids_crc: int
    active: tuple[ListingCheckpoint, ...]
    # Shared with the iteration, which appends to it: only the entries from `_first` up to `_end` belong here.
    _failures: Sequence[ListingCheckpoint] = attrs.field(alias="failures")
    _first: int = attrs.field(alias="first", default=0)
    _end: int = attrs.field(alias="end")

    @property
    def failed(self) -> list[ListingCheckpoint]:
        """The positions in the listings that failed."""
        return list(self._failures[self._first : self._end])

    @classmethod
    def of(cls, given: Checkpoint | str) -> "AccountsCheckpoint":
        """Return a checkpoint of many accounts, given the checkpoint or its text.

        Raises:
            CheckpointError: If it is damaged, or of the other kind.
        """
        checkpoint = given if isinstance(given, Checkpoint) else Checkpoint.parse(given)
        if not isinstance(checkpoint, cls):
            got = f"<one of the account {checkpoint.account_id!r} alone: iter_all(resume=…) goes on from it>"
            raise CheckpointError("resume", "a checkpoint of many accounts, as iter_accounts() gives", got)
        return checkpoint

    @classmethod
    def read(cls, document: Mapping[str, Any], filters: tuple[tuple[str, str], ...]) -> "AccountsCheckpoint":
        """Make a checkpoint of the document in its text.

        Raises:
            CheckpointError: If the document is not one that this library writes.
        """
        if document["kind"] != "accounts":
            text.refuse("its kind is unknown")
        text.check_fields(document, _FIELDS)
        size = document["page_size"]

        def listing(entry: object) -> ListingCheckpoint:
            if text.is_filled(entry):
                return ListingCheckpoint(account_id=entry, filters=filters, page_size=size)
            if not isinstance(entry, dict):
                text.refuse("a listing is neither an account id nor an object")
            return ListingCheckpoint.read(entry, filters)

        failures = [listing(entry) for entry in document["failed"]]
        return cls(
            items=document["items"],
            done=document["done"],
            filters=filters,
            page_size=size,
            ids_read=document["drawn"],
            ids_crc=document["ids"],
            active=tuple(listing(entry) for entry in document["under_way"]),
            failures=failures,
            end=len(failures),
        )

    def check_ids(self, ids_read: int, ids_crc: int) -> None:
        """Compare the ids read from the input of the resumed iteration with those of this checkpoint.

        Raises:
            CheckpointError: If there are fewer, others, or in another order.
        """
        if (ids_read, ids_crc) != (self.ids_read, self.ids_crc):
            expected = f"the {self.ids_read:,} accounts that the checkpoint's iteration had read, in the same order"
            got = f"<no more than {ids_read:,}>" if ids_read < self.ids_read else "<others, or in another order>"
            raise CheckpointError("account_ids", expected, got)

    def __str__(self) -> str:
        """Write the checkpoint as JSON. It holds page tokens: treat it like the data that they lead to."""
        return text.seal(
            {
                "kind": "accounts",
                "filters": dict(self.filters),
                "page_size": self.page_size,
                "drawn": self.ids_read,
                "ids": self.ids_crc,
                "items": self.items,
                "done": self.done,
                "under_way": [self._entry(listing) for listing in self.active],
                "failed": [self._entry(listing) for listing in self.failed],
            }
        )

    def __repr__(self) -> str:
        # Without page tokens.
        listings = f"under_way={len(self.active)}, failed={self._end - self._first}"
        return f"Checkpoint(drawn={self.ids_read}, {listings}, items={self.items}, done={self.done})"

    def _entry(self, listing: ListingCheckpoint) -> dict[str, Any] | str:
        begun = (
            listing.items
            or listing.unreadable
            or listing.done
            or listing.token is not None
            or listing.page_size != self.page_size
        )
        return listing.own_fields() if begun else listing.account_id
