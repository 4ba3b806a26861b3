"""Copy an account's meetings into an SQLite file. Kill it whenever you like: run again, it goes on where it was.

    python docs/examples/export.py --db out.sqlite

Rows and checkpoint are stored in one transaction, so they agree at every moment: no row is lost, none is stored twice.
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
CREATE TABLE IF NOT EXISTS place (here INTEGER PRIMARY KEY CHECK (here = 1), checkpoint TEXT);
"""


def store(db: sqlite3.Connection, meetings: Iterable[Meeting], place: Checkpoint) -> None:
    """Store rows, and the place behind them: both, or neither."""
    documents = map(to_dict, meetings)
    rows = [(row["id"], row["uuid"], row.get("start_time"), json.dumps(row)) for row in documents]
    with db:
        db.executemany("INSERT INTO meetings VALUES (?, ?, ?, ?)", rows)
        db.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", [str(place)])


async def export(db: sqlite3.Connection, client: PyasClient, every: int = 1000) -> None:
    """Copy what is not in the database yet, in transactions of so many rows."""
    stored = db.execute("SELECT checkpoint FROM place").fetchone()
    batch = []
    # SQLite keeps the event loop waiting while it writes; the next page travels meanwhile.
    async with client.meetings.iter_all(resume=stored[0] if stored else None) as meetings:
        async for meeting in meetings:
            batch.append(meeting)
            if len(batch) == every:
                store(db, batch, meetings.checkpoint())
                batch.clear()
        store(db, batch, meetings.checkpoint())


async def main() -> None:
    """Read the arguments, open the database, and export."""
    parser = argparse.ArgumentParser(description="Copy an account's meetings into an SQLite file, each exactly once.")
    parser.add_argument("--db", required=True, help="the file; if there is one, the export goes on in it")
    parser.add_argument("--every", type=int, default=1000, help="rows in one transaction (default: %(default)s)")
    options = parser.parse_args()
    with closing(sqlite3.connect(options.db)) as db:
        db.executescript(SCHEMA)
        async with PyasClient() as client:
            await export(db, client, options.every)
        (count,) = db.execute("SELECT count(*) FROM meetings").fetchone()
    print(f"{count:,} meetings in {options.db}")


if __name__ == "__main__":
    asyncio.run(main())
