"""Every row of every account, over real sockets, whatever fails on the way."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest

import clients
from contract.tools import SWIFT
from pyas_async import NotFoundError, PyasClient, to_dict
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async import Meeting
    from pyas_async.sandbox import SeenRequest

pytestmark = pytest.mark.anyio

UNKNOWN = "no-such-account"


class Shaky(httpx.AsyncHTTPTransport):
    """A network that loses every seventh response."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, or lose it."""
        if not next(self._numbers) % 7:
            msg = "lost"
            raise httpx.ReadError(msg)
        return await super().handle_async_request(request)


def identities(pairs: Iterable[tuple[str, Meeting]]) -> Counter[tuple[str, object, object, object]]:
    """Count pairs by what identifies them."""
    documents = [(account_id, to_dict(meeting)) for account_id, meeting in pairs]
    return Counter((account_id, row["id"], row["uuid"], row.get("start_time")) for account_id, row in documents)


def truth(sandbox: Sandbox) -> Counter[tuple[str, object, object, object]]:
    """Count the rows of all accounts."""
    return Counter(
        (account_id, row["id"], row["uuid"], row.get("start_time"))
        for account_id in sandbox.account_ids
        for row in sandbox.rows(account_id)
    )


async def test_every_row_of_every_account() -> None:
    """Tokens expire, responses are lost, one account does not exist: every row of the others comes once."""
    with Sandbox(accounts=4, meetings=650) as sandbox, sandbox.serve() as url:

        def kill(_: SeenRequest) -> None:
            if len(sandbox.requests) in (6, 11):
                sandbox.expire_tokens()

        sandbox.on_request = kill
        ids = sandbox.account_ids
        async with (
            httpx.AsyncClient(transport=Shaky()) as http,
            PyasClient(sandbox.api_key, base_url=url, http_client=http, retry=SWIFT) as client,
            client.meetings.iter_accounts([*ids[:2], UNKNOWN, *ids[2:]], max_concurrency=3) as pairs,
        ):
            came = [pair async for pair in pairs]
        expected = truth(sandbox)
        restarted = [request for request in sandbox.requests if request.status == 400]

    assert expected == identities(came)
    assert {UNKNOWN: NotFoundError} == {account_id: type(error) for account_id, error in pairs.failures.items()}
    stats = pairs.stats
    assert (5, 4, 1) == (stats.begun, stats.done, stats.failed)
    assert (len(came), len(came), 0) == (stats.items, stats.total_reported, stats.missing)
    assert stats.restarts >= len(restarted) >= 2
    assert stats.calls > len(sandbox.requests) > stats.pages


async def test_many_small_accounts() -> None:
    """Through the client's own pool, with fewer connections than active accounts, in the order of each listing."""
    with Sandbox(accounts=40, meetings=7) as sandbox, sandbox.serve() as url:
        async with (
            clients.make(sandbox.api_key, base_url=url, max_connections=4) as client,
            client.meetings.iter_accounts(sandbox.account_ids, page_size=3, max_concurrency=20) as pairs,
        ):
            came = [pair async for pair in pairs]
        expected = {account_id: [row["id"] for row in sandbox.rows(account_id)] for account_id in sandbox.account_ids}
        calls = len(sandbox.requests)

    by_account: dict[str, list[int]] = {}
    for account_id, meeting in came:
        by_account.setdefault(account_id, []).append(meeting.id)
    assert expected == by_account
    assert {} == pairs.failures
    assert 40 * 3 == calls == pairs.stats.calls == pairs.stats.pages


async def test_filters_on_every_call() -> None:
    """Every call of every account carries the filters, the size and the client's headers."""
    with Sandbox(accounts=3, meetings=40) as sandbox:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
            client = PyasClient(sandbox.api_key, base_url="http://localhost", http_client=http)
            view = client.with_options(headers={"x-trace": "t1"})
            filters = {"startDate": "01-02-2020", "endDate": "12-31-2030", "type": "scheduled"}
            async with view.meetings.iter_accounts(
                sandbox.account_ids, start_date="01-02-2020", end_date="12-31-2030", type="scheduled", page_size=15
            ) as pairs:
                came = [pair async for pair in pairs]
        ids = set(sandbox.account_ids)
    wanted = {"maxResults": "15", **filters}
    queries = [
        {name: value for name, value in request.query.items() if name not in ("nextPageToken", "accountId")}
        for request in sandbox.requests
    ]
    assert [wanted] * len(queries) == queries
    assert {"t1"} == {request.headers.get("x-trace") for request in sandbox.requests}
    assert ids == {account_id for account_id, _ in came} == {request.query["accountId"] for request in sandbox.requests}
