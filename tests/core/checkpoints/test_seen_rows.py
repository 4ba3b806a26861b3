"""What remembers the rows: how much memory that takes at every length, and what it picks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from array import array
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

import inside
from pyas_async import Meeting
from pyas_async._core.checkpoints.seen_rows import PROBE, SeenRows, digests

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
    monkeypatch.setattr(inside.DIGESTS, lambda rows: rows)
    chance = random.Random(1)
    return [chance.getrandbits(64) - 2**63 for _ in range(LENGTH)]


def weigh(memory: SeenRows, numbers: int) -> float:
    """Count a memory's bytes a row, given those of the numbers in its set."""
    return (numbers + sum(map(sys.getsizeof, (memory, inside.digests_seen(memory), memory.log)))) / len(memory)


def fill(memory: SeenRows, keys: list[int], page: int) -> tuple[float, int]:
    """Let the rest of the rows come by the page, and tell the most bytes a row that the memory takes, and when."""
    worst, numbers = (0.0, 0), sum(map(sys.getsizeof, inside.digests_seen(memory)))
    for first in range(len(memory), len(keys), page):
        # What a row is, is a number here.
        new: list[int] = memory.add_new(keys[first : first + page])  # type: ignore[assignment,arg-type]
        numbers += sum(map(sys.getsizeof, new))
        if len(memory) >= FROM:
            worst = max(worst, (weigh(memory, numbers), len(memory)))
    assert len(keys) == len(memory)
    return worst


@pytest.mark.parametrize("page", [300, 30, 7])
def test_bytes_a_row_at_every_length(page: int, keys: list[int]) -> None:
    """From 1,000 rows on, a row costs at most 100 bytes, however long the listing and its pages are."""
    worst, length = fill(SeenRows(), keys, page)
    assert worst <= BOUND, f"with {length:,} rows"


@pytest.mark.parametrize("length", [FROM, *GROWN])
def test_bytes_a_row_after_a_resume(length: int, keys: list[int]) -> None:
    """What was resumed from a checkpoint takes no more, neither at first nor later."""
    memory = SeenRows(array("q", keys[:length]))
    first = weigh(memory, sum(map(sys.getsizeof, inside.digests_seen(memory))))
    assert first <= BOUND
    worst, later = fill(memory, keys, 300)
    assert worst <= BOUND, f"with {later:,} rows"


def test_a_resumed_memory_knows_every_row(keys: list[int]) -> None:
    """A memory that is made from a log remembers all of it, however long it is."""
    memory = SeenRows(array("q", keys[:9_001]))
    assert tuple(keys[9_001:9_300]) == memory.add_new(keys[:9_300])  # type: ignore[arg-type]
    assert keys[:9_300] == list(memory.log)


def test_a_row_twice_on_a_page_is_picked_once() -> None:
    """Of rows with one identity, the first is picked, in the order of the page, and logged at its place."""
    listed = ((2, "x"), (1, "x"), (2, "y"), (3, "x"))
    rows = tuple(Meeting(id=number, uuid="a", topic=topic) for number, topic in listed)
    memory = SeenRows()
    picked = (rows[0], rows[1], rows[3])
    assert picked == memory.add_new(rows)
    assert digests(picked) == list(memory.log)
    assert () == memory.add_new(rows)
    later = Meeting(id=4, uuid="a")
    assert (later,) == memory.add_new((*rows, later))
    assert digests([*picked, later]) == list(memory.log)


def test_what_tells_rows_apart() -> None:
    """Rows differ by their id, their uuid, and their start, and by nothing else."""
    identities = [*((1, uuid, 8) for uuid in ("a", "b", "", "\0", "\0a", "é", "9")), (2, "a", 8), (1, "a", 9)]
    rows = [Meeting(id=n, uuid=u, start_time=datetime(2026, 11, 22, hour, tzinfo=UTC)) for n, u, hour in identities]
    rows += [Meeting(id=1, uuid="a"), Meeting(id=1, uuid="a", start_time=datetime(1970, 1, 1, tzinfo=UTC))]
    assert len(rows) == len(set(digests(rows)))
    assert digests(rows) == digests([attrs.evolve(row, topic="another") for row in rows])


def test_one_moment_is_one_start() -> None:
    """A start that is written with another offset is the same start."""
    start = datetime(2026, 11, 22, 8, tzinfo=UTC)
    starts = (start, start.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert 1 == len(set(digests([Meeting(id=1, start_time=moment) for moment in starts])))


def test_half_a_character_in_a_uuid() -> None:
    """A uuid that cannot be encoded breaks nothing, and is told from others as well."""
    assert 3 == len(set(digests([Meeting(id=1, uuid=uuid) for uuid in ("a\ud83d", "a\ud83e", "a")])))


def test_digests_outlive_the_process() -> None:
    """A checkpoint is read by other processes: digests do not hang on the seed that Python hashes text with."""
    code = "from pyas_async._core.checkpoints.seen_rows import PROBE; print(PROBE)"
    found = {
        int(subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}))
        for seed in ("1", "2")
    }
    assert {PROBE} == found
