"""One meeting: get, update and delete, by id and by every kind of uuid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from sandbox.tools import create, keys

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

# The keys of the page's example, in its order.
PAGE_KEYS = [
    "uuid",
    "id",
    "host_id",
    "host_email",
    "assistant_id",
    "topic",
    "type",
    "status",
    "start_time",
    "duration",
    "timezone",
    "agenda",
    "created_at",
    "start_url",
    "join_url",
    "password",
    "h323_password",
    "pstn_password",
    "encrypted_password",
    "settings",
    "pre_schedule",
]


async def get(client: httpx.AsyncClient, account: str, path: str) -> httpx.Response:
    """Call the get endpoint with an encoded path."""
    return await client.get(f"/zoom/meetings/{path}?accountId={account}")


async def patch(client: httpx.AsyncClient, account: str, meeting: object, **changes: object) -> httpx.Response:
    """Call the update endpoint."""
    return await client.patch(f"/zoom/meetings/{meeting}", json={"accountId": account, "meetingData": changes})


def row_of(sandbox: Sandbox, account: str, kind: int) -> dict[str, Any]:
    """Return the first row of a type."""
    return next(row for row in sandbox.rows(account) if row["type"] == kind)


async def test_get_every_id(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Every listed meeting has a detail that agrees with its first row."""
    for row in sandbox.rows(account):
        answer = await get(client, account, row["id"])
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "meeting": sandbox.document(account, row["id"])}
        assert answer.json()["meeting"]["topic"] == row["topic"]


async def test_get_every_uuid(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Every uuid is found, encoded once if that is enough, and encoded twice in any case."""
    for row in sandbox.rows(account):
        uuid = row["uuid"]
        once = quote(uuid, safe="")
        needs_two = uuid.startswith("/") or "//" in uuid
        answers = [await get(client, account, path) for path in (once, quote(once, safe=""))]
        assert [answer.status_code for answer in answers] == [404 if needs_two else 200, 200]
        assert answers[1].json()["meeting"]["uuid"] == uuid


async def test_unknown_meeting(client: httpx.AsyncClient, account: str) -> None:
    """An unknown meeting is not found, with Zoom's response."""
    body = {"accountId": account, "meetingData": {"title": "Other"}}
    query = {"accountId": account}
    for reference, name in (("12", "12"), ("9" * 30, "9" * 30), ("a%2Fb%3D%3D", "a/b==")):
        for answer in (
            await client.get(f"/zoom/meetings/{reference}", params=query),
            await client.patch(f"/zoom/meetings/{reference}", json=body),
            await client.delete(f"/zoom/meetings/{reference}", params=query),
        ):
            assert (answer.status_code, answer.json()) == (
                404,
                {"code": 3001, "message": f"Meeting does not exist: {name}."},
            )


async def test_meeting_of_another_account(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """One account does not see another's meetings."""
    other = sandbox.account_ids[1]
    assert (await get(client, other, sandbox.rows(account)[0]["id"])).status_code == 404


async def test_detail_has_the_keys_of_the_page(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """The detail of a scheduled meeting has the fields of the page's example, in its order, and its 35 settings."""
    made = (await create(client, account)).json()["data"]
    assert list(made) == PAGE_KEYS
    assert len(made["settings"].keys() - {"meeting_invitees"}) == 35
    assert made["encrypted_password"] == made["join_url"].partition("pwd=")[2] != ""


async def test_agenda_is_cut_in_rows(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A row has 250 characters of an agenda, the detail all."""
    made = (await create(client, account, description="é" * 2000)).json()["data"]
    assert (made["agenda"], sandbox.rows(account)[-1]["agenda"]) == ("é" * 2000, "é" * 250)
    await patch(client, account, made["id"], title="Other")
    assert sandbox.document(account, made["id"])["agenda"] == "é" * 2000


async def test_status_follows_the_clock(sandbox: Sandbox, account: str) -> None:
    """A running meeting is `started`, another one `waiting`."""
    row = sandbox.add_meeting(account, {"start_time": "2026-11-22T08:00:00Z", "duration": 30})
    assert sandbox.document(account, row["id"])["status"] == "started"
    assert sandbox.document(account, sandbox.add_meeting(account)["id"])["status"] == "waiting"


async def test_update_merges(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """An update changes the named fields and no other, in the row and in the detail."""
    made = (await create(client, account)).json()["data"]
    row = sandbox.rows(account)[-1]
    answer = await patch(client, account, made["id"], title="Other", duration=45, waitingRoom=False)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    settings = made["settings"] | {"waiting_room": False}
    assert sandbox.document(account, made["id"]) == made | {"topic": "Other", "duration": 45, "settings": settings}
    assert sandbox.rows(account)[-1] == row | {"topic": "Other", "duration": 45}
    assert len(sandbox.rows(account)) == 101


async def test_update_of_every_field(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Each field of the page can be changed."""
    made = (await create(client, account)).json()["data"]
    await patch(
        client, account, made["id"], description="New", startDate="2027-01-02T03:04:05+01:00", timeZone="Asia/Tokyo",
        attendees=[{"email": "a@example.com"}],
    )  # fmt: skip
    now = sandbox.document(account, made["id"])
    assert (now["agenda"], now["start_time"], now["timezone"]) == ("New", "2027-01-02T02:04:05Z", "Asia/Tokyo")
    assert now["settings"]["meeting_invitees"] == [{"email": "a@example.com"}]


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 8, 10])
async def test_update_of_a_generated_meeting(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, kind: int
) -> None:
    """A meeting of any type can be renamed; all of its rows show it, and keep their positions."""
    meeting = row_of(sandbox, account, kind)["id"]
    before = sandbox.rows(account)
    await patch(client, account, meeting, title="Other")
    expected = [row | {"topic": "Other"} if row["id"] == meeting else row for row in before]
    assert sandbox.rows(account) == expected


async def test_update_by_uuid(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A uuid also names a meeting for an update and a delete."""
    row = next(row for row in sandbox.rows(account) if row["uuid"].startswith("/"))
    path = quote(quote(row["uuid"], safe=""), safe="")
    assert (await patch(client, account, path, title="Other")).status_code == 200
    assert sandbox.document(account, row["uuid"])["topic"] == "Other"
    assert (await client.delete(f"/zoom/meetings/{path}?accountId={account}")).status_code == 200
    assert row["id"] not in {other["id"] for other in sandbox.rows(account)}


async def test_delete_removes_the_series(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A delete removes every row of a series, and no other; a second one finds nothing."""
    meeting = row_of(sandbox, account, 8)["id"]
    before = sandbox.rows(account)
    first = await client.delete(f"/zoom/meetings/{meeting}", params={"accountId": account})
    second = await client.delete(f"/zoom/meetings/{meeting}", params={"accountId": account})
    assert (first.status_code, first.json(), second.status_code) == (200, {"success": True}, 404)
    assert keys(sandbox.rows(account)) == keys(row for row in before if row["id"] != meeting)
    assert len(before) - len(sandbox.rows(account)) > 1


@pytest.mark.parametrize(
    ("how", "status", "text"), [("success", 200, '{"success":true}'), ("empty", 200, ""), ("no_content", 204, "")]
)
async def test_answers_of_writes(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, how: str, status: int, text: str
) -> None:
    """Update and delete respond as configured."""
    for name in ("update_answer", "delete_answer"):
        setattr(sandbox, name, how)
    meeting = sandbox.rows(account)[0]["id"]
    changed = await patch(client, account, meeting, title="Other")
    deleted = await client.delete(f"/zoom/meetings/{meeting}", params={"accountId": account})
    assert [(answer.status_code, answer.text) for answer in (changed, deleted)] == [(status, text)] * 2


async def test_update_answers_the_meeting(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """An update can return the meeting in its new state."""
    sandbox.update_answer = "meeting"
    meeting = sandbox.rows(account)[0]["id"]
    answer = await patch(client, account, meeting, title="Other")
    assert answer.json() == {"success": True, "meeting": sandbox.document(account, meeting)}
    assert answer.json()["meeting"]["topic"] == "Other"


@pytest.mark.parametrize(
    "document", [{}, {"id": 2**63 - 1, "uuid": "x", "type": 99, "strange": [1]}, {"agenda": "a" * 300}]
)
async def test_added_meeting_is_served(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, document: dict[str, Any]
) -> None:
    """A document added by a test is listed and returned unchanged, with an id and a uuid if it had none."""
    row = sandbox.add_meeting(account, document, at=2)
    assert sandbox.rows(account)[2] == row
    detail = (await get(client, account, row["id"])).json()["meeting"]
    assert json.dumps(document) == json.dumps({name: detail[name] for name in document})


async def test_lookups_that_fail(sandbox: Sandbox, account: str) -> None:
    """A failed lookup names what is missing."""
    with pytest.raises(LookupError, match="no meeting 12"):
        sandbox.document(account, 12)
    with pytest.raises(LookupError, match="unknown account id 'unknown'"):
        sandbox.rows("unknown")
    with pytest.raises(IndexError, match="got 100"):
        sandbox.remove_row(account, 100)
    with pytest.raises(IndexError, match="got -1"):
        sandbox.remove_row(account, -1)


@pytest.mark.parametrize("name", ["id", "uuid", "topic", "type", "start_time", "duration", "timezone", "agenda"])
@pytest.mark.parametrize("value", [None, 1.5, True, "odd", [], {}, 2**70, -1], ids=repr)
async def test_odd_rows_can_be_added(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, name: str, value: object
) -> None:
    """A test can add a row with any value in any field; it is listed as it was added, with and without filters."""
    sandbox.add_meeting(account, {"id": 81, "start_time": "2026-12-01T10:00:00Z", name: value})

    for more in ("", "&startDate=01-01-2026&endDate=12-31-2027"):
        response = await client.get(f"/zoom/meetings?accountId={account}&maxResults=300{more}")
        assert 200 == response.status_code
        listed = [row for row in response.json()["data"]["meetings"] if row.get(name) == value]
        assert listed or more
