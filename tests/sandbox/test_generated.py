"""The generated data: exact sizes, every oddity, reproducible by seed, and kept in a file."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pyas_async.sandbox import Sandbox
from sandbox.tools import NOW, Clock, client_of, create, keys, list_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """Make one larger account."""
    with Sandbox(accounts=1, meetings=1000, clock=Clock()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def rows(world: Sandbox) -> list[dict[str, Any]]:
    """List its rows."""
    return world.rows(world.account_ids[0])


@pytest.mark.parametrize("meetings", [0, 1, 2, 3, 29, 299, 300, 301])
def test_exact_size(meetings: int) -> None:
    """An account has exactly the requested number of rows, each with a unique identity."""
    with Sandbox(accounts=2, meetings=meetings, clock=Clock()) as sandbox:
        for account in sandbox.account_ids:
            assert len(set(keys(sandbox.rows(account)))) == len(sandbox.rows(account)) == meetings


def test_same_seed() -> None:
    """The same seed and time generate the same data, another seed other data."""
    worlds = []
    for seed in (1, 1, 2):
        with Sandbox(seed=seed, clock=Clock()) as sandbox:
            ids = sandbox.account_ids
            worlds.append([ids, [[*map(json.dumps, sandbox.rows(account))] for account in ids]])
    assert worlds[0] == worlds[1] != worlds[2]


def test_types(rows: list[dict[str, Any]]) -> None:
    """Every type occurs, and types without fixed times have no start."""
    assert set(Counter(row["type"] for row in rows)) == {1, 2, 3, 4, 8, 10}
    assert {row["type"] for row in rows if "start_time" not in row} == {1, 3, 4}


def test_small_world_has_every_type() -> None:
    """Forty rows contain every type."""
    with Sandbox(accounts=1, meetings=40, clock=Clock()) as sandbox:
        assert {row["type"] for row in sandbox.rows(sandbox.account_ids[0])} == {1, 2, 3, 4, 8, 10}


def test_identity(rows: list[dict[str, Any]]) -> None:
    """Neither the id nor the uuid alone identifies a row."""
    assert len({row["id"] for row in rows}) < len({row["uuid"] for row in rows}) < len(rows)


def test_series_span_pages(rows: list[dict[str, Any]]) -> None:
    """Rows with a common id are so far apart that they are on different pages of 300."""
    pages: dict[int, set[int]] = {}
    for index, row in enumerate(rows):
        pages.setdefault(row["id"], set()).add(index // 300)
    assert max(map(len, pages.values())) > 1


def test_uuids(rows: list[dict[str, Any]]) -> None:
    """Uuids are base64 of 16 bytes, and every character that is special in a path occurs."""
    uuids = {row["uuid"] for row in rows}
    assert {len(base64.b64decode(uuid, validate=True)) for uuid in uuids} == {16}
    assert all(base64.b64encode(base64.b64decode(uuid)).decode() == uuid for uuid in uuids)
    assert any(uuid.startswith("/") for uuid in uuids)
    assert all(any(text in uuid for uuid in uuids) for text in ("/", "//", "+", "="))


def test_oddities(world: Sandbox, rows: list[dict[str, Any]]) -> None:
    """Some fields are missing, ids are large, topics go beyond ASCII, agendas are cut."""
    account = world.account_ids[0]
    for name in ("duration", "agenda", "start_time"):
        assert 0 < sum(name not in row for row in rows) < len(rows) / 2
    assert max(row["id"] for row in rows) > 2**53
    assert not all(row["topic"].isascii() for row in rows)
    cut = next(row for row in rows if len(row.get("agenda", "")) == 250)
    assert len(world.document(account, cut["id"])["agenda"]) > 250


def test_details(world: Sandbox, rows: list[dict[str, Any]]) -> None:
    """Some details have tracking fields; series have occurrences, also deleted ones, and some have times only there."""
    account = world.account_ids[0]
    details = [world.document(account, meeting) for meeting in {row["id"] for row in rows}]
    series = [detail for detail in details if detail["type"] == 8]
    assert any("tracking_fields" in detail for detail in details)
    assert all("recurrence" in detail for detail in series)
    assert {"start_time" in detail for detail in series} == {True, False}
    statuses = Counter(occurrence["status"] for detail in series for occurrence in detail["occurrences"])
    assert statuses["available"] == sum(row["type"] == 8 for row in rows)
    assert 0 < statuses["deleted"] < statuses["available"]


def test_year_around_now(rows: list[dict[str, Any]]) -> None:
    """Some starts are before the clock's time, and some after it."""
    starts = sorted(row["start_time"] for row in rows if "start_time" in row)
    assert (starts[0] < "2026-06-30", starts[-1] > "2027-04-30") == (True, True)


def test_data_survive_a_restart(tmp_path: Path) -> None:
    """The file keeps the generated and created meetings, the accounts and the key across a restart."""
    db = tmp_path / "world.db"

    async def first() -> tuple[list[str], list[dict[str, Any]], dict[str, Any], str]:
        with Sandbox(accounts=1, meetings=40, api_key="kept", db=db, clock=Clock()) as sandbox:
            async with client_of(sandbox) as client:
                await client.post("/zoom/connect", json={"code": "c", "name": "n"})
                account = sandbox.account_ids[0]
                made = (await create(client, account)).json()["data"]
                token = (await list_page(client, account)).json()["data"]["next_page_token"]
            return sandbox.account_ids, sandbox.rows(account), made, token

    async def second() -> None:
        with Sandbox(accounts=3, meetings=7, seed=5, db=db, clock=Clock()) as sandbox:
            assert (sandbox.account_ids, sandbox.api_key) == (accounts, "kept")
            assert sandbox.rows(accounts[0]) == rows
            assert sandbox.document(accounts[0], made["id"]) == made
            async with client_of(sandbox) as client:
                assert (await list_page(client, accounts[0])).json()["data"]["next_page_token"] != token
                assert (await list_page(client, accounts[0], nextPageToken=token)).status_code == 400
                again = (await create(client, accounts[0])).json()["data"]
            assert again["id"] != made["id"]

    accounts, rows, made, token = anyio.run(first)
    anyio.run(second)


def test_file_tells_the_truth(tmp_path: Path) -> None:
    """Another connection reads the rows from the file while the sandbox has it open."""
    db = tmp_path / "world.db"
    with Sandbox(accounts=2, meetings=50, db=str(db), clock=Clock()) as sandbox:
        account = sandbox.account_ids[1]
        sandbox.remove_row(account, 3)
        sandbox.add_meeting(account, at=7)
        reader = sqlite3.connect(db)
        found = reader.execute(
            "SELECT document, id, uuid, start_time FROM rows WHERE account_id = ? ORDER BY position", (account,)
        ).fetchall()
        reader.close()
        assert [json.loads(record[0]) for record in found] == sandbox.rows(account)
        assert [record[1:] for record in found] == keys(sandbox.rows(account))


@pytest.mark.parametrize("sql", ["CREATE TABLE other(x)", "CREATE TABLE meta(name, value)"])
def test_foreign_file(tmp_path: Path, sql: str) -> None:
    """A database of another program is refused and left unchanged."""
    db = tmp_path / "other.db"
    other = sqlite3.connect(db)
    other.execute(sql)
    other.close()
    with pytest.raises(ValueError, match="db must be a new file or one that this sandbox made"):
        Sandbox(db=db)


def test_file_that_is_no_database(tmp_path: Path) -> None:
    """A file that is not a database, or cannot be opened, is refused by name."""
    (tmp_path / "text").write_text("not a database, but long enough to be read as the header of one" * 20)
    for name, words in (("text", "must be a new file"), ("no/where", "must be a file that can be opened")):
        with pytest.raises(ValueError, match=f"{words}.*{name}"):
            Sandbox(db=tmp_path / name)


def test_failed_write_leaves_nothing(world: Sandbox, rows: list[dict[str, Any]]) -> None:
    """A row that the file cannot hold leaves the listing unchanged, and the sandbox usable."""
    account = world.account_ids[0]
    with pytest.raises(TypeError):
        world.add_meeting(account, {"topic": object()})
    assert world.rows(account) == rows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accounts", -1), ("meetings", 1.5), ("meetings", True), ("seed", "a"), ("api_key", ""), ("token_ttl", -1),
        ("token_ttl", float("nan")), ("plan", "free"), ("window", 0), ("latency", -0.1), ("latency", "1"),
        ("max_page_size", 0), ("oversize", "cut"), ("page_numbers", "no"), ("expired_answer", "gone"),
        ("update_answer", "none"), ("delete_answer", "meeting"), ("daily_writes", -1), ("keep_requests", -1),
        ("clock", 5),
    ],
)  # fmt: skip
def test_bad_setting(name: str, value: object) -> None:
    """An invalid setting is refused with its name and value, at the start and later."""
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"^{name} must be .*got "):
        Sandbox(**arguments)
    if name not in ("accounts", "meetings", "seed"):
        with Sandbox(accounts=0) as sandbox, pytest.raises(ValueError, match=f"^{name} must be .*got "):
            setattr(sandbox, name, value)


def test_no_accounts() -> None:
    """A sandbox can start without accounts."""
    with Sandbox(accounts=0) as sandbox:
        assert sandbox.account_ids == []
        with pytest.raises(LookupError, match="there are none"):
            sandbox.rows("a")


def test_default_clock() -> None:
    """Without a clock, the time is the real one."""
    with Sandbox(accounts=0) as sandbox:
        assert sandbox.clock() > NOW - 10**9
