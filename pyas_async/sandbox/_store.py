"""The state of a sandbox, in SQLite.

Another program may open the file and read it while the sandbox runs. The schema::

    rows(account_id TEXT, position INTEGER, id INTEGER, uuid TEXT, start_time TEXT,
         begins_at REAL, ends_at REAL, document TEXT)
        One for each row of the list call. The listing is ordered by position, which may have gaps.
        document is the row as the list call sends it, in JSON. begins_at and ends_at, in epoch seconds, are
        used by the filters: start_time, or created_at if there is none; and that plus the duration.
    details(account_id TEXT, id INTEGER, document TEXT)
        The data of a meeting's details that its rows do not have (see the module _details), in JSON.
    accounts(account_id TEXT, document TEXT)
        The connected accounts, in the order in which they were connected.
    meta(name TEXT, value TEXT)
        schema (the version of this schema), api_key, seed, starts (how often the sandbox was started on this file).

The true rows of an account are ``SELECT document FROM rows WHERE account_id = ? ORDER BY position``.
A reader sees each request of the API either whole or not at all, also if the sandbox is killed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pyas_async.sandbox._file_lock import lock_file
from pyas_async.sandbox._responses import Json, encode
from pyas_async.sandbox._times import read_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

_VERSION: Final = "1"
_MEMORY: Final = ":memory:"
_BIGGEST: Final = 2**63 - 1
_SCHEMA: Final = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE accounts(account_id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE details(account_id TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL,
                     PRIMARY KEY (account_id, id));
CREATE TABLE rows(account_id TEXT NOT NULL, position INTEGER NOT NULL, id INTEGER, uuid TEXT, start_time TEXT,
                  begins_at REAL, ends_at REAL, document TEXT NOT NULL);
CREATE INDEX rows_listing ON rows(account_id, position, begins_at, ends_at);
CREATE INDEX rows_id ON rows(account_id, id);
CREATE INDEX rows_uuid ON rows(account_id, uuid);
"""
_INSERT: Final = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_DIGITS: Final = len(str(_BIGGEST))


class Store:
    """Accounts, rows and details. Safe to use from several threads: each method acquires :attr:`lock`."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.lock: Final = threading.RLock()
        name = _MEMORY if path is None else os.fsdecode(path)
        if not name:
            message = "db must be the name of a file; got an empty one"
            raise ValueError(message)
        self._unlock = None if name == _MEMORY else _locked(name)
        try:
            self._db = _opened(name)
        except BaseException:
            self._release()
            raise
        try:
            # A reader in another process must neither block the sandbox nor wait for it: WAL allows both.
            self._db.execute("PRAGMA journal_mode = WAL").close()
            self._db.execute("PRAGMA synchronous = OFF").close()
            with self.transaction():
                self._prepare(name)
        except sqlite3.DatabaseError as error:
            self.close()
            message = f"db must be a new file or one that this sandbox made; {name!r}: {error}"
            raise ValueError(message) from error
        except BaseException:
            self.close()
            raise

    def _prepare(self, name: str) -> None:
        tables = {table for (table,) in self._all("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            # Not `executescript`, which would commit.
            for statement in filter(None, map(str.strip, _SCHEMA.split(";"))):
                self._db.execute(statement).close()
            self.set_meta("schema", _VERSION)
        elif "meta" not in tables or self.meta("schema") != _VERSION:
            message = f"db must be a new file or one that this sandbox made (schema {_VERSION}); {name!r} is neither"
            raise ValueError(message)

    def close(self) -> None:
        """Close the database; closing it again does nothing."""
        with self.lock:
            self._db.close()
            self._release()

    def _release(self) -> None:
        if self._unlock is not None:
            self._unlock()
            self._unlock = None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make all changes inside of the context visible and durable together, or none of them if it raises.

        A transaction inside of another is a part of it.
        """
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE").close()
            try:
                yield
                self._db.execute("COMMIT").close()
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK").close()
                raise

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def meta(self, name: str) -> str | None:
        """Return a value of the table meta; None if it is not there."""
        found = self._all("SELECT value FROM meta WHERE name = ?", name)
        return found[0][0] if found else None

    def set_meta(self, name: str, value: str) -> None:
        """Write a value of the table meta."""
        self._all("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)

    def account_ids(self) -> list[str]:
        """Return the accounts' ids, in the order in which they were connected."""
        return [account_id for (account_id,) in self._all("SELECT account_id FROM accounts ORDER BY rowid")]

    def account(self, account_id: str) -> Json | None:
        """Return an account's document; None if it is unknown."""
        found = self._all("SELECT document FROM accounts WHERE account_id = ?", account_id)
        return json.loads(found[0][0]) if found else None

    def add_account(self, document: Json) -> None:
        """Add an account's document."""
        self._all("INSERT INTO accounts VALUES (?, ?)", document["accountId"], encode(document))

    def page(
        self, account_id: str, where: str, values: Sequence[float], size: int, offset: int
    ) -> tuple[int, list[str]]:
        """Count the rows that match a filter; return the count, and ``size`` rows from ``offset`` as JSON texts."""
        scope = f"FROM rows WHERE account_id = ?{where}"
        with self.lock:
            total = self._all(f"SELECT count(*) {scope}", account_id, *values)[0][0]
            order = "ORDER BY position LIMIT ? OFFSET ?"
            found = self._all(f"SELECT document {scope} {order}", account_id, *values, size, offset)
        return total, [text for (text,) in found]

    def rows(self, account_id: str) -> list[Json]:
        """Return all rows of an account, in listing order."""
        found = self._all("SELECT document FROM rows WHERE account_id = ? ORDER BY position", account_id)
        return [json.loads(text) for (text,) in found]

    def series(self, account_id: str, reference: str) -> list[Json]:
        """Return the rows of one meeting, in listing order, by its id (digits) or by the uuid of one of them.

        With a uuid, the rows with that uuid come first.
        """
        meeting_id = None
        if reference.isascii() and reference.isdigit():
            digits = reference.lstrip("0") or "0"
            if len(digits) > _DIGITS:
                return []
            meeting_id = int(digits)
        if meeting_id is None:
            found = self._all("SELECT id FROM rows WHERE account_id = ? AND uuid = ?", account_id, reference)
            meeting_id = found[0][0] if found else None
        if meeting_id is None or meeting_id > _BIGGEST:
            return []
        found = self._all(
            "SELECT document FROM rows WHERE account_id = ? AND id = ? ORDER BY uuid IS NOT ?, position",
            account_id, meeting_id, reference,
        )  # fmt: skip
        return [json.loads(text) for (text,) in found]

    def detail(self, account_id: str, meeting_id: int) -> Json:
        """Return the stored details of a meeting; an empty object if there are none."""
        found = self._all("SELECT document FROM details WHERE account_id = ? AND id = ?", account_id, meeting_id)
        return json.loads(found[0][0]) if found else {}

    def set_detail(self, account_id: str, details: Iterable[tuple[int, Json]]) -> None:
        """Store the details of meetings, by meeting id."""
        records = [(account_id, meeting_id, encode(document)) for meeting_id, document in details]
        with self.transaction():
            self._db.executemany("INSERT OR REPLACE INTO details VALUES (?, ?, ?)", records).close()

    def insert(self, account_id: str, rows: Sequence[Json], at: int | None = None) -> None:
        """Insert rows before the row with index ``at``, or at the end of the listing."""
        with self.transaction():
            position = None if at is None else self._position(account_id, at)
            if position is None:
                last = self._all("SELECT max(position) FROM rows WHERE account_id = ?", account_id)[0][0]
                position = 0 if last is None else last + 1
            else:
                room = "UPDATE rows SET position = position + ? WHERE account_id = ? AND position >= ?"
                self._all(room, len(rows), account_id, position)
            records = [_record(account_id, place, row) for place, row in enumerate(rows, position)]
            self._db.executemany(_INSERT, records).close()

    def pop(self, account_id: str, index: int) -> Json:
        """Remove the row at ``index`` from the listing and return it; ``IndexError`` if there is none."""
        with self.lock:
            position = self._position(account_id, index)
            if position is None:
                message = f"index must be below the number of rows of {account_id}; got {index}"
                raise IndexError(message)
            found = self._all(
                "DELETE FROM rows WHERE account_id = ? AND position = ? RETURNING document", account_id, position
            )
        document: Json = json.loads(found[0][0])
        return document

    def replace(self, account_id: str, meeting_id: int, rows: Sequence[Json]) -> None:
        """Replace a meeting's rows. New rows take the old positions, further ones go to the end; none deletes it."""
        with self.transaction():
            old = self._all(
                "SELECT position FROM rows WHERE account_id = ? AND id = ? ORDER BY position", account_id, meeting_id
            )
            self._all("DELETE FROM rows WHERE account_id = ? AND id = ?", account_id, meeting_id)
            records = [_record(account_id, place, row) for (place,), row in zip(old, rows, strict=False)]
            self._db.executemany(_INSERT, records).close()
            self.insert(account_id, rows[len(old) :])
            if not rows:
                self._all("DELETE FROM details WHERE account_id = ? AND id = ?", account_id, meeting_id)

    def _position(self, account_id: str, index: int) -> int | None:
        if index < 0:
            message = f"index must be 0 or more; got {index}"
            raise IndexError(message)
        sql = "SELECT position FROM rows WHERE account_id = ? ORDER BY position LIMIT 1 OFFSET ?"
        found = self._all(sql, account_id, index)
        return found[0][0] if found else None


def _locked(name: str) -> Callable[[], None]:
    try:
        return lock_file(name)
    except BlockingIOError:
        message = f"db must be a file of no other sandbox; another one runs on {name!r}"
    except (OSError, ValueError) as error:
        message = f"db must be a file that can be opened; {name!r}: {error}"
    raise ValueError(message)


def _opened(name: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(name, check_same_thread=False, isolation_level=None)
    except sqlite3.OperationalError as error:
        message = f"db must be a file that can be opened; {name!r}: {error}"
        raise ValueError(message) from error


def _record(account_id: str, position: int, row: Json) -> tuple[object, ...]:
    begins = read_epoch(row.get("start_time"))
    if begins is None:
        begins = read_epoch(row.get("created_at"))
    duration = row.get("duration")
    minutes = duration if isinstance(duration, int) else 0
    ends = None if begins is None else begins + minutes * 60
    keys = (_key(row.get(name)) for name in ("id", "uuid", "start_time"))
    return account_id, position, *keys, begins, ends, encode(row)


def _key(value: object) -> object:
    """Return a value by which a row is found; ``None`` for one that no request can name, which a test may add."""
    whole = isinstance(value, int) and abs(value) < 2**63
    return value if whole or isinstance(value, str) else None
