"""The durable sync recipe stores each meeting once, and wastes hardly a call, whatever is killed."""

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

from durable.local_only import elsewhere
from durable.postgres import PostgresServer, program
from durable.worlds import Key, Service, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

RECIPE = Path(__file__).parents[2] / "docs" / "examples" / "durable_sync.py"
WHOLE = "PYAS_ASYNC_DURABLE_WHOLE" in os.environ
"""Whether to test at full size: 100,000 accounts, with the recipe's own sizes."""


@attrs.frozen(kw_only=True)
class Scale:
    """The amount of data, and the number of kills."""

    keys: dict[str, Key]
    sizes: dict[str, int]
    window: float
    workers: int
    kills: int
    patience: float


SHORT = Scale(
    keys={"north": Key(400, 2), "south": Key(400, 0), "east": Key(25, 700)},
    sizes={"BATCH": 100, "AT_ONCE": 2, "CHUNK": 2},
    window=1.0,
    workers=2,
    kills=2,
    patience=300.0,
)
SMALL = Scale(
    keys={"north": Key(800, 2), "south": Key(800, 0), "east": Key(50, 700)},
    sizes={"BATCH": 100, "AT_ONCE": 2, "CHUNK": 2},
    window=1.0,
    workers=3,
    kills=4,
    patience=300.0,
)
LARGE = Scale(
    keys={"north": Key(49_500, 1), "south": Key(49_500, 0), "east": Key(1_000, 700)},
    sizes={},
    window=0.1,
    workers=3,
    kills=40,
    patience=3_600.0,
)


@attrs.frozen
class Database:
    """The address of a database, and its Postgres server if it has one."""

    url: str
    server: PostgresServer | None = None

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement."""
        engine = sa.create_engine(self.url)
        with engine.connect() as db:
            found = [tuple(row) for row in db.execute(sa.text(statement))]
        engine.dispose()
        return found

    def stored(self) -> Counter[tuple[str, str]]:
        """Count the stored meetings, each with its account."""
        found = self.ask("SELECT account, document FROM meetings")
        return Counter((account, json.dumps(json.loads(text), sort_keys=True)) for account, text in found)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty database."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'sync.sqlite'}?timeout=60")
        return
    if program("initdb") is None:
        pytest.skip("Postgres is not installed; on Debian and Ubuntu: sudo apt install postgresql")
    # The folder belongs to another user, who must be able to reach it.
    import tempfile  # noqa: PLC0415  (only here)

    with tempfile.TemporaryDirectory(prefix="pyas_async-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = PostgresServer(Path(name) / "data")
        server.start()
        try:
            yield Database(server.url, server)
        finally:
            server.stop()


@pytest.mark.parametrize(
    "scale",
    [pytest.param(LARGE, id="large", marks=pytest.mark.long)]
    if WHOLE
    else [pytest.param(SHORT, id="short"), pytest.param(SMALL, id="small", marks=pytest.mark.long)],
)
def test_killed_at_random_moments(scale: Scale, database: Database, tmp_path: Path) -> None:
    """After many kills of workers, all accounts are done, and each meeting is stored once, for 1.02 times the calls."""
    chance = Random(8)
    service, began = Service(scale.keys, scale.window), time.monotonic()
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, scale.sizes)
        try:
            workers.plan(kill_after=1.4)
            workers.plan()
            planned = time.monotonic()
            for name in ("one", "two", "three")[: scale.workers]:
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

    ended_with = [process.returncode for process in workers.processes.values()]
    assert [0] * scale.workers == ended_with, workers.errors()
    assert [("SUCCESS", batches[0][0])] == states
    assert truth == found
    assert calls <= 1.02 * service.least
    # It proves something only if it killed workers midway.
    assert hit >= scale.kills - 1


def test_two_workers_with_one_name(tmp_path: Path) -> None:
    """A worker whose name is taken over midway stores nothing more of its batch; the other worker completes it."""
    database = Database(f"sqlite:///{tmp_path / 'sync.sqlite'}?timeout=60")
    service = Service({"north": Key(200, 2)}, window=0.1)
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, {"BATCH": 200, "AT_ONCE": 2, "CHUNK": 2})
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
@pytest.mark.parametrize(
    ("accounts", "moments"),
    [
        pytest.param(100, (0.3,), id="once"),
        pytest.param(300, (0.2, 0.5), id="twice", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_database_goes_away(database: Database, accounts: int, moments: tuple[float, ...], tmp_path: Path) -> None:
    """While Postgres is down, nothing is listed in vain; each outage costs a key as many calls as a kill."""
    sizes = {"BATCH": 100, "AT_ONCE": 2, "CHUNK": 2}
    keys = {"north": Key(accounts, 2), "south": Key(accounts, 0), "east": Key(accounts // 10, 700)}
    service = Service(keys, window=1.0)
    meanwhile: list[int] = []
    assert database.server is not None
    with service.serve() as url:
        workers = Workers.of(tmp_path, service, url, database.url, sizes)
        try:
            workers.plan()
            for name in ("one", "two"):
                workers.start(name)
            for part in moments:
                while service.calls.total() < part * service.least:
                    time.sleep(0.01)
                database.server.stop()
                # The running work ends, and more than a window of the service passes.
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
    assert [0] * len(moments) == meanwhile
    # An account holds two pages at most.
    lost = len(service.keys) * (2 * sizes["AT_ONCE"] + sizes["CHUNK"])
    assert calls <= service.least + service.refused + len(moments) * lost


def test_guard_against_other_hosts() -> None:
    """The guard reports calls beyond this machine, and nothing else."""
    assert None is elsewhere("socket.connect", (None, ("127.0.0.1", 80)))
    assert None is elsewhere("socket.getaddrinfo", ("localhost", 80))
    assert None is elsewhere("os.listdir", ("/",))
    assert "192.0.2.1" == elsewhere("socket.connect", (None, ("192.0.2.1", 443)))
    assert "example.com" == elsewhere("socket.getaddrinfo", (b"example.com", 443))
