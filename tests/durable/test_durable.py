"""The recipe of a sync that survives: whatever is killed, each meeting is there once, and hardly a call is wasted."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import sqlalchemy as sa

from durable.postgres import PostgresServer, program
from durable.watched import elsewhere
from durable.worlds import Key, Service, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

RECIPE = Path(__file__).parents[2] / "docs" / "examples" / "durable_sync.py"
WHOLE = "PYAS_ASYNC_DURABLE_WHOLE" in os.environ
"""Whether it is done at full size: 100,000 accounts, with the recipe's own sizes."""


@attrs.frozen(kw_only=True)
class Scale:
    """How much is synced, and how often somebody is killed."""

    keys: dict[str, Key]
    sizes: dict[str, int]
    window: float
    kills: int
    patience: float


SMALL = Scale(
    keys={"north": Key(800, 2), "south": Key(800, 0), "east": Key(50, 700)},
    sizes={"BATCH": 100, "AT_ONCE": 2, "CHUNK": 2},
    window=1.0,
    kills=4,
    patience=300.0,
)
LARGE = Scale(
    keys={"north": Key(49_500, 1), "south": Key(49_500, 0), "east": Key(1_000, 700)},
    sizes={},
    window=0.1,
    kills=40,
    patience=3_600.0,
)


@attrs.frozen
class Database:
    """Where it is, and the Postgres that it is, if it is one."""

    url: str
    server: PostgresServer | None = None

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask it."""
        engine = sa.create_engine(self.url)
        with engine.connect() as db:
            found = [tuple(row) for row in db.execute(sa.text(statement))]
        engine.dispose()
        return found

    def stored(self) -> Counter[tuple[str, str]]:
        """Count the meetings in it, each with its account."""
        found = self.ask("SELECT account, document FROM meetings")
        return Counter((account, json.dumps(json.loads(text), sort_keys=True)) for account, text in found)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'sync.sqlite'}?timeout=60")
        return
    if program("initdb") is None:
        pytest.skip("there is no Postgres here; on Debian and Ubuntu: sudo apt install postgresql")
    # Its folder is another user's, who must be able to get there.
    import tempfile  # noqa: PLC0415  (for this alone)

    with tempfile.TemporaryDirectory(prefix="pyas_async-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = PostgresServer(Path(name) / "data")
        server.start()
        try:
            yield Database(server.url, server)
        finally:
            server.stop()


def test_killed_at_random_moments(database: Database, tmp_path: Path) -> None:
    """Workers are killed again and again; all accounts are done, each meeting is there once, for 1.02 of the calls."""
    scale, chance = LARGE if WHOLE else SMALL, Random(8)
    service, began = Service(scale.keys, scale.window), time.monotonic()
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, scale.sizes)
        try:
            workers.plan(kill_after=1.4)
            workers.plan()
            planned = time.monotonic()
            for name in ("one", "two", "three"):
                workers.start(name)
            hit = workers.harass(chance, scale.kills, service)
            workers.wait(scale.patience)
        finally:
            workers.end()
        ended, calls = time.monotonic(), service.calls.total()
        found = database.stored()
        truth = Counter(service.truth())
    schema = "" if database.server is None else "dbos."
    states = database.ask(f"SELECT status, count(*) FROM {schema}workflow_status GROUP BY status")  # noqa: S608
    batches = database.ask("SELECT count(*) FROM batches")
    print(  # noqa: T201  (the figures, for `pytest -s`)
        f"\n{database.url.partition(':')[0]}: {sum(key.accounts for key in scale.keys.values()):,} accounts, "
        f"{found.total():,} meetings, {batches[0][0]} batches, {hit} kills, {calls:,} calls of {service.least:,} "
        f"({calls / service.least:.4f}), {service.refused} refused, plan {planned - began:.0f} s, "
        f"work {ended - planned:.0f} s"
    )

    assert [0, 0, 0] == [process.returncode for process in workers.processes.values()], workers.errors()
    assert [("SUCCESS", batches[0][0])] == states
    assert truth == found
    assert calls <= 1.02 * service.least
    # It proves something only if it struck in the middle.
    assert hit >= scale.kills - 1


def test_two_of_a_name(tmp_path: Path) -> None:
    """A worker whose name is taken by another in the middle of a batch stores nothing more of it; the other ends it."""
    database = Database(f"sqlite:///{tmp_path / 'sync.sqlite'}?timeout=60")
    service = Service({"north": Key(300, 2)}, window=0.1)
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, {"BATCH": 300, "AT_ONCE": 2, "CHUNK": 2})
        try:
            workers.plan()
            workers.start("one")
            while service.calls.total() < 40:
                time.sleep(0.01)
            service.holds = True
            turn = database.ask("SELECT turn FROM batches")
            workers.processes["another one"] = workers.run("work", "one")
            while database.ask("SELECT turn FROM batches") == turn:
                time.sleep(0.05)
            service.holds = False
            workers.wait(120.0)
        finally:
            workers.end()
        truth = Counter(service.truth())

    assert [0, 0] == [process.returncode for process in workers.processes.values()], workers.errors()
    assert truth == database.stored()
    assert [("SUCCESS",)] == database.ask("SELECT status FROM workflow_status")


@pytest.mark.skipif(WHOLE, reason="is done at its own size")
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_database_goes_away(database: Database, tmp_path: Path) -> None:
    """While Postgres is away nothing is listed that it could not store; each time costs a key what a kill does."""
    sizes = {"BATCH": 100, "AT_ONCE": 2, "CHUNK": 2}
    service = Service({"north": Key(300, 2), "south": Key(300, 0), "east": Key(30, 700)}, window=1.0)
    meanwhile: list[int] = []
    assert database.server is not None
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, sizes)
        try:
            workers.plan()
            for name in ("one", "two"):
                workers.start(name)
            for part in (0.2, 0.5):
                while service.calls.total() < part * service.least:
                    time.sleep(0.01)
                database.server.stop()
                # What was under way ends, and more than the window that the service counts in goes by.
                time.sleep(1.5)
                before = service.calls.total()
                time.sleep(1.5)
                meanwhile.append(service.calls.total() - before)
                database.server.start()
            workers.wait(120.0)
        finally:
            workers.end()
        calls, truth = service.calls.total(), Counter(service.truth())
    print(f"\n{calls:,} calls of {service.least:,}, {service.refused} refused")  # noqa: T201  (for `pytest -s`)

    assert [0, 0] == [process.returncode for process in workers.processes.values()], workers.errors()
    assert truth == database.stored()
    assert [0, 0] == meanwhile
    # An account holds two pages at most.
    lost = len(service.keys) * (2 * sizes["AT_ONCE"] + sizes["CHUNK"])
    assert calls <= service.least + service.refused + 2 * lost


def test_it_calls_nobody_else() -> None:
    """What is watched for is a call beyond this machine, and nothing else."""
    assert None is elsewhere("socket.connect", (None, ("127.0.0.1", 80)))
    assert None is elsewhere("socket.getaddrinfo", ("localhost", 80))
    assert None is elsewhere("os.listdir", ("/",))
    assert "192.0.2.1" == elsewhere("socket.connect", (None, ("192.0.2.1", 443)))
    assert "example.com" == elsewhere("socket.getaddrinfo", (b"example.com", 443))
