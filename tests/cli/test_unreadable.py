"""A value that is not as documented costs its own cell in every output; a row without an identity, its own line."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import duckdb
import icalendar
import pyarrow.parquet as pq
import pytest

from pyas_async import Meeting, MeetingDetail
from runtime.socket_server import document, wire

if TYPE_CHECKING:
    from pathlib import Path

    from cli.tools import Pyas

Json = dict[str, Any]
ODD: list[Any] = [1.5, True, "odd", [], {}, [{"x": 1}]]
NAMES = [name for name in attrs.fields_dict(Meeting) if name not in ("id", "_source")]
NO_ROWS: list[Any] = [None, "row", {"uuid": "u"}, {"id": "one"}]
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
GOOD: Json = {
    "id": 1, "uuid": "u1", "topic": "Planning", "type": 2, "start_time": NOW.isoformat(), "duration": 30,
    "timezone": "UTC", "agenda": "next", "created_at": NOW.isoformat(), "join_url": "https://zoom.example/j/1",
}  # fmt: skip
CELLS = [(name, value) for name in NAMES for value in ODD]
ROWS = [
    GOOD,
    *(GOOD | {"id": number, name: value} for number, (name, value) in enumerate(CELLS, 2)),
    GOOD | {"id": 999},
]
IDS = [row["id"] for row in ROWS]


@pytest.fixture(autouse=True)
def service(sandbox: object, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401  (a fixture without a value)
    """Serve a page of good and odd rows, and some that are none, to every request."""
    page = [*ROWS[:5], *NO_ROWS, *ROWS[5:]]
    answer = document({"success": True, "data": {"meetings": page, "total_records": len(page), "next_page_token": ""}})
    with wire(lambda _: answer) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        yield


def _always(answer: bytes, _: object) -> bytes:
    return answer


def test_list(pyas: Pyas) -> None:
    """All meetings are listed, as a table and as JSON; a warning names the rows that are none."""
    table, lines = pyas("meetings", "list", "--time-zone", "UTC"), pyas("meetings", "list", "--json")

    assert [0, 0] == [table.code, lines.code]
    assert ROWS == lines.json
    assert f"{len(ROWS)} meetings" in table.err
    assert "skipped 4 rows" in table.err
    assert all(str(number) in table.out for number in IDS)


def test_week(pyas: Pyas) -> None:
    """The week shows what has a start, and names what has none."""
    done, lines = pyas("meetings", "week", "--agenda"), pyas("meetings", "week", "--json")

    assert [0, 0] == [done.code, lines.code]
    assert IDS == [row["id"] for row in lines.json]


def test_export(pyas: Pyas, tmp_path: Path) -> None:
    """Every format has every row; the columns of text files and tables keep what no other column can."""
    for name in ("a.jsonl", "a.csv", "a.parquet", "a.ics", "a.duckdb"):
        assert 0 == pyas("meetings", "export", "-o", tmp_path / name, "--account", "acc").code, name

    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert [{"account_id": "acc", **row} for row in ROWS] == lines
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    records = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert IDS == [int(row["id"]) for row in cells] == [row["id"] for row in records]
    for (name, value), cell, record in zip(CELLS, cells[1:], records[1:], strict=False):
        if value != "odd" or name in ("type", "start_time", "duration", "created_at"):
            assert {name: value} == json.loads(cell["extra"]) == json.loads(record["extra"])
        assert [cells[0][other] for other in NAMES if other != name] == [cell[o] for o in NAMES if o != name]
    calendar = icalendar.Calendar.from_ical((tmp_path / "a.ics").read_bytes())
    assert len(ROWS) - len(ODD) == len(calendar.walk("VEVENT"))
    with duckdb.connect(str(tmp_path / "a.duckdb")) as database:
        found = database.execute("SELECT id, document FROM zoom_meetings.meetings ORDER BY id").fetchall()
    assert [(row["id"], row) for row in ROWS] == [(number, json.loads(text)) for number, text in found]


def test_get(pyas: Pyas, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meeting is shown whatever is wrong with one of its fields."""
    for name in attrs.fields_dict(MeetingDetail):
        for value in ODD if name not in ("id", "_source") else ():
            answer = document({"success": True, "meeting": GOOD | {name: value}})
            with wire(partial(_always, answer)) as server:
                monkeypatch.setenv("PYAS_BASE_URL", server.url)
                done = pyas("meetings", "get", 1)
            assert (0, True) == (done.code, "id  1" in done.out), (name, value, done.err)
