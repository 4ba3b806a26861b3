"""When the next page is requested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from prefetch.tools import (
    PAGE,
    ROWS,
    Service,
    all_of,
    assert_nothing_left,
    ids,
    seen_by,
    tasks,
)
from pyas_async import (
    PyasClient,
    RateBudget,
)
from resting import rest

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def test_page_comes_when_the_next_is_on_the_wire(wired: PyasClient, sandbox: Sandbox) -> None:
    """For a consumer that never awaits while it works, the next request is sent nevertheless, page after page."""
    async with all_of(wired) as listing:
        number = 0
        async for _ in listing.pages():
            number += 1
            assert seen_by(sandbox, min(number + 1, ROWS // PAGE))

    assert len(sandbox.requests) == ROWS // PAGE


async def test_row_comes_when_the_next_page_is_on_the_wire(wired: PyasClient, sandbox: Sandbox) -> None:
    """The same for a consumer that takes rows: with the first row of a page, the next request is sent."""
    async with all_of(wired) as listing:
        await anext(listing)

        assert seen_by(sandbox, 2)


async def test_one_page_ahead(client: PyasClient, service: Service) -> None:
    """However long the consumer takes, one page is prefetched, and no more."""
    asked = []
    async with all_of(client) as listing:
        async for _ in listing.pages():
            await rest()
            asked.append(len(service.requests))

    assert [2, 3, 4, 5, 5] == asked


async def test_inline_without_a_block(client: PyasClient, service: Service) -> None:
    """A bare loop requests a page when its rows are needed."""
    asked = []
    async for _ in all_of(client).pages():
        await rest()
        asked.append(len(service.requests))

    assert [1, 2, 3, 4, 5] == asked


async def test_prefetch_off(client: PyasClient, service: Service) -> None:
    """With `prefetch=False`, a page is requested when its rows are needed, in a block as well."""
    async with client.meetings.iter_all(page_size=PAGE, prefetch=False) as listing:
        await anext(listing)
        await rest()

    assert [None] == service.requests


@pytest.mark.parametrize("block", [False, True], ids=["bare", "block"])
@pytest.mark.parametrize(("max_items", "pages"), [(1, 1), (9, 1), (10, 1), (11, 2), (49, 5), (50, 5), (99, 5)])
async def test_max_items(client: PyasClient, service: Service, max_items: int, pages: int, block: bool) -> None:
    """No page is requested that is not needed, with prefetching or without."""
    listing = client.meetings.iter_all(page_size=PAGE, max_items=max_items)
    rows = []
    if block:
        async with listing:
            async for row in listing:
                rows.append(row)
                await rest()
    else:
        rows = [row async for row in listing]

    assert list(range(1, min(max_items, ROWS) + 1)) == ids(rows)
    assert pages == len(service.requests)


async def test_budget_used_up(service: Service) -> None:
    """If the next request must wait for the call budget, the consumer does not, and leaving ends that wait."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
        client = PyasClient("k", base_url="http://localhost", http_client=http, account_id="a", budget=RateBudget(1))
        before = tasks()
        async with all_of(client) as listing:
            await anext(listing)
            assert client.rate_limit.waiting == 1
        await assert_nothing_left(client, before)

    assert [None] == service.requests
