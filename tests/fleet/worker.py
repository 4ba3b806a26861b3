"""A worker process: it spends a shared budget with bulk calls or interactive ones, until it is stopped.

    python worker.py URL REDIS_URL NAME ACCOUNT WINDOW bulk|interactive

For each call it writes a line: ``ok`` and the call's seconds, or the name of an error. It writes ``alone`` when the
store of its budget has failed.
"""

from __future__ import annotations

import asyncio
import sys
import time

from redis.asyncio import Redis

from pyas_async import BudgetStoreFailed, Event, PyasClient, PyasError, RateBudget
from pyas_async.integrations.redis import RedisBudgetStore

LIMIT = 100
GUARD = 0.05
PERIOD = 0.5
"""Seconds between two interactive calls."""


def say(*words: object) -> None:
    """Write a line, and flush it."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def on_event(event: Event) -> None:
    """Print that the store has failed."""
    if isinstance(event, BudgetStoreFailed):
        say("alone")


async def work(client: PyasClient, *, bulk: bool) -> None:
    """Call until the process is stopped."""
    while True:
        began = time.monotonic()
        try:
            await client.meetings.list(max_results=1)
            say("ok", time.monotonic() - began)
        except PyasError as error:
            say(type(error).__name__)
        if not bulk:
            await asyncio.sleep(PERIOD)


async def main(url: str, redis_url: str, name: str, account: str, window: str, kind: str) -> None:
    """Work, with four calls at a time if they are bulk."""
    redis = Redis.from_url(redis_url, socket_timeout=1.0)
    budget = RateBudget(LIMIT, window=float(window), guard=GUARD, store=RedisBudgetStore(redis, name="fleet"))
    client = PyasClient("sandbox-key", base_url=url, account_id=account, budget=budget, on_event=on_event, retry=None)
    bulk = kind == "bulk"
    mine = client.with_options(headers={"x-worker": name}, priority="bulk" if bulk else "interactive", deadline=60.0)
    say("ready")
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4 if bulk else 1):
            tasks.create_task(work(mine, bulk=bulk))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
