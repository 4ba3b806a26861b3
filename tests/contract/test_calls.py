"""The seven calls: what the server gets, and what is returned, as the page documents it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from contract.tools import ACCOUNT, CREATED, DETAIL, FOUND, KEY, Reply, Service, client_of, in_process, listing, sample
from pyas_async import (
    Attendee,
    ListType,
    MeetingCreate,
    MeetingDetail,
    MeetingType,
    MeetingUpdate,
    NotFoundError,
    Recurrence,
    to_dict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async import PyasClient
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

START = datetime(2026, 12, 1, 10, tzinfo=UTC)
OK = Reply(200, {"success": True})


def new(**changes: Any) -> MeetingCreate:  # noqa: ANN401 - any field of any type
    """Make the page's example, with changes."""
    fields: dict[str, Any] = {
        "type": 2,
        "title": "Test Meeting",
        "description": "This is an example meeting",
        "start_date": START,
        "duration": 30,
        "waiting_room": True,
        "attendees": [Attendee("example@gmail.com")],
    }
    return MeetingCreate(**{name: value for name, value in (fields | changes).items() if value is not ...})


def instant(text: str) -> datetime:
    """Read an RFC 3339 time."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment


async def test_create_example() -> None:
    """The server gets the page's Meeting Data Object, with the account id."""
    service = Service(CREATED)
    async with service.client() as client:
        await client.meetings.create(new())
    [(method, path, query, body)] = service.sent
    wanted = sample("create_request")
    sent = body["meetingData"]["startDate"]
    wanted["meetingData"]["startDate"] = sent
    assert ("POST", "/zoom/meetings", {}, wanted) == (method, path, query, body)
    assert START == instant(sent)


async def test_update_example() -> None:
    """The server gets the page's Update Meeting Data Object as meetingData, with the account id beside it."""
    service = Service(OK)
    changes = MeetingUpdate(
        title="Test Meeting - Updated",
        description="This is an example meeting - updated",
        duration=30,
        waiting_room=True,
        attendees=[Attendee("example@gmail.com")],
    )
    async with service.client() as client:
        await client.meetings.update(181328421905, changes)
    body = {"accountId": ACCOUNT, "meetingData": sample("update_request")}
    assert [("PATCH", "/zoom/meetings/181328421905", {}, body)] == service.sent


async def test_recurrence_example() -> None:
    """The server gets the page's recurrence of every Wednesday."""
    service = Service(CREATED)
    end = datetime(2023, 8, 1, 22, 26, 39, 109_000, tzinfo=UTC)
    recurrence = Recurrence(type="weekly", interval=1, days_of_week=["wednesday"], end_date=end)
    async with service.client() as client:
        await client.meetings.create(new(type=8, recurrence=recurrence))
    assert sample("recurrence") == service.sent[0][3]["meetingData"]["recurrence"]


async def test_key_and_address() -> None:
    """Every request goes to https://api.pyas.io, with the key in x-api-key and nowhere else."""
    service = Service(FOUND)
    async with service.client() as client:
        await client.meetings.get(81)
        await client.meetings.update(81, MeetingUpdate(title="x"))
        await client.meetings.delete(81)
        await client.meetings.create(new())
    assert {"https://api.pyas.io"} == {f"{r.url.scheme}://{r.url.netloc.decode()}" for r in service.requests}
    assert {(KEY,)} == {tuple(r.headers.get_list("x-api-key")) for r in service.requests}
    assert not any(KEY in str(r.url) or KEY.encode() in r.content for r in service.requests)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {}),
        ({"start_date": date(2022, 1, 31)}, {"startDate": "01-31-2022"}),
        ({"end_date": date(2023, 12, 1)}, {"endDate": "12-01-2023"}),
        ({"start_date": "2022/01/31", "end_date": "31.12.2022"}, {"startDate": "2022/01/31", "endDate": "31.12.2022"}),
        ({"start_date": "2022-01-31", "end_date": "20231201"}, {"startDate": "01-31-2022", "endDate": "12-01-2023"}),
        ({"start_date": " 2022-W05-1 ", "end_date": "1-2-23"}, {"startDate": "01-31-2022", "endDate": "1-2-23"}),
        ({"next_page_token": "t/+= &"}, {"nextPageToken": "t/+= &"}),
        ({"max_results": 300}, {"maxResults": "300"}),
        ({"max_results": 301}, {"maxResults": "301"}),
        ({"page_number": 2}, {"pageNumber": "2"}),
        *[({"type": word}, {"type": word.value}) for word in ListType],
        *[({"type": word.value}, {"type": word.value}) for word in ListType],
    ],
)
async def test_list_query(given: dict[str, Any], sent: dict[str, str]) -> None:
    """Each parameter is sent under the page's name; those that were not given are not sent."""
    service = Service(listing([]))
    async with service.client() as client:
        await client.meetings.list(**given)
    assert [("GET", "/zoom/meetings", {"accountId": ACCOUNT, **sent}, None)] == service.sent


def test_list_types() -> None:
    """ListType has the page's words, with names in capitals."""
    words = ["scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"]
    assert {word.upper(): word for word in words} == {member.name: str(member) for member in ListType}


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda client: client.meetings.list(account_id="other"), "query"),
        (lambda client: client.meetings.iter_all(account_id="other").collect(), "query"),
        (lambda client: client.meetings.get(81, account_id="other"), "query"),
        (lambda client: client.meetings.delete(81, account_id="other"), "query"),
        (lambda client: client.meetings.create(new(), account_id="other"), "body"),
        (lambda client: client.meetings.update(81, MeetingUpdate(title="x"), account_id="other"), "body"),
    ],
    ids=["list", "iter_all", "get", "delete", "create", "update"],
)
async def test_place_of_account_id(call: Callable[[PyasClient], Any], place: str) -> None:
    """The account id of the call, rather than the client's, is sent in the query or the body, as the page says."""
    service = Service(Reply(200, {"success": True, "data": {"id": 81, "uuid": "u", "meetings": []}}))
    async with service.client() as client:
        await call(client)
    _, _, query, body = service.sent[0]
    found = {"query": query.get("accountId"), "body": (body or {}).get("accountId")}
    assert {"query": None, "body": None} | {place: "other"} == found


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"duration": ...}, {"duration": 30}),
        ({"duration": "45"}, {"duration": 45}),
        ({"description": ""}, {"description": ""}),
        ({"attendees": ...}, {"attendees": []}),
        ({"waiting_room": False}, {"waitingRoom": False}),
        ({"waiting_room": ...}, {"waitingRoom": ...}),
        ({"time_zone": "Europe/Berlin"}, {"timeZone": "Europe/Berlin"}),
        ({"time_zone": ZoneInfo("Asia/Tokyo")}, {"timeZone": "Asia/Tokyo"}),
        ({"time_zone": ...}, {"timeZone": ...}),
        ({"recurrence": ...}, {"recurrence": ...}),
        *[({"type": number}, {"type": number}) for number in (1, 2, 3, 8)],
        ({"type": MeetingType.RECURRING}, {"type": 3}),
    ],
)
async def test_create_fields(changes: dict[str, Any], sent: dict[str, Any]) -> None:
    """`duration` and `attendees` are always sent, other fields only if they were given; numbers are sent as numbers."""
    service = Service(CREATED)
    async with service.client() as client:
        await client.meetings.create(new(**changes))
    data = service.sent[0][3]["meetingData"]
    assert sent == {name: data.get(name, ...) for name in sent}
    assert all(type(value) is type(data[name]) for name, value in sent.items() if value is not ...)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-8)), ZoneInfo("Asia/Kolkata")])
async def test_start_is_the_same_instant(zone: Any) -> None:  # noqa: ANN401 - of three classes
    """`startDate` is RFC 3339, and the same instant as given, in any zone."""
    service = Service(CREATED)
    async with service.client() as client:
        await client.meetings.create(new(start_date=START.astimezone(zone)))
    assert START == instant(service.sent[0][3]["meetingData"]["startDate"])


@pytest.mark.parametrize(
    ("recurrence", "sent"),
    [
        (Recurrence(type="daily", interval="2"), {"type": "daily", "interval": 2}),
        (
            Recurrence(type="weekly", interval=1, days_of_week=["Monday", "FRIDAY"]),
            {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"]},
        ),
        (
            Recurrence(type="monthly", interval=1, day_of_month="15", month="6"),
            {"type": "monthly", "interval": 1, "dayOfMonth": 15, "month": 6},
        ),
        (
            Recurrence(type="monthly", interval=12, day_of_month=31, month=12),
            {"type": "monthly", "interval": 12, "dayOfMonth": 31, "month": 12},
        ),
    ],
)
@pytest.mark.parametrize("type", [3, 8])
async def test_recurrence_words(recurrence: Recurrence, sent: dict[str, object], type: int) -> None:
    """A recurrence is sent in the page's form: numbers as numbers, days in lower case."""
    service = Service(CREATED)
    async with service.client() as client:
        await client.meetings.create(new(type=type, recurrence=recurrence))
    assert sent == service.sent[0][3]["meetingData"]["recurrence"]


async def test_recurrence_start() -> None:
    """The start of a recurrence is sent as startDate."""
    service = Service(OK)
    recurrence = Recurrence(type="daily", interval=1, start_date=START, end_date=START + timedelta(days=9))
    async with service.client() as client:
        await client.meetings.update(81, MeetingUpdate(recurrence=recurrence))
    sent = service.sent[0][3]["meetingData"]["recurrence"]
    assert (START, START + timedelta(days=9)) == (instant(sent["startDate"]), instant(sent["endDate"]))


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        (MeetingUpdate(description=""), {"description": ""}),
        (MeetingUpdate(waiting_room=False), {"waitingRoom": False}),
        (MeetingUpdate(attendees=[]), {"attendees": []}),
        (MeetingUpdate(duration="15"), {"duration": 15}),
        (MeetingUpdate(type=MeetingType.SCHEDULED, time_zone="UTC"), {"type": 2, "timeZone": "UTC"}),
    ],
)
async def test_update_sends_what_was_set(changes: MeetingUpdate, sent: dict[str, object]) -> None:
    """An update sends exactly the fields that were set, also empty and false ones."""
    service = Service(OK)
    async with service.client() as client:
        await client.meetings.update("81", changes)
    assert {"accountId": ACCOUNT, "meetingData": sent} == service.sent[0][3]


@pytest.mark.parametrize(
    ("meeting_id", "path"),
    [
        (181328421905, "181328421905"),
        ("181328421905", "181328421905"),
        (2**63 - 1, "9223372036854775807"),
        ("abc==", "abc%3D%3D"),
        ("a/b+c==", "a%2Fb%2Bc%3D%3D"),
        ("/lead==", "%252Flead%253D%253D"),
        ("a//b==", "a%252F%252Fb%253D%253D"),
        ("50%?#&", "50%25%3F%23%26"),
    ],
)
async def test_ids_in_a_path(meeting_id: int | str, path: str) -> None:
    """An id is encoded whole, and twice if it is a uuid that begins with a slash or contains two in a row."""
    number = int(meeting_id) if str(meeting_id).isdigit() else 81
    service = Service(Reply(200, {"success": True, "meeting": {**DETAIL, "id": number}}))
    async with service.client() as client:
        await client.meetings.get(meeting_id)
        await client.meetings.update(meeting_id, MeetingUpdate(title="x"))
        await client.meetings.delete(meeting_id)
    assert [f"/zoom/meetings/{path}"] * 3 == [path for _, path, _, _ in service.sent]


@pytest.mark.parametrize("uuid", ["a/b==", "/lead==", "a//b==", "x+y==", "//", "a%2Fb=="])
async def test_ids_over_a_socket(world: Callable[[int], tuple[Sandbox, str]], uuid: str) -> None:
    """The service finds the meeting of a uuid with any characters."""
    sandbox, url = world(100)
    account = sandbox.account_ids[0]
    added = sandbox.add_meeting(account, {"uuid": uuid, "topic": "Odd", "type": 2})
    try:
        async with client_of(url, account_id=account) as client:
            found = await client.meetings.get(uuid)
    finally:
        sandbox.remove_row(account, 100)
    assert (added["id"], uuid) == (found.id, found.uuid)


@pytest.mark.parametrize("dots", [".", ".."])
async def test_dots_lead_nowhere(world: Callable[[int], tuple[Sandbox, str]], dots: str) -> None:
    """An id cannot lead to another path: it is refused, or not found."""
    sandbox, url = world(100)
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        with pytest.raises((NotFoundError, ValueError)):
            await client.meetings.get(dots)
    assert all(request.path.startswith("/zoom/meetings/") for request in sandbox.requests)
    assert "/zoom/meetings/" not in [request.path for request in sandbox.requests]


async def test_create_change_delete(sandbox: Sandbox) -> None:
    """A meeting is created, found by id and by uuid, changed and deleted, and each change is at the service."""
    account = sandbox.account_ids[0]
    recurrence = Recurrence(type="weekly", interval=1, days_of_week=["Monday"], end_date=START + timedelta(days=90))
    async with in_process(sandbox) as client:
        made = await client.meetings.create(new(type=8, time_zone="Europe/Berlin", recurrence=recurrence))
        by_id = await client.meetings.get(str(made.id))
        by_uuid = await client.meetings.get(made.uuid)
        await client.meetings.update(made.id, MeetingUpdate(title="Changed"))
        changed = await client.meetings.get(made.id)
        await client.meetings.delete(made.id)
        with pytest.raises(NotFoundError):
            await client.meetings.get(made.id)
    assert isinstance(made, MeetingDetail)
    assert (made.id, made.id) == (by_id.id, by_uuid.id)
    assert ("Test Meeting", "Changed") == (by_id.topic, changed.topic)
    assert made.id not in [row["id"] for row in sandbox.rows(account)]


async def test_every_kind_of_meeting(sandbox: Sandbox) -> None:
    """The detail of every generated meeting can be read, and `to_dict` returns its document unchanged."""
    account = sandbox.account_ids[0]
    numbers = {row["id"] for row in sandbox.rows(account)}
    async with in_process(sandbox) as client:
        for number in sorted(numbers):
            assert sandbox.document(account, number) == to_dict(await client.meetings.get(number))


@pytest.mark.parametrize("state", [None, "s/ä&=+ "])
async def test_oauth_url(state: str | None) -> None:
    """The address for a user comes from /zoom/oauth, which gets the state, if there is one."""
    url = "https://zoom.us/oauth/authorize?client_id=x&state=y"
    service = Service(Reply(200, {"success": True, "url": url}))
    async with service.client() as client:
        assert url == await client.accounts.oauth_url(state=state)
    assert [("GET", "/zoom/oauth", {} if state is None else {"state": state}, None)] == service.sent


async def test_connect() -> None:
    """Connecting sends the code and the name, and returns the account."""
    account = {
        "accountId": "acc-9", "email": "a@example.com", "name": "Ada", "provider": "zoom",
        "status": "active", "scopes": ["meeting:read", "meeting:write"], "new": 1,
    }  # fmt: skip
    service = Service(Reply(200, {"success": True, "data": {"account": account}}))
    async with service.client() as client:
        got = await client.accounts.connect(code="c0de", name="Ada")
    assert [("POST", "/zoom/connect", {}, {"code": "c0de", "name": "Ada"})] == service.sent
    assert ("acc-9", "a@example.com", "Ada", "zoom", "active") == (
        got.account_id, got.email, got.name, got.provider, got.status,
    )  # fmt: skip
    assert ["meeting:read", "meeting:write"] == list(got.scopes)
    assert {"new": 1} == dict(got.extra)
    assert account == to_dict(got)


async def test_connected_account_is_there(sandbox: Sandbox) -> None:
    """An account that was connected can be listed."""
    async with in_process(sandbox) as client:
        account = await client.accounts.connect(code="c0de", name="New")
        assert account.account_id in sandbox.account_ids
        page = await client.meetings.list(account_id=account.account_id)
        url = await client.accounts.oauth_url(state="s1")
    assert () == tuple(page.meetings)
    assert "state=s1" in url
