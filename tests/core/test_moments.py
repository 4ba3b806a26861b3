"""Arithmetic with moments: right inside of the calendar, and ``None`` at its ends, never an exception."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyas_async import _moments as moments

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = timedelta(minutes=1)
offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(minutes * MINUTE))
names = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "America/Sao_Paulo"]
)
zones = offsets | names.map(ZoneInfo) | st.just(UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
ends = st.sampled_from([FIRST, LAST, FIRST + MINUTE, LAST - 300 * MINUTE])
aware = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), ends | st.datetimes(), zones)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(aware, zones)
def test_in_zone(moment: datetime, zone: timezone | ZoneInfo) -> None:
    """The result is the same moment in that zone; it is missing only if it is not within the zone's years 1 to 9999."""
    found = moments.in_zone(moment, zone)

    if found is None:
        assert min(moment - FIRST, LAST - moment) < 1440 * MINUTE
    else:
        assert (moment - EPOCH, zone) == (found - EPOCH, found.tzinfo)


@given(aware, st.integers() | st.integers(-(10**10), 10**10))
def test_plus(moment: datetime, minutes: int) -> None:
    """A sum is that many minutes later, even if clocks change in between; it is missing outside of the calendar."""
    later = moments.plus(moment, minutes=minutes)

    if later is not None:
        assert (minutes * MINUTE, moment.tzinfo) == ((later - EPOCH) - (moment - EPOCH), later.tzinfo)
    elif abs(minutes) < 10**10:
        assert not FIRST - moment + 2880 * MINUTE < minutes * MINUTE < LAST - moment - 2880 * MINUTE


@given(aware)
def test_whole_minutes(moment: datetime) -> None:
    """There is always the same moment with an offset of whole minutes."""
    found = moments.in_whole_minutes(moment)

    assert moment - EPOCH == found - EPOCH
    assert found.utcoffset() is not None
    assert timedelta() == (found.utcoffset() or MINUTE) % MINUTE


@given(aware)
def test_from_epoch(moment: datetime) -> None:
    """Every moment comes back from its microseconds since 1970, also one that UTC's calendar lacks."""
    found = moments.from_epoch((moment - EPOCH) // timedelta(microseconds=1))

    assert found is not None
    assert moment - EPOCH == found - EPOCH


@given(st.integers())
def test_from_any_number(number: int) -> None:
    """A number that is no moment gives none, and does not raise."""
    found = moments.from_epoch(number)
    assert found is None or number == (found - EPOCH) // timedelta(microseconds=1)


@given(st.dates(), st.integers())
def test_plus_days(day: date, days: int) -> None:
    """A sum of days stops at the first and the last day of the calendar."""
    expected = min(max(day.toordinal() + days, 1), date.max.toordinal())
    assert expected == moments.plus_days(day, days).toordinal()


@given(st.integers())
def test_length(minutes: int) -> None:
    """A duration is exact, or missing if a ``timedelta`` cannot hold it."""
    found = moments.length(minutes=minutes)
    assert found == minutes * MINUTE if found is not None else abs(minutes) > 10**12


@given(aware)
def test_changes_of_clocks(moment: datetime) -> None:
    """A clock shows a time not at all, once or twice: that is asked of both offsets, and of any moment."""
    naive = moment.replace(tzinfo=None, fold=0)
    seen = {
        found - EPOCH
        for fold in (0, 1)
        for offset in {moment.replace(fold=fold).utcoffset()}
        if offset is not None
        and (found := moments.in_zone(moment.replace(fold=fold, tzinfo=timezone(offset)), moment.tzinfo)) is not None
        and found.replace(tzinfo=None, fold=0) == naive
    }
    assert (len(seen) > 1) == moments.is_ambiguous(moment)
    assert moments.exists(moment) or not seen


@pytest.mark.parametrize(
    ("text", "exists", "ambiguous"),
    [
        ("2027-03-28T01:59:59", True, False),
        ("2027-03-28T02:00", False, False),
        ("2027-03-28T02:59:59", False, False),
        ("2027-03-28T03:00", True, False),
        ("2027-10-31T01:59:59", True, False),
        ("2027-10-31T02:00", True, True),
        ("2027-10-31T02:59:59", True, True),
        ("2027-10-31T03:00", True, False),
    ],
)
def test_berlin(text: str, exists: bool, ambiguous: bool) -> None:
    """In spring an hour is missing in Berlin, and in autumn one comes twice."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert (exists, ambiguous) == (moments.exists(moment), moments.is_ambiguous(moment))


@pytest.fixture
def _odd_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-25:99")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_odd_zone")
def test_a_zone_that_python_refuses() -> None:
    """A machine's zone that Python cannot represent has no moments; a naive one counts as UTC."""
    assert moments.in_zone(EPOCH, None) is None
    assert moments.in_whole_minutes(EPOCH.replace(tzinfo=None)) == EPOCH
