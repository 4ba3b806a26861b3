"""Programs as users write them by hand, for comparison.

They call the service without httpx, which changes nothing in virtual time and takes a tenth of the real time. They are
well-behaved: a refused call is made again when the service says so, as often as it takes, and a listing whose token has
expired is begun again.
"""

from __future__ import annotations

import abc
import functools
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final

import trio

from simulation.contender import Contender

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulation.service import Reply, Service

AT_ONCE: Final = 10


class ByHand(Contender):
    """A loop over the pages, and some way to limit the calls."""

    async def list_one(self, account: int) -> None:
        """List an account; begin again if a token has expired."""
        token: str | None = None
        while True:
            reply = await self._call(functools.partial(self.service.call, account, token))
            token = reply.token
            if reply.status == 400:
                self.restarts += 1
            elif token is None:
                return

    async def get(self, number: int) -> None:
        """Make a single call."""
        await self._call(functools.partial(self.service.get, number))

    @abc.abstractmethod
    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Make a call when it may go out, until it is not refused."""


class Semaphore(ByHand):
    """A fixed number of calls at once. A refused call keeps its permit until it may be made again.

    If it released the permit meanwhile, the other calls would be refused one after the other.
    """

    about: ClassVar[str] = f"a semaphore of {AT_ONCE} around each call"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._permits = trio.Semaphore(AT_ONCE)

    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._permits:
            return await _until_served(send)


class Workers(ByHand):
    """A fixed number of accounts at once: few listings are in progress, and nothing holds single calls back."""

    about: ClassVar[str] = f"a semaphore of {AT_ONCE} around each listing"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._permits = trio.Semaphore(AT_ONCE)

    async def list_one(self, account: int) -> None:
        """List an account when it is its turn."""
        async with self._permits:
            await super().list_one(account)

    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        return await _until_served(send)


class Queue(ByHand):
    """A queue, first in, first out, that lets no more calls out than the limit in any time of a window's length."""

    about: ClassVar[str] = "a queue that keeps to the limit, first in, first out"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._turn = trio.Lock()  # trio's locks are fair
        self._out: deque[float] = deque()

    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        while True:
            await self._wait()
            reply = await send()
            if reply.status != 429:
                return reply
            await trio.sleep(reply.retry_after)

    async def _wait(self) -> None:
        plan = self.service.world.plan
        async with self._turn:
            if len(self._out) == plan.limit:
                await trio.sleep_until(self._out.popleft() + plan.window)
            self._out.append(trio.current_time())


async def _until_served(send: Callable[[], Awaitable[Reply]]) -> Reply:
    while True:
        reply = await send()
        if reply.status != 429:
            return reply
        await trio.sleep(reply.retry_after)
