"""Input is checked before anything is sent: the error names the field, what is allowed, and what was given."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.tools import Service, listing
from pyas_async import (
    UNSET,
    Attendee,
    InvalidArgumentError,
    MeetingCreate,
    MeetingUpdate,
    PyasClient,
    Recurrence,
)
from pyas_async.meetings import Meetings

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

NAIVE = datetime(2026, 12, 1, 10)  # noqa: DTZ001 - must be refused
AWARE = NAIVE.replace(tzinfo=UTC)


def create(**changes: Any) -> Callable[[PyasClient], Any]:  # noqa: ANN401 - any field of any type
    """Create a meeting with these fields."""
    fields: dict[str, Any] = {"type": 2, "title": "t", "description": "", "start_date": AWARE} | changes
    return lambda client: client.meetings.create(MeetingCreate(**fields))


def update(**changes: Any) -> Callable[[PyasClient], Any]:  # noqa: ANN401 - any field of any type
    """Change a meeting."""
    return lambda client: client.meetings.update(81, MeetingUpdate(**changes))


def recur(type: str = "weekly", interval: Any = 1, **fields: Any) -> Callable[[PyasClient], Any]:  # noqa: ANN401
    """Create a series that recurs like this."""

    def call(client: PyasClient) -> Any:  # noqa: ANN401 - awaited by the test
        recurrence = Recurrence(type=type, interval=interval, **fields)  # type: ignore[arg-type]
        return create(type=8, recurrence=recurrence)(client)

    return call


def listed(**query: Any) -> Callable[[PyasClient], Any]:  # noqa: ANN401 - any parameter of any type
    """List a page."""
    return lambda client: client.meetings.list(**query)


def walked(**query: Any) -> Callable[[PyasClient], Any]:  # noqa: ANN401 - any parameter of any type
    """Begin a listing; the arguments are checked before it is awaited."""
    return lambda client: client.meetings.iter_all(**query)


WEEKLY = Recurrence(type="weekly", interval=1, days_of_week=["monday"])

# The call, the field that the error names, and what `got` shows.
MEETINGS = {
    "create: naive start": (create(start_date=NAIVE), "start_date", "2026"),
    "create: date as start": (create(start_date=date(2026, 12, 1)), "start_date", "2026"),
    "create: text as start": (create(start_date="2026-12-01T10:00:00"), "start_date", "2026-12-01T10:00:00"),
    "create: no start": (create(type=3, start_date=None), "start_date", "None"),
    "create: unknown zone": (create(time_zone="Mars/Base"), "time_zone", "Mars/Base"),
    "create: unknown type": (create(type=99), "type", "99"),
    "create: type no digits": (create(type="scheduled"), "type", "scheduled"),
    "create: no type": (create(type=None), "type", "None"),
    "create: no title": (create(title=None), "title", "None"),
    "create: no description": (create(description=None), "description", "None"),
    "create: duration no number": (create(duration="half an hour"), "duration", "half an hour"),
    "create: recurrence of an instant meeting": (create(type=1, recurrence=WEEKLY), "recurrence", ""),
    "create: recurrence of a scheduled meeting": (create(type=2, recurrence=WEEKLY), "recurrence", ""),
    "create: attendees no list": (create(attendees=7), "attendees", "7"),
    "create: no meeting": (lambda client: client.meetings.create({"title": "t"}), "meeting", "title"),
    "update: naive start": (update(start_date=NAIVE), "start_date", "2026"),
    "update: unknown zone": (update(time_zone="Mars/Base"), "time_zone", "Mars/Base"),
    "update: unknown type": (update(type=99), "type", "99"),
    "update: recurrence of a scheduled meeting": (update(type=2, recurrence=WEEKLY), "recurrence", ""),
    "update: nothing": (update(), "", ""),
    "update: nothing but unset": (update(title=UNSET), "", ""),
}
RECURRENCES = {
    "type": (recur(type="yearly"), "type", "yearly"),
    "interval 0": (recur(interval=0), "interval", "0"),
    "interval '0'": (recur(interval="0"), "interval", "0"),
    "interval -1": (recur(interval=-1), "interval", "-1"),
    "interval no digits": (recur(interval="two"), "interval", "two"),
    "naive start": (recur(start_date=NAIVE), "start_date", "2026"),
    "naive end": (recur(end_date=NAIVE), "end_date", "2026"),
    "start after end": (recur(start_date=AWARE, end_date=AWARE - timedelta(days=1)), "_date", "2026"),
    "day 32": (recur("monthly", day_of_month=32), "day_of_month", "32"),
    "day '32'": (recur("monthly", day_of_month="32"), "day_of_month", "32"),
    "day 0": (recur("monthly", day_of_month=0), "day_of_month", "0"),
    "month 13": (recur("monthly", day_of_month=1, month=13), "month", "13"),
    "month 0": (recur("monthly", day_of_month=1, month=0), "month", "0"),
    "no day": (recur(days_of_week=["wendsday"]), "days_of_week", "wendsday"),
    "no day among days": (recur(days_of_week=["monday", "x"]), "days_of_week", "x"),
    "one day, no list": (recur(days_of_week="monday"), "days_of_week", "monday"),
    "daily with days": (recur("daily", days_of_week=["monday"]), "days_of_week", "monday"),
    "daily with day": (recur("daily", day_of_month=1), "day_of_month", "1"),
    "weekly with day": (recur("weekly", day_of_month=1), "day_of_month", "1"),
    "monthly with days": (recur("monthly", days_of_week=["monday"]), "days_of_week", "monday"),
    "daily with month": (recur("daily", month=1), "month", "1"),
    "weekly with month": (recur("weekly", month=1), "month", "1"),
}
LISTINGS = {
    f"{name}: {what}": (call(**query), field, got)
    for name, call in (("list", listed), ("iter_all", walked))
    for what, query, field, got in (
        ("datetime as start", {"start_date": AWARE}, "start_date", "2026"),
        ("naive datetime as end", {"end_date": NAIVE}, "end_date", "2026"),
        ("number as start", {"start_date": 20260101}, "start_date", "20260101"),
        ("start after end", {"start_date": date(2026, 2, 1), "end_date": date(2026, 1, 31)}, "_date", "2026"),
        ("no day", {"start_date": "yesterday"}, "start_date", "yesterday"),
        ("a day with a word", {"end_date": "1 Jan 2026"}, "end_date", "1 Jan 2026"),
        ("a moment as text", {"start_date": "2026-01-31T09:00:00Z"}, "start_date", "2026-01-31T09:00:00Z"),
        ("no day of the calendar", {"end_date": "2026-02-30"}, "end_date", "2026-02-30"),
        ("digits alone", {"start_date": "31012026"}, "start_date", "31012026"),
        ("other digits", {"start_date": "\u0660\u0661-\u0660\u0661-\u0662\u0660\u0662\u0666"}, "start_date", ""),
        ("a line more", {"start_date": "01-31-2026\nx"}, "start_date", "x"),
        ("ISO start after end", {"start_date": "2026-02-01", "end_date": date(2026, 1, 31)}, "_date", "2026"),
        ("bad type", {"type": "sheduled"}, "type", "sheduled"),
        ("number as type", {"type": 2}, "type", "2"),
        ("empty account id", {"account_id": ""}, "account_id", ""),
    )
}
CALLS = {
    "size 0": (listed(max_results=0), "max_results", "0"),
    "size -1": (listed(max_results=-1), "max_results", "-1"),
    "size no number": (listed(max_results="many"), "max_results", "many"),
    "page 0": (listed(page_number=0), "page_number", "0"),
    "page and token": (listed(page_number=2, next_page_token="t"), "page", ""),
    "walk: size 0": (walked(page_size=0), "page_size", "0"),
    "walk: size -300": (walked(page_size=-300), "page_size", "-300"),
    "walk: restarts -1": (walked(max_restarts=-1), "max_restarts", "-1"),
    "walk: expired": (walked(on_expired="ignore"), "on_expired", "ignore"),
    "get: empty id": (lambda client: client.meetings.get(""), "meeting_id", ""),
    "get: none": (lambda client: client.meetings.get(None), "meeting_id", "None"),
    "get: fraction": (lambda client: client.meetings.get(1.5), "meeting_id", "1.5"),
    "delete: true": (lambda client: client.meetings.delete(True), "meeting_id", "True"),
    "delete: empty id": (lambda client: client.meetings.delete(""), "meeting_id", ""),
    "update: empty id": (lambda client: client.meetings.update("", MeetingUpdate(title="x")), "meeting_id", ""),
    "connect: empty code": (lambda client: client.accounts.connect(code="", name="Ada"), "code", ""),
    "view: empty account id": (lambda client: client.for_account(""), "account_id", ""),
}
CASES = {**MEETINGS, **{f"recurrence: {name}": case for name, case in RECURRENCES.items()}, **LISTINGS, **CALLS}


@pytest.mark.parametrize(("call", "field", "got"), CASES.values(), ids=CASES)
async def test_refused(call: Callable[[PyasClient], Any], field: str, got: str) -> None:
    """Input that the service would refuse raises InvalidArgumentError with the reason, and nothing is sent."""
    service = Service()
    async with service.client() as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await call(client)
    error = caught.value
    assert isinstance(error, ValueError)
    assert field in error.field
    assert error.expected
    assert got in str(error.got)
    assert error.field in str(error)
    assert error.expected in str(error)
    assert [] == service.requests


@pytest.mark.parametrize("query", [{"page_size": 0}, {"type": "x"}, {"start_date": AWARE}, {"account_id": ""}])
async def test_iter_all_refuses_when_called(query: dict[str, Any]) -> None:
    """The arguments of iter_all are checked when it is called, not when it is first iterated."""
    async with Service().client() as client:
        with pytest.raises(InvalidArgumentError):
            client.meetings.iter_all(**query)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.meetings.list(),
        lambda client: client.meetings.iter_all(),
        lambda client: client.meetings.get(81),
        lambda client: client.meetings.delete(81),
        create(),
        update(title="x"),
    ],
    ids=["list", "iter_all", "get", "delete", "create", "update"],
)
async def test_no_account(call: Callable[[PyasClient], Any]) -> None:
    """Without an account id, neither of the call nor of the client, a call is refused."""
    service = Service()
    async with service.client(account_id=None) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await call(client)
    assert ("account_id", []) == (caught.value.field, service.requests)


def calls_with_account() -> list[str]:
    """Return the names of the calls that take an account."""
    methods = inspect.getmembers(Meetings, inspect.isfunction)
    return [name for name, method in methods if name[0] != "_" and "account_id" in inspect.signature(method).parameters]


NEW = MeetingCreate(type=2, title="t", description="", start_date=AWARE)
BESIDE: dict[str, list[Any]] = {
    "changes": [],
    "create": [NEW],
    "create_many": [[NEW]],
    "delete": [81],
    "delete_many": [[81]],
    "get": [81],
    "get_many": [[81]],
    "iter_all": [],
    "list": [],
    "update": [81, MeetingUpdate(title="x")],
    "update_many": [{81: MeetingUpdate(title="x")}],
}
"""The other arguments of each call that takes an account."""


@pytest.mark.parametrize("bound", ["client", "environment", "view", "options", None])
@pytest.mark.parametrize("name", calls_with_account())
async def test_account_none(name: str, bound: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is ``None`` is refused in every call: it never means the account that the client is bound to."""
    service = Service()
    if bound == "environment":
        monkeypatch.setenv("PYAS_ACCOUNT_ID", "another-tenant")
    async with service.client(account_id="another-tenant" if bound in ("client", "options") else None) as client:
        view = client.for_account("another-tenant") if bound == "view" else client
        view = view.with_options(retry=None) if bound == "options" else view
        with pytest.raises(InvalidArgumentError) as caught:
            made = getattr(view.meetings, name)(*BESIDE[name], account_id=None)
            assert inspect.iscoroutine(made), "bulk calls and iterations are refused at once"
            await made
    assert ("account_id", "None") == (caught.value.field, caught.value.got)
    assert "leave account_id out" in str(caught.value)
    assert [] == service.requests


async def test_account_none_of_a_view() -> None:
    """A view of the account ``None`` is refused at once."""
    nothing: Any = None
    async with Service().client() as client:
        with pytest.raises(InvalidArgumentError, match="account_id: expected the id of a connected account, got None"):
            client.for_account(nothing)


async def test_account_none_of_a_resumed_listing() -> None:
    """An account that is ``None`` does not stand for that of a checkpoint either."""
    nothing: Any = None
    async with Service().client() as client:
        checkpoint = client.meetings.iter_all(account_id="acc").checkpoint()
        assert "'acc'" in repr(client.meetings.iter_all(resume=checkpoint, account_id="acc"))
        with pytest.raises(InvalidArgumentError, match="account_id"):
            client.meetings.iter_all(resume=checkpoint, account_id=nothing)


async def test_no_account_of_changes() -> None:
    """A round without any account says how to give one; one that continues takes that of its state."""
    async with Service().client(account_id=None) as client:
        with pytest.raises(InvalidArgumentError, match="Give account_id="):
            client.meetings.changes()
        state = client.meetings.changes(account_id="acc").state
        assert "acc" == client.meetings.changes(since=str(state)).state.account_id


async def test_account_unset() -> None:
    """``UNSET`` is as if the account were left out: that of the client."""
    service = Service(listing([]))
    async with service.client(account_id="own") as client:
        await client.meetings.list(account_id=UNSET)
    assert ["own"] == [request.url.params["accountId"] for request in service.requests]


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: MeetingCreate(type=2, title="t", description="", start_date=NAIVE), "start_date"),
        (lambda: MeetingUpdate(time_zone="Mars/Base"), "time_zone"),
        (lambda: Recurrence(type="monthly", interval=1, day_of_month=32), "day_of_month"),
        (lambda: Attendee(""), "email"),
    ],
)
def test_refused_when_built(build: Callable[[], object], field: str) -> None:
    """An invalid model is refused when it is made."""
    with pytest.raises(InvalidArgumentError) as caught:
        build()
    assert field in caught.value.field


@pytest.mark.parametrize("missing", ["title", "start_date"])
def test_required(missing: str) -> None:
    """Title and start have no default."""
    fields: dict[str, Any] = {"type": 3, "title": "t", "description": "", "start_date": AWARE}
    del fields[missing]
    with pytest.raises((TypeError, InvalidArgumentError), match=missing):
        MeetingCreate(**fields)


@pytest.mark.parametrize("same", [date(2026, 1, 1), "01-01-2026"])
async def test_not_refused(same: date | str) -> None:
    """A range of one day is accepted, and dates that are strings are not compared."""
    service = Service(listing([]))
    async with service.client() as client:
        await client.meetings.list(start_date=same, end_date=same)
        await client.meetings.list(start_date="12-31-2026", end_date="01-01-2025")
    assert 2 == len(service.requests)
