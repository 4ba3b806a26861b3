"""What remembers the rows: how much memory that takes at every length, and what it picks."""

from __future__ import annotations

import random
import sys
from array import array
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pyas_async import Meeting
from pyas_async._core.rows import RowMemory, digest

BOUND = 100
"""Bytes a row, from so many rows on."""
FROM = 1_000
LENGTH = 60_000
"""Up to 50,000 entries, a set may grow fourfold; beyond, twofold in any case."""
GROWN = (1_230, 2_460, 4_920, 9_840, 19_670, 39_330)
"""Lengths at which a set has just grown: three fifths of a power of two, and a little more."""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make numbers of 64 bits that are rows and their own digests: so only what is remembered is weighed, and soon."""
    monkeypatch.setattr("pyas_async._core.rows.digest", lambda row: row)
    chance = random.Random(1)
    return [chance.getrandbits(64) - 2**63 for _ in range(LENGTH)]


def weigh(memory: RowMemory, numbers: int) -> float:
    """Count a memory's bytes a row, given those of the numbers in its set."""
    return (numbers + sum(map(sys.getsizeof, (memory, memory._seen, memory.log)))) / len(memory)


def fill(memory: RowMemory, keys: list[int], page: int) -> tuple[float, int]:
    """Let the rest of the rows come by the page, and tell the most bytes a row that the memory takes, and when."""
    worst, numbers = (0.0, 0), sum(map(sys.getsizeof, memory._seen))
    for first in range(len(memory), len(keys), page):
        # What a row is, is a number here.
        new: list[int] = memory.fresh(keys[first : first + page])  # type: ignore[assignment,arg-type]
        numbers += sum(map(sys.getsizeof, new))
        if len(memory) >= FROM:
            worst = max(worst, (weigh(memory, numbers), len(memory)))
    assert len(keys) == len(memory)
    return worst


@pytest.mark.parametrize("page", [300, 30, 7])
def test_bytes_a_row_at_every_length(page: int, keys: list[int]) -> None:
    """From 1,000 rows on, a row costs at most 100 bytes, however long the listing and its pages are."""
    worst, length = fill(RowMemory(), keys, page)
    assert worst <= BOUND, f"with {length:,} rows"


@pytest.mark.parametrize("length", [FROM, *GROWN])
def test_bytes_a_row_after_a_resume(length: int, keys: list[int]) -> None:
    """What was resumed from a checkpoint takes no more, neither at first nor later."""
    memory = RowMemory(array("q", keys[:length]))
    first = weigh(memory, sum(map(sys.getsizeof, memory._seen)))
    assert first <= BOUND
    worst, later = fill(memory, keys, 300)
    assert worst <= BOUND, f"with {later:,} rows"


def test_a_resumed_memory_knows_every_row(keys: list[int]) -> None:
    """A memory that is made from a log remembers all of it, however long it is."""
    memory = RowMemory(array("q", keys[:9_001]))
    assert keys[9_001:9_300] == memory.fresh(keys[:9_300])  # type: ignore[arg-type]
    assert keys[:9_300] == list(memory.log)


def test_a_row_twice_on_a_page_is_picked_once() -> None:
    """Of rows with one identity, the first is picked, in the order of the page, and logged at its place."""
    rows = [Meeting(id=number, uuid="a", topic=topic) for number, topic in ((2, "x"), (1, "x"), (2, "y"), (3, "x"))]
    memory = RowMemory()
    assert [rows[0], rows[1], rows[3]] == memory.fresh(rows)
    assert [digest(rows[0]), digest(rows[1]), digest(rows[3])] == list(memory.log)
    assert [] == memory.fresh(rows)


def test_a_digest_is_the_same_in_every_process() -> None:
    """Checkpoints hold digests, so those of CPython of 64 bits stay what they are; each part of the identity counts."""
    start = datetime(2023, 4, 26, 19, tzinfo=UTC)
    rows = [
        Meeting(id=1, uuid="a", start_time=start),
        Meeting(id=2, uuid="a", start_time=start),
        Meeting(id=1, uuid="ab", start_time=start),
        Meeting(id=1, uuid="a", start_time=start + timedelta(seconds=1)),
        Meeting(id=1, uuid="a"),
        Meeting(id=1, uuid="\ud800"),
    ]
    assert 6 == len({digest(row) for row in rows})
    assert digest(rows[0]) == digest(Meeting(id=1, uuid="a", start_time=start.astimezone(timezone(timedelta(hours=9)))))
    assert [-5_817_987_825_482_672_421, -764_777_031_323_732_487] == [digest(rows[0]), digest(rows[4])]
