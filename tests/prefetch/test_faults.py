"""An error of a prefetched page is raised after the rows before it."""
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
async def test_error_after_the_rows_before_it(
    client: PyasClient,
    service: Service,
    fault: Callable[[httpx.Request], Awaitable[httpx.Response]],
    error: type[TransportError | PermissionDeniedError],
) -> None:
    """The error of a prefetched page comes after the rows before it, and its checkpoint is that position."""
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


async def test_error_that_is_not_reached(client: PyasClient, service: Service) -> None:
    """If the block is left before the error's turn, it is not raised."""
    service.special[2] = refuse
    before = tasks()
    async with all_of(client) as listing:
        first = await anext(listing)
        await rest()

    assert len(service.requests) == 2
    assert first.id == 1
    await assert_nothing_left(client, before)


@pytest.mark.parametrize("mistake", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("reached", [False, True])
async def test_exit(client: PyasClient, service: Service, mistake: BaseException, reached: bool) -> None:
    """An exception that ends the program is raised itself: in its turn, or when the block is left before."""

    async def leave(_: httpx.Request) -> NoReturn:
        raise mistake

    service.special[2] = leave
    before, rows = tasks(), []
    with pytest.raises(type(mistake)) as caught:
        async with all_of(client) as listing:
            async for row in listing:
                rows.append(row)
                await rest()
                if not reached:
                    break

    assert caught.value is mistake
    assert (PAGE if reached else 1) == len(rows)
    assert len(service.requests) == 2
    await assert_nothing_left(client, before)


async def test_error_of_the_callers_code(service: Service) -> None:
    """An exception of the caller's code during a prefetch is raised itself, after the rows before it."""
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


async def test_timeout_of_a_prefetched_page(sandbox: Sandbox, url: str) -> None:
    """The timeout applies to a prefetch as well, and its error is raised after the rows before it."""
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
