"""`pyas meetings export --to duckdb`: the export into a database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from cli.tools import Pyas
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither SIGINT nor SIGKILL")


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query a database."""
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(sql).fetchall()


def test_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The file appears when it is complete; failed accounts are retried; nothing is left beside the file."""
    pyas, file = Pyas(capsys, monkeypatch), tmp_path / "all.duckdb"
    with Sandbox(accounts=1, meetings=30) as sandbox, sandbox.serve() as url:
        monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("PYAS_BASE_URL", url)
        accounts = ["--account", sandbox.account_ids[0], "--account", "late"]
        done = pyas("meetings", "export", "--to", "duckdb", "--output", file, *accounts)
        assert (8, False) == (done.code, file.exists()), done.err
        assert "30 rows are safe in" in done.err
        again = pyas("meetings", "export", "--output", file, *accounts)
        assert (2, True) == (again.code, "was not completed (30 rows so far)" in again.err)
        sandbox.add_account("late", meetings=5)
        calls = len(sandbox.requests)
        done = pyas("meetings", "export", "--output", file, "--resume")
        assert (0, 1) == (done.code, len(sandbox.requests) - calls), done.err
        assert [file] == list(tmp_path.iterdir())
        assert [(35,)] == query(file, "SELECT count(*) FROM zoom_meetings.meetings")
        assert 2 == pyas("meetings", "export", "--output", file, *accounts).code
        assert 0 == pyas("meetings", "export", "--output", file, *accounts[:2], "--force").code
        assert [(30,)] == query(file, "SELECT count(*) FROM zoom_meetings.meetings")


def test_ctrl_c_and_kill(tmp_path: Path) -> None:
    """After Ctrl-C or a kill, the next export continues, and each meeting is stored once."""
    file = tmp_path / "all.duckdb"
    with Sandbox(accounts=8, meetings=120, latency=0.05) as sandbox, sandbox.serve() as url:
        environment = {**os.environ, "PYAS_API_KEY": sandbox.api_key, "PYAS_BASE_URL": url}
        (tmp_path / "ids").write_text("\n".join(sandbox.account_ids), "utf-8")
        begin = ["--accounts-from", str(tmp_path / "ids"), "--page-size", "20", "--at-once", "1"]
        command = [sys.executable, "-m", "pyas_async.cli", "meetings", "export", "--output", str(file)]

        def strike(number: int, arguments: list[str], calls: int) -> tuple[int, str]:
            process = subprocess.Popen([*command, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
            before = len(sandbox.requests)
            while process.poll() is None and len(sandbox.requests) < before + calls:
                time.sleep(0.01)  # another process runs on real time
            process.send_signal(number)
            _, said = process.communicate(timeout=30)
            return process.returncode, said

        code, said = strike(signal.SIGINT, begin, 10)
        assert 130 == code, said
        assert "rows are safe in" in said
        assert -signal.SIGKILL == strike(signal.SIGKILL, ["--resume"], 5)[0]
        subprocess.run([*command, "--resume"], env=environment, check=True, timeout=60)
        rows = query(file, "SELECT account_id, document FROM zoom_meetings.meetings")
        expected = [[account_id, row] for account_id in sandbox.account_ids for row in sandbox.rows(account_id)]
        calls = len(sandbox.requests)
    assert sorted(map(json.dumps, expected)) == sorted(
        json.dumps([account, json.loads(text)]) for account, text in rows
    )
    # At least 48 calls. Ctrl-C costs prefetched pages; a kill costs its slice, and the calls since the last check.
    assert calls <= 48 + 16
