"""The interface of an iteration and its checks: pages, first, limits, single use, loops, empty pages, expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from contract.tools import HANG, Reply, Service, identities, in_process, listing, rows_of
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PaginationLoopError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

EXPIRED = "The next page token is invalid or expired."


def ids(rows: object) -> list[int]:
    """Return the ids of rows."""
    assert isinstance(rows, (list, tuple))
    return [row.id for row in rows]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([listing(rows_of(1), "a"), listing([], "b"), listing(rows_of(2))], id="in the middle"),
        pytest.param([listing([], "a"), listing(rows_of(1, 2))], id="first"),
        pytest.param([listing(rows_of(1, 2), "a"), listing([])], id="last"),
        pytest.param(
            [listing(rows_of(1), "a"), listing([], "b"), listing([], "c"), listing(rows_of(2), None)], id="two"
        ),
    ],
)
async def test_empty_page_with_token(script: list[Reply]) -> None:
    """After an empty page with a token, the listing goes on until there is no token."""
    service = Service(*script)
    async with service.client() as client:
        rows = await client.meetings.iter_all().collect()
    assert [1, 2] == ids(rows)
    assert len(script) == len(service.requests)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([listing(rows_of(1, 2), "same")], id="same page"),
        pytest.param([listing(rows_of(1, 2), "same"), listing([], "same")], id="empty page"),
        pytest.param([listing(rows_of(1), "a"), listing(rows_of(1), "b"), listing(rows_of(1), "a")], id="in a circle"),
    ],
)
async def test_token_loop(script: list[Reply]) -> None:
    """A repeated token whose page has no new row raises, instead of an endless loop."""
    service = Service(*script)
    with anyio.fail_after(10):
        async with service.client() as client:
            iterator = client.meetings.iter_all()
            with pytest.raises(PaginationLoopError):
                await iterator.collect()
    assert len(service.requests) <= 5


async def test_repeated_token_with_new_rows() -> None:
    """A repeated token whose page has new rows is no loop."""
    service = Service(*(listing(rows_of(n), "same") for n in (1, 2, 3)), listing(rows_of(4)))
    async with service.client() as client:
        assert [1, 2, 3, 4] == ids(await client.meetings.iter_all().collect())


@pytest.mark.parametrize("end", [pytest.param("", id="empty"), pytest.param(None, id="null")])
async def test_end(end: str | None) -> None:
    """An empty token and a null one mean the end."""
    service = Service(listing(rows_of(1, 2), end))
    async with service.client() as client:
        assert [1, 2] == ids(await client.meetings.iter_all().collect())
    assert 1 == len(service.requests)


async def test_end_without_the_field() -> None:
    """A missing token means the end."""
    service = Service(Reply(200, {"data": {"meetings": rows_of(1)}}))
    async with service.client() as client:
        iterator = client.meetings.iter_all()
        assert [1] == ids(await iterator.collect())
    assert iterator.stats.total_reported is None
    assert iterator.stats.missing is None


async def test_rows_that_share_id_or_uuid() -> None:
    """Two rows are the same only if id, uuid and start time are all equal."""
    start, later = "2026-12-01T10:00:00Z", "2026-12-08T10:00:00Z"
    rows = [
        {"id": 1, "uuid": "a", "start_time": start},
        {"id": 1, "uuid": "a", "start_time": later},
        {"id": 1, "uuid": "b", "start_time": start},
        {"id": 2, "uuid": "a", "start_time": start},
        {"id": 2, "uuid": "a"},
    ]
    service = Service(listing(rows, "t"), listing([*reversed(rows), {"id": 3, "uuid": "c"}]))
    async with service.client() as client:
        iterator = client.meetings.iter_all()
        assert identities([*rows, {"id": 3, "uuid": "c"}]) == identities(await iterator.collect())
    assert 5 == iterator.stats.duplicates_skipped


# Each text says that a token has expired.
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(401, {"error": EXPIRED}), AuthenticationError),
        (Reply(403, {"code": 300, "message": EXPIRED}), PermissionDeniedError),
        (Reply(429, {"code": 300, "message": EXPIRED}), RateLimitError),
        (Reply(500, {"code": 300, "message": EXPIRED}), ServerError),
        (Reply(503, {"success": False, "error": EXPIRED}), ServerError),
    ],
)
async def test_what_is_no_expiry(answer: Reply, error: type[APIStatusError]) -> None:
    """401, 403, 429 and 5xx are never taken for an expired token: no fresh walk begins."""
    service = Service(listing(rows_of(1), "t"), answer)
    async with service.client(retry=None) as client:
        with pytest.raises(error):
            await client.meetings.iter_all().collect()
    assert [False, True] == ["nextPageToken" in request.url.params for request in service.requests]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(400, {"code": 300, "message": EXPIRED}), BadRequestError),
        (Reply(404, {"success": False, "error": EXPIRED, "code": 404}), NotFoundError),
        (Reply(410, {"success": False, "error": EXPIRED, "code": 410}), APIStatusError),
    ],
)
async def test_no_expiry_without_a_token(answer: Reply, error: type[APIStatusError]) -> None:
    """Only a request with a token can find it expired: the error of the first page is raised as it is."""
    service = Service(answer)
    async with service.client() as client:
        with pytest.raises(APIStatusError) as caught:
            await client.meetings.iter_all().collect()
    assert error is type(caught.value)


async def test_unclear_answer_is_settled_by_one_query() -> None:
    """After an unclear 4xx to a token, there is one request without it: if that fails too, its error is raised."""
    gone = Reply(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404})
    service = Service(listing(rows_of(1), "t"), Reply(400, {"success": False, "error": "Bad Request"}), gone)
    async with service.client() as client:
        with pytest.raises(NotFoundError, match="Account Not Found"):
            await client.meetings.iter_all().collect()
    assert 3 == len(service.requests)


async def test_refusal_of_something_else() -> None:
    """If the service refuses another parameter than the size, the size is not left out."""
    service = Service(Reply(400, {"errors": [{"msg": "Invalid value", "param": "startDate", "location": "query"}]}))
    async with service.client() as client:
        with pytest.raises(BadRequestError):
            await client.meetings.iter_all(start_date="13-13-2026").collect()
    assert 1 == len(service.requests)


async def test_lost_answers_repeat_the_page() -> None:
    """A page without a response is requested again, with its token: no row is lost or doubled."""
    service = Service(
        listing(rows_of(1), "t"), httpx.ReadError("reset"), Reply(502, "bad gateway"), listing(rows_of(2))
    )
    async with service.client() as client:
        iterator = client.meetings.iter_all()
        assert [1, 2] == ids(await iterator.collect())
    assert (2, 4, 0) == (iterator.stats.pages, iterator.stats.calls, iterator.stats.restarts)


async def test_pages(sandbox: Sandbox) -> None:
    """The rows of all pages together are the rows of the listing."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        pages = [page async for page in iterator.pages()]
    assert identities(sandbox.rows(sandbox.account_ids[0])) == identities(
        row for page in pages for row in page.meetings
    )
    assert [30, 30, 30, 10] == [len(page.meetings) for page in pages]
    assert (4, 100) == (iterator.stats.pages, iterator.stats.items)


@pytest.mark.parametrize(("taken", "sizes"), [(10, [20, 30, 30, 10]), (30, [30, 30, 10]), (31, [29, 30, 10])])
async def test_pages_after_rows(sandbox: Sandbox, taken: int, sizes: list[int]) -> None:
    """`pages` after some rows begins with the rest of the current page."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        rows = [await anext(iterator) for _ in range(taken)]
        pages = [page async for page in iterator.pages()]
    rows += [row for page in pages for row in page.meetings]
    assert identities(sandbox.rows(sandbox.account_ids[0])) == identities(rows)
    assert sizes == [len(page.meetings) for page in pages]


async def test_first(sandbox: Sandbox) -> None:
    """`first` returns one row for one call, and closes the iteration."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        row = await iterator.first()
        assert row is not None
        assert sandbox.rows(sandbox.account_ids[0])[0]["uuid"] == row.uuid
        assert await anext(iterator, None) is None
    assert 1 == len(sandbox.requests)


async def test_first_of_none() -> None:
    """`first` of an empty listing is None; empty pages with a token are skipped."""
    service = Service(listing([], "t"), listing([]))
    async with service.client() as client:
        assert await client.meetings.iter_all().first() is None


@pytest.mark.parametrize(("limit", "calls"), [(1, 1), (29, 1), (30, 1), (31, 2), (60, 2), (99, 4), (100, 4), (500, 4)])
async def test_max_items(sandbox: Sandbox, limit: int, calls: int) -> None:
    """Exactly `max_items` rows come, and only the calls that they need are made."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30, max_items=limit)
        rows = [row async for row in iterator]
    assert identities(sandbox.rows(sandbox.account_ids[0])[:limit]) == identities(rows)
    assert (calls, calls) == (len(sandbox.requests), iterator.stats.calls)


@pytest.mark.parametrize("limit", [30, 45])
async def test_max_items_of_pages(sandbox: Sandbox, limit: int) -> None:
    """`max_items` limits pages as it limits rows."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30, max_items=limit)
        pages = [page async for page in iterator.pages()]
    assert limit == sum(len(page.meetings) for page in pages)


@pytest.mark.parametrize("taken", [3, 100])
async def test_single_use(sandbox: Sandbox, taken: int) -> None:
    """A second `async for` raises RuntimeError, whether the first was finished or left."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        seen = 0
        async for _ in iterator:
            seen += 1
            if seen == taken:
                break
        with pytest.raises(RuntimeError):
            async for _ in iterator:
                pytest.fail("a second loop began")


async def test_aclose(sandbox: Sandbox) -> None:
    """After `aclose` no row is yielded and no request is sent; a second `aclose` does nothing."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        await anext(iterator)
        await iterator.aclose()
        await iterator.aclose()
        assert await anext(iterator, None) is None
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)
    assert 1 == len(sandbox.requests)


async def test_nothing_is_sent_ahead(sandbox: Sandbox) -> None:
    """Without prefetch, a page is requested when its rows are needed, and `stats` shows the progress."""
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        assert (0, 0) == (iterator.stats.calls, len(sandbox.requests))
        for _ in range(30):
            await anext(iterator)
        assert (1, 30, 1) == (iterator.stats.calls, iterator.stats.items, len(sandbox.requests))
        await anext(iterator)
        assert (2, 31, 2) == (iterator.stats.pages, iterator.stats.items, len(sandbox.requests))
        assert iterator.stats.missing is None


async def test_cancelled_step_loses_nothing() -> None:
    """A cancelled step loses no row: the next one returns it."""
    service = Service(listing(rows_of(1), "t"), HANG, listing(rows_of(2), "u"), listing(rows_of(3)))
    async with service.client() as client:
        iterator = client.meetings.iter_all()
        rows = [await anext(iterator)]
        with anyio.move_on_after(0.02) as scope:
            rows.append(await anext(iterator))
        rows += [row async for row in iterator]
    assert scope.cancelled_caught
    assert [1, 2, 3] == ids(rows)


async def test_error_comes_after_the_rows_before_it() -> None:
    """The rows that have come are yielded before the error of the next page is raised."""
    service = Service(listing(rows_of(1, 2), "t"), httpx.ConnectError("refused"))
    rows = []
    async with service.client(retry=None) as client:
        with pytest.raises(TransportError):
            async for row in client.meetings.iter_all():
                rows.append(row)  # noqa: PERF401 - the rows before the error are needed
    assert [1, 2] == ids(rows)
