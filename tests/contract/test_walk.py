"""iter_all over real sockets: every row exactly once, wherever and however a page token expires."""

from __future__ import annotations

import time
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import pytest

import inside
from contract.tools import client_of, identities, in_process
from pyas_async import BadRequestError, PageTokenExpiredError, PaginationError
from pyas_async._runtime.clock import Clock
from pyas_async.sandbox import EXPIRED_ANSWERS, Sandbox, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pyas_async import IterationStats, Meeting

pytestmark = pytest.mark.anyio

World = tuple[Sandbox, str]
SIZES = [0, 1, 299, 300, 301, 5_000]
FOUR_PAGES = 901
# Which requests with a token find it expired. Four pages have three tokens; further ones are those of a fresh walk.
DEATHS = [pytest.param([1], id="first"), pytest.param([2], id="middle"), pytest.param([3], id="last")]


def on_token(sandbox: Sandbox, which: Collection[int], act: Callable[[], object]) -> None:
    """Run a function before the n-th requests with a token."""
    numbers = count(1)

    def hook(request: SeenRequest) -> None:
        if "nextPageToken" in request.query and next(numbers) in which:
            act()

    sandbox.on_request = hook


async def walk(served: World, page_size: int = 300) -> tuple[list[Meeting], IterationStats]:
    """Iterate over all rows with a client of its own."""
    sandbox, url = served
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        iterator = client.meetings.iter_all(page_size=page_size)
        rows = [row async for row in iterator]
        return rows, iterator.stats


def truth(served: World) -> list[dict[str, object]]:
    """List the rows of the only account of a sandbox that does not change."""
    return _rows(served[0])


@cache
def _rows(sandbox: Sandbox) -> list[dict[str, object]]:
    return sandbox.rows(sandbox.account_ids[0])


@pytest.mark.parametrize("size", SIZES)
async def test_every_row_once(world: Callable[[int], World], size: int) -> None:
    """Every row comes exactly once, with one call for each page of 300."""
    served = world(size)
    rows, stats = await walk(served)
    pages = max(1, -(-size // 300))
    assert identities(truth(served)) == identities(rows)
    assert pages == len(served[0].requests)
    assert (size, pages, pages, 0, 0) == (
        stats.items, stats.pages, stats.calls, stats.restarts, stats.duplicates_skipped,
    )  # fmt: skip
    assert (size, 0) == (stats.total_reported, stats.missing)


@pytest.mark.parametrize(
    "deaths",
    [
        pytest.param([1], id="first", marks=pytest.mark.long),
        pytest.param([8], id="middle"),
        pytest.param([16], id="last", marks=pytest.mark.long),
        pytest.param([1, 2], id="first, twice", marks=pytest.mark.long),
        pytest.param([8, 16], id="middle, twice", marks=pytest.mark.long),
        pytest.param([16, 32], id="last, twice"),
        pytest.param([16, 17, 18], id="last, then the first of two fresh walks"),
    ],
)
async def test_tokens_die_among_many_pages(world: Callable[[int], World], deaths: list[int]) -> None:
    """Each of 5,000 rows comes exactly once, whichever page token expires."""
    served = world(5_000)
    on_token(served[0], deaths, served[0].expire_tokens)
    rows, stats = await walk(served)
    assert identities(truth(served)) == identities(rows)
    assert (5_000, len(deaths)) == (stats.items, stats.restarts)
    assert (len(served[0].requests), 0) == (stats.calls, stats.missing)


async def test_only_token_dies(world: Callable[[int], World]) -> None:
    """Each of 301 rows comes exactly once, though the only page token expires twice."""
    served = world(301)
    on_token(served[0], [1, 2], served[0].expire_tokens)
    rows, stats = await walk(served)
    assert identities(truth(served)) == identities(rows)
    assert (2, 6, 600) == (stats.restarts, stats.calls, stats.duplicates_skipped)


@pytest.mark.parametrize(
    "deaths",
    [
        pytest.param([1], id="first"),
        pytest.param([2], id="middle", marks=pytest.mark.long),
        pytest.param([3], id="last", marks=pytest.mark.long),
        pytest.param([1, 2], id="first, twice", marks=pytest.mark.long),
        pytest.param([3, 6], id="last, twice"),
    ],
)
@pytest.mark.parametrize("shape", list(EXPIRED_ANSWERS))
async def test_every_shape(world: Callable[[int], World], shape: str, deaths: list[int]) -> None:
    """Each row comes exactly once, whatever error shape reports the expired token."""
    served = world(100)
    served[0].expired_answer = shape
    on_token(served[0], deaths, served[0].expire_tokens)
    rows, stats = await walk(served, page_size=30)
    assert identities(truth(served)) == identities(rows)
    assert len(deaths) == stats.restarts


async def test_dead_tokens_are_not_sent_twice(world: Callable[[int], World]) -> None:
    """A token that the service refused is never sent again."""
    served = world(FOUR_PAGES)
    on_token(served[0], [2, 3], served[0].expire_tokens)
    await walk(served)
    tokens = [request.query["nextPageToken"] for request in served[0].requests if "nextPageToken" in request.query]
    assert sorted(set(tokens)) == sorted(tokens)


@pytest.mark.parametrize("deaths", DEATHS)
async def test_tokens_die_by_age(world: Callable[[int], World], deaths: list[int]) -> None:
    """Each row comes exactly once if a token expires at the service, whatever the client's clock says."""
    served = world(FOUR_PAGES)

    def pass_time() -> None:
        served[0].clock = lambda: time.time() + 901

    on_token(served[0], deaths, pass_time)
    rows, stats = await walk(served)
    assert identities(truth(served)) == identities(rows)
    assert 1 == stats.restarts


async def test_aged_token_is_not_tried(world: Callable[[int], World]) -> None:
    """A token that expires during a slow consumer's work costs no call: a fresh walk skips the rows already yielded."""
    sandbox, url = world(FOUR_PAGES)
    late = 0.0
    sandbox.clock = lambda: time.time() + late
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        inside.set_clock_of_calls(client, Clock(now=lambda: time.monotonic() + late))
        iterator = client.meetings.iter_all()
        rows = [await anext(iterator) for _ in range(450)]
        late = 901.0
        rows += [row async for row in iterator]
    assert identities(truth((sandbox, url))) == identities(rows)
    assert {200} == {request.status for request in sandbox.requests}
    assert iterator.stats.restarts >= 1


async def test_tokens_dead_on_arrival(world: Callable[[int], World]) -> None:
    """Fresh walks that never get past the first page end with an error that says so, and send no expired token."""
    sandbox, url = world(FOUR_PAGES)
    rows = []
    async with client_of(url, account_id=sandbox.account_ids[0], page_token_ttl=1e-6) as client:
        iterator = client.meetings.iter_all(max_restarts=2)
        with pytest.raises(PaginationError):
            async for row in iterator:
                rows.append(row)  # noqa: PERF401 - the rows before the error are needed
    assert 300 == len(rows)
    assert (2, 3) == (iterator.stats.restarts, len(sandbox.requests))
    assert not any("nextPageToken" in request.query for request in sandbox.requests)


@pytest.mark.parametrize("limit", [1, 3])
async def test_restarts_are_bounded(world: Callable[[int], World], limit: int) -> None:
    """`max_restarts` fresh walks in a row without a new row raise, and the rows before were yielded."""
    sandbox, url = world(FOUR_PAGES)
    on_token(sandbox, range(2, 99), sandbox.expire_tokens)
    rows = []
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        iterator = client.meetings.iter_all(max_restarts=limit)
        with pytest.raises(PaginationError):
            async for row in iterator:
                rows.append(row)  # noqa: PERF401 - the rows before the error are needed
    assert identities(truth((sandbox, url))[:600]) == identities(rows)
    assert limit == iterator.stats.restarts


async def test_restarts_with_progress_go_on(world: Callable[[int], World]) -> None:
    """Restarts that bring a new row do not count against `max_restarts`."""
    sandbox, url = world(5_000)
    # In each walk, the token expires one page later than in the one before.
    on_token(sandbox, {sum(range(1, n + 1)) for n in range(1, 7)}, sandbox.expire_tokens)
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        iterator = client.meetings.iter_all(max_restarts=1)
        rows = await iterator.collect()
    assert identities(truth((sandbox, url))) == identities(rows)
    assert 6 == iterator.stats.restarts


@pytest.mark.parametrize("shape", ["zoom_400", "pyas_410", "ok_false"])
async def test_expiry_can_be_raised(world: Callable[[int], World], shape: str) -> None:
    """With on_expired="raise" an expired token raises, and no further request is sent."""
    sandbox, url = world(FOUR_PAGES)
    sandbox.expired_answer = shape
    on_token(sandbox, [1], sandbox.expire_tokens)
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        iterator = client.meetings.iter_all(on_expired="raise")
        with pytest.raises(PageTokenExpiredError):
            await iterator.collect()
    assert 2 == len(sandbox.requests)


async def test_list_raises_on_a_dead_token(sandbox: Sandbox) -> None:
    """A call for one page with an expired token raises PageTokenExpiredError, as there is no listing to restart."""
    async with in_process(sandbox) as client:
        page = await client.meetings.list(max_results=30)
        sandbox.expire_tokens()
        with pytest.raises(PageTokenExpiredError):
            await client.meetings.list(max_results=30, next_page_token=page.next_page_token)


async def test_row_that_moves_between_pages(sandbox: Sandbox) -> None:
    """A row that a new one moves to the next page is yielded once."""
    account = sandbox.account_ids[0]
    before = sandbox.rows(account)
    on_token(sandbox, [1], lambda: sandbox.add_meeting(account, at=0))
    async with in_process(sandbox) as client:
        iterator = client.meetings.iter_all(page_size=30)
        rows = await iterator.collect()
    assert identities(before) == identities(rows)
    assert 1 == iterator.stats.duplicates_skipped


@pytest.mark.parametrize("deaths", [[], [2], [2, 3]])
async def test_filters_on_every_page(sandbox: Sandbox, deaths: list[int]) -> None:
    """Every request of a listing, also of a fresh walk, has the same filters, size and options."""
    on_token(sandbox, deaths, sandbox.expire_tokens)
    filters = {"startDate": "01-02-2020", "endDate": "12-31-2030", "type": "scheduled"}
    async with in_process(sandbox) as client:
        view = client.with_options(headers={"x-trace": "t1"})
        await view.meetings.iter_all(
            start_date="01-02-2020", end_date="12-31-2030", type="scheduled", page_size=30
        ).collect()
    queries = [
        {name: value for name, value in request.query.items() if name != "nextPageToken"}
        for request in sandbox.requests
    ]
    wanted = {"accountId": sandbox.account_ids[0], "maxResults": "30", **filters}
    assert [wanted] * len(queries) == queries
    assert {"t1"} == {request.headers.get("x-trace") for request in sandbox.requests}


@pytest.mark.parametrize(("asked", "sent"), [(None, "300"), (300, "300"), (77, "77"), (500, "500")])
async def test_size_asked(world: Callable[[int], World], asked: int | None, sent: str) -> None:
    """The default page size is 300; a larger one is requested as given, and pages of any size are accepted."""
    sandbox, url = world(FOUR_PAGES)
    async with client_of(url, account_id=sandbox.account_ids[0]) as client:
        meetings = client.meetings
        rows = await (meetings.iter_all() if asked is None else meetings.iter_all(page_size=asked)).collect()
    assert identities(truth((sandbox, url))) == identities(rows)
    assert {sent} == {request.query["maxResults"] for request in sandbox.requests}


async def test_refused_300(world: Callable[[int], World]) -> None:
    """If the service refuses pages of 300, further requests have no size, those of fresh walks included."""
    sandbox, url = world(299)
    sandbox.max_page_size, sandbox.oversize = 100, "refuse"
    on_token(sandbox, [3], sandbox.expire_tokens)
    rows, stats = await walk((sandbox, url))
    assert identities(truth((sandbox, url))) == identities(rows)
    assert ["300"] == [request.query["maxResults"] for request in sandbox.requests if "maxResults" in request.query]
    assert 1 == stats.restarts


async def test_other_refused_sizes(sandbox: Sandbox) -> None:
    """If the service refuses a size that the user chose, the error is raised."""
    sandbox.max_page_size, sandbox.oversize = 100, "refuse"
    async with in_process(sandbox) as client:
        with pytest.raises(BadRequestError):
            await client.meetings.iter_all(page_size=200).collect()
    assert 1 == len(sandbox.requests)
