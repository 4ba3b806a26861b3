"""An export that is killed at random moments and restarted stores each meeting exactly once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pyas_async import Checkpoint
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

ROOT = Path(__file__).resolve().parent.parent
EXPORT = ROOT / "docs" / "examples" / "export.py"
# Neither a part nor a multiple of a page's 300: most checkpoints are of the middle of a page.
EVERY = 130


class Length(NamedTuple):
    """How many rows there are, how often the export is killed, and at how many places in the middle at least."""

    rows: int
    kills: int
    places: int


# Killed once at its start, twice with tokens that live, and once with those that died.
SHORT = Length(rows=7_500, kills=4, places=3)
WHOLE = Length(rows=10_500, kills=12, places=6)


class Stored(NamedTuple):
    """The contents of a database."""

    documents: list[str]
    checkpoint: Checkpoint | None


def start(db: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the export, with every warning an error."""
    command = [sys.executable, "-W", "error", str(EXPORT), "--db", str(db), "--every", str(EVERY)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str], sandbox: Sandbox, pages: int, stored: int, delay: float) -> bool:
    """Kill the export `delay` seconds after its request for the n-th new page; with 0 pages, after its start.

    Return whether the export was still running.
    """
    seen = len(sandbox.requests)
    while process.poll() is None:
        requests = sandbox.requests[seen:]
        # After a refused token come the first page, and the pages whose rows are already stored.
        walked = stored // 300 + 1 if requests and requests[0].status == 400 else 0
        if len(requests) >= pages + walked:
            break
        time.sleep(0.001)  # another process runs on real time
    time.sleep(delay)
    process.kill()
    _, said = process.communicate(timeout=10)
    assert (process.returncode in (0, -signal.SIGKILL), "") == (True, said)
    return process.returncode == -signal.SIGKILL


def read(db: Path) -> Stored:
    """Read the stored rows and the checkpoint."""
    if not db.exists():
        return Stored([], None)
    with closing(sqlite3.connect(db)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'progress'").fetchone():
            return Stored([], None)
        documents = [document for (document,) in database.execute("SELECT document FROM meetings")]
        place = database.execute("SELECT checkpoint FROM progress").fetchone()
    return Stored(documents, Checkpoint.parse(place[0]) if place else None)


@pytest.mark.parametrize(
    "length", [pytest.param(SHORT, id="short"), pytest.param(WHOLE, id="whole", marks=pytest.mark.long)]
)
def test_killed_at_random_moments(length: Length, tmp_path: Path) -> None:
    """No row is lost or stored twice, wherever the export is killed, and whether or not its page token has expired."""
    random = Random(20260101)
    db = tmp_path / "out.sqlite"
    sizes, first_answers = [0], []
    with Sandbox(accounts=1, meetings=length.rows, latency=0.004) as sandbox, sandbox.serve() as url:
        account = sandbox.account_ids[0]
        settings = {"PYAS_API_KEY": sandbox.api_key, "PYAS_ACCOUNT_ID": account, "PYAS_BASE_URL": url}
        # A process that is killed while it writes its coverage leaves an unreadable file.
        calm = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        environment = {**calm, **settings}
        for turn in range(length.kills):
            if turn % 3 == 2:
                sandbox.expire_tokens()
            seen = len(sandbox.requests)
            # Now and then while Python is starting, otherwise while rows arrive.
            pages = 0 if turn % 5 == 0 else random.randint(4, 6)
            delay = random.uniform(0.0, 0.03 if pages else 0.3)
            was_running = kill(start(db, environment), sandbox, pages, sizes[-1], delay)
            stored = read(db)
            # After every kill, the rows and the checkpoint agree.
            assert len(stored.documents) == (stored.checkpoint.items if stored.checkpoint else 0)
            assert len(stored.documents) == len(set(stored.documents))
            sizes.append(len(stored.documents))
            if not was_running:
                break
            first_answers += [
                (bool(request.query.get("nextPageToken")), request.status) for request in sandbox.requests[seen:][:1]
            ]

        last = start(db, environment)
        out, err = last.communicate(timeout=30)
        assert (0, f"{length.rows:,} meetings in {db}\n", "") == (last.returncode, out, err)
        calls = len(sandbox.requests)
        again = start(db, environment)
        again.communicate(timeout=30)
        truth = sandbox.rows(account)

    # The test proves something only if it struck in the middle, again and again, and met both kinds of token.
    assert len({size for size in sizes if 0 < size < length.rows}) >= length.places, f"{sizes} {first_answers}"
    assert (True, 200) in first_answers
    assert (True, 400) in first_answers
    assert Counter(json.dumps(row) for row in truth) == Counter(read(db).documents)
    # A finished export makes no request.
    assert (0, calls) == (again.returncode, len(sandbox.requests))


def test_the_page_shows_the_program() -> None:
    """The how-to page shows the export's own code, not an outdated copy."""
    shown = (ROOT / "docs" / "long-listings.md").read_text("utf-8")
    program = EXPORT.read_text("utf-8")
    begin, end = program.index("SCHEMA = "), program.index("async def main()")

    assert program[begin:end].strip() in shown
