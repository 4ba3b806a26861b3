"""What remembers the rows that a listing has yielded, so that none is yielded twice."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from pyas_async.models import Meeting

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digests(rows: Sequence[Meeting]) -> list[int]:
    """Reduce each row's identity, ``(id, uuid, start_time)``, to 64 bits that are the same in every process.

    Hashes of text differ from process to process, those of numbers do not. So a uuid goes in as the number that its
    bytes are, which Python hashes modulo the prime 2**61 - 1, and its length, which tells zeros in front. For a million
    rows, the odds that any two of them share a digest are below 3e-7: 10**12 / 2 pairs, 2**61 remainders.
    """
    number = int.from_bytes
    # The hash of a datetime is slower to come by than that of the time since some other.
    try:
        return [
            hash((row.id, len(uuid := row.uuid), number(uuid.encode(), "big"), 0 if start is None else start - _EPOCH))
            for row in rows
            for start in (row.start_time,)
        ]
    except UnicodeEncodeError:  # half a character, which no answer leaves in a row
        return digests([attrs.evolve(row, uuid=ascii(row.uuid)) for row in rows])


(PROBE,) = digests(
    [Meeting(id=3418139842191568, uuid="some-uuid-string", start_time=datetime(2023, 4, 26, 19, tzinfo=UTC))]
)
"""The digest of a known row: where it differs, so does the Python's hashing, and digests cannot be carried over."""


_AT_ONCE = 1000
"""Digests that are taken over at once; where rows come by the page, it is a page."""


class SeenRows:
    """The digests of the rows yielded so far: a set to ask, and a log that a checkpoint can point into.

    At most 100 bytes a row, from 1,000 rows on. CPython's set, when three fifths of it are full, grows fourfold below
    50,000 entries if it is given one at a time, and is then for the most part empty: that made 150 bytes. A set that
    takes in another, or the keys of a dict, grows no more than twofold at any size. So what is new goes in by the page.
    """

    __slots__ = ("_log", "_seen")

    def __init__(self, log: "array[int] | None" = None) -> None:
        """Remember nothing, or what an earlier iteration has logged."""
        self._log: array[int] = array("q") if log is None else log
        self._seen: set[int] = set()
        for first in range(0, len(self._log), _AT_ONCE):
            self._seen |= set(self._log[first : first + _AT_ONCE])

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._log)

    @property
    def log(self) -> "array[int]":
        """The digests in the order of the rows. It only grows, so its first n entries stay what they are."""
        return self._log

    def fresh(self, rows: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
        """Pick the rows that were not seen before, and remember them."""
        keys = digests(rows)
        new = set(keys)
        if len(new) < len(keys) or not self._seen.isdisjoint(new):
            first: dict[int, Meeting] = {}
            for key, row in zip(keys, rows, strict=True):
                if key not in self._seen:
                    first.setdefault(key, row)
            keys, rows, new = list(first), tuple(first.values()), set(first)
        self._seen |= new
        self._log.fromlist(keys)
        return rows
