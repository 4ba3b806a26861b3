"""Digest records hold the identity of every row, also of one at the ends of the calendar."""

from __future__ import annotations

import pytest

from cli import extremes
from pyas_async import Meeting, from_dict
from pyas_async._core.sync.records import DigestRecords


@pytest.mark.parametrize("moment", extremes.MOMENTS)
def test_moments_at_the_ends_of_the_calendar(moment: str) -> None:
    """A record of any moment that a row can have is valid, and gives the same moment back."""
    row = from_dict(Meeting, {**extremes.USUAL, "start_time": moment})
    records = DigestRecords()
    record = records.of(row)
    read = records.read(record)

    assert records.is_valid(record)
    assert (row.id, row.uuid, row.start_time) == (read.id, read.uuid, read.start_time)


def test_a_start_that_is_no_moment() -> None:
    """A record whose start is no moment is not valid."""
    row = from_dict(Meeting, {**extremes.USUAL, "uuid": "", "start_time": "9999-12-31T23:59:59Z"})
    records = DigestRecords()
    record = records.of(row)
    damaged = record[:4] + b"\xff" * 9 + record[4:]

    assert records.is_valid(record)
    assert not records.is_valid(damaged)
