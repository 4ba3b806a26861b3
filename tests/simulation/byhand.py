"""What people write by hand, to compare.

They talk to the service without httpx between, which changes nothing in virtual time and takes a tenth of the real one.
They are good citizens: a refused call is made again when the service says so, as often as it takes, and a listing whose
token died is begun again.
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
    """A loop over the pages, and some way to hold the calls back."""

    async def list_one(self, account: int) -> None:
        """List an account; from the start again if a token is dead."""
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
        """Make a call when it may be made, until it is not refused."""


class Semaphore(ByHand):
    """So many calls at once; one that is refused keeps its place until it may be made again.

    Giving the place back meanwhile would let the others run into the limit, one after the other.
    """

    about: ClassVar[str] = f"a semaphore of {AT_ONCE} around each call"

    def __init__(self, service: Service) -> None:
        """Begin with all places free."""
        super().__init__(service)
        self._places = trio.Semaphore(AT_ONCE)

    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._places:
            return await _until_served(send)


class Workers(ByHand):
    """So many accounts at once: the listings are not begun all at once, and single calls are held back by nothing."""

    about: ClassVar[str] = f"a semaphore of {AT_ONCE} around each listing"

    def __init__(self, service: Service) -> None:
        """Begin with all places free."""
        super().__init__(service)
        self._places = trio.Semaphore(AT_ONCE)

    async def list_one(self, account: int) -> None:
        """List an account when it is its turn."""
        async with self._places:
            await super().list_one(account)

    async def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        return await _until_served(send)


class Queue(ByHand):
    """A queue, first in, first out, that lets so many calls out in any span of a window's length."""

    about: ClassVar[str] = "a queue that keeps to the limit, first in, first out"

    def __init__(self, service: Service) -> None:
        """Begin with nobody waiting."""
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
