"""Arguments of requests: each accepted value goes out in the page's form, and every other one is refused at once."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.strategies import brisk, words
from core.tools import NOON
from pyas_async import (
    UNSET,
    Attendee,
    ConfigurationError,
    InvalidArgumentError,
    Meeting,
    MeetingCreate,
    MeetingType,
    MeetingUpdate,
    PyasClient,
    RateBudget,
    Recurrence,
    RetryPolicy,
    from_dict,
    to_dict,
)
from pyas_async._checks import text, whole_number, zone
from pyas_async._core.calls.endpoints import create_meeting, get_meeting, list_filters, list_meetings, update_meeting
from pyas_async._core.dates import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)")
offsets = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=offsets | st.just(UTC))  # noqa: DTZ001  (bounds are naive)
recurrences = (
    st.builds(Recurrence, st.just("daily"), st.integers(1, 90), end_date=st.none() | moments)
    | st.builds(
        Recurrence,
        st.just("weekly"),
        st.integers(1, 12).map(str),
        days_of_week=st.lists(st.sampled_from(["monday", "Tuesday", "SUNDAY"]), min_size=1),
    )
    | st.builds(
        Recurrence, st.just("monthly"), st.integers(1, 3), day_of_month=st.integers(1, 31), month=st.integers(1, 12)
    )
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": words.filter(lambda title: len(title) <= 200),
    "description": st.just("") | words,
    "start_date": moments,
    "duration": st.integers(1, 10_000) | st.integers(1, 10_000).map(str),
    "time_zone": st.sampled_from(["Europe/Berlin", "UTC", ZoneInfo("America/New_York"), None]),
    "waiting_room": st.booleans() | st.none(),
    "attendees": st.lists(st.just(Attendee("ada@example.com")), max_size=2),
    "recurrence": recurrences | st.none(),
}


def keeps_its_hour(values: dict[str, Any]) -> bool:
    """Whether the values are not refused because a series has an offset without a name."""
    start, named = values.get("start_date"), "time_zone" in values and values["time_zone"] is not None
    return named or start is None or start.tzinfo is UTC or values.get("recurrence") is None


WIRE = {"start_date": "startDate", "time_zone": "timeZone", "waiting_room": "waitingRoom"}


@brisk
@given(st.fixed_dictionaries({name: FIELDS[name] for name in FIELDS}).filter(keeps_its_hour))
def test_create(values: dict[str, Any]) -> None:
    """A create goes out under the page's names and in its forms, and reading it back gives an equal one."""
    meeting = MeetingCreate(type=8, **values)
    call = create_meeting("acc", meeting)
    body = json.loads(call.body or b"")
    data = body["meetingData"]

    assert ("acc", to_dict(meeting)) == (body["accountId"], data)
    assert (8, values["title"], values["description"]) == (data["type"], data["title"], data["description"])
    assert int(values["duration"]) == data["duration"]
    assert [{"email": "ada@example.com"}] * len(values["attendees"]) == data["attendees"]
    assert RFC_3339.fullmatch(data["startDate"])
    assert values["start_date"] == datetime.fromisoformat(data["startDate"])
    assert None not in data.values()
    assert meeting == from_dict(MeetingCreate, data)


@brisk
@given(st.fixed_dictionaries({}, optional=FIELDS).filter(keeps_its_hour))
def test_update(values: dict[str, Any]) -> None:
    """An update sends the given fields only; a given ``None`` goes out as ``null``."""
    assume(values)
    body = json.loads(update_meeting("acc", 1, MeetingUpdate(**values)).body or b"")

    assert {WIRE.get(name, name) for name in values} == set(body["meetingData"])
    for name in ("time_zone", "waiting_room", "recurrence"):
        assert (name in values and values[name] is None) == (body["meetingData"].get(WIRE.get(name, name), 0) is None)
    assert MeetingUpdate(**values) == from_dict(MeetingUpdate, body["meetingData"])


def test_empty_update() -> None:
    """An update without changes is refused, since it would waste a call."""
    with pytest.raises(InvalidArgumentError, match="changes"):
        update_meeting("acc", 1, MeetingUpdate())


@brisk
@given(moments)
@example(datetime(1900, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam")))
def test_rfc3339(moment: datetime) -> None:
    """A moment is written in the form of RFC 3339, and reading it back gives the same moment."""
    written = rfc3339(moment)

    assert RFC_3339.fullmatch(written)
    assert moment == datetime.fromisoformat(written)
    assert not written.endswith("+00:00")


@pytest.mark.parametrize("moment", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)])  # noqa: DTZ001  (made aware below)
@pytest.mark.parametrize("seconds", [3601, -3601])
def test_moments_at_the_edge(moment: datetime, seconds: int) -> None:
    """A moment at either end of the calendar is written, or refused as an argument."""
    start = moment.replace(tzinfo=timezone(timedelta(seconds=seconds)))
    try:
        to_dict(MeetingCreate("t", start))
    except InvalidArgumentError as error:
        assert "start_date" == error.field  # noqa: PT017  (either is fine)


daily: dict[str, Any] = {"type": "daily", "interval": 1}
good: dict[str, Any] = {"type": 2, "title": "t", "description": "", "start_date": NOON}


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "2"},
        {"type": True},
        {"type": 2.0},
        {"type": 4},
        {"type": MeetingType.SCREEN_SHARE},
        {"type": 99},
        {"title": ""},
        {"title": " "},
        {"title": "t" * 201},
        {"title": None},
        {"title": "\ud800"},
        {"description": None},
        {"description": "d" * 2_001},
        {"start_date": NOON.replace(tzinfo=None)},
        {"start_date": "2026-11-22T12:00:00Z"},
        {"start_date": NOON.date()},
        {"duration": 0},
        {"duration": -1},
        {"duration": 1.5},
        {"duration": True},
        {"duration": "x"},
        {"duration": None},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc"},
        {"time_zone": ""},
        {"waiting_room": 1},
        {"waiting_room": "yes"},
        {"attendees": "ada@example.com"},
        {"attendees": None},
        {"recurrence": {"type": "daily"}},
        {"recurrence": Recurrence("daily", 1)},
    ],
    ids=lambda wrong: "-".join(f"{name}-{str(value)[:12]}" for name, value in wrong.items()),
)
def test_refusals(wrong: dict[str, Any]) -> None:
    """A value that the service refuses raises an error with the name of its field, in a create and in an update."""
    name = next(iter(wrong))
    for build in (lambda: MeetingCreate(**good | wrong), lambda: MeetingUpdate(**{"type": 2} | wrong)):
        with pytest.raises(InvalidArgumentError) as caught:
            build()
        assert caught.value.field.startswith(name)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("type", {"type": "yearly"}),
        ("interval", {"interval": 0}),
        ("day_of_month", {"type": "monthly", "day_of_month": 32}),
        ("day_of_month", {"type": "weekly", "day_of_month": 1}),
        ("end_date", {"end_date": "2026-12-31T09:00:00Z"}),
        ("end_date", {"end_date": 20261231}),
        ("start_date", {"start_date": "soon"}),
        ("end_date", {"start_date": NOON, "end_date": "2026-11-20"}),
        ("days_of_week", {"type": "weekly", "days_of_week": "monday"}),
        ("days_of_week", {"type": "weekly", "days_of_week": []}),
        ("days_of_week[1]", {"type": "weekly", "days_of_week": ["monday", "noday"]}),
        ("month", {"type": "monthly", "month": 13}),
        ("end_date", {"end_date": NOON.replace(tzinfo=None)}),
        ("end_date", {"start_date": NOON, "end_date": NOON - timedelta(days=1)}),
    ],
)
def test_recurrence_refusals(field: str, wrong: dict[str, Any]) -> None:
    """An invalid recurrence raises an error with the name of the field."""
    with pytest.raises(InvalidArgumentError) as caught:
        Recurrence(**daily | wrong)

    assert field == caught.value.field


@pytest.mark.parametrize("day", [date(2026, 12, 31), "2026-12-31", "20261231"])
@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_days_of_a_recurrence(name: str, day: date | str) -> None:
    """A recurrence starts and ends at a moment or on a day, a date or its text; a day is sent as YYYY-MM-DD."""
    recurrence = Recurrence(**daily | {name: day})

    assert date(2026, 12, 31) == getattr(recurrence, name)
    assert "2026-12-31" == to_dict(recurrence)[WIRE.get(name, "endDate")]
    assert recurrence == from_dict(Recurrence, to_dict(recurrence))
    document = {"type": 8, "title": "t", "description": "", "startDate": "2026-11-22T12:00:00Z", "duration": 30}
    document |= {"attendees": [], "recurrence": to_dict(recurrence)}
    assert document == to_dict(from_dict(MeetingCreate, document))


@brisk
@given(st.dates() | moments, st.dates() | moments)
def test_days_and_moments_are_ordered(start: date, end: date) -> None:
    """An end before its start is refused. A day and a moment may differ by a day, which depends on the time zone."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        wrong, right = end < start, end >= start
    else:
        apart = end.toordinal() - start.toordinal()
        exact = isinstance(start, datetime) == isinstance(end, datetime)
        wrong, right = apart < (0 if exact else -1), apart >= 0
    try:
        Recurrence(**daily, start_date=start, end_date=end)
    except InvalidArgumentError as error:
        assert "end_date" == error.field  # noqa: PT017  (either is fine)
        assert not right
    else:
        assert not wrong


@pytest.mark.parametrize(
    ("cls", "document", "field"),
    [
        (Recurrence, daily | {"endDate": "2023-08-01T09:00:00"}, "end_date"),
        (Recurrence, daily | {"endDate": "soon"}, "end_date"),
        (Recurrence, daily | {"startDate": "2023-02-30"}, "start_date"),
        (MeetingUpdate, {"startDate": "2023-08-01"}, "start_date"),
        (MeetingUpdate, {"startDate": "2023-08-01T09:00:00"}, "start_date"),
    ],
)
def test_errors_show_what_was_given(cls: type[Any], document: dict[str, Any], field: str) -> None:
    """A text that is no moment is refused as the text that was given, not as a datetime that it was turned into."""
    given_text = next(value for key, value in document.items() if key.endswith("Date"))
    with pytest.raises(InvalidArgumentError) as caught:
        from_dict(cls, document)

    assert (field, repr(given_text)) == (caught.value.field, caught.value.got)


@brisk
@given(st.text(max_size=20) | st.integers() | st.floats() | st.booleans() | st.none() | st.binary(max_size=3))
def test_checks_raise_one_kind_of_error(value: object) -> None:
    """For any value, a check returns the form that goes out, or raises one kind of error."""
    for check in (lambda: whole_number("f", value, minimum=1), lambda: text("f", value), lambda: zone("f", value)):
        try:
            assert check()
        except InvalidArgumentError as error:
            assert "f" == error.field  # noqa: PT017  (either is fine)


class Array:
    """Compares as arrays do: the result is neither true nor false."""

    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __eq__(self, other: object) -> Any:  # noqa: ANN401
        return Array()

    def __bool__(self) -> bool:
        raise ValueError("neither")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "build",
    [
        lambda odd: MeetingCreate("t", NOON, type=odd),
        lambda odd: Recurrence(odd, 1),
        lambda odd: Recurrence("daily", odd),
        lambda odd: MeetingUpdate(duration=odd),
        lambda odd: list_meetings("acc", (), max_results=odd),
        lambda odd: get_meeting("acc", odd),
        lambda odd: Recurrence("weekly", 1, days_of_week=[odd]),
        lambda odd: list_filters(start_date=None, end_date=None, type=odd),
        lambda odd: PyasClient("k").meetings.iter_all(account_id="a", on_expired=odd),
        lambda odd: PyasClient("k", priority=odd),
        lambda odd: PyasClient("k", timeout=odd),
        lambda odd: PyasClient("k").with_options(retry=odd),
        lambda odd: RetryPolicy(max_attempts=odd),
        RateBudget,
        lambda odd: RateBudget(10, share=odd),
    ],
)
@pytest.mark.parametrize("odd", [Array(), 10**5_000, -(10**5_000)], ids=["array", "long", "negative"])
def test_odd_objects(build: Callable[[Any], object], odd: object) -> None:
    """An object whose comparison or ``repr`` fails is refused like every other invalid value."""
    with pytest.raises((InvalidArgumentError, ConfigurationError), match=r"that cannot be shown|got") as caught:
        build(odd)
    assert len(str(caught.value)) < 500


def test_lone_surrogates_of_the_user() -> None:
    """A lone surrogate, which can be neither sent nor printed, is replaced in a user's document as in a response."""
    assert "a\ufffd" == from_dict(Meeting, {"id": 1, "topic": "a\ud800"}).topic


def test_unset_is_not_none() -> None:
    """No field of an update is set by default, and ``UNSET`` is false."""
    assert all(value is UNSET for value in (MeetingUpdate().title, MeetingUpdate().recurrence))
    assert not UNSET
