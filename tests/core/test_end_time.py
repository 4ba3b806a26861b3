"""When a meeting, or one date of it, ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk
from pyas_async import Meeting, Occurrence, from_dict

BERLIN = ZoneInfo("Europe/Berlin")
zones = st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")])


@brisk
@given(st.none() | st.datetimes(timezones=zones), st.none() | st.integers(-10, 10_000) | st.integers())
def test_the_end_is_the_start_plus_the_duration(start: datetime | None, duration: int | None) -> None:
    """A meeting and an occurrence end `duration` minutes after their start, or at no known time; nothing is raised."""
    ends = {
        Meeting(id=1, start_time=start, duration=duration).end_time,
        Occurrence(start_time=start, duration=duration).end_time,
    }
    (end,) = ends

    if end is None:
        known = start is not None and duration is not None and duration >= 0
        assert not known or start.year in (1, 9999) or duration > 60 * 24 * 365  # type: ignore[union-attr,operator]
    else:
        assert start is not None
        assert duration is not None
        assert timedelta(minutes=duration) == end.astimezone(UTC) - start.astimezone(UTC)
        assert start.tzinfo is end.tzinfo


@pytest.mark.parametrize(("start", "hour"), [("2026-03-29T01:30:00", 3), ("2026-10-25T01:30:00", 2)])
def test_clock_changes(start: str, hour: int) -> None:
    """A meeting of an hour lasts an hour, also while the clocks change."""
    meeting = from_dict(Meeting, {"id": 1, "start_time": start, "timezone": "Europe/Berlin", "duration": 60})

    assert meeting.start_time is not None
    assert meeting.end_time is not None
    assert (hour, 30) == (meeting.end_time.hour, meeting.end_time.minute)
    assert 3_600 == meeting.end_time.timestamp() - meeting.start_time.timestamp()


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_sentinel_times(start: str) -> None:
    """A time at the edge of what a `datetime` can hold has an end there, or none."""
    meeting = from_dict(Meeting, {"id": 1, "start_time": start, "duration": 30})

    assert (None if start.startswith("9") else datetime(1, 1, 1, 0, 30, tzinfo=UTC)) == meeting.end_time
