"""Page tokens: their binding, their expiry, and the responses to invalid ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import inside
from pyas_async.sandbox import EXPIRED_ANSWERS, SeenRequest
from sandbox.tools import Clock, create, flat, keys, list_all, list_page

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

EXPIRED = {"code": 300, "message": "The next page token is invalid or expired."}


async def first_token(client: httpx.AsyncClient, account: str, **query: object) -> str:
    """List the first page, and return its token."""
    token: str = (await list_page(client, account, **query)).json()["data"]["next_page_token"]
    return token


async def test_token_is_valid_until_it_expires(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, clock: Clock
) -> None:
    """A token can be used repeatedly until it expires."""
    sandbox.token_ttl = 60
    token = await first_token(client, account)
    pages = []
    for _ in range(2):
        clock.now += 29.5
        pages.append((await list_page(client, account, nextPageToken=token)).json()["data"]["meetings"])
    clock.now += 1
    expired_response = await list_page(client, account, nextPageToken=token)
    assert pages == [sandbox.rows(account)[30:60]] * 2
    assert (expired_response.status_code, expired_response.json()) == (400, EXPIRED)


async def test_expire_on_demand(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """`expire_tokens` expires the valid tokens and returns their number; later ones are valid."""
    token = await first_token(client, account)
    await first_token(client, account)
    assert [sandbox.expire_tokens(), sandbox.expire_tokens()] == [2, 0]
    assert (await list_page(client, account, nextPageToken=token)).status_code == 400
    later = await first_token(client, account)
    assert (await list_page(client, account, nextPageToken=later)).status_code == 200


async def test_dead_tokens_are_not_counted(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, clock: Clock
) -> None:
    """A token that expired by age is not counted by `expire_tokens`."""
    await first_token(client, account)
    clock.now += sandbox.token_ttl
    await first_token(client, account)
    assert sandbox.expire_tokens() == 1


@pytest.mark.parametrize(
    "other", [{"maxResults": 31}, {"type": "upcoming"}, {"startDate": "01-01-2020"}, {"endDate": "01-01-2030"}]
)
async def test_token_is_bound_to_its_query(client: httpx.AsyncClient, account: str, other: dict[str, object]) -> None:
    """A token is not valid with other filters or another page size."""
    token = await first_token(client, account)
    answer = await list_page(client, account, nextPageToken=token, **other)
    assert (answer.status_code, answer.json()) == (400, EXPIRED)


async def test_token_is_bound_to_its_account(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A token is not valid with another account."""
    token = await first_token(client, account)
    assert (await list_page(client, sandbox.account_ids[1], nextPageToken=token)).status_code == 400


async def test_old_tokens_are_forgotten(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the newest tokens are kept, so that a long-running server does not grow."""
    monkeypatch.setattr(inside.TOKENS_KEPT, 2)
    tokens = [await first_token(client, account) for _ in range(3)]
    answers = [await list_page(client, account, maxResults=30, nextPageToken=token) for token in tokens[:2]]
    assert [answer.status_code for answer in answers] == [400, 200]


async def test_empty_token(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """An empty token counts as none."""
    page = (await list_page(client, account, nextPageToken="")).json()["data"]
    assert page["meetings"] == sandbox.rows(account)[:30]


@pytest.mark.parametrize("shape", list(EXPIRED_ANSWERS))
async def test_shapes(sandbox: Sandbox, client: httpx.AsyncClient, account: str, shape: str) -> None:
    """Each configured response to an unknown token is sent as published."""
    sandbox.expired_answer = shape
    answer = await list_page(client, account, nextPageToken="unknown")
    status, body = EXPIRED_ANSWERS[shape]
    assert answer.status_code == status
    assert (answer.text if isinstance(body, str) else answer.json()) == body
    assert (await client.get("/_sandbox/stats")).json()["expired_answers"] == 1


async def test_rows_shift_under_way(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Pages are cut from the current listing: an insertion before them shifts a row onto the next page."""
    rows = sandbox.rows(account)
    token = await first_token(client, account)
    added = sandbox.add_meeting(account, at=0)
    following = (await list_page(client, account, nextPageToken=token)).json()["data"]
    assert sandbox.rows(account) == [added, *rows]
    assert following["meetings"] == rows[29:59]
    assert following["total_records"] == 101


async def test_rows_move_and_go(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Rows can be moved and removed, and the listing follows."""
    rows = sandbox.rows(account)
    sandbox.move_row(account, 99, 3)
    sandbox.move_row(account, 0, 99)
    removed = sandbox.remove_row(account, 50)
    expected = [*rows[1:3], rows[99], *rows[3:99], rows[0]]
    assert removed == expected.pop(50)
    assert keys(sandbox.rows(account)) == keys(expected)
    assert flat(await list_all(client, account)) == expected


async def test_hook_acts_before_the_answer(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A hook changes the sandbox before the request gets its response."""
    seen: list[tuple[str, int | None]] = []

    def expire(request: SeenRequest) -> None:
        seen.append((request.path, request.status))
        sandbox.expire_tokens()

    sandbox.on_request = expire
    token = await first_token(client, account)
    assert (await list_page(client, account, nextPageToken=token)).json() == EXPIRED
    assert seen == [("/zoom/meetings", None)] * 2
    assert [request.status for request in sandbox.requests] == [200, 400]


async def test_requests_are_seen(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """The log has each request as it was sent, and never the key."""
    await create(client, account, title="Über")
    await client.get("/zoom/meetings/a%2Fb%3D?accountId=x%20y")
    posted, got = sandbox.requests
    assert (posted.method, posted.path, posted.query, posted.status) == ("POST", "/zoom/meetings", {}, 200)
    assert posted.body["meetingData"]["title"] == "Über"
    assert (got.method, got.path, got.query, got.body) == ("GET", "/zoom/meetings/a%2Fb%3D", {"accountId": "x y"}, None)
    assert got.headers["x-api-key"] == "***"
    assert sandbox.api_key not in repr(sandbox.requests)


async def test_log_is_bounded_when_told(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """With a limit, the log keeps only the newest requests; the counts continue."""
    sandbox.keep_requests = 2
    for name in "abc":
        await client.get(f"/{name}")
    assert [request.path for request in sandbox.requests] == ["/b", "/c"]
    assert (await client.get("/_sandbox/stats")).json() == {"calls": 3, "expired_answers": 0, "rate_limited": 0}


async def test_control_routes(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """The control routes need no key, count as no call, and are not logged."""
    await first_token(client, account)
    del client.headers["x-api-key"]
    sandbox.plan = "developer"
    expired = await client.post("/_sandbox/expire_tokens")
    stats = await client.get("/_sandbox/stats")
    assert expired.json() == {"expired": 1}
    assert stats.json() == {"calls": 1, "expired_answers": 0, "rate_limited": 0}
    assert len(sandbox.requests) == 1
