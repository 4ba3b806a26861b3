"""The file of a sandbox: each write is there whole or not at all, with readers beside it and processes killed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import inside
from pyas_async.sandbox import Sandbox
from sandbox.tools import WEEKLY, meeting_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITERS = 4
PATIENCE = 60.0
"""Seconds in which the writers must have written something."""
STARTS = "2026-12-01T10:00:00Z", "2027-03-01T08:00:00Z"
SERIES = {"type": 8, "recurrence": {**WEEKLY, "endDate": "2027-06-01T22:00:00Z"}}


@contextmanager
def served(db: Path, meetings: int = 50) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Serve a file in a process of its own, which is killed at the end; yield it and what it printed."""
    settings = ["--accounts=1", f"--meetings={meetings}", "--daily-writes=none", f"--db={db}"]
    command = [sys.executable, "-m", "pyas_async.sandbox", *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


def rows_of(db: Path) -> dict[int, list[dict[str, Any]]]:
    """Read the rows of each meeting as another program does."""
    rows: dict[int, list[dict[str, Any]]] = {}
    reader = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        for number, text in reader.execute("SELECT id, document FROM rows ORDER BY position"):
            rows.setdefault(number, []).append(json.loads(text))
    finally:
        reader.close()
    return rows


class Writers:
    """Threads that create series and change them, and what the service has confirmed."""

    def __init__(self, facts: dict[str, Any], made: dict[int, str]) -> None:
        """Start them; `made` maps the ids of meetings to the last title that was confirmed."""
        self.made = made
        self.tried: dict[int, str] = {}
        self.confirmed: list[str] = []
        self._facts = facts
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until the service is gone."""
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        headers = {"x-api-key": self._facts["api_key"]}
        (account,) = self._facts["account_ids"]
        own = sorted(self.made)[number::WRITERS]
        turn = 0
        with httpx.Client(base_url=self._facts["url"], headers=headers) as client:
            try:
                while True:
                    turn += 1
                    title = f"{number}/{turn}"
                    if turn % 4 == 1 or not own:
                        data = meeting_data(title=title, **SERIES)
                        answer = client.post("/zoom/meetings", json={"accountId": account, "meetingData": data})
                        meeting_id = answer.json()["data"]["id"]
                        own.append(meeting_id)
                    else:
                        meeting_id = own[turn % len(own)]
                        self.tried[meeting_id] = title
                        data = {"title": title, "startDate": STARTS[turn % 2], **SERIES}
                        body = {"accountId": account, "meetingData": data}
                        assert client.patch(f"/zoom/meetings/{meeting_id}", json=body).is_success
                    self.made[meeting_id] = title
                    self.confirmed.append(title)
            except httpx.TransportError:
                return


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.long)])
def test_killed_under_writers(tmp_path: Path, kills: int) -> None:
    """After a SIGKILL at any moment, each confirmed meeting is there, in its old or its new state, with all its rows.

    Meanwhile, another program that reads the file never misses one.
    """
    db, made = tmp_path / "world.db", dict[int, str]()
    for kill in range(kills):
        with served(db) as (running, facts):
            writers = Writers(facts, made)
            deadline = time.monotonic() + PATIENCE
            while len(writers.confirmed) < 20 + 7 * (kill % 5):
                assert time.monotonic() < deadline, "the writers are stuck"
                confirmed = dict(made)
                seen = rows_of(db)
                assert set() == confirmed.keys() - seen.keys()
                assert {1} == {len({row["topic"] for row in rows}) for rows in seen.values()}
            running.kill()
            writers.join()
        after = rows_of(db)
        assert set() == made.keys() - after.keys()
        for number, title in made.items():
            rows = after[number]
            assert {row["topic"] for row in rows} <= {title, writers.tried.get(number, title)}, number
            assert 1 == len({row["topic"] for row in rows})
            # Each state of a series has many rows: a part of them is no state.
            assert len(rows) in (13, 26), number
            made[number] = rows[0]["topic"]
    assert len(made) >= kills


def test_killed_while_it_is_made(tmp_path: Path) -> None:
    """A file whose sandbox was killed before all data were in it has no data, and the next sandbox makes them all."""
    db = tmp_path / "world.db"
    settings = ["--accounts=3", "--meetings=3000", f"--db={db}"]
    with subprocess.Popen([sys.executable, "-m", "pyas_async.sandbox", *settings], stdout=subprocess.PIPE) as running:
        wal = tmp_path / "world.db-wal"
        while not (wal.exists() and wal.stat().st_size):
            assert running.poll() is None
        running.kill()

    with Sandbox(db=db, accounts=2, meetings=40) as sandbox:
        counts = [len(sandbox.rows(account)) for account in sandbox.account_ids]

    assert counts in ([40, 40], [3000] * 3)


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_failure_within_a_write(tmp_path: Path, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a write fails in the middle, nothing of it stays."""
    with Sandbox(db=tmp_path / "db", accounts=1, meetings=20) as sandbox, sandbox.serve() as url:
        (account,) = sandbox.account_ids
        before = sandbox.rows(account)
        path = f"/zoom/meetings/{before[0]['id']}"

        def fail(*_: object) -> None:
            raise RuntimeError("in the middle")

        for name in inside.SANDBOX_ANSWERS:
            monkeypatch.setattr(name, fail)
        with httpx.Client(base_url=url, headers={"x-api-key": sandbox.api_key}) as client:
            body = {"accountId": account, "meetingData": meeting_data(title="new")}
            answer = {
                "create": lambda: client.post("/zoom/meetings", json=body),
                "update": lambda: client.patch(path, json=body),
                "delete": lambda: client.delete(path, params={"accountId": account}),
            }[operation]()
        assert (500, before) == (answer.status_code, sandbox.rows(account))


@pytest.mark.parametrize("name", ["db", "link", "./db"])
def test_two_sandboxes_on_one_file(tmp_path: Path, name: str) -> None:
    """A second sandbox on a file is refused, whatever name it has for it; after the first one's end, it is not."""
    (tmp_path / "link").symlink_to(tmp_path / "db")
    with Sandbox(db=tmp_path / "db", accounts=1, meetings=3) as sandbox:
        with pytest.raises(ValueError, match="another one runs on"):
            Sandbox(db=f"{tmp_path}/{name}")
        assert 3 == len(sandbox.rows(sandbox.account_ids[0]))
    with Sandbox(db=f"{tmp_path}/{name}") as again:
        assert 3 == len(again.rows(again.account_ids[0]))
    assert ["db", "link"] == sorted(path.name for path in tmp_path.iterdir())


def test_two_processes_on_one_file(tmp_path: Path) -> None:
    """The command refuses a file on which a sandbox runs, and takes over that of a sandbox that was killed."""
    db = tmp_path / "db"
    with served(db) as (running, facts):
        second = [sys.executable, "-m", "pyas_async.sandbox", f"--db={db}"]
        refused = subprocess.run(second, capture_output=True, text=True, check=False)
        assert (2, "", 1) == (refused.returncode, refused.stdout, refused.stderr.count("\n"))
        assert "another one runs on" in refused.stderr
        assert httpx.get(f"{facts['url']}/_sandbox/stats").is_success
        running.kill()
        running.wait()
        with Sandbox(db=db) as sandbox:
            assert facts["account_ids"] == sandbox.account_ids


def test_memory_and_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of sandboxes may be in memory; a file that is not a sandbox's stays as it is, and nothing is left."""
    monkeypatch.chdir(tmp_path)
    with Sandbox(), Sandbox(), Sandbox(db=":memory:"), Sandbox(db=":memory:"):
        assert [] == list(tmp_path.iterdir())
    other = tmp_path / "other"
    other.write_text("no database" * 200)
    for db in (other, tmp_path, tmp_path / "nowhere" / "db", ""):
        with pytest.raises(ValueError, match="db must be"):
            Sandbox(db=db)
    assert ["other"] == [path.name for path in tmp_path.iterdir()]
    assert "no database" * 200 == other.read_text()
