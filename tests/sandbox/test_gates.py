"""The checks before every call: the key, the account, the limits, and unknown routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.tools import DAY, NOW, Clock, client_of, create, list_page, meeting_data

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NO_ACCOUNT = {"success": False, "error": "Invalid account id. Account Not Found", "code": 404}


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_wrong_key(sandbox: Sandbox, account: str, key: str) -> None:
    """A request with a wrong key is refused, and logged as such."""
    async with client_of(sandbox, key) as client:
        answer = await list_page(client, account)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized. Invalid API key."})
    assert [request.status for request in sandbox.requests] == [401]


async def test_no_key(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A request without a key is refused."""
    del client.headers["x-api-key"]
    assert (await list_page(client, account)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/zoom/meetings"), ("GET", "/zoom/meetings/1"), ("DELETE", "/zoom/meetings/1")]
)
async def test_account_in_the_query(client: httpx.AsyncClient, method: str, path: str) -> None:
    """GET and DELETE need the account in the query: a missing one is a fault, an unknown one is not found."""
    missing = await client.request(method, path)
    unknown = await client.request(method, path, params={"accountId": "unknown"})
    entry = {"msg": "Invalid value", "param": "accountId", "location": "query"}
    assert (missing.status_code, missing.json()) == (400, {"errors": [entry]})
    assert (unknown.status_code, unknown.json()) == (404, NO_ACCOUNT)


@pytest.mark.parametrize(("method", "path"), [("POST", "/zoom/meetings"), ("PATCH", "/zoom/meetings/1")])
async def test_account_in_the_body(client: httpx.AsyncClient, account: str, method: str, path: str) -> None:
    """POST and PATCH need the account in the body, and ignore the query."""
    data = meeting_data()
    missing = await client.request(method, path, params={"accountId": account}, json={"meetingData": data})
    unknown = await client.request(method, path, json={"accountId": "unknown", "meetingData": data})
    entry = {"msg": "Invalid value", "param": "accountId", "location": "body"}
    assert (missing.status_code, missing.json()) == (400, {"errors": [entry]})
    assert (unknown.status_code, unknown.json()) == (404, NO_ACCOUNT)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/zoom"),
        ("GET", "/zoom/meetings/"),
        ("GET", "/zoom/meetings/a/b"),
        ("PUT", "/zoom/nothing"),
    ],
)
async def test_unknown_route(client: httpx.AsyncClient, method: str, path: str) -> None:
    """An unknown path is not found."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"success": False, "error": "Not Found", "code": 404})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/zoom/meetings", "GET, POST"),
        ("POST", "/zoom/meetings/1", "GET, PATCH, DELETE"),
        ("DELETE", "/zoom/connect", "POST"),
        ("POST", "/zoom/oauth", "GET"),
    ],
)
async def test_method_not_allowed(client: httpx.AsyncClient, method: str, path: str, allowed: str) -> None:
    """A method that a path does not support is refused, with the supported ones."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, 405, allowed)


async def test_any_text_is_an_id(client: httpx.AsyncClient, account: str) -> None:
    """Any text is accepted as an id and looked up, even a line break."""
    answer = await client.get("/zoom/meetings/a%0Ab", params={"accountId": account})
    assert (answer.status_code, answer.json()) == (404, {"code": 3001, "message": "Meeting does not exist: a\nb."})


async def test_malformed_body(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """A body that is not JSON is a fault of the request."""
    for content in (b'{"accountId": ', b'{"accountId": NaN}', b"\xff", b"[" * 100_000):
        answer = await client.post("/zoom/meetings", content=content)
        assert (answer.status_code, [entry["location"] for entry in answer.json()["errors"]]) == (400, ["body"])
    assert [(None, True)] * 4 == [(request.body, request.malformed) for request in sandbox.requests]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"'])
async def test_body_that_is_no_object(client: httpx.AsyncClient, body: bytes) -> None:
    """A body that is not an object lacks every field."""
    answer = await client.post("/zoom/meetings", content=body)
    assert [entry["param"] for entry in answer.json()["errors"]] == ["accountId", "meetingData"]


async def test_rate_limit(sandbox: Sandbox, client: httpx.AsyncClient, account: str, clock: Clock) -> None:
    """The developer plan has 100 calls in a window that begins with its first call; the next window has 100 again."""
    sandbox.plan = "developer"
    first = await list_page(client, account, maxResults=1)
    clock.now += 10.25
    within = [await list_page(client, account, maxResults=1) for _ in range(99)]
    over = await list_page(client, account)
    clock.now += float(over.headers["retry-after"])
    again = await list_page(client, account)

    assert first.headers["x-ratelimit-limit"] == "100"
    assert first.headers["x-ratelimit-remaining"] == "99"
    assert first.headers["x-ratelimit-reset"] == "Sun Nov 22 2026 08:16:36 GMT+0000 (Coordinated Universal Time)"
    assert "retry-after" not in first.headers
    assert [answer.status_code for answer in within] == [200] * 99
    assert within[-1].headers["x-ratelimit-remaining"] == "0"
    body = {"message": "Too many requests! Please try again later.", "code": 429, "error": "Rate limit exceeded"}
    assert (over.status_code, over.json()) == (429, body)
    assert (over.headers["retry-after"], over.headers["x-ratelimit-remaining"]) == ("289.750", "0")
    assert (again.status_code, again.headers["x-ratelimit-remaining"]) == (200, "99")
    assert (await client.get("/_sandbox/stats")).json()["rate_limited"] == 1


async def test_rate_limit_on_errors(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """Every call with the key counts and gets the headers, even a failed one; a call without the key does neither."""
    sandbox.plan = "growth"
    refused = await client.get("/zoom/meetings", headers={"x-api-key": "wrong"})
    failed = await client.get("/nowhere")
    assert "x-ratelimit-limit" not in refused.headers
    assert (failed.headers["x-ratelimit-limit"], failed.headers["x-ratelimit-remaining"]) == ("3000", "2999")


@pytest.mark.parametrize(("plan", "limit"), [("growth", "3000"), ("scale", "5000"), ("none", None)])
async def test_plans(sandbox: Sandbox, client: httpx.AsyncClient, plan: str, limit: str | None) -> None:
    """Each plan has its own limit."""
    setattr(sandbox, "plan", plan)  # noqa: B010 - the parameter is text
    answer = await client.get("/nowhere")
    assert answer.headers.get("x-ratelimit-limit") == limit


async def test_daily_writes(sandbox: Sandbox, client: httpx.AsyncClient, account: str, clock: Clock) -> None:
    """Creates and updates share Zoom's limit per account and UTC day; its 429 has no headers."""
    sandbox.daily_writes = 2
    sandbox.plan = "none"
    meeting = (await create(client, account)).json()["data"]["id"]
    update = {"accountId": account, "meetingData": {"title": "Other"}}
    changed = await client.patch(f"/zoom/meetings/{meeting}", json=update)
    over = [await create(client, account), await client.patch(f"/zoom/meetings/{meeting}", json=update)]
    other = await create(client, sandbox.account_ids[1])
    clock.now = (NOW // DAY + 1) * DAY
    tomorrow = await create(client, account)

    assert (changed.status_code, other.status_code, tomorrow.status_code) == (200, 200, 200)
    for answer in over:
        assert answer.status_code == 429
        assert answer.json()["code"] == 429
        assert answer.json()["message"].startswith("You have exceeded the daily rate limit of (2) for Meeting Create")
        assert not [name for name in answer.headers if name.startswith(("x-ratelimit", "retry"))]
    assert len(sandbox.rows(account)) == 102


async def test_daily_writes_off(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Without the daily limit, the number of writes is not bounded."""
    sandbox.daily_writes = 0
    limited = await create(client, account)
    sandbox.daily_writes = None
    assert (limited.status_code, (await create(client, account)).status_code) == (429, 200)


async def test_date_header(client: httpx.AsyncClient, account: str) -> None:
    """Every response has the date of the sandbox's clock."""
    assert (await list_page(client, account)).headers["date"] == "Sun, 22 Nov 2026 08:11:36 GMT"
