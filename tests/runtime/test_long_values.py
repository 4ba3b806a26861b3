"""Values that are too long for a URL are refused by name, before anything is sent or counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

import inside
from bulk.tools import states
from pyas_async import CheckpointError, InvalidArgumentError, MeetingUpdate, PaginationError, PyasClient
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from runtime.socket_server import CHANGE, KEY, NEW, heard, rows_after, through

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

LONG = {"70,000 letters": "a" * 70_000, "12,001 letters": "a" * 12_001, "2,001 of 6 in a URL": "\xe9" * 2_001}
CALLS: dict[str, tuple[str, Callable[[PyasClient, str], Awaitable[object]]]] = {
    "list, account": ("account_id", lambda client, text: client.meetings.list(account_id=text)),
    "list, token": ("next_page_token", lambda client, text: client.meetings.list(next_page_token=text * 2)),
    "get, account": ("account_id", lambda client, text: client.meetings.get(81, account_id=text)),
    "get, id": ("meeting_id", lambda client, text: client.meetings.get(text)),
    "get, id that is encoded twice": ("meeting_id", lambda client, text: client.meetings.get(f"/{text}")),
    "create, account": ("account_id", lambda client, text: client.meetings.create(NEW, account_id=text)),
    "update, id": ("meeting_id", lambda client, text: client.meetings.update(text, CHANGE)),
    "delete, id": ("meeting_id", lambda client, text: client.meetings.delete(text)),
    "oauth_url": ("state", lambda client, text: client.accounts.oauth_url(state=text)),
}
MAKERS: dict[str, tuple[str, Callable[[PyasClient, str], object]]] = {
    "iter_all, account": ("account_id", lambda client, text: client.meetings.iter_all(account_id=text)),
    "iter_all, start": ("start_date", lambda client, text: client.meetings.iter_all(start_date=text)),
    "iter_accounts, end": ("end_date", lambda client, text: client.meetings.iter_accounts(["a"], end_date=text)),
    "get_many, account": ("account_id", lambda client, text: client.meetings.get_many([81], account_id=text)),
    "for_account": ("account_id", lambda client, text: client.for_account(text)),
}
"""What is checked before anything is awaited."""
every_text = pytest.mark.parametrize("text", LONG.values(), ids=LONG)


def never(request: httpx.Request) -> httpx.Response:
    """Answer no request."""
    raise AssertionError(request)


def check_unspent(client: PyasClient) -> None:
    """Assert that no call was counted."""
    assert 0 == inside.in_flight(client)
    assert client.rate_limit.resets_at is None


@every_text
@pytest.mark.parametrize(("field", "call"), CALLS.values(), ids=CALLS)
async def test_call(field: str, call: Callable[[PyasClient, str], Awaitable[object]], text: str) -> None:
    """A call names the argument, says how long it may be, and does not show it."""
    async with through(never) as client:
        with pytest.raises(InvalidArgumentError, match=field) as caught:
            await call(client, text)
        check_unspent(client)
    assert field == caught.value.field
    assert "characters" in str(caught.value)
    assert len(str(caught.value)) < 200


@every_text
@pytest.mark.parametrize(("field", "make"), MAKERS.values(), ids=MAKERS)
async def test_maker(field: str, make: Callable[[PyasClient, str], object], text: str) -> None:
    """Iterations, bulk runs and views refuse it at once."""
    async with through(never) as client:
        with pytest.raises(InvalidArgumentError, match=field) as caught:
            make(client, text)
        check_unspent(client)
    assert field == caught.value.field


@every_text
async def test_items(text: str) -> None:
    """An id among many is refused with its position, and the others are not affected."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/81"):
            return httpx.Response(200, json={"success": True, "meeting": {"id": 81, "uuid": "u"}})
        return httpx.Response(200, json=rows_after(None, pages=1))

    async with through(answer) as client:
        outcomes = await heard(client).meetings.get_many([81, text])
        changed = await client.meetings.update_many([(text, MeetingUpdate(title="new"))])
        async with client.meetings.iter_accounts(["a", text]) as pairs:
            found = [account_id async for account_id, _ in pairs]
    assert ["ok", "failed"] == states(outcomes)
    assert "meeting_ids[1]" in str(outcomes[1].error)
    assert "changes[0]" in str(changed[0].error)
    assert ["a"] == found
    assert ["account_ids[1]"] == [getattr(error, "field", None) for error in pairs.failures.values()]


def checkpoint(**changes: Any) -> str:  # noqa: ANN401  (fields of any type)
    """Write a checkpoint with a token."""
    fields: dict[str, Any] = {"account_id": "acc", "filters": (), "page_size": 300, "token": "tok", "arrived_wall": 1.0}
    return str(ListingCheckpoint(**fields | changes))


@pytest.mark.parametrize(
    "changes",
    [{"token": "a" * 24_001}, {"account_id": "a" * 12_001}, {"filters": (("startDate", "a" * 12_001),)}],
    ids=["token", "account", "filter"],
)
async def test_checkpoint(changes: dict[str, Any]) -> None:
    """A checkpoint with such a value is refused like any other that this library does not write."""
    async with through(never) as client:
        client.meetings.iter_all(resume=checkpoint())
        with pytest.raises(CheckpointError):
            client.meetings.iter_all(resume=checkpoint(**changes))


@pytest.mark.parametrize("block", [False, True])
async def test_token_of_the_service(block: bool) -> None:
    """If the service hands out such a page token, the rows before it come first, and then an error about the token."""
    requests: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        page = rows_after(None)
        page["data"]["next_page_token"] = "a" * 70_000
        return httpx.Response(200, json=page)

    rows = []
    async with through(answer) as client:
        listing = heard(client).meetings.iter_all()
        with pytest.raises(PaginationError, match="page token of 70,000 characters") as caught:
            if block:
                async with listing:
                    async for row in listing:
                        rows.append(row)  # noqa: PERF401 -- the rows before the error
            else:
                async for row in listing:
                    rows.append(row)  # noqa: PERF401 -- as above
        assert caught.value.checkpoint is not None
        again = client.meetings.iter_all(resume=str(caught.value.checkpoint))
        with pytest.raises(PaginationError, match="page token of 70,000 characters"):
            await again.collect()
    assert [1] == [row.id for row in rows]
    assert 2 == len(requests)


async def test_longest_values() -> None:
    """The longest values of all arguments and the longest address together make URLs that httpx takes."""
    lengths: list[int] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        lengths.append(len(str(request.url)))
        if request.url.path.endswith("meetings"):
            return httpx.Response(200, json=rows_after(None, pages=1))
        return httpx.Response(200, json={"success": True, "meeting": {"id": 81, "uuid": "u"}})

    text = "\U0001f600" * 1_000
    base = "https://api.pyas.io/" + "a" * 1_980
    async with through(answer, base_url=base) as client:
        await client.meetings.list(
            account_id=text,
            start_date="2031-01-31",
            end_date="2031-01-31",
            max_results=2**62,
            next_page_token=text * 2,
            type="scheduled",
        )
        await client.meetings.get(text, account_id=text)
    assert 2_000 == len(base)
    assert 36_000 < lengths[0] < 41_000
    assert 24_000 < lengths[1]


async def test_longest_token() -> None:
    """The longest page token is sent."""
    with pytest.raises(InvalidArgumentError):
        await PyasClient(KEY).meetings.list(account_id="a", next_page_token="a" * 24_001)
    async with through(lambda request: httpx.Response(200, json=rows_after(None, pages=1))) as client:
        await client.meetings.list(next_page_token="a" * 24_000)
