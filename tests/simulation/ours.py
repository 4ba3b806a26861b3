"""The real client in virtual time: its rate limiter, budget, session and iterator."""

from __future__ import annotations

import contextlib
from random import Random
from typing import TYPE_CHECKING, ClassVar

import httpx
import trio

import inside
from pyas_async import PyasClient, RateBudget
from pyas_async._runtime.clock import Clock
from simulation.contender import Contender
from simulation.service import Wire, meetings, wall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from simulation.service import Service


def client_on(service: Service, budget: RateBudget, name: str) -> tuple[httpx.AsyncClient, PyasClient]:
    """Make a client that runs in virtual time, and the httpx client below it; the name seeds its random numbers."""
    http = httpx.AsyncClient(transport=Wire(service), trust_env=False)
    client = PyasClient("key", base_url="http://localhost", http_client=http, budget=budget)
    random = Random(f"{name} {service.world.seed}").random
    inside.set_clock(client, Clock(now=trio.current_time, wall=wall, sleep=trio.sleep, random=random))
    return http, client


class Ours(Contender):
    """One client, and for each account an `iter_all`."""

    about: ClassVar[str] = "pyas_async: iter_all for each account"

    def __init__(self, service: Service) -> None:
        """Make the client."""
        super().__init__(service)
        plan = service.world.plan
        self._http, self.client = client_on(service, RateBudget(plan.limit, window=plan.window), "client")
        # Single calls have no deadline, so that their waits can be measured.
        self._patient = self.client.with_options(deadline=None)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Close the client at the end."""
        async with self._http, self.client:
            yield

    async def list_one(self, account: int) -> None:
        """List an account, and check that all rows came."""
        listing = self.client.meetings.iter_all(account_id=str(account))
        try:
            seen = [meeting.id async for meeting in listing]
        finally:
            self.restarts += listing.stats.restarts
        expected = meetings(account, self.service.world.pages[account])
        assert list(expected) == seen, f"{len(seen)} rows came instead of {len(expected)}, or others"

    async def get(self, number: int) -> None:
        """Make a single call."""
        meeting = await self._patient.meetings.get(number + 1, account_id="0")
        assert number + 1 == meeting.id


class Pairs(Ours):
    """One client, and one iterator over all accounts."""

    about: ClassVar[str] = "pyas_async: iter_accounts"

    async def list_all(self) -> None:
        """List all accounts, and check that all rows of each came."""
        pages = self.service.world.pages
        seen: dict[str, list[int]] = {}
        with self.noting("the iterator"):
            async with self.client.meetings.iter_accounts(map(str, range(len(pages)))) as pairs:
                async for account_id, meeting in pairs:
                    seen.setdefault(account_id, []).append(meeting.id)
            self.restarts = pairs.stats.restarts
            self.failures.update(pairs.failures)
        self.done = sum(list(meetings(number, pages[number])) == seen.get(str(number)) for number in range(len(pages)))
