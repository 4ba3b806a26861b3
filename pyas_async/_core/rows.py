"""What remembers the rows that a listing has yielded, so that none is yielded twice."""

from collections.abc import Iterable

from pyas_async.models import Meeting


def digest(row: Meeting) -> int:
    """Reduce a row's identity, ``(id, uuid, start_time)``, to 61 bits that are the same in every process.

    Hashes of text differ from process to process, those of numbers do not; so the text goes in as a number. For a
    million rows, the odds that any two share a digest are about 2e-7.
    """
    start = -1.0 if row.start_time is None else row.start_time.timestamp()
    return hash((row.id, int.from_bytes(row.uuid.encode("utf-8", "surrogatepass"), "big"), start))


class RowMemory:
    """The rows yielded so far."""

    __slots__ = ("_digests",)

    def __init__(self) -> None:
        """Remember nothing."""
        self._digests: set[int] = set()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._digests)

    def fresh(self, rows: Iterable[Meeting]) -> list[Meeting]:
        """Pick the rows that were not seen before, and remember them."""
        seen, new = self._digests, []
        for row in rows:
            key = digest(row)
            if key not in seen:
                seen.add(key)
                new.append(row)
        return new
