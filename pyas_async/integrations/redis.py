"""A call budget that any number of processes share, counted by Redis or Valkey.

It needs the extra ``redis``, and asyncio: redis-py does not support trio.
"""

import asyncio
import os
import secrets
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pyas_async import BudgetLease, BudgetReport, ConfigurationError

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

__all__ = ["RedisBudgetStore", "RedisDataLostError"]

_KEYS = ("numbers", "held", "asking", "known", "urgent", "history", "back")
_LIFE = 1.0
"""The maximum life of a lease in seconds: within it, every process learns what one of them has learned."""
_RETURN = 25.0
"""Seconds within which all processes that count alone have come back to a store that answers, or keep to their part."""
_PATIENCE = 3.0
"""Seconds for which Redis may fail before the process counts alone: a restart, or a fault of one connection."""
_PAUSE = 0.1
"""Seconds between two attempts."""


class RedisDataLostError(Exception):
    """Redis has lost the counts, or a part of them, so for one window each process counts alone."""


class RedisBudgetStore:
    """Counts the calls of one key for all processes that share its name.

    Use it as ``RateBudget.growth(store=RedisBudgetStore(...))``. Each process leases a few slots at a time, for a
    second at most, and takes its calls from these: one round trip serves many calls. Interactive calls of any process
    get slots before bulk calls; apart from that, a process that has had less than its part of the limit goes first.
    Information from the service (calls by other programs with the key, a 429) reaches all processes within a second.

    A call holds its slot until one window after it has ended, by Redis's clock. A process that is killed loses only the
    slots that it had leased, which are released a window later.

    While Redis is not reachable, each process counts alone, against its part of the limit, and sends an event to
    ``on_event``. If Redis loses its data, or a part of them (a restart, FLUSHALL, failover to a replica that lags), the
    first process that was answered before notices it: all processes then count alone for one window.

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
        # When Redis last answered, by its clock.
        self._answered: str | bytes = "0"
        self._failing = False

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Process a report of this process and lease it slots, in one atomic step of one round trip.

        Raises:
            redis.RedisError: If Redis is not reachable, for longer than a restart takes. The budget then counts alone.
            RedisDataLostError: If Redis has lost data that are not older than a window. So it does then.
        """
        arguments: list[str | bytes | int | float] = [
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
            self._answered,
            _RETURN,
        ]
        answer = await self._run(arguments)
        if len(answer) == 2:
            msg = f"Redis has lost its data: each process counts alone for {float(answer[1]):.1f} s"
            raise RedisDataLostError(msg)
        slots, life, again, processes, self._answered = answer
        return BudgetLease(places=slots, expires_in=float(life), ask_again_in=float(again), processes=max(1, processes))

    async def _run(self, arguments: "list[str | bytes | int | float]") -> list[Any]:
        """Run the script, again for a while if Redis has just begun to fail.

        If one process counts alone while Redis serves the others, they spend more than the limit. So a short fault must
        not make any process do it.
        """
        patience = 0.0 if self._failing else _PATIENCE
        began = time.monotonic()
        while True:
            try:
                answer: list[Any] = await self._script(keys=self._keys, args=arguments)
            except (RedisConnectionError, RedisTimeoutError):
                self._failing = True
                if time.monotonic() - began >= patience:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                self._failing = False
                return answer
