"""The bounds of a call under every fault: time, memory, waits, and the number of its requests."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

import inside
from faults.answers import ID, bomb, says, tells, text, well
from faults.cases import MAKES, client_of, tried
from faults.server import serve
from pyas_async import (
    BudgetTimeoutError,
    DecodeError,
    MeetingDetail,
    OutcomeUnknownError,
    PyasClient,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
)
from pyas_async._core.calls.body_reader import MAX_BODY
from pyas_async._core.calls.exchange import MAX_WAIT
from pyas_async._core.calls.messages import Fault, Response
from pyas_async._runtime.clock import Clock
from runtime.socket_server import KEY, KEY_LIMIT, Seen
from runtime.socket_server import client_of as at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from faults.server import Script
    from pyas_async._core.calls.messages import ResponseOrFault


class Dripping(httpx.AsyncByteStream):
    """A body of blanks, one each second, that never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await anyio.sleep(1.0)


@pytest.mark.parametrize(
    ("call", "error", "attempts", "seconds"),
    [("get", RequestTimeoutError, 3, 90.0), ("create", OutcomeUnknownError, 1, 30.0)],
)
def test_dripping_body(call: str, error: type[PyasError], attempts: int, seconds: float) -> None:
    """By default, an attempt ends after 30 s and a call after 90 s, even if bytes keep coming."""
    begun: list[float] = []

    async def drip(request: httpx.Request) -> httpx.Response:
        begun.append(anyio.current_time())
        return httpx.Response(200, stream=Dripping())

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(drip)) as http,
            PyasClient(KEY, account_id="acc", base_url="http://localhost", http_client=http) as client,
        ):
            inside.set_clock(client, Clock(now=anyio.current_time))
            assert error is type(await tried(call, client))
            assert seconds == pytest.approx(anyio.current_time(), abs=0.001)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert attempts == len(begun)


async def memory_of_a_get(script: Script) -> tuple[object, int]:
    """Get a meeting; return the result and the peak of memory."""
    async with serve(well) as server, client_of(server.url) as (client, _):
        await client.meetings.list()  # so that lazily made objects exist
        server.script = script
        tracemalloc.start()
        try:
            return await tried("get", client), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.anyio
@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
async def test_bomb_takes_no_memory(coding: str) -> None:
    """A gibibyte in a megabyte of gzip takes only a little more memory than the largest body."""
    packed = bomb(1024)
    assert len(packed) < 2**21

    value, most = await memory_of_a_get(says(packed, 200, f"Content-Encoding: {coding}"))

    assert isinstance(value, DecodeError)
    assert most < 1.25 * MAX_BODY


@pytest.mark.anyio
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_largest_body(coding: str) -> None:
    """A body of exactly the largest size is read, and takes at most twice its size in memory."""
    body = text(Seen("GET", f"/zoom/meetings/{ID}", httpx.Headers(), b"")).ljust(MAX_BODY)
    script = says(gzip.compress(body, 1) if coding == "gzip" else body, 200, f"Content-Encoding: {coding}")

    value, most = await memory_of_a_get(script)

    assert isinstance(value, MeetingDetail)
    # The service's own copies on their way to the socket count as well, since it runs in this process.
    assert most < (2.25 if coding == "gzip" else 3.25) * MAX_BODY


@pytest.mark.anyio
async def test_limit_for_a_month() -> None:
    """A limit that ends in a month fails its call, and the calls of the next hour, with the service's message.

    An iteration waits for the call budget as long as it takes, but not for this limit.
    """
    month = 30 * 86_400
    async with serve(tells(KEY_LIMIT, 429, f"Retry-After: {month}")) as server, at(server.url) as client:
        with pytest.raises(RateLimitError, match="free again in 2,592,000 s"):
            await client.meetings.iter_all().collect()
        with pytest.raises(BudgetTimeoutError) as caught:
            await client.meetings.get(ID)
        assert MAX_WAIT == pytest.approx(caught.value.retry_after, abs=2.0)
        assert 1 == len(server.requests)


@attrs.define
class Unreachable:
    """A transport that fails like an unreachable service, in each way in turn."""

    requests: int = 0

    async def send(self, *_: object, **__: object) -> ResponseOrFault:
        """Fail, without any time passing."""
        await anyio.lowlevel.checkpoint()
        self.requests += 1
        return DEATHS[self.requests % len(DEATHS)]

    async def aclose(self) -> None:
        """Close nothing."""


DEATHS = (
    Fault("network", "refused", sent=False),
    Fault("network", "reset", sent=True),
    Fault("timeout", "late", sent=True),
    Response(503, {}, b""),
    Response(503, {"retry-after": "1"}, b""),
    Response(408, {}, b""),
)


@pytest.mark.asyncio
@pytest.mark.parametrize("many", [1_500, pytest.param(10_000, marks=pytest.mark.long)])
async def test_retries_are_bounded(many: int) -> None:
    """A service that fails every call gets at most 1.1 requests per call: then retries stop."""
    async with client_of("http://127.0.0.1") as (client, _):
        unreachable = Unreachable()
        inside.set_sender(client, unreachable)  # httpx would take seconds for so many failures
        calls = [tried(call, client) for _ in range(many // len(MAKES)) for call in MAKES]
        failures = [await call for call in calls]

    assert many == len(failures)
    assert all(isinstance(failure, PyasError) for failure in failures)
    assert many < unreachable.requests <= 1.1 * many
