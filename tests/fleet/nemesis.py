"""Faults of Redis at random: it is killed, emptied, paused, restored from old data, or replaced by another one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from random import Random
from typing import TYPE_CHECKING, Any, Self

import attrs
import httpx
from redis.asyncio import Redis

from fleet.servers import RedisServer
from pyas_async import PyasClient, PyasError, RateBudget
from pyas_async.integrations.redis import RedisBudgetStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from pyas_async.sandbox import Sandbox

LIMIT = 60
GUARD = 0.1
ACTIONS = ("kill", "restart", "restore", "flush", "pause", "fail over")


class Relay:
    """A port in front of Redis, which leads to one server or another, as a failover changes an address."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def lead_to(self, target: int) -> None:
        """Lead all connections to another server from now on."""
        self.target = target
        self.cut()

    def cut(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(_copy(reader, back), _copy(upstream, writer))
        self._writers -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@attrs.define
class Nemesis:
    """Two servers, of which the workers reach one, and the faults that happen to them."""

    chance: Random
    servers: list[RedisServer]
    relay: Relay
    window: float
    done: list[str] = attrs.field(factory=list)

    @property
    def current(self) -> RedisServer:
        """The server that the workers reach."""
        return next(server for server in self.servers if server.port == self.relay.target)

    async def act(self, action: str) -> None:
        """Let one fault happen."""
        self.done.append(action)
        server = self.current
        if action == "flush":
            async with Redis(port=server.port) as admin:
                await admin.flushall()
        elif action == "pause":
            seconds = self.chance.choice([0.05, 0.3, 1.5, 2.5, 8.0])
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            server.signal(signal.SIGCONT)
        elif action == "fail over":
            other = next(one for one in self.servers if one is not server)
            async with Redis(port=other.port) as admin:
                await admin.flushall()
            self.relay.lead_to(other.port)
        else:
            if action == "restore":  # the data as they were some time before the server is killed
                async with Redis(port=server.port) as admin:
                    await admin.save()
                await asyncio.sleep(self.chance.uniform(0.2, self.window))
            server.stop(signal.SIGKILL)
            if action != "restore":
                server.forget()
            await asyncio.sleep(0.05 if action == "restart" else self.chance.choice([0.5, 4.0, 9.0]))
            await asyncio.to_thread(server.start)


@contextlib.asynccontextmanager
async def nemesis(folder: Path, chance: Random, window: float) -> AsyncIterator[Nemesis]:
    """Start two servers and the port in front of them."""
    servers = []
    try:
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(RedisServer(folder / name))
            await asyncio.to_thread(servers[-1].start)
        async with Relay(servers[0].port) as relay:
            yield Nemesis(chance, servers, relay, window)
    finally:
        for server in servers:
            server.signal(signal.SIGCONT)
            server.stop(signal.SIGKILL)


@contextlib.asynccontextmanager
async def workers(sandbox: Sandbox, port: int, window: float, number: int) -> AsyncIterator[list[float]]:
    """Let workers spend one budget as fast as they can; yield the moments of all calls."""
    moments: list[float] = []
    sandbox.on_request = lambda _: moments.append(time.monotonic())
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = []
        for _ in range(number):
            redis: Any = await stack.enter_async_context(Redis(port=port, socket_timeout=1.0))
            http = await stack.enter_async_context(httpx.AsyncClient(transport=sandbox.transport()))
            store = RedisBudgetStore(redis, name="fleet")
            budget = RateBudget(LIMIT, window=window, guard=GUARD, store=store)
            client = PyasClient(
                sandbox.api_key, base_url="https://sandbox", account_id=sandbox.account_ids[0], budget=budget,
                http_client=http, priority="bulk", retry=None, deadline=None,
            )  # fmt: skip
            running += [tasks.create_task(_work(client)) for _ in range(3)]
        yield moments
        for task in running:
            task.cancel()


async def _work(client: PyasClient) -> None:
    while True:
        with contextlib.suppress(PyasError):
            await client.meetings.list(max_results=1)


def most_in_a_window(moments: Sequence[float], window: float) -> int:
    """Return the largest number of calls in any window, whenever it begins."""
    most, first = 0, 0
    for at, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, at - first + 1)
    return most
