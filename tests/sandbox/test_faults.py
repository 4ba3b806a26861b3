"""Faults on demand, in process and over a socket."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pyas_async.sandbox import OPERATIONS, Sandbox
from sandbox.tools import NOW, Clock, client_of, create, list_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pyas_async.sandbox import Fault

pytestmark = pytest.mark.anyio

WAYS = ["in process", "over a socket"]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Sandbox, Clock, str]]:
    """Serve one sandbox for all tests of this module: each test uses up its own faults."""
    clock = Clock()
    with Sandbox(accounts=1, meetings=3, daily_writes=None, clock=clock) as made, made.serve() as url:
        yield made, clock, url


@pytest.fixture
def sandbox(world: tuple[Sandbox, Clock, str]) -> Sandbox:
    """Return that sandbox with an empty log."""
    world[0].requests.clear()
    return world[0]


@pytest.fixture
def account(sandbox: Sandbox) -> str:
    """Return its account."""
    return sandbox.account_ids[0]


@asynccontextmanager
async def opened(world: tuple[Sandbox, Clock, str], way: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the sandbox."""
    sandbox, _, url = world
    key = {"x-api-key": sandbox.api_key}
    transport = sandbox.transport() if way == "in process" else None
    async with httpx.AsyncClient(transport=transport, base_url=url, headers=key, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("way", WAYS)
async def test_statuses(world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str) -> None:
    """The next requests get the given statuses in order, and later ones a normal response."""
    sandbox.fail_next(503, times=2)
    sandbox.fail_next(418, body={"error": "a teapot"}, headers={"X-Pot": "tea"})
    sandbox.fail_next(502, body="Bad Gateway")
    async with opened(world, way) as client:
        answers = [await list_page(client, account) for _ in range(5)]

    assert [503, 503, 418, 502, 200] == [answer.status_code for answer in answers]
    assert {"success": False, "error": "Service Unavailable", "code": 503} == answers[1].json()
    assert {"error": "a teapot"} == answers[2].json()
    assert "tea" == answers[2].headers["x-pot"]
    assert "Bad Gateway" == answers[3].text
    assert [503, 503, 418, 502, 200] == [request.status for request in sandbox.requests]


@pytest.mark.parametrize("way", WAYS)
async def test_one_operation(world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str) -> None:
    """A fault of one call does not affect the others, and waits for that call."""
    sandbox.fail_next(500, operation="meetings.create")
    async with opened(world, way) as client:
        statuses = [(await list_page(client, account)).status_code for _ in range(2)]
        statuses += [(await create(client, account)).status_code for _ in range(2)]

    assert [200, 200, 500, 200] == statuses


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("fault", "carried_out"), [("dropped", 0), ("lost", 1), ("hang", 0)])
async def test_no_answer(
    world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str, fault: Fault, carried_out: int
) -> None:
    """A response can be lost before or after the request was carried out, or never come."""
    before = len(sandbox.rows(account))
    sandbox.fail_next(fault)
    hangs = fault == "hang"
    async with opened(world, way) as client:
        client.timeout = httpx.Timeout(30, read=0.05 if hangs else 30)
        with pytest.raises(httpx.ReadTimeout if hangs else httpx.RemoteProtocolError):
            await create(client, account)

    assert before + carried_out == len(sandbox.rows(account))
    assert [("meetings.create", None)] == [(request.operation, request.status) for request in sandbox.requests]


@pytest.mark.parametrize("way", WAYS)
async def test_garbage(world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str) -> None:
    """A request can be carried out and get a response that is not JSON."""
    before = len(sandbox.rows(account))
    sandbox.fail_next("garbage", times=2)
    sandbox.delete_answer = "no_content"
    async with opened(world, way) as client:
        made = await create(client, account)
        gone = await client.delete(f"/zoom/meetings/{sandbox.rows(account)[-1]['id']}", params={"accountId": account})

    assert [200, 200] == [made.status_code, gone.status_code]
    assert [True, True] == ["<html" in answer.text for answer in (made, gone)]
    assert before == len(sandbox.rows(account))


@pytest.mark.parametrize("way", WAYS)
async def test_unreachable(world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str) -> None:
    """In process, the connection fails and nothing is logged; over a socket, the server closes the connection."""
    sandbox.fail_next("unreachable", operation="meetings.list")
    in_process = way == "in process"
    async with opened(world, way) as client:
        await create(client, account)
        with pytest.raises(httpx.ConnectError if in_process else httpx.RemoteProtocolError):
            await list_page(client, account)
        answer = await list_page(client, account)

    assert 200 == answer.status_code
    assert ["meetings.create", "meetings.list", "meetings.list"][: 2 if in_process else 3] == [
        request.operation for request in sandbox.requests
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_rate_limit(world: tuple[Sandbox, Clock, str], sandbox: Sandbox, account: str, way: str) -> None:
    """Every call is refused for some seconds of the sandbox's clock, with the time left; then calls work again."""
    clock = world[1]
    clock.now = NOW
    sandbox.rate_limit(30)
    async with opened(world, way) as client:
        first = await list_page(client, account)
        clock.now += 29
        second = await list_page(client, account)
        clock.now += 1
        third = await list_page(client, account)
        sandbox.rate_limit()
        whole = await list_page(client, account)
        sandbox.rate_limit(0)
        last = await list_page(client, account)

    assert [429, 429, 200, 429, 200] == [answer.status_code for answer in (first, second, third, whole, last)]
    assert ["30.000", "1.000", "300.000"] == [answer.headers["retry-after"] for answer in (first, second, whole)]
    assert ("0", "5000") == (first.headers["x-ratelimit-remaining"], first.headers["x-ratelimit-limit"])
    assert "x-ratelimit-remaining" not in third.headers
    assert "Rate limit exceeded" == first.json()["error"]


@pytest.mark.parametrize(
    ("fault", "more", "said"),
    [
        ("nonsense", {}, "fault must be an HTTP status or one of unreachable"),
        (99, {}, "fault must be an HTTP status from 200 to 599"),
        (True, {}, "fault must be"),
        (503, {"times": 0}, "times must be a whole number"),
        (503, {"operation": "meetings.lits"}, "operation must be one of meetings.list"),
        ("lost", {"body": {}}, "body and headers belong to an HTTP status"),
    ],
)
def test_mistakes(sandbox: Sandbox, fault: Fault, more: dict[str, Any], said: str) -> None:
    """An invalid fault is refused when it is requested, not when it would happen."""
    with pytest.raises(ValueError, match=said):
        sandbox.fail_next(fault, **more)
    with pytest.raises(ValueError, match="seconds must be"):
        sandbox.rate_limit(-1)


async def test_operations(world: tuple[Sandbox, Clock, str], sandbox: Sandbox) -> None:
    """A logged request names its call of the API, or that it is none of them."""
    asked = [
        ("GET", "/zoom/meetings", "meetings.list"),
        ("GET", "/zoom/meetings/1", "meetings.get"),
        ("POST", "/zoom/meetings", "meetings.create"),
        ("PATCH", "/zoom/meetings/a%2Fb", "meetings.update"),
        ("DELETE", "/zoom/meetings/1", "meetings.delete"),
        ("GET", "/zoom/oauth", "accounts.oauth_url"),
        ("POST", "/zoom/connect", "accounts.connect"),
        ("PUT", "/zoom/meetings/1", None),
        ("GET", "/zoom/meetings/", None),
        ("GET", "/zoom", None),
    ]
    async with opened(world, "in process") as client:
        for method, path, _ in asked:
            await client.request(method, path)

    assert [operation for _, _, operation in asked] == [request.operation for request in sandbox.requests]
    assert set(OPERATIONS) == {operation for _, _, operation in asked} - {None}


async def test_add_account() -> None:
    """An account can be added later, with its own id and meetings; an existing one cannot."""
    with Sandbox(accounts=1, meetings=0) as made:
        added = made.add_account("acc", meetings=7)
        made_up = made.add_account()
        async with client_of(made) as client:
            page = (await list_page(client, "acc")).json()["data"]

        assert ["acc", made_up] == [added, made.account_ids[-1]]
        assert (7, 0) == (page["total_records"], len(made.rows(made_up)))
        assert made.rows("acc") == page["meetings"]
        for taken in ("acc", ""):
            with pytest.raises(ValueError, match="account_id must be text"):
                made.add_account(taken)
        with pytest.raises(ValueError, match="meetings must be"):
            made.add_account("other", meetings=-1)


async def test_closed() -> None:
    """A closed sandbox is unreachable."""
    with Sandbox(accounts=1, meetings=0) as made:
        transport = made.transport()
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/zoom/meetings")
