"""A client over an in-process sandbox: faults, tokens, budgets and time."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from pyas_async import (
    AuthenticationError,
    BudgetTimeoutError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    InvalidArgumentError,
    MeetingCreate,
    OutcomeUnknownError,
    PermissionDeniedError,
    PyasClient,
    RateBudget,
    RequestTimeoutError,
    ServerError,
    TransportError,
    Waiting,
)
from pyas_async.testing import Offline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async import Event
    from pyas_async.sandbox import Fault

pytestmark = pytest.mark.anyio

STANDUP = MeetingCreate(type=2, title="Stand-up", description="", start_date=datetime(2026, 1, 6, 9, tzinfo=UTC))


@pytest.fixture
def pyas() -> Iterator[Offline]:
    """Return an account of 30 meetings, in pages of 10, and its client."""
    with Offline(meetings=30, max_page_size=10) as made:
        yield made


async def test_client(pyas: Offline) -> None:
    """The client is bound to the first account, and lists the sandbox's rows."""
    rows = await pyas.client.meetings.iter_all().collect()

    assert [row["uuid"] for row in pyas.sandbox.rows(pyas.account_id)] == [row.uuid for row in rows]
    assert pyas.client is pyas.client
    assert 0.0 == pyas.clock.elapsed


async def test_same_seed_same_world() -> None:
    """A seed reproduces the data, the tokens, the times and the pauses before retries; another seed does not."""

    async def history(seed: int) -> tuple[object, ...]:
        with Offline(seed=seed, meetings=5, max_page_size=2) as made:
            made.sandbox.fail_next(503, times=2)
            rows = await made.client.meetings.iter_all().collect()
            return rows, str(made.calls), made.clock.elapsed

    assert await history(4) == await history(4)
    assert [False, False, False] == [
        one == other for one, other in zip(await history(4), await history(5), strict=True)
    ]


async def test_retries_take_no_time(pyas: Offline) -> None:
    """The pauses before retries pass on the clock, not in real time."""
    began = time.monotonic()
    faults: list[int | Fault] = [503, "dropped", "unreachable", "lost"]
    for fault in faults:
        pyas.sandbox.fail_next(fault)
        await pyas.client.meetings.list()
    pyas.sandbox.fail_next(500, times=4)
    with pytest.raises(ServerError):
        await pyas.client.meetings.list()

    assert 0 < pyas.clock.elapsed
    assert 5 > time.monotonic() - began
    # A request that never arrived was not logged.
    assert [503, 200, None, 200, 200, None, 200, 500, 500, 500, 500] == [call.status for call in pyas.calls]


async def test_hanging(pyas: Offline) -> None:
    """A call without a response ends with its timeout, by the clock."""
    pyas.sandbox.fail_next("hang")
    with pytest.raises(RequestTimeoutError):
        await pyas.client.with_options(retry=None, timeout=12).meetings.list()

    assert 12.0 == pyas.clock.elapsed


async def test_latency(pyas: Offline) -> None:
    """The sandbox's latency passes on the clock, and a shorter timeout ends the call."""
    pyas.sandbox.latency = 20
    await pyas.client.meetings.list()
    assert 20.0 == pyas.clock.elapsed
    with pytest.raises(RequestTimeoutError):
        await pyas.client.with_options(retry=None, timeout=5).meetings.list()
    assert 25.0 == pyas.clock.elapsed


async def test_fate_of_a_create(pyas: Offline) -> None:
    """A create that cannot have arrived is repeated; otherwise its outcome is unknown."""
    pyas.sandbox.fail_next("unreachable", times=2)
    await pyas.client.meetings.create(STANDUP)
    assert 31 == len(pyas.sandbox.rows(pyas.account_id))
    unanswered: list[tuple[Fault, int]] = [("dropped", 31), ("lost", 32)]
    for fault, there in unanswered:
        pyas.sandbox.fail_next(fault)
        with pytest.raises(OutcomeUnknownError):
            await pyas.client.meetings.create(STANDUP)
        assert there == len(pyas.sandbox.rows(pyas.account_id))
    pyas.sandbox.fail_next("garbage")
    with pytest.raises(DecodeError) as caught:
        await pyas.client.meetings.create(STANDUP)
    assert "done" == caught.value.write_state
    pyas.sandbox.fail_next("unreachable", times=4)
    with pytest.raises(TransportError) as refused:
        await pyas.client.meetings.create(STANDUP)
    assert "not_sent" == refused.value.write_state


async def test_reconcile(pyas: Offline) -> None:
    """A create whose response was lost is looked up after pauses that take no time."""
    pyas.sandbox.fail_next("lost")
    made = await pyas.client.meetings.create(STANDUP, on_unknown="reconcile")

    assert pyas.sandbox.rows(pyas.account_id)[-1]["uuid"] == made.uuid
    assert 1.0 == pyas.clock.elapsed


async def test_tokens_die_by_the_clock(pyas: Offline) -> None:
    """Page tokens expire when the test moves the clock, for sandbox and client alike; the listing continues."""
    listing = pyas.client.meetings.iter_all()
    rows = [await anext(listing) for _ in range(5)]
    pyas.clock.advance(timedelta(minutes=15))
    rows += [row async for row in listing]

    assert [row["uuid"] for row in pyas.sandbox.rows(pyas.account_id)] == [row.uuid for row in rows]
    assert 1 == listing.stats.restarts
    # The client knew the expiry, and did not try the token.
    assert [200] * 4 == [call.status for call in pyas.calls]


async def test_tokens_expire_on_demand(pyas: Offline) -> None:
    """Tokens that the sandbox expires early are noticed by the response."""
    listing = pyas.client.meetings.iter_all()
    await anext(listing)
    assert 1 == pyas.sandbox.expire_tokens()
    rows = [row async for row in listing]

    assert (29, 1) == (len(rows), listing.stats.restarts)
    pyas.calls.assert_made("meetings.list", status=400, times=1)


async def test_budget_windows_pass_by_the_clock() -> None:
    """A call without room in the budget fails, or waits, until the test moves the clock into the next window."""
    with Offline(plan="developer", meetings=1) as pyas:
        client = pyas.new_client(account_id=pyas.account_id, budget=RateBudget.developer())
        for _ in range(100):
            await client.meetings.list()
        with pytest.raises(BudgetTimeoutError):
            await client.meetings.list()
        assert 100 == len(pyas.calls)
        pyas.clock.advance(301)
        await client.meetings.list()
        assert 301.0 == pyas.clock.elapsed


async def test_waiting_for_the_budget() -> None:
    """With the clock stopped, a test sees a call wait for the budget, and releases it by moving the clock."""
    with Offline(plan="developer", meetings=1) as pyas:
        events: list[Event] = []
        client = pyas.new_client(
            account_id=pyas.account_id, budget=RateBudget(2, window=60), deadline=None, on_event=events.append
        )
        pyas.clock.jumps = False
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.meetings.list)
            await pyas.clock.settle()
            assert (2, 1) == (len(pyas.calls), client.rate_limit.waiting)
            pyas.clock.advance(60)
            await pyas.clock.settle()
            assert 2 == len(pyas.calls)
            pyas.clock.advance(1)  # the budget frees a slot slightly late
        assert 3 == len(pyas.calls)
        assert "budget" in [event.reason for event in events if isinstance(event, Waiting)]


async def test_rate_limit(pyas: Offline) -> None:
    """The client waits for the end of a rate limit that others have used up, by the clock."""
    await pyas.client.meetings.list()
    pyas.sandbox.rate_limit(30)
    await pyas.client.meetings.list()

    assert [200, 429, 200] == [call.status for call in pyas.calls]
    assert 30 <= pyas.clock.elapsed <= 31


async def test_bulk_and_prefetch(pyas: Offline) -> None:
    """Parallel calls and prefetched pages work in process as over a socket."""
    ids = [row["id"] for row in pyas.sandbox.rows(pyas.account_id)]
    outcomes = await pyas.client.meetings.get_many(ids)
    async with pyas.client.meetings.iter_all() as listing:
        rows = [row async for row in listing]

    assert [True] * 30 == [outcome.ok for outcome in outcomes]
    assert 30 == len(rows)


async def test_new_client_stands_in_for_the_class(pyas: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that makes its own client can be given `new_client` instead of `PyasClient`, with any arguments."""
    monkeypatch.setenv("PYAS_API_KEY", "of another service")
    monkeypatch.setenv("PYAS_BASE_URL", "https://elsewhere.example")
    async with pyas.new_client(max_connections=3, http_client=None, retry=None, base_url=None) as client:
        assert PyasClient is type(client)
        with pytest.raises(InvalidArgumentError):
            await client.meetings.list()
        assert 10 == len((await client.meetings.list(account_id=pyas.account_id, max_results=300)).meetings)
        pyas.sandbox.fail_next(403)
        with pytest.raises(PermissionDeniedError):
            await client.meetings.list(account_id=pyas.account_id)
    with pytest.raises(AuthenticationError):
        await pyas.new_client("another-key").meetings.list(account_id=pyas.account_id)


async def test_key_that_is_waited_for(pyas: Offline) -> None:
    """A key function may wait, in real time or on the clock; one that is not async is refused as by the client."""

    async def fetched() -> str:
        await anyio.to_thread.run_sync(lambda: None)
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        return pyas.sandbox.api_key

    async def slowly() -> str:
        await pyas.clock.sleep(20)
        return await fetched()

    await pyas.new_client(fetched, account_id=pyas.account_id).meetings.list()
    assert 0.0 == pyas.clock.elapsed
    await pyas.new_client(slowly, account_id=pyas.account_id).meetings.list()
    assert 20.0 == pyas.clock.elapsed
    with pytest.raises(ConfigurationError, match="cannot be awaited"):
        await pyas.new_client(lambda: "key", account_id=pyas.account_id).meetings.list()  # type: ignore[arg-type, return-value]


async def test_key_that_never_comes(pyas: Offline) -> None:
    """The deadline of a call whose key never arrives passes when the test moves the clock."""

    async def never() -> str:
        await anyio.sleep_forever()
        raise AssertionError

    async def call() -> None:
        with pytest.raises(RequestTimeoutError):
            await pyas.new_client(never, account_id=pyas.account_id, deadline=30).meetings.list()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await pyas.clock.settle()
        pyas.clock.advance(30)
    assert (30.0, 0) == (pyas.clock.elapsed, len(pyas.calls))


async def test_closing(pyas: Offline) -> None:
    """After the block, it no longer responds, but its calls can be inspected. `async with` also closes its client."""
    await pyas.client.meetings.list()
    pyas.close()
    with pytest.raises(TransportError):
        await pyas.client.meetings.list()
    assert ["meetings.list"] == pyas.calls.operations

    async with Offline() as other, anyio.create_task_group() as tasks:
        other.sandbox.fail_next("hang")
        other.clock.jumps = False

        async def hang() -> None:
            with pytest.raises(ClientClosedError):
                await other.client.with_options(retry=None).meetings.list()

        tasks.start_soon(hang)
        await other.clock.settle()
        await other.client.aclose()
    async with Offline():
        pass


SCRIPT = """
import asyncio
from pyas_async.testing import Offline

with Offline(meetings=110, plan="developer") as pyas:
    rows = asyncio.run(pyas.client.meetings.iter_all(page_size=1).collect())
    print(len(rows), "rows")
"""


def test_script_that_waits_says_so() -> None:
    """A script without logging that waits for its key's calls prints that on stderr, every minute of the wait."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)

    assert "110 rows\n" == done.stdout
    lines = done.stderr.splitlines()
    assert 6 == len(lines)  # after 0, 60, 120, 180, 240 and 300 of 301 seconds
    assert all("is used up: 1 call waits for about" in line and "larger plan" in line for line in lines)
