"""A call budget that any number of processes share, counted by Redis or Valkey.

It needs the extra ``redis``, and asyncio: redis-py does not support trio.
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
"""The maximum life of a lease in seconds: within it, every process learns what one of them has learned."""


class RedisBudgetStore:
    """Counts the calls of one key for all processes that share its name.

    Use it as ``RateBudget.growth(store=RedisBudgetStore(...))``. Each process leases a few slots at a time, for a
    second at most, and takes its calls from these: one round trip serves many calls. Interactive calls of any process
    get slots before bulk calls; apart from that, a process that has had less than its part of the limit goes first.
    Information from the service (calls by other programs with the key, a 429) reaches all processes within a second.

    A call holds its slot until one window after it has ended, by Redis's clock. A process that is killed loses only the
    slots that it had leased, which are released a window later. If Redis loses its data, each process reports again
    what it has used. While Redis is not reachable, each process counts alone, against its part of the limit, and sends
    an event to ``on_event``.

    Args:
        client: A client of ``redis.asyncio``; it stays yours to close. Give it a ``socket_timeout``: no request to it
            takes longer than five seconds in any case.
        name: The name that processes with the same API key share, as in ``"growth-key"``: one name, one budget. Never
            the key itself: the name can be read in Redis.

    Raises:
        ConfigurationError: If the name is blank, or the client is not a redis-py client for asyncio.
    """

    def __init__(self, client: "Redis[Any] | Redis", *, name: str) -> None:  # type: ignore[type-arg,unused-ignore]
        if not isinstance(client, Redis):
            msg = f"RedisBudgetStore client: expected a redis.asyncio.Redis, got {type(client).__name__}"
            raise ConfigurationError(msg)
        if not isinstance(name, str) or not name.strip():
            msg = "RedisBudgetStore name: expected text that is not blank, one name for each API key"
            raise ConfigurationError(msg)
        script = resources.files("pyas_async.integrations").joinpath("_lease.lua").read_text("utf-8")
        self._script: AsyncScript = client.register_script(script)
        # The braces put all keys into one hash slot of a cluster.
        self._keys = [f"{{pyas_async:budget:{name}}}:{part}" for part in _KEYS]
        self._process = f"{os.getpid()}-{secrets.token_hex(6)}"

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Process a report of this process and lease it slots, in one atomic step of one round trip.

        Raises:
            redis.RedisError: If Redis is not reachable. The budget then counts alone.
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
        slots, life, again, processes = await self._script(keys=self._keys, args=arguments)
        return BudgetLease(places=slots, expires_in=float(life), ask_again_in=float(again), processes=max(1, processes))
