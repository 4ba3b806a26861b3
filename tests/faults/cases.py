"""Calls under a fault: the client that makes them, on a clock that jumps over the announced waits."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import anyio.lowlevel
import attrs

import inside
from faults.answers import ID
from faults.endings import Ending, ending_of
from faults.fault import serving
from faults.jumping_clock import jump
from pyas_async import AttemptStarted, PyasClient, PyasError, Waiting
from pyas_async._core.calls.exchange import MAX_WAIT
from pyas_async._runtime.clock import Clock
from runtime.socket_server import CHANGE, KEY, NEW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from faults.fault import Fault
    from pyas_async import Event

MAKES: Mapping[str, Callable[[PyasClient], Awaitable[object]]] = {
    "list": lambda client: client.meetings.list(),
    "get": lambda client: client.meetings.get(ID),
    "create": lambda client: client.meetings.create(NEW),
    "update": lambda client: client.meetings.update(ID, CHANGE),
    "delete": lambda client: client.meetings.delete(ID),
}
"""The five calls."""
Pool: TypeAlias = "Callable[[], AbstractAsyncContextManager[Any]]"
"""Makes an httpx client to be injected."""
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@attrs.define
class EventRecorder:
    """Records a client's events, and lets its clock jump over each wait, so that none takes time.

    Attributes:
        waited: Seconds of the announced waits.
        attempts: The number of attempts started.
    """

    waited: float = 0.0
    attempts: int = 0

    def see(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, Waiting):
            self.waited += event.seconds
        self.attempts += isinstance(event, AttemptStarted)

    def clock(self) -> Clock:
        """Return the clock that jumps. Its random numbers are always one, so that pauses are longest."""
        began = anyio.current_time()
        return Clock(
            now=lambda: anyio.current_time() + self.waited,
            wall=lambda: NOON + timedelta(seconds=anyio.current_time() - began + self.waited),
            sleep=lambda _: anyio.lowlevel.checkpoint(),
            random=lambda: 1.0,
        )


@asynccontextmanager
async def client_of(
    url: str,
    pool: Pool | None = None,
    key: str = KEY,
    **options: Any,  # noqa: ANN401  (a client's options)
) -> AsyncIterator[tuple[PyasClient, EventRecorder]]:
    """Open a client whose waits take no time."""
    recorder = EventRecorder()
    settings: dict[str, Any] = {"account_id": "acc", "base_url": url, "on_event": recorder.see, **options}
    if pool is None:
        async with PyasClient(key, **settings) as client:
            inside.set_clock(client, recorder.clock())
            yield client, recorder
        return
    async with pool() as http, client_of(url, None, key, http_client=http, **options) as found:
        yield found


async def tried(call: str, client: PyasClient) -> object:
    """Make a call; return its value or its error."""
    try:
        return await MAKES[call](client)
    except PyasError as error:
        return error


@attrs.frozen
class CaseResult:
    """The result of a call under a fault.

    Attributes:
        ending: How it ended.
        waited: Seconds that the client waited, by its own clock.
        afterwards: What other calls on the same client return after the fault, without retries.
    """

    ending: Ending
    waited: float
    afterwards: tuple[object, ...]


async def run_case(fault: Fault, call: str, pool: Pool | None = None, *, tls: bool = False) -> CaseResult:
    """Make a call under a fault, and others after the fault."""
    options = {} if jump(0.0) else fault.options
    async with serving(fault, tls=tls) as server, client_of(server.url, pool, **options) as (client, recorder):
        value = await tried(call, client)
        ending = ending_of(value, requests=len(server.requests), attempts=recorder.attempts)
        waited = recorder.waited
        if ending.value is not None:
            await server.quiet()
        server.recover()
        recorder.waited += MAX_WAIT  # a limit may have stopped the key for this long, and never for longer
        return CaseResult(ending, waited, await _afterwards(client) if fault.address == "service" else WELL)


WELL = ([ID], ID + 1)
"""The right value of `CaseResult.afterwards`."""


async def _afterwards(client: PyasClient) -> tuple[object, ...]:
    once = client.with_options(retry=None)
    try:
        return [row.id for row in await once.meetings.list()], (await once.meetings.get(ID + 1)).id
    except PyasError as error:
        return (error,)


async def run_case_once(fault: Fault, call: str, pool: Pool | None = None) -> Ending:
    """Make a call under a fault that passes after the first request, or the first connection."""
    options = {} if jump(0.0) else fault.options
    async with serving(fault) as server, client_of(server.url, pool, **options) as (client, recorder):
        server.passes = True
        value = await tried(call, client)
        return ending_of(value, requests=len(server.requests), attempts=recorder.attempts)
