"""Sync the meetings of very many accounts into a database, with several workers. If one is killed, start it again.

    python durable_sync.py plan 2026-11-23 accounts.json    # {"north": ["account", …], …}: accounts by their key's name
    python durable_sync.py work worker-1                    # as many workers as you like, each with its own name

DBOS keeps the batches in a queue that is partitioned by key, and knows which worker processes which batch. A batch's
checkpoint is stored with its rows, in one transaction, so each meeting is stored once.

It needs `pip install . dbos` in a clone; PYAS_KEYS in the environment, as in
{"north": {"api_key": "…", "budget": {"limit": 3000}}}; and for Postgres SYNC_DATABASE_URL, as in
postgresql+psycopg://user:password@host/database.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from pyas_async import PyasClient, RateBudget, RateLimitError, ServerError, TransportError, to_dict

URL = os.environ.get("SYNC_DATABASE_URL", "sqlite:///sync.sqlite?timeout=60")
KEYS = json.loads(os.environ["PYAS_KEYS"])  # DBOS stores the arguments of workflows: pass names of keys, never keys
BATCH, AT_ONCE, CHUNK = 500, 8, 8  # accounts, accounts, pages: a kill costs a key at most about AT_ONCE + CHUNK calls
SCHEMA = """CREATE TABLE IF NOT EXISTS batches (batch TEXT PRIMARY KEY, checkpoint TEXT, turn INTEGER);
CREATE TABLE IF NOT EXISTS meetings (batch TEXT, account TEXT, id BIGINT, uuid TEXT, start_time TEXT, document TEXT,
PRIMARY KEY (batch, account, id, uuid, start_time))"""
INSERT = "INSERT INTO meetings VALUES (:batch, :account, :id, :uuid, :start_time, :document)"
TAKE = """INSERT INTO batches VALUES (:batch, NULL, 1)
ON CONFLICT (batch) DO UPDATE SET turn = batches.turn + 1 RETURNING turn, checkpoint"""
MOVE = "UPDATE batches SET checkpoint = :checkpoint WHERE batch = :batch AND turn = :turn"
PASSING = (ServerError, TransportError, RateLimitError, OperationalError)
DATABASE = create_engine(URL)
CLIENTS = {name: PyasClient(key["api_key"], budget=RateBudget(**key["budget"])) for name, key in KEYS.items()}


def take(batch: str) -> tuple[int, str | None]:
    """Take the next turn at a batch, whichever worker had the last one; return its number and the checkpoint."""
    with DATABASE.begin() as db:
        return db.execute(text(TAKE), {"batch": batch}).one()


def store(batch: str, turn: int, checkpoint: str, rows: list[dict[str, Any]]) -> None:
    """Store rows and the checkpoint after them, both or neither; neither if another worker has taken a turn since."""
    with DATABASE.begin() as db:
        if db.execute(text(MOVE), {"batch": batch, "turn": turn, "checkpoint": checkpoint}).rowcount != 1:
            raise RuntimeError(f"{batch}: another worker has taken it over")
        if rows:
            db.execute(text(INSERT), rows)


@DBOS.step(retries_allowed=True, max_attempts=12, should_retry=lambda error: isinstance(error, PASSING))
async def list_batch(batch: str, key: str, accounts: list[str]) -> dict[str, str]:
    """List accounts from their batch's checkpoint; DBOS retries temporary errors. Return the errors by account."""
    turn, checkpoint = await asyncio.to_thread(take, batch)
    async with CLIENTS[key].meetings.iter_accounts(accounts, max_concurrency=AT_ONCE, resume=checkpoint) as pairs:
        async for chunk, reached in pairs.chunks(pages=CHUNK):
            rows = [
                {"batch": batch, "account": account, "id": meeting.id, "uuid": meeting.uuid,
                 "start_time": str(meeting.start_time or ""), "document": json.dumps(to_dict(meeting))}
                for account, meeting in chunk
            ]  # fmt: skip
            await asyncio.to_thread(store, batch, turn, str(reached), rows)
    if passing := [error for error in pairs.failures.values() if isinstance(error, PASSING)]:
        raise passing[0]
    return {account: str(error) for account, error in pairs.failures.items()}


@DBOS.workflow()
async def sync(key: str, accounts: list[str]) -> dict[str, str]:
    """Process a batch; the workflow's id is the batch's name."""
    return await list_batch(DBOS.workflow_id, key, accounts)


def plan(run: str, file: str) -> None:
    """Put a run's batches into the queue; batches that are already queued or done stay as they are."""
    with DATABASE.begin() as db:
        for table in SCHEMA.split(";"):
            db.execute(text(table))
    DBOS.listen_queues([])
    DBOS.launch()
    for key, accounts in json.loads(Path(file).read_text("utf-8")).items():
        for at in range(0, len(accounts), BATCH):
            with SetWorkflowID(f"{run}/{key}/{at}"), SetEnqueueOptions(queue_partition_key=key):
                DBOS.enqueue_workflow("pyas", sync, key, accounts[at : at + BATCH])


async def work() -> None:
    """Work until no batch is left. DBOS resumes what a worker of the same name had begun."""
    DBOS.launch()
    # One batch of a key at a time, so only one worker at a time spends the key's budget.
    await DBOS.register_queue_async("pyas", partition_concurrency=1)
    while await DBOS.list_workflows_async(status=["ENQUEUED", "PENDING"], limit=1):  # noqa: ASYNC110  (others work, too)
        await asyncio.sleep(1)
    for client in CLIENTS.values():
        await client.aclose()


def main(command: str, name: str, file: str = "") -> None:
    """Plan the run ``name``, or run the worker ``name``."""
    # By default, each change of this file is a new version to DBOS, and a worker skips batches of other versions.
    DBOS(config={"name": "pyas-sync", "application_version": "1", "executor_id": name, "system_database_url": URL})
    plan(name, file) if command == "plan" else asyncio.run(work())
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
