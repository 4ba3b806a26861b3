"""Which row can be the meeting of a create: never one that may have existed before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, words
from pyas_async import Meeting, MeetingCreate, MeetingType, Recurrence
from pyas_async._core.reconcile.match import CERTAINLY_OLDER, CLOCK_TOLERANCE, MatchResult, WantedMeeting, find_match

SENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = SENT + timedelta(seconds=30)
START = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def wanted_meeting(**changes: Any) -> WantedMeeting:  # noqa: ANN401
    """Make a wanted meeting, with changes."""
    whole: dict[str, Any] = {
        "type": 2,
        "title": "Planning",
        "description": "What comes next",
        "start_date": START,
        "duration": 45,
    }
    return WantedMeeting("acc", MeetingCreate(**(whole | changes)))


def row_of(wanted: WantedMeeting, number: int = 1, **changes: Any) -> Meeting:  # noqa: ANN401
    """Make the row that a service has for a wanted meeting, with changes."""
    meeting = wanted.meeting
    row = Meeting(
        id=number,
        uuid=f"u{number}==",
        topic=meeting.title,
        type=meeting.type,
        start_time=meeting.start_date if meeting.type in (2, 8) else None,
        duration=meeting.duration,
        timezone=meeting.time_zone or "UTC",
        agenda=meeting.description[:250],
        created_at=SENT + 2 * SECOND,
    )
    return attrs.evolve(row, **changes)


def found(wanted: WantedMeeting, *rows: Meeting, **more: Any) -> MatchResult:  # noqa: ANN401
    """Find the wanted meeting among rows."""
    return find_match(wanted, rows, sent_at=SENT, now=NOW, **more)


def ids(finding: MatchResult) -> tuple[int | None, list[int]]:
    """Return the id of the meeting that was found, and those of the candidates."""
    return None if finding.meeting is None else finding.meeting.id, sorted(row.id for row in finding.candidates)


WANTED = wanted_meeting()
requests = st.builds(
    MeetingCreate,
    type=st.sampled_from([1, 2, 3, 8]),
    title=words,
    description=st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    start_date=st.datetimes(
        datetime(1990, 1, 1),  # noqa: DTZ001  (the zone is drawn)
        datetime(2090, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    ),
    duration=st.integers(1, 600),
    time_zone=st.sampled_from([None, "UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
moments = st.timedeltas(-CLOCK_TOLERANCE, NOW - SENT + CLOCK_TOLERANCE).map(lambda late: SENT + late)


@st.composite
def other_meetings(draw: st.DrawFn, wanted: WantedMeeting) -> Meeting:
    """Draw a row of another meeting: made long before, or with another title, type or start."""
    number = draw(st.integers(2, 50))
    change = draw(st.sampled_from(["old", "older", "topic", "type", "start"]))
    request = wanted.meeting
    changes: dict[str, dict[str, Any]] = {
        "old": {"created_at": SENT - CLOCK_TOLERANCE - draw(st.timedeltas(SECOND, timedelta(hours=20)))},
        "older": {"created_at": SENT - CERTAINLY_OLDER - draw(st.timedeltas(SECOND, timedelta(days=400)))},
        "topic": {"topic": f"{request.title} II"},
        "type": {"type": MeetingType(draw(st.sampled_from([4, 10, 77])))},
        "start": {"start_time": request.start_date - draw(st.timedeltas(SECOND, timedelta(days=9)))},
    }
    if wanted.start is None and change == "start":
        change = "topic"
    return row_of(wanted, number, **changes[change])


@brisk
@given(st.data(), requests)
def test_found_among_others(data: st.DataObject, meeting: MeetingCreate) -> None:
    """The row of the wanted meeting is found among any other rows, in any order, whenever it was made since."""
    wanted = WantedMeeting("acc", meeting)
    mine = row_of(wanted, created_at=data.draw(moments))
    others = data.draw(st.lists(other_meetings(wanted), max_size=8))
    rows = data.draw(st.permutations([mine, *others]))
    assert mine == found(wanted, *rows).meeting


@brisk
@given(st.data(), requests)
def test_never_another_meeting(data: st.DataObject, meeting: MeetingCreate) -> None:
    """Among rows of other meetings, none is found, and another lookup may help."""
    wanted = WantedMeeting("acc", meeting)
    finding = found(wanted, *data.draw(st.lists(other_meetings(wanted), max_size=8)))
    assert (None, True) == (finding.meeting, finding.look_again)


rows_at_random = st.builds(
    row_of,
    st.just(WANTED),
    st.integers(1, 4),
    topic=st.sampled_from(["Planning", None, "Other"]),
    type=st.sampled_from([MeetingType.SCHEDULED, None, MeetingType.INSTANT]),
    start_time=st.sampled_from([START, None, START + timedelta(hours=1)]),
    duration=st.sampled_from([45, None, 30]),
    agenda=st.sampled_from(["What comes next", None, ""]),
    created_at=st.none() | st.timedeltas(-2 * CERTAINLY_OLDER, 2 * CERTAINLY_OLDER).map(lambda late: SENT + late),
)


@brisk
@given(st.lists(rows_at_random, max_size=6), st.sets(st.integers(1, 4), max_size=2), st.booleans())
def test_what_is_found_is_certain(rows: list[Meeting], claimed_ids: set[int], has_rival: bool) -> None:
    """The meeting found was made after the create was sent, is not claimed, and is the only one, whatever the rows."""
    finding = found(WANTED, *rows, claimed_ids=claimed_ids, has_rival=has_rival)
    candidates = {row.id for row in finding.candidates}
    assert candidates.isdisjoint(claimed_ids)
    assert len(candidates) == len(finding.candidates)
    if finding.meeting is None:
        return
    row = finding.meeting
    assert not has_rival
    assert row.id in candidates
    assert row.created_at is not None
    assert SENT - CLOCK_TOLERANCE <= row.created_at <= NOW + CLOCK_TOLERANCE
    assert ("Planning", 2, START) == (row.topic, row.type, row.start_time)
    since = {other.id for other in rows if other in finding.candidates and _not_before(other)}
    assert {row.id} == since


def _not_before(row: Meeting) -> bool:
    return row.created_at is None or row.created_at >= SENT - CLOCK_TOLERANCE


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (-CERTAINLY_OLDER - SECOND, (None, [])),
        (-CERTAINLY_OLDER, (None, [1])),
        (-CLOCK_TOLERANCE - SECOND, (None, [1])),
        (-CLOCK_TOLERANCE, (1, [1])),
        (timedelta(0), (1, [1])),
        (NOW - SENT + CLOCK_TOLERANCE, (1, [1])),
        (NOW - SENT + CLOCK_TOLERANCE + SECOND, (None, [1])),
    ],
)
def test_when_it_was_made(late: timedelta, expected: tuple[int | None, list[int]]) -> None:
    """A match is sure only if the row was made when the create was sent; with a wrong clock it is a candidate."""
    assert expected == ids(found(WANTED, row_of(WANTED, created_at=SENT + late)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"topic": " Planning "}, 1),
        ({"topic": "planning"}, 0),
        ({"type": MeetingType.RECURRING}, 0),
        ({"start_time": START + SECOND / 2}, 1),
        ({"start_time": START + SECOND}, 0),
        ({"start_time": START - SECOND}, 0),
        ({"start_time": START.astimezone(timezone(timedelta(hours=9)))}, 1),
        ({"duration": None}, 1),
        ({"timezone": None}, 1),
        ({"agenda": None}, 1),
        ({"agenda": "What comes next\n"}, 1),
        # Missing or different details make it a candidate.
        ({"created_at": None}, -1),
        ({"topic": None}, -1),
        ({"type": None}, -1),
        ({"start_time": None}, -1),
        ({"duration": 30}, -1),
        ({"agenda": "What came before"}, -1),
        ({"agenda": ""}, -1),
    ],
    ids=repr,
)
def test_what_rows_say(changes: dict[str, Any], expected: int) -> None:
    """A row is a sure match (1), another meeting (0), or a possible match (-1)."""
    finding = found(WANTED, row_of(WANTED, **changes))
    assert {1: (1, [1]), 0: (None, []), -1: (None, [1])}[expected] == ids(finding)
    assert (expected == 0) is finding.look_again


@pytest.mark.parametrize(
    ("requested", "zone", "sure"),
    [
        ("Asia/Calcutta", "Asia/Kolkata", True),
        ("Europe/Berlin", "Europe/Rome", True),
        ("Europe/Berlin", "Europe/London", False),
        ("Europe/Berlin", "Mars/Olympus", False),
        ("Europe/Berlin", "../..", False),
        ("Europe/Berlin", "", False),
        (None, "Asia/Tokyo", True),
    ],
)
def test_time_zone(requested: str | None, zone: str, sure: bool) -> None:
    """Another name of the same zone is a match; another or unknown zone makes the row a possible match."""
    wanted = wanted_meeting(time_zone=requested)
    assert (1 if sure else None, [1]) == ids(found(wanted, row_of(wanted, timezone=zone)))


@pytest.mark.parametrize(
    ("description", "agenda", "sure"),
    [
        ("x" * 300, "x" * 250, True),
        ("x" * 300, "x" * 249, True),
        ("x" * 300, "x" * 100, False),
        ("x" * 300, "y" * 250, False),
        ("a" + "🚀" * 200, "a" + "🚀" * 124 + "\N{REPLACEMENT CHARACTER}", True),
        ("🚀" * 200, "🚀" * 125, True),
        ("🚀" * 200, "🚀" * 60, False),
        ("", "", True),
    ],
)
def test_agenda(description: str, agenda: str, sure: bool) -> None:
    """An agenda that was cut at 250 units of UTF-16 matches; one that is shorter for another reason does not."""
    wanted = wanted_meeting(description=description)
    assert (1 if sure else None, [1]) == ids(found(wanted, row_of(wanted, agenda=agenda)))


@pytest.mark.parametrize("kind", [1, 3])
def test_types_without_a_start(kind: int) -> None:
    """For instant meetings, and those with no fixed time, neither start nor duration nor time zone matter."""
    wanted = wanted_meeting(type=kind, time_zone="Europe/Berlin")
    row = row_of(wanted, duration=60, timezone="America/Lima", start_time=START + timedelta(days=3))
    assert (1, [1]) == ids(found(wanted, row))


def test_series() -> None:
    """A series starts on the first day that its recurrence names, and its rows are one meeting."""
    wanted = wanted_meeting(type=8, recurrence=Recurrence("weekly", 1, days_of_week=["friday"]))
    days = [row_of(wanted, start_time=START + timedelta(days=days)) for days in (3, 10, 17)]
    assert (1, [1]) == ids(found(wanted, *days))
    assert (None, []) == ids(found(wanted, *days, row_of(wanted, start_time=START - timedelta(days=4))))


def test_two_that_fit() -> None:
    """If two meetings match, none is found: both are candidates."""
    assert (None, [1, 2]) == ids(found(WANTED, row_of(WANTED, 1), row_of(WANTED, 2)))
    assert not found(WANTED, row_of(WANTED, 1), row_of(WANTED, 2)).look_again


def test_an_older_twin() -> None:
    """An equal meeting that was made before does not keep the new one from being found."""
    older = row_of(WANTED, 2, created_at=SENT - timedelta(hours=1))
    assert (1, [1, 2]) == ids(found(WANTED, row_of(WANTED, 1), older))
    assert (None, [2]) == ids(found(WANTED, older))
    assert found(WANTED, older).look_again


@pytest.mark.parametrize("created", [None, NOW + timedelta(hours=1)])
def test_a_twin_of_unknown_age(created: datetime | None) -> None:
    """An equal meeting that may have been made since keeps both from being found."""
    assert (None, [1, 2]) == ids(found(WANTED, row_of(WANTED, 1), row_of(WANTED, 2, created_at=created)))


def test_those_of_other_creates() -> None:
    """A meeting of another create is no candidate; one that another create may have made is at most a candidate."""
    assert (None, []) == ids(found(WANTED, row_of(WANTED, 1), claimed_ids={1}))
    assert (2, [2]) == ids(found(WANTED, row_of(WANTED, 1), row_of(WANTED, 2), claimed_ids={1}))
    assert (None, [1]) == ids(found(WANTED, row_of(WANTED, 1), has_rival=True))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"startDate": "11-28-2026", "endDate": "12-04-2026"}),
        ({"type": 8}, {"startDate": "11-28-2026", "endDate": "12-04-2026"}),
        ({"type": 8, "recurrence": Recurrence("daily", 2)}, {"startDate": "11-28-2026", "endDate": "12-06-2026"}),
        ({"type": 8, "recurrence": Recurrence("weekly", 2)}, {"startDate": "11-28-2026", "endDate": "12-18-2026"}),
        ({"type": 8, "recurrence": Recurrence("monthly", 1)}, {"startDate": "11-28-2026", "endDate": "01-04-2027"}),
        ({"type": 8, "recurrence": Recurrence("monthly", 10**9)}, {"startDate": "11-28-2026", "endDate": "12-31-9999"}),
        ({"type": 1}, {}),
        ({"type": 3, "recurrence": Recurrence("daily", 2)}, {}),
        ({"start_date": datetime.min.replace(tzinfo=UTC)}, {"startDate": "01-01-0001", "endDate": "01-04-0001"}),
        ({"start_date": datetime.max.replace(tzinfo=UTC)}, {"startDate": "12-28-9999", "endDate": "12-31-9999"}),
    ],
    ids=repr,
)
def test_where_to_look(changes: dict[str, Any], expected: dict[str, str]) -> None:
    """The listing is that of the days around the start; without a start, it is the whole listing."""
    assert {**expected, "type": "scheduled"} == dict(wanted_meeting(**changes).filters)


@brisk
@given(requests, st.integers(-14, 14), st.integers(-14, 14))
def test_the_day_is_listed_in_every_time_zone(meeting: MeetingCreate, here: int, there: int) -> None:
    """The start is inside the range in any time zone of the service, and whether or not it includes both ends."""
    wanted = WantedMeeting(
        "acc", attrs.evolve(meeting, start_date=meeting.start_date.astimezone(timezone(timedelta(hours=here))))
    )
    filters = dict(wanted.filters)
    if wanted.start is None:
        assert {"type": "scheduled"} == filters
        return
    first, last = (datetime.strptime(filters[name], "%m-%d-%Y").date() for name in ("startDate", "endDate"))  # noqa: DTZ007
    assert first < wanted.start.astimezone(timezone(timedelta(hours=there))).date() < last


def test_nothing_is_shown() -> None:
    """The contents of a meeting are private: the wanted meeting and the result do not show them."""
    finding = found(WANTED, row_of(WANTED))
    assert "Planning" not in f"{WANTED!r} {finding!r}"
