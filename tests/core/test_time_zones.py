"""The time zone of a meeting comes from its start, so that a series keeps its hour when the clocks change."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyas_async import (
    UNSET,
    InvalidArgumentError,
    MeetingCreate,
    MeetingUpdate,
    PyasClient,
    Recurrence,
    from_dict,
    to_dict,
)
from pyas_async.sandbox import Sandbox

BERLIN = ZoneInfo("Europe/Berlin")
WEEKLY = Recurrence("weekly", 1)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Etc/GMT+5")


class Pytz(tzinfo):
    """A zone as those of pytz are, whose name is in `zone`."""

    zone = "America/Los_Angeles"

    def utcoffset(self, _: datetime | None) -> timedelta:
        """Return the offset in winter."""
        return timedelta(hours=-8)

    def dst(self, _: datetime | None) -> None:
        """Say nothing about the clocks."""

    def tzname(self, _: datetime | None) -> str:
        """Return what clocks show."""
        return "PST"


class Dateutil(Pytz):
    """A zone without a name that a program can read, as those of dateutil are."""

    zone = None  # type: ignore[assignment]


class Local(Pytz):
    """A zone whose name means something on this machine alone, as that of a `ZoneInfo` that was read from a file."""

    key = "local"
    zone = None  # type: ignore[assignment]


def created(zone: tzinfo, **fields: Any) -> MeetingCreate:  # noqa: ANN401  (fields of any type)
    """Make a meeting at nine in a zone."""
    start = datetime(2031, 3, 4, 9, tzinfo=zone)
    fields = {"type": 8 if "recurrence" in fields else 2, "title": "t", "description": "", **fields}
    return MeetingCreate(start_date=start, **fields)


@given(st.sampled_from(ZONES), st.booleans())
def test_zone_of_the_start(zone: str, recurs: bool) -> None:
    """Without `time_zone`, the key of the start's zone is sent, in a create as in an update."""
    fields = {"recurrence": WEEKLY} if recurs else {}
    new = created(ZoneInfo(zone), **fields)
    changes = MeetingUpdate(start_date=new.start_date, **fields)  # type: ignore[arg-type]

    assert (zone, zone) == (new.time_zone, changes.time_zone)
    assert (zone, zone) == (to_dict(new)["timeZone"], to_dict(changes)["timeZone"])
    assert f'"timeZone": "{zone}"' in json.dumps(to_dict(new))
    assert new == from_dict(MeetingCreate, to_dict(new)) == pickle.loads(pickle.dumps(new))


def test_zone_of_pytz() -> None:
    """The name of a zone of pytz is taken as well."""
    assert "America/Los_Angeles" == created(Pytz(), recurrence=WEEKLY).time_zone


@pytest.mark.parametrize("recurs", [{}, {"recurrence": WEEKLY}])
@pytest.mark.parametrize("zone", [BERLIN, UTC, timezone(timedelta(hours=1))])
def test_given_zone(zone: tzinfo, recurs: dict[str, Any]) -> None:
    """A `time_zone` that is given is sent, whatever zone the start has."""
    assert "Asia/Tokyo" == created(zone, time_zone="Asia/Tokyo", **recurs).time_zone
    changes = MeetingUpdate(start_date=datetime(2031, 3, 4, tzinfo=zone), time_zone=ZoneInfo("Asia/Tokyo"), **recurs)
    assert {"timeZone": "Asia/Tokyo"}.items() <= to_dict(changes).items()


def test_utc() -> None:
    """A start in UTC sends no zone: such a series keeps its hour in UTC, as it says."""
    assert created(UTC, recurrence=WEEKLY).time_zone is None
    assert "timeZone" not in to_dict(MeetingUpdate(start_date=datetime(2031, 3, 4, tzinfo=UTC), recurrence=WEEKLY))


OFFSETS = {
    "+01:00": timezone(timedelta(hours=1)),
    "with an abbreviation": timezone(timedelta(hours=1), "CET"),
    "GMT, which London has in winter": timezone(timedelta(0), "GMT"),
    "of a text": datetime.fromisoformat("2031-03-04T09:00-05:00").tzinfo,
    "of this machine": datetime(2031, 3, 4, 9, tzinfo=UTC).astimezone(timezone(timedelta(hours=2))).tzinfo,
    "dateutil": Dateutil(),
    "a file": Local(),
}


@pytest.mark.parametrize("kind", [3, 8])
@pytest.mark.parametrize("zone", OFFSETS.values(), ids=OFFSETS)
def test_offset_of_a_series(zone: tzinfo, kind: int) -> None:
    """A recurring meeting whose start has an offset without a name is refused, with the reason and a way out."""
    with pytest.raises(InvalidArgumentError) as caught:
        created(zone, recurrence=WEEKLY, type=kind)
    assert "time_zone" == caught.value.field
    assert "does not say when the clocks change" in str(caught.value)
    assert "Give time_zone=, or a start_date in a ZoneInfo" in str(caught.value)

    with pytest.raises(InvalidArgumentError, match="time_zone"):
        MeetingUpdate(start_date=datetime(2031, 3, 4, tzinfo=zone), recurrence=WEEKLY)


@pytest.mark.parametrize("zone", OFFSETS.values(), ids=OFFSETS)
def test_offset_of_a_single_meeting(zone: tzinfo) -> None:
    """A meeting that does not recur may have any offset, and so may the end of a series."""
    assert created(zone).time_zone is None
    assert MeetingUpdate(start_date=datetime(2031, 3, 4, tzinfo=zone)).time_zone is UNSET
    end = datetime(2031, 6, 1, tzinfo=zone)
    assert "Europe/Berlin" == created(BERLIN, recurrence=Recurrence("weekly", 1, end_date=end)).time_zone


def test_offset_of_a_document() -> None:
    """A document whose series has only an offset is refused in the same way."""
    document = {
        "type": 8, "title": "t", "description": "", "startDate": "2031-03-04T09:00:00+01:00",
        "recurrence": {"type": "weekly", "interval": 1},
    }  # fmt: skip
    with pytest.raises(InvalidArgumentError, match="time_zone: expected an IANA time zone name"):
        from_dict(MeetingCreate, document)
    assert "Europe/Berlin" == from_dict(MeetingCreate, document | {"timeZone": "Europe/Berlin"}).time_zone


def test_evolve() -> None:
    """`attrs.evolve` with another start takes the zone of that one, unless a zone was given."""
    tokyo = datetime(2031, 3, 4, tzinfo=ZoneInfo("Asia/Tokyo"))
    template = created(BERLIN, recurrence=WEEKLY)

    assert "Asia/Tokyo" == attrs.evolve(template, start_date=tokyo).time_zone
    assert attrs.evolve(template, start_date=datetime(2031, 3, 4, tzinfo=UTC)).time_zone is None
    assert "Europe/Berlin" == attrs.evolve(template, title="another").time_zone
    with pytest.raises(InvalidArgumentError, match="time_zone"):
        attrs.evolve(template, start_date=datetime(2031, 3, 4, tzinfo=timezone(timedelta(hours=1))))
    assert "Europe/Berlin" == attrs.evolve(created(UTC, time_zone=BERLIN), start_date=tokyo).time_zone


def test_zone_none_of_an_update() -> None:
    """An update that sends ``null`` as the zone keeps to that."""
    changes = MeetingUpdate(start_date=datetime(2031, 3, 4, tzinfo=BERLIN), time_zone=None, recurrence=WEEKLY)
    assert to_dict(changes)["timeZone"] is None


def test_series_across_the_change() -> None:
    """Fifty weekly meetings from a start in Berlin are all at nine in Berlin."""

    async def main(url: str, account: str, key: str) -> list[int]:
        async with PyasClient(key, account_id=account, base_url=url) as client:
            new = created(BERLIN, recurrence=Recurrence("weekly", 1, end_date=datetime(2032, 2, 12, tzinfo=UTC)))
            [outcome] = await client.meetings.create_many([new])
            return [
                occurrence.start_time.astimezone(BERLIN).hour
                for occurrence in outcome.unwrap().occurrences
                if occurrence.start_time is not None
            ]

    with Sandbox(accounts=1, meetings=0) as sandbox, sandbox.serve() as url:
        hours = asyncio.run(main(url, sandbox.account_ids[0], sandbox.api_key))
    assert [9] * 50 == hours


def test_name_of_this_machine() -> None:
    """The name that some machines give to their own zone says nothing to the service."""
    with pytest.raises(InvalidArgumentError, match="time_zone"):
        created(UTC, time_zone="localtime")
