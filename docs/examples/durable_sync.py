"""Sync the meetings of very many accounts into a database, by several workers. Kill any of them: start it again.

    python durable_sync.py plan 2026-11-23 accounts.csv    # its lines: the name of a key, an account of that key
    python durable_sync.py work worker-1                   # as many as you like, each with a name of its own

DBOS keeps the batches in a queue for each key, and knows who works on which. A batch's checkpoint is stored with its
rows, in one transaction, so each meeting is stored once. It needs `pip install pyas_async dbos`; PYAS_KEYS in the
environment, as in {"north": {"api_key": "…", "calls": 3000}}; and for Postgres SYNC_DATABASE_URL, as in
postgresql+psycopg://user:password@host/database.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from pyas_async import PyasClient, RateBudget, ServerError, TransportError, to_dict

URL = os.environ.get("SYNC_DATABASE_URL", "sqlite:///sync.sqlite?timeout=60")
KEYS = json.loads(os.environ["PYAS_KEYS"])  # DBOS stores the arguments of workflows: names of keys, never keys
BATCH, AT_ONCE, CHUNK = 500, 8, 8  # accounts, accounts, pages: a kill costs a key AT_ONCE + CHUNK calls, mostly fewer
SCHEMA = """CREATE TABLE IF NOT EXISTS places (batch TEXT PRIMARY KEY, place TEXT, holder TEXT);
CREATE TABLE IF NOT EXISTS meetings (batch TEXT, account TEXT, id BIGINT, uuid TEXT, start_time TEXT, document TEXT,
PRIMARY KEY (batch, account, id, uuid, start_time))"""
INSERT = "INSERT INTO meetings VALUES (:batch, :account, :id, :uuid, :start_time, :document)"
BEGIN = "INSERT INTO places VALUES (:batch, '', '') ON CONFLICT DO NOTHING"
TAKE = "UPDATE places SET holder = :me WHERE batch = :batch"
MOVE = "UPDATE places SET place = :place WHERE batch = :batch AND holder = :me"
PASSING = (ServerError, TransportError, OperationalError)
DATABASE = create_engine(URL)
CLIENTS: dict[str, PyasClient] = {}


def take(batch: str, me: str) -> str:
    """Take hold of a batch, whoever had it; give its place, which is empty at its beginning."""
    with DATABASE.begin() as db:
        db.execute(text(TAKE), {"batch": batch, "me": me})
        return str(db.scalar(text("SELECT place FROM places WHERE batch = :batch"), {"batch": batch}))


def store(batch: str, me: str, place: str, rows: list[dict[str, Any]]) -> None:
    """Store rows and the place behind them, both or neither; neither if somebody else has taken hold of the batch."""
    with DATABASE.begin() as db:
        if db.execute(text(MOVE), {"batch": batch, "me": me, "place": place}).rowcount != 1:
            raise RuntimeError(f"{batch}: another worker has taken it over")
        if rows:
            db.execute(text(INSERT), rows)


@DBOS.step(retries_allowed=True, max_attempts=12, should_retry=lambda error: isinstance(error, PASSING))
async def list_batch(batch: str, key: str, accounts: list[str]) -> dict[str, str]:
    """List accounts from where their batch stands, again if the service or the database was away; tell who failed."""
    me = uuid.uuid4().hex
    place = await asyncio.to_thread(take, batch, me)
    listings = CLIENTS[key].meetings.iter_accounts(accounts, max_concurrency=AT_ONCE, resume=place or None)
    async with listings as pairs:
        async for chunk, reached in pairs.chunks(pages=CHUNK):
            rows = [
                {"batch": batch, "account": account, "id": row["id"], "uuid": row["uuid"],
                 "start_time": row.get("start_time") or "", "document": json.dumps(row)}
                for account, row in ((account, to_dict(meeting)) for account, meeting in chunk)
            ]  # fmt: skip
            await asyncio.to_thread(store, batch, me, str(reached), rows)
    for error in pairs.failures.values():
        if isinstance(error, PASSING):
            raise error
    return {account: str(error) for account, error in pairs.failures.items()}


@DBOS.workflow()
async def sync(batch: str, key: str, accounts: list[str]) -> dict[str, str]:
    """Do a batch."""
    return await list_batch(batch, key, accounts)


def plan(run: str, file: str) -> None:
    """Put a run's batches into the queues; those that are there already, or done, stay as they are."""
    keys: dict[str, list[str]] = {}
    for key, account in csv.reader(Path(file).read_text("utf-8").splitlines()):
        keys.setdefault(key, []).append(account)
    starts = [(key, at) for key, accounts in keys.items() for at in range(0, len(accounts), BATCH)]
    batches = [(f"{run}/{key}/{at}", key, keys[key][at : at + BATCH]) for key, at in starts]
    with DATABASE.begin() as db:
        for table in SCHEMA.split(";"):
            db.execute(text(table))
        db.execute(text(BEGIN), [{"batch": batch} for batch, *_ in batches])
    DBOS.listen_queues([])
    DBOS.launch()
    for batch, key, accounts in batches:
        with SetWorkflowID(batch), SetEnqueueOptions(queue_partition_key=key):
            DBOS.enqueue_workflow("pyas", sync, batch, key, accounts)


async def work() -> None:
    """Work until no batch is left. DBOS goes on with what a worker of the same name had begun."""
    async with AsyncExitStack() as stack:
        for name, key in KEYS.items():
            budget = RateBudget(key["calls"], window=key.get("window", 300.0))
            CLIENTS[name] = await stack.enter_async_context(PyasClient(key["api_key"], budget=budget))
        DBOS.launch()
        # One batch of a key at a time: one worker at a time spends its budget.
        await DBOS.register_queue_async("pyas", partition_concurrency=1)
        while await DBOS.list_workflows_async(status=["ENQUEUED", "PENDING"], limit=1):  # noqa: ASYNC110  (others work, too)
            await asyncio.sleep(1)


def main(command: str, *rest: str) -> None:
    """Plan or work."""
    # DBOS would give each change of this file a version of its own, and workers of another would leave its batches lie.
    config = {"name": "pyas-sync", "application_version": "1", "system_database_url": URL, "log_level": "WARNING"}
    DBOS(config={**config, "executor_id": rest[0] if command == "work" else "plan"})
    plan(*rest) if command == "plan" else asyncio.run(work())
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
