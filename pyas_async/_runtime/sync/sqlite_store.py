"""`SqliteSyncStore`, which keeps the states of accounts in an SQLite file."""

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import anyio.to_thread
import attrs

from pyas_async._core.sync.state import StoredRows, SyncState, from_header, header_of
from pyas_async._core.sync.store import SyncStore
from pyas_async._public import public
from pyas_async.errors import CheckpointError, ConfigurationError, InvalidArgumentError

_APPLICATION_ID = 0x50594153
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE accounts (
    key INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE, header TEXT NOT NULL, rows INTEGER NOT NULL,
    saves INTEGER NOT NULL);
CREATE TABLE rows (key INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (key, record)) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""
_BUSY = 30.0
"""Seconds to wait for another process that writes."""


@attrs.frozen
class _Saved:
    """What the file holds of a state's rows: after how many of its changes, and after how many saves of the account."""

    count: int
    saves: int


@public
class SqliteSyncStore(SyncStore):
    """Keeps the states of accounts in an SQLite file, which one process at a time should use for an account.

    The file is made when it is needed, and only its owner can read it (mode 0600). Each save is one transaction, which
    writes only the rows that have changed. All work happens in a thread. Rows are read only when a round needs them:
    if a listing is as it was, they are not.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        """Keep the path; the file is opened by the first call.

        Args:
            path: The file. A path such as ``":memory:"`` is a file of that name.

        Raises:
            InvalidArgumentError: If it is not a path.
        """
        if not isinstance(path, (str, PathLike)) or not os.fspath(path):
            raise InvalidArgumentError("path", "the path of a file", path)
        self.path: Path = Path(path)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._watch_lock: sqlite3.Connection | None = None
        self._saved: weakref.WeakKeyDictionary[StoredRows, _Saved] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"SqliteSyncStore({str(self.path)!r})"

    async def load(self, account_id: str) -> SyncState | None:
        """Return the state of an account; ``None`` if there is none.

        Raises:
            CheckpointError: If the file is of another kind or version, or is damaged.
        """
        return await anyio.to_thread.run_sync(self._load, account_id)

    async def save(self, account_id: str, state: SyncState) -> None:
        """Keep the state of an account instead of the one before.

        Raises:
            CheckpointError: If the file is of another kind or version, or is damaged.
        """
        await anyio.to_thread.run_sync(self._save, account_id, state)

    async def forget(self, account_id: str) -> None:
        """Delete the state of an account, if there is one.

        Raises:
            CheckpointError: If the file is of another kind or version, or is damaged.
        """
        await anyio.to_thread.run_sync(self._forget, account_id)

    async def aclose(self) -> None:
        """Close the file. The next call opens it again."""
        await anyio.to_thread.run_sync(self._close)

    async def lock(self) -> None:
        """Let no other watch use the file, in whatever process, until `unlock` or the end of the process.

        Raises:
            ConfigurationError: If another watch uses it.
        """
        await anyio.to_thread.run_sync(self._take_lock)

    async def unlock(self) -> None:
        """Let other watches use the file."""
        await anyio.to_thread.run_sync(self._release_lock)

    def _take_lock(self) -> None:
        with self._transaction():
            pass  # a file of another kind is refused
        lock = self._connect(self.path.with_name(f"{self.path.name}-watch"), timeout=0.0)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            self._watch_lock = lock
        except sqlite3.OperationalError:
            lock.close()
        if self._watch_lock is not lock:
            msg = f"the sync store {str(self.path)!r} is used by another watch; give each watch a file of its own"
            raise ConfigurationError(msg)

    def _release_lock(self) -> None:
        if self._watch_lock is not None:
            self._watch_lock.close()
            self._watch_lock = None

    def _load(self, account_id: str) -> SyncState | None:
        with self._transaction() as db:
            found = db.execute(
                "SELECT key, header, rows, saves FROM accounts WHERE account = ?", (account_id,)
            ).fetchone()
        if found is None:
            return None
        key, header, rows, saves = found
        stored = StoredRows(load=lambda: self._read_rows(key))
        try:
            document = json.loads(header)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._refusal("a header cannot be read")
        self._saved[stored] = _Saved(0, saves)
        return from_header(document, stored, rows)

    def _read_rows(self, key: int) -> Sequence[bytes]:
        with self._transaction() as db:
            return [record for (record,) in db.execute("SELECT record FROM rows WHERE key = ?", (key,))]

    def _save(self, account_id: str, state: SyncState) -> None:
        stored, count = state.content.stored, state.content.count
        header = json.dumps(header_of(state))
        with self._transaction(write=True) as db:
            found = db.execute("SELECT key, saves FROM accounts WHERE account = ?", (account_id,)).fetchone()
            saves = 1 if found is None else found[1] + 1
            saved = self._known(stored)
            if found is not None and saved is not None and saved.saves == found[1] and saved.count <= count:
                key = found[0]
                for removed, added in stored.changes[saved.count : count]:
                    if removed is not None:
                        db.execute("DELETE FROM rows WHERE key = ? AND record = ?", (key, removed))
                    if added is not None:
                        db.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", (key, added))
                db.execute(
                    "UPDATE accounts SET header = ?, rows = ?, saves = ? WHERE key = ?",
                    (header, state.rows, saves, key),
                )
            else:
                records = state.content.records()
                self._delete(db, account_id)
                key = db.execute(
                    "INSERT INTO accounts (account, header, rows, saves) VALUES (?, ?, ?, ?)",
                    (account_id, header, state.rows, saves),
                ).lastrowid
                db.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?)", ((key, record) for record in records))
        self._saved[stored] = _Saved(count, saves)

    def _known(self, stored: StoredRows) -> _Saved | None:
        """Return what the file holds of these rows; ``None`` if that is not known."""
        saved = self._saved.get(stored)
        if saved is None and stored.parent is not None:
            parent, count = stored.parent[0](), stored.parent[1]
            found = None if parent is None else self._saved.get(parent)
            if found is not None and found.count == count:
                return attrs.evolve(found, count=0)
        return saved

    def _forget(self, account_id: str) -> None:
        with self._transaction(write=True) as db:
            self._delete(db, account_id)

    def _delete(self, db: sqlite3.Connection, account_id: str) -> None:
        db.execute("DELETE FROM rows WHERE key IN (SELECT key FROM accounts WHERE account = ?)", (account_id,))
        db.execute("DELETE FROM accounts WHERE account = ?", (account_id,))

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                db = self._connection
                nested = db.in_transaction
                if not nested:
                    db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield db
                except BaseException:
                    if not nested:
                        db.rollback()
                    raise
                if not nested:
                    db.commit()
            except sqlite3.OperationalError as error:
                failure: Exception = ConfigurationError(f"the sync store {str(self.path)!r} cannot be used: {error}")
            except sqlite3.DatabaseError:
                failure = self._refusal("it is not an SQLite file, or it is damaged")
            else:
                return
        raise failure

    def _connect(self, path: Path, timeout: float) -> sqlite3.Connection:
        try:
            # SQLite gives its other files the mode of this one.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            reason = error.strerror or str(error)
            msg = f"the sync store {str(self.path)!r} cannot be opened: {reason}"
            raise ConfigurationError(msg) from None
        # As an absolute path, so that no name is special to SQLite.
        db = sqlite3.connect(path.absolute(), timeout=timeout, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, db.close)  # a store that is dropped leaves nothing open
        return db

    def _open(self) -> sqlite3.Connection:
        db = self._connect(self.path, _BUSY)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            self._prepare(db)
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables of a new file; refuse one of another kind."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (version, application, tables) == (0, 0, 0):
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
        elif application != _APPLICATION_ID:
            raise self._refusal("it belongs to another program")
        elif version != _VERSION:
            raise self._refusal(f"it is of version {version}; this release writes version {_VERSION}")

    def _refusal(self, reason: str) -> CheckpointError:
        return CheckpointError("store", f"an SQLite file of SqliteSyncStore at {str(self.path)!r}", f"<{reason}>")


def open_store(store: SyncStore | str | PathLike[str]) -> SyncStore:
    """Return the store that the caller gave, or the one of an SQLite file.

    Raises:
        InvalidArgumentError: If it is neither a path nor an object with the methods of a store.
    """
    if isinstance(store, (str, PathLike)):
        return SqliteSyncStore(store)
    if isinstance(store, SyncStore):
        return store
    raise InvalidArgumentError("store", "the path of an SQLite file, or an object with load, save and forget", store)
