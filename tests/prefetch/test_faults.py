"""What goes wrong ahead is heard of at its place in the order."""
# ruff: noqa: PERF401 -- rows of a loop are kept one by one, to have those before an error

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import httpx
import pytest

from prefetch.tools import (
    PAGE,
    ROWS,
    Service,
    all_of,
    assert_nothing_left,
    hang_on_tokens,
    ids,
    refuse,
    tasks,
)
from pyas_async import (
    PermissionDeniedError,
    PyasClient,
    RequestTimeoutError,
    TransportError,
)
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def drop(_: httpx.Request) -> NoReturn:
    """Drop the connection."""
    msg = "gone"
    raise httpx.ReadError(msg)


@pytest.mark.parametrize(("fault", "error"), [(refuse, PermissionDeniedError), (drop, TransportError)])
async def test_error_at_its_place(
    client: PyasClient,
    service: Service,
    fault: Callable[[httpx.Request], Awaitable[httpx.Response]],
    error: type[TransportError | PermissionDeniedError],
) -> None:
    """An error in the page ahead comes after the rows before it, and its checkpoint is that place."""
    service.special[3] = fault
    rows = []
    with pytest.raises(error) as caught:
        async with all_of(client) as listing:
            async for row in listing:
                rows.append(row)
                await rest()

    assert list(range(1, 2 * PAGE + 1)) == ids(rows)
    assert caught.value.checkpoint is not None
    assert caught.value.checkpoint.items == 2 * PAGE
    others = await client.meetings.iter_all(resume=caught.value.checkpoint).collect()
    assert list(range(2 * PAGE + 1, ROWS + 1)) == ids(others)


async def test_error_that_nobody_reaches(client: PyasClient, service: Service) -> None:
    """A reader that leaves before it never hears of it."""
    service.special[2] = refuse
    before = tasks()
    async with all_of(client) as listing:
        first = await anext(listing)
        await rest()

    assert len(service.requests) == 2
    assert first.id == 1
    await assert_nothing_left(client, before)


async def test_error_of_the_user_at_its_place(service: Service) -> None:
    """What the user's own code raises while sending for the page ahead comes out as itself, after the rows before."""
    mistake = LookupError("the vault is locked")
    asked = 0

    async def key() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise mistake
        return "key"

    rows = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
        client = PyasClient(key, base_url="http://localhost", http_client=http, account_id="a")
        before = tasks()
        with pytest.raises(LookupError) as caught:
            async with all_of(client) as listing:
                async for row in listing:
                    rows.append(row)
                    await rest()
        await assert_nothing_left(client, before)

    assert caught.value is mistake
    assert list(range(1, PAGE + 1)) == ids(rows)


async def test_timeout_of_the_page_ahead(sandbox: Sandbox, url: str) -> None:
    """An attempt's timeout counts for the page ahead as well, and surfaces at its place."""
    hang_on_tokens(sandbox)
    async with PyasClient(
        sandbox.api_key, base_url=url, account_id=sandbox.account_ids[0], retry=None, timeout=0.5
    ) as client:
        before, rows = tasks(), []
        with pytest.raises(RequestTimeoutError):
            async with all_of(client) as listing:
                async for row in listing:
                    rows.append(row)
        await assert_nothing_left(client, before)

    assert len(rows) == PAGE
