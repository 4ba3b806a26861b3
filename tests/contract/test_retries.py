"""What is retried, what is never sent again, and the error of a write whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from contract.tools import CREATED, FOUND, HANG, SWIFT, Reply, Service
from pyas_async import (
    APIStatusError,
    BudgetTimeoutError,
    MeetingCreate,
    MeetingUpdate,
    NotFoundError,
    OutcomeUnknownError,
    PyasClient,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    TransportError,
    Waiting,
)

if TYPE_CHECKING:
    from pyas_async import Event

pytestmark = pytest.mark.anyio

Do = Callable[[PyasClient], Coroutine[Any, Any, object]]
NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
OK = Reply(200, {"success": True})
TOO_MANY = {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"}
HOST_DAY = {"code": 429, "message": "You have exceeded the daily rate limit of (100) for Meeting Create/Update API"}

UNSENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("too late"), httpx.PoolTimeout("no room")]
LOST = [
    httpx.ReadError("reset"),
    httpx.ReadTimeout("too late"),
    httpx.WriteError("broken pipe"),
    httpx.WriteTimeout("too late"),
    httpx.RemoteProtocolError("no answer"),
]


async def get(client: PyasClient) -> object:
    """Get a meeting."""
    return await client.meetings.get(81)


async def page(client: PyasClient) -> object:
    """Get a page."""
    return await client.meetings.list()


async def update(client: PyasClient) -> object:
    """Write what may be repeated."""
    return await client.meetings.update(81, MeetingUpdate(title="x"))


async def delete(client: PyasClient) -> object:
    """Write what may be repeated."""
    await client.meetings.delete(81)
    return None


async def create(client: PyasClient) -> object:
    """Write what may not be repeated."""
    return await client.meetings.create(NEW)


async def connect(client: PyasClient) -> object:
    """Write what may not be repeated, either."""
    return await client.accounts.connect(code="c", name="n")


repeatable = pytest.mark.parametrize("do", [get, update, delete])
once = pytest.mark.parametrize("do", [create, connect])
CONNECTED = Reply(200, {"success": True, "data": {"account": {"accountId": "a"}}})
GOOD: dict[Do, Reply] = {get: FOUND, update: FOUND, delete: OK, create: CREATED, connect: CONNECTED}


def name(value: object) -> str | None:
    """Return the id of a test case."""
    return type(value).__name__ if isinstance(value, Exception) else getattr(value, "__name__", None)


@repeatable
@pytest.mark.parametrize(
    "fault", [*UNSENT, *LOST, Reply(429, TOO_MANY, {"Retry-After": "0"}), Reply(500), Reply(503)], ids=name
)
async def test_repeated(do: Do, fault: Reply | Exception) -> None:
    """Reads, updates and deletes are retried after any network fault, 429 and 5xx."""
    service = Service(fault, fault, GOOD[do])
    async with service.client() as client:
        await do(client)
    assert 3 == len(service.requests)
    assert 1 == len({(method, path, str(query), str(body)) for method, path, query, body in service.sent})


@pytest.mark.parametrize("do", [get, update, delete, create])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 422])
async def test_not_repeated(do: Do, status: int) -> None:
    """A call that the service refuses is not retried."""
    service = Service(Reply(status, {"error": "x"}))
    async with service.client() as client:
        with pytest.raises(APIStatusError):
            await do(client)
    assert 1 == len(service.requests)


@once
@pytest.mark.parametrize("fault", UNSENT, ids=name)
async def test_create_that_was_not_sent(do: Do, fault: Exception) -> None:
    """A create that was provably not sent is retried."""
    service = Service(fault, fault, GOOD[do])
    async with service.client() as client:
        await do(client)
    assert 3 == len(service.requests)


async def test_create_after_429() -> None:
    """A create that got the key's limit was not carried out, and is retried."""
    service = Service(Reply(429, TOO_MANY, {"Retry-After": "0.01"}), CREATED)
    async with service.client() as client:
        await client.meetings.create(NEW)
    assert 2 == len(service.requests)


@once
@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_create_whose_answer_was_lost(do: Do, fault: Exception) -> None:
    """A create without a response is never sent again: the error says that its outcome is unknown."""
    service = Service(fault, GOOD[do])
    before = datetime.now(UTC)
    async with service.client() as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await do(client)
    error = caught.value
    assert 1 == len(service.requests)
    assert ("meetings.create" if do is create else "accounts.connect", None, "unknown", ()) == (
        error.operation, error.meeting_id, error.write_state, tuple(error.candidates),
    )  # fmt: skip
    assert timedelta(0) <= error.sent_at - before < timedelta(seconds=30)


@once
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_create_that_failed_at_the_server(do: Do, status: int) -> None:
    """A create that got a 5xx is not sent again: it may have been carried out."""
    service = Service(Reply(status), GOOD[do])
    async with service.client() as client:
        with pytest.raises(ServerError) as caught:
            await do(client)
    assert (1, "unknown") == (len(service.requests), caught.value.write_state)


@once
async def test_create_lost_after_a_fault_that_was_none(do: Do) -> None:
    """If the second attempt of a create is the first that was sent, and gets no response, the outcome is unknown."""
    service = Service(httpx.ConnectError("refused"), httpx.ReadError("reset"), GOOD[do])
    async with service.client() as client:
        with pytest.raises(OutcomeUnknownError):
            await do(client)
    assert 2 == len(service.requests)


@pytest.mark.parametrize("do", [update, delete, create, connect])
@pytest.mark.parametrize("fault", UNSENT, ids=name)
async def test_write_never_sent(do: Do, fault: Exception) -> None:
    """The error of a write that was not sent in any attempt says so."""
    service = Service(fault)
    async with service.client() as client:
        with pytest.raises(TransportError) as caught:
            await do(client)
    assert (4, "not_sent") == (len(service.requests), caught.value.write_state)


@pytest.mark.parametrize(("do", "operation"), [(update, "meetings.update"), (delete, "meetings.delete")])
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([httpx.ReadError("reset")], id="lost"),
        pytest.param([httpx.ReadTimeout("too late")], id="too late"),
        pytest.param([httpx.ReadError("reset"), httpx.ConnectError("refused")], id="lost, then not sent"),
    ],
)
async def test_write_lost(do: Do, operation: str, script: list[Exception]) -> None:
    """If no attempt of a write got a response, one of them may have been carried out."""
    service = Service(*script)
    async with service.client() as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await do(client)
    assert (4, operation, 81) == (len(service.requests), caught.value.operation, caught.value.meeting_id)
    assert caught.value.sent_at.tzinfo is not None


@pytest.mark.parametrize("fault", LOST[:2], ids=name)
async def test_delete_that_was_done(fault: Exception) -> None:
    """A delete that finds nothing after an attempt without a response has succeeded."""
    service = Service(fault, Reply(404, {"code": 3001, "message": "Meeting does not exist"}))
    async with service.client() as client:
        await client.meetings.delete(81)
    assert 2 == len(service.requests)


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), Reply(429, TOO_MANY, {"Retry-After": "0"})], ids=name)
async def test_delete_of_nothing(fault: Reply | Exception) -> None:
    """A delete that finds nothing after attempts that certainly did nothing is a NotFoundError."""
    service = Service(fault, Reply(404, {"code": 3001, "message": "Meeting does not exist"}))
    async with service.client() as client:
        with pytest.raises(NotFoundError):
            await client.meetings.delete(81)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (httpx.ReadError("the wire said so"), TransportError),
        (httpx.ConnectError("the wire said so"), TransportError),
        (httpx.ReadTimeout("the wire said so"), RequestTimeoutError),
        (httpx.ConnectTimeout("the wire said so"), RequestTimeoutError),
    ],
    ids=name,
)
async def test_read_that_fails(fault: Exception, error: type[TransportError]) -> None:
    """A read that fails in each attempt raises an error with the network's text; timeouts are TimeoutErrors."""
    service = Service(fault)
    async with service.client() as client:
        with pytest.raises(TransportError, match="the wire said so") as caught:
            await client.meetings.get(81)
    assert error is type(caught.value)
    assert (4, None) == (len(service.requests), caught.value.write_state)


@pytest.mark.parametrize("attempts", [1, 2, 3])
async def test_attempts(attempts: int) -> None:
    """`max_attempts` counts requests, the first included; RetryPolicy.none() and None mean one request."""
    service = Service(Reply(500))
    async with service.client(retry=RetryPolicy(max_attempts=attempts, base=0, cap=0)) as client:
        with pytest.raises(ServerError):
            await client.meetings.get(81)
        assert attempts == len(service.requests)
        for none in (None, RetryPolicy.none()):
            with pytest.raises(ServerError):
                await client.with_options(retry=none).meetings.get(81)
    assert attempts + 2 == len(service.requests)


async def test_daily_limit_fails() -> None:
    """A 429 of Zoom's daily limit fails its call at once: a wait would be pointless."""
    service = Service(Reply(429, HOST_DAY), CREATED)
    async with service.client() as client:
        for call in (client.meetings.create(NEW), client.meetings.update(81, MeetingUpdate(title="x"))):
            service.requests.clear()
            with pytest.raises(RateLimitError) as caught:
                await call
            assert ("host_day", 1) == (caught.value.scope, len(service.requests))


@pytest.mark.parametrize("after", ["0.05", "0.0501"])
async def test_retry_after_is_honoured(after: str) -> None:
    """A retry waits as long as the service says, even if the policy has a shorter wait."""
    waits: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event.seconds)

    service = Service(Reply(429, TOO_MANY, {"Retry-After": after}), FOUND)
    async with service.client(on_event=note) as client:
        started = anyio.current_time()
        await client.meetings.get(81)
        took = anyio.current_time() - started
    assert took >= float(after)
    assert waits
    assert max(waits) == pytest.approx(float(after), abs=0.02)


async def test_wait_that_cannot_end_in_time() -> None:
    """A wait that would outlast the deadline fails at once."""
    service = Service(Reply(429, TOO_MANY, {"Retry-After": "290"}))
    async with service.client(deadline=60) as client:
        with anyio.fail_after(5), pytest.raises((RateLimitError, BudgetTimeoutError)) as caught:
            await client.meetings.get(81)
    assert isinstance(caught.value, RateLimitError | BudgetTimeoutError)
    assert caught.value.retry_after == pytest.approx(290, abs=2)
    assert 1 == len(service.requests)


@pytest.mark.parametrize("do", [get, page])
async def test_timeout(do: Do) -> None:
    """`timeout` limits one attempt; a read is retried."""
    service = Service(HANG, HANG, FOUND if do is get else Reply(200, {"data": {"meetings": []}}))
    async with service.client(timeout=0.02) as client:
        await do(client)
    assert 3 == len(service.requests)


async def test_deadline() -> None:
    """`deadline` limits the whole call with all of its attempts."""
    service = Service(HANG)
    async with service.client(timeout=None, deadline=0.05) as client:
        with anyio.fail_after(5), pytest.raises(RequestTimeoutError):
            await client.meetings.get(81)
    assert 1 == len(service.requests)


async def test_timeout_of_a_create() -> None:
    """A create without a response in time may have been carried out, and is not sent again."""
    service = Service(HANG)
    async with service.client(timeout=0.02) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.meetings.create(NEW)
    assert 1 == len(service.requests)


async def test_cancellation_is_not_swallowed() -> None:
    """A call in a cancelled scope ends, and is not retried."""
    service = Service(HANG)
    async with service.client(retry=SWIFT) as client:
        with anyio.move_on_after(0.02) as scope:
            await client.meetings.create(NEW)
    assert scope.cancelled_caught
    assert 1 == len(service.requests)
