"""A client that is closed during an iteration or a bulk run: the caller knows what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bulk.tools import Service as ManyService
from bulk.tools import meeting
from prefetch.tools import PAGE, ROWS, Service, all_of
from pyas_async import ClientClosedError
from runtime.socket_server import through

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async import Checkpoint, Meeting, Outcome, PyasClient

pytestmark = pytest.mark.anyio


async def bare(client: PyasClient, rows: list[Meeting], close: Callable[[int], Any]) -> Checkpoint | None:
    """Read in a plain loop."""
    with pytest.raises(ClientClosedError) as caught:
        async for row in all_of(client):
            rows.append(row)
            await close(len(rows))
    return caught.value.checkpoint


async def ahead(client: PyasClient, rows: list[Meeting], close: Callable[[int], Any]) -> Checkpoint | None:
    """Read with the next page requested in advance."""
    with pytest.raises(ClientClosedError) as caught:
        async with all_of(client) as listing:
            async for row in listing:
                rows.append(row)
                await close(len(rows))
    return caught.value.checkpoint


async def by_page(client: PyasClient, rows: list[Meeting], close: Callable[[int], Any]) -> Checkpoint | None:
    """Read page by page."""
    with pytest.raises(ClientClosedError) as caught:
        async for page in all_of(client).pages():
            rows += page.meetings
            await close(len(rows))
    return caught.value.checkpoint


async def accounts(client: PyasClient, rows: list[Meeting], close: Callable[[int], Any]) -> Checkpoint | None:
    """Read the listings of many accounts, here of one."""
    with pytest.raises(ClientClosedError) as caught:
        async with client.meetings.iter_accounts(["a"], page_size=PAGE) as pairs:
            async for _, row in pairs:
                rows.append(row)
                await close(len(rows))
    return caught.value.checkpoint


@pytest.mark.parametrize("after", [1, PAGE, 2 * PAGE + 1])
@pytest.mark.parametrize("read", [bare, ahead, by_page, accounts])
async def test_close_during_iteration(read: Any, after: int) -> None:  # noqa: ANN401  (one of the above)
    """After the fetched rows, `ClientClosedError` has a checkpoint with which another client reads the rest."""
    service, rows = Service(), list[Any]()
    async with through(service, account_id="a") as client:

        async def close(count: int) -> None:
            if count >= after:
                await client.aclose()

        checkpoint = await read(client, rows, close)
        assert after <= len(rows) < ROWS
    async with through(service, account_id="a") as client:
        if read is accounts:
            async with client.meetings.iter_accounts(["a"], resume=checkpoint) as pairs:
                rows += [row async for _, row in pairs]
        else:
            rows += await client.meetings.iter_all(resume=checkpoint).collect()
    assert list(range(1, ROWS + 1)) == [row.id for row in rows]


@pytest.mark.parametrize("name", ["get_many", "create_many"])
async def test_close_during_bulk_run(name: str) -> None:
    """Every item has an outcome: an unsent item is not in doubt, and the rest of the input is not started."""
    service = ManyService()
    outcomes: list[Outcome[Any, Any]] = []
    items = list(range(1, 9)) if name == "get_many" else [meeting(number) for number in range(1, 9)]
    async with service.client(retry=None) as client, getattr(client.meetings, name)(items, max_concurrency=1) as run:
        async for outcome in run:
            outcomes.append(outcome)
            if len(outcomes) == 2:
                await client.aclose()
    assert ["ok"] * 2 + ["failed"] + ["not_started"] * 5 == [outcome.state for outcome in outcomes]
    assert {ClientClosedError} == {type(outcome.error) for outcome in outcomes[2:]}
    assert outcomes[2].error is not None
    assert (2, None if name == "get_many" else "not_sent") == (len(service.requests), outcomes[2].error.write_state)
