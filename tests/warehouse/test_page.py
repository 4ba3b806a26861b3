"""The warehouse blocks of the page on several machines run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")


def test_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The program and the query of the page run as they are."""
    [program] = [
        block for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if "dlt" in block
    ]
    [query] = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    with Sandbox(accounts=1, meetings=400) as sandbox, sandbox.serve() as url:
        monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("PYAS_BASE_URL", url)
        program = program.replace('"acc"', repr(sandbox.account_ids[0]))
        exec(compile(program, "<documentation>", "exec"), {"__name__": "__main__"})  # noqa: S102  (running the block is the test)
        assert "400 meetings\n" == capsys.readouterr().out
    with duckdb.connect(str(tmp_path / "pyas.duckdb"), read_only=True) as database:
        database.execute("USE zoom")
        assert 400 == len(database.execute(query).fetchall())
