"""`SeenRows`: how much memory it takes at every length, and which rows it returns as new."""

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
"""Bytes a row, from `FROM` rows on."""
FROM = 1_000
LENGTH = 60_000
"""Up to 50,000 entries, a set may grow fourfold; beyond that, twofold in any case."""
GROWN = (1_230, 2_460, 4_920, 9_840, 19_670, 39_330)
"""Lengths at which a set has just grown: a little more than three fifths of a power of two."""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make numbers of 64 bits that stand for rows and are their own digests, to measure `SeenRows` alone, and fast."""
    monkeypatch.setattr(inside.DIGESTS, lambda rows: rows)
    chance = random.Random(1)
    return [chance.getrandbits(64) - 2**63 for _ in range(LENGTH)]


def bytes_a_row(seen: SeenRows, numbers: int) -> float:
    """Return the bytes a row, given the size of all numbers in the set."""
    return (numbers + sum(map(sys.getsizeof, (seen, inside.digests_seen(seen), seen.log)))) / len(seen)


def fill(seen: SeenRows, keys: list[int], page: int) -> tuple[float, int]:
    """Add the remaining rows by the page, and return the most bytes a row that it ever takes, and at which length."""
    worst, numbers = (0.0, 0), sum(map(sys.getsizeof, inside.digests_seen(seen)))
    for first in range(len(seen), len(keys), page):
        # Numbers stand for rows here.
        new: list[int] = seen.add_new(keys[first : first + page])  # type: ignore[assignment,arg-type]
        numbers += sum(map(sys.getsizeof, new))
        if len(seen) >= FROM:
            worst = max(worst, (bytes_a_row(seen, numbers), len(seen)))
    assert len(keys) == len(seen)
    return worst


@pytest.mark.parametrize("page", [300, 30, 7])
def test_bytes_a_row_at_every_length(page: int, keys: list[int]) -> None:
    """From 1,000 rows on, a row takes at most 100 bytes, however long the listing and its pages are."""
    worst, length = fill(SeenRows(), keys, page)
    assert worst <= BOUND, f"with {length:,} rows"


@pytest.mark.parametrize("length", [FROM, *GROWN])
def test_bytes_a_row_after_a_resume(length: int, keys: list[int]) -> None:
    """After a resume from a checkpoint, a row takes no more, neither at first nor later."""
    seen = SeenRows(array("q", keys[:length]))
    first = bytes_a_row(seen, sum(map(sys.getsizeof, inside.digests_seen(seen))))
    assert first <= BOUND
    worst, later = fill(seen, keys, 300)
    assert worst <= BOUND, f"with {later:,} rows"


def test_rows_of_a_checkpoint_are_known(keys: list[int]) -> None:
    """All rows of the log that it is made from are known, however long the log is."""
    seen = SeenRows(array("q", keys[:9_001]))
    assert tuple(keys[9_001:9_300]) == seen.add_new(keys[:9_300])  # type: ignore[arg-type]
    assert keys[:9_300] == list(seen.log)


def test_a_row_twice_on_a_page_is_new_once() -> None:
    """Of rows with the same identity, the first is returned; rows are returned and logged in the order of the page."""
    listed = ((2, "x"), (1, "x"), (2, "y"), (3, "x"))
    rows = tuple(Meeting(id=number, uuid="a", topic=topic) for number, topic in listed)
    seen = SeenRows()
    new = (rows[0], rows[1], rows[3])
    assert new == seen.add_new(rows)
    assert digests(new) == list(seen.log)
    assert () == seen.add_new(rows)
    later = Meeting(id=4, uuid="a")
    assert (later,) == seen.add_new((*rows, later))
    assert digests([*new, later]) == list(seen.log)


def test_identity() -> None:
    """Rows are told apart by their id, uuid and start, and by nothing else."""
    identities = [*((1, uuid, 8) for uuid in ("a", "b", "", "\0", "\0a", "é", "9")), (2, "a", 8), (1, "a", 9)]
    rows = [Meeting(id=n, uuid=u, start_time=datetime(2026, 11, 22, hour, tzinfo=UTC)) for n, u, hour in identities]
    rows += [Meeting(id=1, uuid="a"), Meeting(id=1, uuid="a", start_time=datetime(1970, 1, 1, tzinfo=UTC))]
    assert len(rows) == len(set(digests(rows)))
    assert digests(rows) == digests([attrs.evolve(row, topic="another") for row in rows])


def test_one_moment_is_one_start() -> None:
    """The same moment, written with another offset, is the same start."""
    start = datetime(2026, 11, 22, 8, tzinfo=UTC)
    starts = (start, start.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert 1 == len(set(digests([Meeting(id=1, start_time=moment) for moment in starts])))


def test_a_lone_surrogate_in_a_uuid() -> None:
    """A uuid that cannot be encoded is accepted, and is told from others as well."""
    assert 3 == len(set(digests([Meeting(id=1, uuid=uuid) for uuid in ("a\ud83d", "a\ud83e", "a")])))


def test_digests_are_the_same_in_every_process() -> None:
    """Other processes read a checkpoint: digests do not depend on the seed with which Python hashes text."""
    code = "from pyas_async._core.checkpoints.seen_rows import PROBE; print(PROBE)"
    found = {
        int(subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}))
        for seed in ("1", "2")
    }
    assert {PROBE} == found
