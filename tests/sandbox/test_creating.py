"""Create: the refusals and the results of the fields; and the refusals of an update."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.tools import WEEKLY, create

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", 4), ("type", "2"), ("type", True), ("type", 2.5), ("title", ""), ("title", " "), ("title", "a" * 201),
        ("title", "\ufeff\u3000\n"),
        ("title", None), ("description", None), ("description", "a" * 2001), ("startDate", "2026-12-01"),
        ("startDate", "2026-12-01T10:00:00"), ("startDate", "2026-13-01T10:00:00Z"), ("startDate", 5),
        ("duration", 0), ("duration", "30"), ("duration", True), ("timeZone", "Europe"), ("timeZone", "Mars/Base"),
        ("timeZone", ""), ("timeZone", "../UTC"), ("timeZone", 1),
        ("waitingRoom", "yes"), ("attendees", {}), ("recurrence", WEEKLY),
    ],
)  # fmt: skip
async def test_bad_field(sandbox: Sandbox, client: httpx.AsyncClient, account: str, field: str, value: object) -> None:
    """An invalid field is refused by name, with its value; nothing is created."""
    answer = await create(client, account, **{field: value})
    entry = {"msg": "Invalid value", "param": f"meetingData.{field}", "location": "body", "value": value}
    assert (answer.status_code, answer.json()) == (400, {"errors": [entry]})
    assert len(sandbox.rows(account)) == 100


async def test_control_characters(client: httpx.AsyncClient, account: str) -> None:
    """A title of characters that JavaScript does not treat as white space is not blank."""
    assert "\u001f" == (await create(client, account, title="\u001f")).json()["data"]["topic"]


async def test_whole_numbers(client: httpx.AsyncClient, account: str) -> None:
    """JSON has one kind of number: a whole one may be written with a point."""
    made = (await create(client, account, type=2.0, duration=45.0)).json()["data"]
    assert ("2", "45") == (str(made["type"]), str(made["duration"]))


@pytest.mark.parametrize("field", ["type", "title", "description", "startDate"])
async def test_missing_field(client: httpx.AsyncClient, account: str, field: str) -> None:
    """A missing required field is named, without a value."""
    answer = await create(client, account, **{field: ...})
    entry = {"msg": "Invalid value", "param": f"meetingData.{field}", "location": "body"}
    assert (answer.status_code, answer.json()) == (400, {"errors": [entry]})


@pytest.mark.parametrize("data", [..., None, [], "text"])
async def test_no_meeting_data(client: httpx.AsyncClient, account: str, data: object) -> None:
    """Without an object under `meetingData`, there is one fault."""
    body = {"accountId": account} | ({} if data is ... else {"meetingData": data})
    answer = await client.post("/zoom/meetings", json=body)
    assert [entry["param"] for entry in answer.json()["errors"]] == ["meetingData"]


async def test_bad_attendees(client: httpx.AsyncClient, account: str) -> None:
    """Each invalid attendee is named by its index."""
    answer = await create(client, account, attendees=[{"email": "a@b"}, {"email": "x"}, {}, "a@b"])
    assert [entry["param"] for entry in answer.json()["errors"]] == [
        f"meetingData.attendees[{n}].email" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"type": "yearly"}, "type"), ({"type": {}}, "type"), ({"type": ...}, "type"), ({"interval": 0}, "interval"),
        ({"interval": ...}, "interval"), ({"interval": "x"}, "interval"), ({"dayOfMonth": 3}, "dayOfMonth"),
        ({"daysOfWeek": ["Wednesday"]}, "daysOfWeek"), ({"daysOfWeek": []}, "daysOfWeek"),
        ({"type": "monthly"}, "daysOfWeek"), ({"month": 13}, "month"), ({"startDate": 1}, "startDate"),
        ({"endDate": "soon"}, "endDate"), ({"endDate": "2026-01-01T00:00:00Z"}, "endDate"),
        ({"type": "monthly", "daysOfWeek": ..., "dayOfMonth": 32}, "dayOfMonth"),
    ],
)  # fmt: skip
async def test_bad_recurrence(client: httpx.AsyncClient, account: str, changes: dict[str, object], param: str) -> None:
    """A recurrence's field that is invalid, or does not belong to its type, is refused."""
    recurrence = {name: value for name, value in (WEEKLY | changes).items() if value is not ...}
    answer = await create(client, account, type=8, recurrence=recurrence)
    assert [entry["param"] for entry in answer.json()["errors"]] == [f"meetingData.recurrence.{param}"]


async def test_recurrence_that_is_no_object(client: httpx.AsyncClient, account: str) -> None:
    """A recurrence that is not an object is refused as a whole."""
    answer = await create(client, account, type=8, recurrence="weekly")
    assert [entry["param"] for entry in answer.json()["errors"]] == ["meetingData.recurrence"]


async def test_created(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A created meeting is returned, can be read, and is at the end of the listing."""
    answer = await create(client, account, timeZone="Europe/Berlin", startDate="2026-12-01T10:00:00+01:00")
    made = answer.json()["data"]
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert (made["topic"], made["agenda"], made["type"]) == ("Test Meeting", "This is an example meeting", 2)
    assert (made["start_time"], made["duration"], made["timezone"]) == ("2026-12-01T09:00:00Z", 30, "Europe/Berlin")
    assert (made["settings"]["waiting_room"], made["created_at"]) == (True, "2026-11-22T08:11:36Z")
    assert made["settings"]["meeting_invitees"] == [{"email": "example@gmail.com"}]
    assert sandbox.document(account, made["id"]) == sandbox.document(account, made["uuid"]) == made
    row = sandbox.rows(account)[-1]
    assert row == {name: made[name] for name in row}
    assert list(row) == [
        "uuid",
        "id",
        "host_id",
        "topic",
        "type",
        "start_time",
        "duration",
        "timezone",
        "agenda",
        "created_at",
        "join_url",
    ]


async def test_defaults(client: httpx.AsyncClient, account: str) -> None:
    """The default duration is half an hour; the description may be empty; attendees are optional."""
    answer = await create(client, account, duration=..., description="", waitingRoom=..., attendees=...)
    made = answer.json()["data"]
    assert (made["duration"], made["agenda"], made["settings"]["meeting_invitees"]) == (30, "", [])


@pytest.mark.parametrize("kind", [1, 3])
async def test_types_without_a_start(sandbox: Sandbox, client: httpx.AsyncClient, account: str, kind: int) -> None:
    """Instant meetings and series without fixed times have no start."""
    made = (await create(client, account, type=kind)).json()["data"]
    assert "start_time" not in made
    assert "start_time" not in sandbox.rows(account)[-1]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"recurrence": WEEKLY}, "recurrence"),
        ({"title": ""}, "title"),
        ({"type": 5}, "type"),
        ({"duration": None}, "duration"),
    ],
)
async def test_bad_update(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, changes: dict[str, object], param: str
) -> None:
    """An update is checked like a create, with the type of the meeting."""
    made = (await create(client, account)).json()["data"]
    answer = await client.patch(f"/zoom/meetings/{made['id']}", json={"accountId": account, "meetingData": changes})
    assert (answer.status_code, [entry["param"] for entry in answer.json()["errors"]]) == (
        400,
        [f"meetingData.{param}"],
    )
    assert sandbox.document(account, made["id"]) == made


async def test_update_without_changes(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """An empty update changes nothing."""
    before = sandbox.rows(account)
    answer = await client.patch(f"/zoom/meetings/{before[0]['id']}", json={"accountId": account, "meetingData": {}})
    assert (answer.status_code, sandbox.rows(account)) == (200, before)
