"""Numbers and moments of other libraries' types, as numpy and pandas have them: taken for what they are, or refused."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyas_async import (
    ConfigurationError,
    InvalidArgumentError,
    Meeting,
    MeetingCreate,
    MeetingType,
    MeetingUpdate,
    PyasClient,
    Recurrence,
    RetryPolicy,
    from_dict,
    plans,
    to_dict,
)
from pyas_async.limits import WINDOW
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable


class Whole:
    """A whole number that is no ``int``, as ``numpy.int64`` is."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        """Return the number."""
        return self.number

    def __repr__(self) -> str:
        return f"Whole({self.number})"


class Flag:
    """A truth value that is no ``bool``, and has no ``__index__``, as ``numpy.bool``."""

    def __repr__(self) -> str:
        return "Flag()"


class Broken:
    """A value whose ``__index__`` raises something else, as that of a tensor may."""

    def __repr__(self) -> str:
        return "Broken()"

    def __index__(self) -> int:
        """Refuse."""
        msg = "a tensor with 2 elements"
        raise RuntimeError(msg)


class Stamp(datetime):
    """A moment of a subclass of ``datetime``, as the Timestamp of pandas is."""


class NotATime(datetime):
    """A ``datetime`` that is missing, as ``pandas.NaT`` is: it has no year, and most of its methods raise."""

    @property
    def year(self) -> Any:  # noqa: ANN401  (not a number)
        """Return that there is none."""
        return math.nan

    def utcoffset(self) -> timedelta | None:
        """Refuse, as pandas does."""
        msg = "NaTType does not support utcoffset"
        raise ValueError(msg)

    def time(self) -> Any:  # noqa: ANN401  (never returns)
        """Refuse, as pandas does."""
        msg = "NaTType does not support time"
        raise ValueError(msg)

    def __repr__(self) -> str:
        return "NaT"


FLAG: Any = Flag()
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAT: Any = NotATime(1, 1, 1)


def whole(number: int) -> Any:  # noqa: ANN401  (type checkers take it for no int)
    """Return a whole number that is no ``int``."""
    return Whole(number)


def create(**fields: Any) -> MeetingCreate:  # noqa: ANN401  (of wrong types as well)
    """Make a meeting to create, with some fields changed."""
    return MeetingCreate(**{"type": 2, "title": "t", "description": "", "start_date": START, **fields})


def client(**settings: Any) -> PyasClient:  # noqa: ANN401  (of wrong types as well)
    """Make a client with settings."""
    return PyasClient("key", account_id="acc", **settings)


TAKEN: dict[str, Callable[[Any], Any]] = {
    "duration": lambda number: create(duration=number).duration,
    "type": lambda number: create(type=number).type,
    "update": lambda number: MeetingUpdate(duration=number).duration,
    "interval": lambda number: Recurrence("daily", number).interval,
    "day_of_month": lambda number: Recurrence("monthly", 1, day_of_month=number).day_of_month,
    "month": lambda number: Recurrence("monthly", 1, month=number).month,
    "max_attempts": lambda number: RetryPolicy(max_attempts=number).max_attempts,
    "base": lambda number: RetryPolicy(base=number).base,
    "cap": lambda number: RetryPolicy(cap=number).cap,
    "calls": lambda number: plans.Plan("own", number).calls,
    "window": lambda number: plans.Plan("own", 2, number).window,
    "monthly": lambda number: plans.Plan("own", 2, WINDOW, number).monthly,
    "from_dict": lambda number: from_dict(Meeting, {"id": 1, "duration": number}).duration,
    "evolve": lambda number: to_dict(attrs.evolve(Meeting(id=1), duration=number))["duration"],
    "id": lambda number: from_dict(Meeting, {"id": number}).id,
}


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("number", [1, 2, 8])
def test_whole_numbers_are_taken(name: str, number: int) -> None:
    """Where an int is taken, a whole number of another type is, too, and becomes an int."""
    found = TAKEN[name](whole(number))

    assert (number, True) == (found, type(found) in (int, MeetingType))


@pytest.mark.parametrize("name", sorted(set(TAKEN) - {"from_dict", "id", "evolve"}))
@pytest.mark.parametrize("value", [True, FLAG, whole(-1), whole(2**70), Broken(), "x", [1]], ids=repr)
def test_other_values_are_refused(name: str, value: object) -> None:
    """A boolean of any library, and a number out of bounds, are refused by name."""
    if isinstance(value, Whole) and value.number > 0 and name in ("base", "cap"):
        return  # these have no upper bound
    with pytest.raises((InvalidArgumentError, ConfigurationError), match="expected"):
        TAKEN[name](value)


@pytest.mark.parametrize("setting", ["timeout", "deadline", "max_connections", "page_token_ttl"])
def test_settings(setting: str) -> None:
    """A client takes whole numbers of any type for its settings, and no booleans."""
    client(**{setting: whole(9)})
    for refused in (True, FLAG, whole(0)):
        with pytest.raises(ConfigurationError, match=setting):
            client(**{setting: refused})


def test_unknown_types_of_meetings() -> None:
    """A type of meeting that is not known is kept as its number, whatever the type of that."""
    assert (77, "UNKNOWN_77", int) == ((kind := MeetingType(whole(77))).value, kind.name, type(kind.value))
    with pytest.raises(ValueError, match="Flag"):
        MeetingType(FLAG)


@pytest.mark.anyio
async def test_calls() -> None:
    """Ids and sizes of any type work in calls; the text of a checkpoint has plain numbers; keys stay as they were."""
    with Sandbox(accounts=1, meetings=5) as sandbox:
        import httpx  # noqa: PLC0415  (only for its transport)

        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as passed,
            PyasClient(sandbox.api_key, account_id=sandbox.account_ids[0], http_client=passed) as own,
        ):
            sizes: Any = {"page_size": whole(2), "max_items": whole(3), "max_restarts": whole(1)}
            listing = own.meetings.iter_all(**sizes)
            rows = await listing.collect()
            ids: list[Any] = [whole(row.id) for row in rows]
            run = own.meetings.get_many(ids, max_concurrency=whole(2))
            outcomes = await run
            page = await own.meetings.list(max_results=whole(2))
            changed = await own.meetings.update(ids[0], MeetingUpdate(duration=whole(5)))
            wrong: Any
            for wrong in (True, FLAG, whole(-1), whole(2**64), 1.5):
                with pytest.raises(InvalidArgumentError, match="meeting_id"):
                    await own.meetings.get(wrong)

    assert (3, 2, 2) == (len(rows), len(page), json.loads(str(listing.checkpoint()))["page_size"])
    assert [(key, "ok", key.number) for key in ids] == [
        (outcome.key, outcome.state, outcome.unwrap().id) for outcome in outcomes
    ]
    assert changed is None or changed.duration == 5


MOMENTS: dict[str, Callable[[Any], Any]] = {
    "start_date": lambda moment: create(start_date=moment).start_date,
    "update": lambda moment: MeetingUpdate(start_date=moment).start_date,
    "recurrence start": lambda moment: Recurrence("daily", 1, start_date=moment).start_date,
    "recurrence end": lambda moment: Recurrence("daily", 1, end_date=moment).end_date,
}


@given(st.datetimes(timezones=st.timezones()), st.sampled_from(sorted(MOMENTS)))
def test_subclasses_of_datetime(moment: datetime, name: str) -> None:
    """A subclass of ``datetime`` becomes a plain one of the same moment, zone and fold."""
    stamp = Stamp.combine(moment.date(), moment.time(), moment.tzinfo).replace(fold=moment.fold)
    try:
        expected = MOMENTS[name](moment)
    except InvalidArgumentError:
        with pytest.raises(InvalidArgumentError, match="between the years 1 and 9999"):
            MOMENTS[name](stamp)
        return
    found = MOMENTS[name](stamp)

    assert type(found) is datetime
    assert (expected, expected.tzinfo, expected.fold) == (found, found.tzinfo, found.fold)


@pytest.mark.parametrize("name", MOMENTS)
def test_a_missing_moment(name: str) -> None:
    """A moment that is missing is refused by name, with what to give."""
    with pytest.raises(InvalidArgumentError, match=r"expected an aware datetime.*, got NaT"):
        MOMENTS[name](NAT)


def test_a_missing_day() -> None:
    """A day that is missing is refused as well."""
    for filters in ({"start_date": NAT}, {"end_date": NAT}, {"start_date": date(2026, 1, 1), "end_date": NAT}):
        with pytest.raises(InvalidArgumentError, match=r"_date: expected a datetime.date"):
            client().meetings.iter_all(**filters)


def test_documents() -> None:
    """A document may hold moments of a DataFrame; a missing one is null, also in a model that was changed."""
    row = from_dict(Meeting, {"id": 1, "start_time": Stamp(2026, 3, 2, 9, tzinfo=UTC), "created_at": NAT})

    assert (START, None) == (row.start_time, row.created_at)
    assert (START, datetime) == (row.start_time, type(row.start_time))
    assert to_dict(attrs.evolve(row, start_time=NAT))["start_time"] is None
    with pytest.raises(InvalidArgumentError, match="not JSON serializable"):
        from_dict(Meeting, {"id": 1, "x": FLAG})
