"""Copy an account's meetings into an SQLite file. Kill it at any moment: the next run continues from there.

    python docs/examples/export.py --db out.sqlite

Rows and checkpoint are stored in one transaction, so they agree at every moment: no row is lost or stored twice.
The settings come from the environment: PYAS_API_KEY and PYAS_ACCOUNT_ID, and PYAS_BASE_URL for the sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pyas_async import PyasClient, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async import Checkpoint, Meeting

SCHEMA = """
CREATE TABLE IF NOT EXISTS meetings (id INTEGER, uuid TEXT, start_time TEXT, document TEXT);
CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint TEXT);
"""


def store(db: sqlite3.Connection, meetings: Iterable[Meeting], checkpoint: Checkpoint) -> None:
    """Store rows and the checkpoint after them in one transaction: both, or neither."""
    documents = map(to_dict, meetings)
    rows = [(row["id"], row["uuid"], row.get("start_time"), json.dumps(row)) for row in documents]
    with db:
        db.executemany("INSERT INTO meetings VALUES (?, ?, ?, ?)", rows)
        db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?)", [str(checkpoint)])


async def export(db: sqlite3.Connection, client: PyasClient, every: int = 1000) -> None:
    """Copy the meetings that are not in the database yet, in transactions of `every` rows."""
    stored = db.execute("SELECT checkpoint FROM progress").fetchone()
    batch = []
    # SQLite blocks the event loop while it writes; the request for the next page has been sent by then.
    async with client.meetings.iter_all(resume=stored[0] if stored else None) as meetings:
        async for meeting in meetings:
            batch.append(meeting)
            if len(batch) == every:
                store(db, batch, meetings.checkpoint())
                batch.clear()
        store(db, batch, meetings.checkpoint())


async def main() -> None:
    """Export to the database that the arguments name, and print how many meetings it holds."""
    parser = argparse.ArgumentParser(description="Copy an account's meetings into an SQLite file, each exactly once.")
    parser.add_argument("--db", required=True, help="the file; if it exists, the export continues in it")
    parser.add_argument("--every", type=int, default=1000, help="rows per transaction (default: %(default)s)")
    options = parser.parse_args()
    with closing(sqlite3.connect(options.db)) as db:
        db.executescript(SCHEMA)
        async with PyasClient() as client:
            await export(db, client, options.every)
        (count,) = db.execute("SELECT count(*) FROM meetings").fetchone()
    print(f"{count:,} meetings in {options.db}")


if __name__ == "__main__":
    asyncio.run(main())
