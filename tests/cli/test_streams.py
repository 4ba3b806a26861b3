"""Output streams: limited encodings, full disks, closed streams."""

from __future__ import annotations

import io
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

import inside
from pyas_async.cli import main
from pyas_async.cli._export import files
from pyas_async.cli._tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox

full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
TOPIC = "Réunion 日次 “Q3” — 🚀"


@pytest.fixture
def titled(sandbox: Sandbox) -> str:
    """Return an account with a meeting whose title few encodings can represent."""
    account = sandbox.account_ids[2]
    if sandbox.rows(account)[0]["topic"] != TOPIC:
        start = {"start_time": "2026-03-02T09:00:00Z", "duration": 120}
        sandbox.add_meeting(account, {"type": 2, "topic": TOPIC, **start}, at=0)
    return account


def encoded(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: object) -> tuple[int, str]:
    """Call the command with a stdout of an encoding; return its exit code and output."""
    written = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", written)
    code = main([str(argument) for argument in arguments])
    written.flush()
    raw = written.buffer
    assert isinstance(raw, io.BytesIO)
    return code, raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "Réunion 日次 “Q3” — 🚀   "),
        ("latin-1", 'Réunion ???? "Q3" - ??   '),
        ("ascii", 'R?union ???? "Q3" - ??   '),
    ],
)
def test_encodings(monkeypatch: pytest.MonkeyPatch, titled: str, encoding: str, shown: str) -> None:
    """Characters that an encoding lacks are replaced, and columns stay aligned."""
    code, text = encoded(monkeypatch, encoding, "meetings", "list", "--account", titled, "--limit", 1)

    head, _, row = text.splitlines()
    assert (0, True) == (code, shown in row)
    assert head.index("id") == cell_len(row[: row.index(shown) + len(shown)])


def test_a_week_in_ascii(monkeypatch: pytest.MonkeyPatch, titled: str) -> None:
    """The lines of a calendar are replaced by ASCII characters."""
    options = ("--account", titled, "--time-zone", "UTC")
    code, text = encoded(monkeypatch, "ascii", "meetings", "week", "2026-03-02", *options)

    assert 0 == code
    assert "      |Mon 2" in text
    assert "------+-----" in text
    assert '|#R?union ???? "Q3"' in text


@full
@pytest.mark.parametrize(
    "command",
    ["meetings list --limit 1", "meetings list --limit 1 --json", "meetings week", "plan --accounts 3", "--help"],
)
def test_full_output(monkeypatch: pytest.MonkeyPatch, pyas: Pyas, sandbox: Sandbox, command: str) -> None:
    """A full output is reported in one line, and the exit code means failure."""
    # A descriptor of its own, since the command closes what is behind it.
    with open("/dev/full", "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", nowhere)
        done = pyas(*command.split())
        monkeypatch.undo()

    assert (1, "pyas: error: standard output: No space left on device") == (
        done.code,
        done.err.strip().splitlines()[-1],
    )
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["stdout", "stderr", "stdin"])
def test_closed_stream(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, name: str) -> None:
    """A stream that the parent process has closed causes no error, unless it is stdout, which is written to."""
    monkeypatch.setattr(sys, name, None)

    code = main(["meetings", "list", "--limit", "1"])

    stream = getattr(sys, name)
    stream.close()
    assert (1 if name == "stdout" else 0) == code


@full
@pytest.mark.parametrize("rows", [0, 60])
def test_export_to_a_full_disk(
    pyas: Pyas, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """A full disk ends an export with the file's name and the number of saved rows, and the export can be resumed."""
    output, saved = tmp_path / "all.jsonl", list[int]()

    def sync_to_disk(file: io.BufferedWriter) -> None:
        files.sync_to_disk(file)
        saved.append(1)
        if len(saved) > rows + 1:
            os.write(os.open("/dev/full", os.O_WRONLY), b"x")

    monkeypatch.setattr(inside.CLI_SYNC_TO_DISK, sync_to_disk)
    done = pyas("meetings", "export", "--output", output, "--checkpoint-every", 0)
    monkeypatch.setattr(inside.CLI_SYNC_TO_DISK, files.sync_to_disk)

    first, *others = done.err.splitlines()
    assert (1, f"pyas: error: {output}.part: No space left on device") == (done.code, first)
    if not rows:
        assert ([], []) == (others, list(tmp_path.iterdir()))
        return
    assert f"{rows} rows are safe in {output}.part. To continue:" == others[0]
    assert 0 == pyas("meetings", "export", "--output", output, "--resume").code
    assert len(sandbox.rows(sandbox.account_ids[0])) == len(output.read_text("utf-8").splitlines())


def test_a_table_of_many_rows(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand rows are written at once, in columns that fit; the title column is cut, in any script."""
    monkeypatch.setenv("COLUMNS", "40")
    rows = [(f"{number}", "日次スタンドアップ と " * (number % 5), "x" * 8) for number in range(10_000)]
    began = time.process_time()

    write_table(("number", "title", "id"), rows, numbers=("number",), cut="title")

    # It took 4 seconds before; the bound leaves time for a slow machine.
    assert time.process_time() - began < 2
    head, rule, *lines = capsys.readouterr().out.splitlines()
    assert ("number   title" + " " * 18 + "id", "─" * 40) == (head, rule)
    assert "     2   日次スタンドアップ …   xxxxxxxx" == lines[2]
    assert {40} == {cell_len(line) for line in lines}


@pytest.mark.parametrize(("columns", "cut"), [(None, False), ("", False), ("wide", False), ("40", True)])
def test_a_long_line(
    columns: str | None, cut: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table for a pipe is not cut, unless COLUMNS is a width."""
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)

    write_table(("title", "id"), [("x" * 300, "1")], numbers=("id",), cut="title")

    assert cut is ("x" * 300 not in capsys.readouterr().out)
