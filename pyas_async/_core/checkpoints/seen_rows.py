"""Remembers the rows that a listing has yielded, so that none is yielded twice.

Rows that could not be read are remembered as well, by their content: they are not reported twice.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import attrs

from pyas_async.models import Meeting

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digests(rows: Sequence[Meeting]) -> list[int]:
    """Reduce each row's identity, ``(id, uuid, start_time)``, to 64 bits that are the same in every process.

    Python's hashes of text differ from process to process, its hashes of numbers do not. So the bytes of a uuid are
    taken as one number, which Python hashes modulo the prime 2**61 - 1. The uuid's length is hashed as well, since
    leading zero bytes do not change the number. For a million rows, the odds that any two of them share a digest are
    below 3e-7: 10**12 / 2 pairs, 2**61 remainders.
    """
    number = int.from_bytes
    # Hashing a datetime is slower than hashing a timedelta.
    try:
        return [
            hash((row.id, len(uuid := row.uuid), number(uuid.encode(), "big"), 0 if start is None else start - _EPOCH))
            for row in rows
            for start in (row.start_time,)
        ]
    except UnicodeEncodeError:  # a lone surrogate, which no response leaves in a row
        return digests([attrs.evolve(row, uuid=ascii(row.uuid)) for row in rows])


def unreadable_digest(content: str, nth: int) -> int:
    """Reduce a row without an identity to a digest of its content: `nth` tells apart equal rows of one walk."""
    written = content.encode("utf-8", "replace")
    return hash((len(written), int.from_bytes(written, "big"), nth))


(PROBE,) = digests(
    [Meeting(id=3418139842191568, uuid="some-uuid-string", start_time=datetime(2023, 4, 26, 19, tzinfo=UTC))]
)
"""The digest of a known row. A Python with another digest hashes differently, and cannot use a checkpoint's digests."""

_CHUNK = 1000
"""Digests that are added to the set at once."""


class SeenRows:
    """The digests of the rows yielded so far: a set for membership, and a log that a checkpoint can point into.

    It takes at most 100 bytes a row, from 1,000 rows on. CPython's set grows when three fifths of it are full. Below
    50,000 entries, it grows fourfold if entries are added one at a time, and is mostly empty afterwards: that took 150
    bytes a row. If another set is merged into it, it grows no more than twofold at any size. So new digests are added
    by the page, and those of a checkpoint in chunks.
    """

    __slots__ = ("_log", "_seen")

    def __init__(self, log: "array[int] | None" = None) -> None:
        """Begin with the log of an earlier iteration, if there is one."""
        self._log: array[int] = array("q") if log is None else log
        self._seen: set[int] = set()
        for first in range(0, len(self._log), _CHUNK):
            self._seen |= set(self._log[first : first + _CHUNK])

    def __len__(self) -> int:
        return len(self._log)

    @property
    def log(self) -> "array[int]":
        """The digests in the order of the rows. It only grows: its first n entries never change."""
        return self._log

    def add_new(self, rows: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
        """Remember these rows, and return those that were not seen before."""
        return self.add_new_by_digest(digests(rows), rows)

    def add_new_by_digest(self, keys: list[int], rows: tuple[T, ...]) -> tuple[T, ...]:
        """Remember these digests, and return the rows whose digests were not seen before."""
        new = set(keys)
        if len(new) < len(keys) or not self._seen.isdisjoint(new):
            first: dict[int, T] = {}
            for key, row in zip(keys, rows, strict=True):
                if key not in self._seen:
                    first.setdefault(key, row)
            keys, rows, new = list(first), tuple(first.values()), set(first)
        self._seen |= new
        self._log.fromlist(keys)
        return rows
