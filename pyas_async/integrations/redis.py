"""A call budget that any number of processes spend together, counted by Redis or Valkey.

Needs the extra ``redis``, and asyncio: redis-py has no trio.
"""

import os
import secrets
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis

from pyas_async import BudgetLease, BudgetReport, ConfigurationError

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

__all__ = ["RedisBudgetStore"]

_KEYS = ("numbers", "held", "asking", "known", "urgent")
_LIFE = 1.0
"""Seconds for which a lease lasts at most, so that what one process learns all know soon."""


class RedisBudgetStore:
    """Counts the calls of one key for all processes that name it: ``RateBudget.growth(store=RedisBudgetStore(...))``.

    Each process leases a few places at a time, for a second at most, and takes its calls from these: one round trip
    for many calls. Places go to interactive calls before bulk calls of whatever process, and else to whoever has had
    less than its part of the limit. What the service says (calls that somebody else made with the key, a 429) holds for
    all within a second.

    A call keeps its place until a window after it is over, by Redis's clock. A process that is killed leaves no more
    behind than what it had leased, which comes back a window later. When Redis forgets, each process tells it anew what
    it has spent; while Redis is away, each counts alone, against its part of the limit, and tells ``on_event`` so.

    Args:
        client: A client of ``redis.asyncio``, which stays yours to close. Give it a ``socket_timeout``: no question
            lasts longer than five seconds in any case.
        name: What processes with the same API key have in common, as in ``"growth-key"``: one name, one budget. Never
            the key itself: it can be read in Redis.

    Raises:
        ConfigurationError: If the name is blank, or the client is none of redis-py's for asyncio.
    """

    def __init__(self, client: "Redis[Any] | Redis", *, name: str) -> None:  # type: ignore[type-arg,unused-ignore]
        """Connect to nothing yet."""
        if not isinstance(client, Redis):
            msg = f"RedisBudgetStore client: expected a redis.asyncio.Redis, got {type(client).__name__}"
            raise ConfigurationError(msg)
        if not isinstance(name, str) or not name.strip():
            msg = "RedisBudgetStore name: expected text that is not blank, one name for each API key"
            raise ConfigurationError(msg)
        script = resources.files("pyas_async.integrations").joinpath("_lease.lua").read_text("utf-8")
        self._script: AsyncScript = client.register_script(script)
        # One slot of a cluster holds them all.
        self._keys = [f"{{pyas_async:budget:{name}}}:{part}" for part in _KEYS]
        self._process = f"{os.getpid()}-{secrets.token_hex(6)}"

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Take what a process has to tell, and lease it places: one question, one step of Redis's.

        Raises:
            redis.RedisError: If Redis cannot be asked. The budget counts alone then.
        """
        arguments: list[str | int | float] = [
            self._process,
            report.wanted,
            report.interactive,
            report.sent,
            report.unused,
            report.used,
            "" if report.limit is None else report.limit,
            report.window,
            "" if report.remaining is None else report.remaining,
            report.resets_in,
            report.paused_for,
            min(_LIFE, report.window / 50),
            report.under_way,
        ]
        places, life, again, processes = await self._script(keys=self._keys, args=arguments)
        return BudgetLease(
            places=places, expires_in=float(life), ask_again_in=float(again), processes=max(1, processes)
        )
