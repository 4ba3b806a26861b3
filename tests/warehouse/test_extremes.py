"""Values at the ends of what a service can send, in a database: each costs its own cell at most."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from cli import extremes
from cli.tools import Pyas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = extremes.rows()
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati", "XYZ-25:99"])
def _machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def moment_of(row: dict[str, Any], name: str) -> datetime | None:
    """Return a time of a row in UTC; ``None`` if UTC's calendar lacks it."""
    try:
        return datetime.fromisoformat(row[name]).astimezone(UTC) if name in row else None
    except OverflowError:
        return None


@pytest.mark.usefixtures("_machine_zone")
def test_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A database holds 63 bits and UTC's moments; other values are null, and a warning names them."""
    file = tmp_path / "all.duckdb"
    with extremes.service(ROWS) as url:
        monkeypatch.setenv("PYAS_BASE_URL", url)
        monkeypatch.setenv("PYAS_API_KEY", "key")
        done = Pyas(capsys, monkeypatch)("meetings", "export", "--output", file, "--account", "acc")

    assert 0 == done.code, done.err
    with duckdb.connect(str(file), read_only=True) as database:
        columns = "epoch_us(start_time), epoch_us(created_at), id, type, duration"
        found = database.execute(f"SELECT document, {columns} FROM zoom_meetings.meetings").fetchall()  # noqa: S608
    cells = {json.loads(document)["uuid"]: (json.loads(document), *values) for document, *values in found}
    lost = 0
    for row in ROWS:
        document, start, created, *numbers = cells[row["uuid"]]
        assert row == document
        moments = [moment_of(row, name) for name in ("start_time", "created_at")]
        epoch = [None if one is None else (one - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND for one in moments]
        expected = [row[name] if abs(row[name]) < 2**63 else None for name in ("id", "type", "duration")]
        assert (epoch, expected) == ([start, created], numbers), row
        lost += expected.count(None) + sum(
            name in row and one is None for name, one in zip(("start_time", "created_at"), moments, strict=True)
        )
    assert len(ROWS) == len(cells)
    assert f"warning: {lost} values are null, since their columns cannot hold them" in done.err


def test_a_document_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row whose unknown field is nested too deep has no document, and all its columns; a warning names it."""
    file = tmp_path / "all.duckdb"
    with extremes.service([extremes.USUAL, extremes.deep()]) as url:
        monkeypatch.setenv("PYAS_BASE_URL", url)
        monkeypatch.setenv("PYAS_API_KEY", "key")
        done = Pyas(capsys, monkeypatch)("meetings", "export", "--output", file, "--account", "acc")

    assert (0, True) == (done.code, "the document of meeting 99 is null" in done.err), done.err
    with duckdb.connect(str(file), read_only=True) as database:
        sql = "SELECT id, topic, document IS NULL FROM zoom_meetings.meetings ORDER BY id"
        assert [(81, "Usual", False), (99, "Usual", True)] == database.execute(sql).fetchall()
