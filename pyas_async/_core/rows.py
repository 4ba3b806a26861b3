"""What remembers the rows that a listing has yielded, so that none is yielded twice."""

from array import array
from collections.abc import Iterable

from pyas_async.models import Meeting


def digest(row: Meeting) -> int:
    """Reduce a row's identity, ``(id, uuid, start_time)``, to a number of 64 bits that is the same in every process.

    Hashes of text differ from process to process, those of numbers do not; so text goes in as a number, taken modulo
    the prime 2**61 - 1 (Python reference, "Hashing of numeric types"). For a million rows, the odds that any two of
    them share a digest are about 2e-7.
    """
    start = -1.0 if row.start_time is None else row.start_time.timestamp()
    return hash((row.id, int.from_bytes(row.uuid.encode("utf-8", "surrogatepass"), "big"), start))


PROBE = digest(Meeting(id=3418139842191568, uuid="some-uuid-string"))
"""The digest of a known row: where it differs, so does the Python's hashing, and digests cannot be carried over."""


class RowMemory:
    """The digests of the rows yielded so far: a set to ask, and a log that a checkpoint can point into."""

    __slots__ = ("_log", "_seen")

    def __init__(self, log: "array[int] | None" = None) -> None:
        """Remember nothing, or what an earlier iteration has logged."""
        self._log: array[int] = array("q") if log is None else log
        self._seen = set(self._log)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._log)

    @property
    def log(self) -> "array[int]":
        """The digests in the order of the rows. It only grows, so its first n entries stay what they are."""
        return self._log

    def fresh(self, rows: Iterable[Meeting]) -> list[Meeting]:
        """Pick the rows that were not seen before, and remember them."""
        seen, new, log = self._seen, [], self._log
        for row in rows:
            key = digest(row)
            if key not in seen:
                seen.add(key)
                log.append(key)
                new.append(row)
        return new
