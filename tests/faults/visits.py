"""Calls under a fault: the client that makes them, on a clock that leaps over the waits it announces."""

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
from faults.leaping import leap
from pyas_async import AttemptStarted, PyasClient, PyasError, Waiting
from pyas_async._core.calls.exchange import MAX_WAIT
from pyas_async._runtime.clock import Clock
from runtime.wires import CHANGE, KEY, NEW

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
"""Makes a client of httpx's kind to be injected."""
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@attrs.define
class Witness:
    """Sees what a client does, and lets its clock leap over each wait, so that none takes time.

    Attributes:
        waited: Seconds that the client has waited, as it says.
        attempts: Attempts that it has begun.
    """

    waited: float = 0.0
    attempts: int = 0

    def see(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, Waiting):
            self.waited += event.seconds
        self.attempts += isinstance(event, AttemptStarted)

    def clock(self) -> Clock:
        """Give the clock that leaps. Chance is always one: pauses are at their longest."""
        began = anyio.current_time()
        return Clock(
            now=lambda: anyio.current_time() + self.waited,
            wall=lambda: NOON + timedelta(seconds=anyio.current_time() - began + self.waited),
            sleep=lambda _: anyio.lowlevel.checkpoint(),
            chance=lambda: 1.0,
        )


@asynccontextmanager
async def client_of(
    url: str,
    pool: Pool | None = None,
    key: str = KEY,
    **options: Any,  # noqa: ANN401  (a client's)
) -> AsyncIterator[tuple[PyasClient, Witness]]:
    """Open a client that leaps over its waits."""
    witness = Witness()
    settings: dict[str, Any] = {"account_id": "acc", "base_url": url, "on_event": witness.see, **options}
    if pool is None:
        async with PyasClient(key, **settings) as client:
            inside.set_clock(client, witness.clock())
            yield client, witness
        return
    async with pool() as http, client_of(url, None, key, http_client=http, **options) as found:
        yield found


async def tried(call: str, client: PyasClient) -> object:
    """Make a call; give its value, or its error."""
    try:
        return await MAKES[call](client)
    except PyasError as error:
        return error


@attrs.frozen
class Visit:
    """What came of a call under a fault.

    Attributes:
        ending: How it ended.
        waited: Seconds that the client waited meanwhile, by its own clock.
        afterwards: What other calls get on the same client when the fault has passed, without being tried again.
    """

    ending: Ending
    waited: float
    afterwards: tuple[object, ...]


async def visit(fault: Fault, call: str, pool: Pool | None = None, *, tls: bool = False) -> Visit:
    """Make a call under a fault, and others when it has passed."""
    options = {} if leap(0.0) else fault.options
    async with serving(fault, tls=tls) as server, client_of(server.url, pool, **options) as (client, witness):
        value = await tried(call, client)
        ending = ending_of(value, requests=len(server.requests), attempts=witness.attempts)
        waited = witness.waited
        if ending.value is not None:
            await server.quiet()
        server.recover()
        witness.waited += MAX_WAIT  # a limit may have stopped the key for so long, and never for longer
        return Visit(ending, waited, await _afterwards(client) if fault.place == "service" else WELL)


WELL = ([ID], ID + 1)
"""What `Visit.afterwards` is when all is well."""


async def _afterwards(client: PyasClient) -> tuple[object, ...]:
    once = client.with_options(retry=None)
    try:
        return [row.id for row in await once.meetings.list()], (await once.meetings.get(ID + 1)).id
    except PyasError as error:
        return (error,)


async def visit_once(fault: Fault, call: str, pool: Pool | None = None) -> Ending:
    """Make a call under a fault that passes after the first request, or the first connection."""
    options = {} if leap(0.0) else fault.options
    async with serving(fault) as server, client_of(server.url, pool, **options) as (client, witness):
        server.passes = True
        value = await tried(call, client)
        return ending_of(value, requests=len(server.requests), attempts=witness.attempts)
