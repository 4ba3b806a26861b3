"""Values at the ends of what a service can send: each costs its own cell at most, in every command and format."""

from __future__ import annotations

import csv
import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import icalendar
import pyarrow.parquet as pq
import pytest

from cli import extremes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.tools import Pyas

ROWS = extremes.rows()
MISTAKE = "bug in pyas"


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with extremes.service(ROWS) as url:
        monkeypatch.setenv("PYAS_BASE_URL", url)
        monkeypatch.setenv("PYAS_API_KEY", "key")
        monkeypatch.setenv("PYAS_ACCOUNT_ID", "acc")
        yield
    extremes.ANSWER.clear()


@pytest.fixture(params=extremes.ZONES)
def _machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's time zone."""
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
@pytest.mark.parametrize("zone", [None, *extremes.ZONES])
def test_listing(pyas: Pyas, zone: str | None) -> None:
    """Every row is listed, whatever the time zone; a time that the zone lacks has its own offset."""
    done = pyas("meetings", "list", *([] if zone is None else ["--time-zone", zone]))

    _, _, *lines = done.out.splitlines()
    assert (0, len(ROWS)) == (done.code, len(lines)), done.err
    assert all(str(row["id"]) in line for row, line in zip(ROWS, lines, strict=True))
    assert all(re.match(r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d( UTC)?([+-]\d\d:\d\d)? ", line) for line in lines)


@pytest.mark.usefixtures("_machine_zone")
def test_details(pyas: Pyas) -> None:
    """Every meeting is shown with its details, its dates and its recurrence."""
    done = pyas("meetings", "get", *[row["id"] for row in ROWS])

    assert (0, "") == (done.code, done.err)
    assert len(ROWS) == done.out.count("title  Usual")


@pytest.mark.usefixtures("_machine_zone")
@pytest.mark.parametrize("moment", extremes.MOMENTS)
def test_writes(pyas: Pyas, moment: str) -> None:
    """The answer to a create or an update is shown: a write that was carried out does not end with an error."""
    extremes.ANSWER.update(extremes.USUAL, start_time=moment, created_at=moment)
    created = pyas("meetings", "create", "--title", "Usual", "--start", "2026-03-02T09:00Z")
    updated = pyas("meetings", "update", 81, "--title", "Usual")
    asked = pyas("meetings", "delete", 81, typed="n\n")

    assert ([0, 0, 1], ["", ""]) == ([created.code, updated.code, asked.code], [created.err, updated.err])
    assert "Delete “Usual” (81, " in asked.err


@pytest.mark.usefixtures("_machine_zone")
@pytest.mark.parametrize("day", ["2026-03-02", "1900-01-01", "2999-12-31", "2026-03-29"])
@pytest.mark.parametrize("form", [(), ("--agenda",), ("--json",)], ids=str)
def test_week(pyas: Pyas, day: str, form: tuple[str, ...]) -> None:
    """The calendar of any week is drawn; a meeting that lasts for centuries is in each of them."""
    done = pyas("meetings", "week", day, *form)

    assert (0, False) == (done.code, MISTAKE in done.err), done.err
    assert "Usual" in done.out


@pytest.mark.usefixtures("_machine_zone")
def test_lines_and_csv(pyas: Pyas, tmp_path: Path) -> None:
    """JSON lines and CSV hold every value; a time that UTC's calendar lacks keeps its offset in CSV."""
    codes = [pyas("meetings", "export", "--output", tmp_path / f"all.{form}").code for form in ("jsonl", "csv")]

    assert [0, 0] == codes
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert [{"account_id": "acc", **row} for row in ROWS] == lines
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    for row, cell in zip(ROWS, cells, strict=True):
        for name in ("id", "type", "duration"):
            assert str(row[name]) == cell[name]
        for name in ("start_time", "created_at"):
            if name in row:
                assert datetime.fromisoformat(row[name]) == datetime.fromisoformat(cell[name])
                assert cell[name].endswith("Z") == (moment_of(row, name) is not None)


@pytest.mark.usefixtures("_machine_zone")
def test_parquet(pyas: Pyas, tmp_path: Path) -> None:
    """Parquet holds 64 bits and every moment of UTC; other values are null, and a warning names them."""
    done = pyas("meetings", "export", "--output", tmp_path / "all.parquet")

    assert 0 == done.code, done.err
    records = pq.read_table(tmp_path / "all.parquet").to_pylist()
    lost = 0
    for row, record in zip(ROWS, records, strict=True):
        expected = {
            "id": row["id"] if 0 <= row["id"] < 2**64 else None,
            **{name: row[name] if abs(row[name]) < 2**63 else None for name in ("type", "duration")},
            **{name: moment_of(row, name) for name in ("start_time", "created_at")},
        }
        assert expected == {name: record[name] for name in expected}
        lost += sum(value is None and name in row for name, value in expected.items())
    assert f"warning: {lost} values were left out, since a Parquet file cannot hold them: " in done.err


class TestDeepFields:
    """An unknown field that is nested too deep to be written costs its meeting's document, and nothing else."""

    DEEP: Final = extremes.deep()
    SOUND: Final = {name: value for name, value in DEEP.items() if name != "new"}
    LISTED: Final = [extremes.USUAL, DEEP, {**extremes.USUAL, "id": 82, "uuid": "last"}]
    SAID: Final = "meeting 99: "

    @pytest.fixture(autouse=True)
    def _deep(self, _service: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with extremes.service(self.LISTED) as url:
            monkeypatch.setenv("PYAS_BASE_URL", url)
            yield

    def test_listings(self, pyas: Pyas) -> None:
        """JSON listings have each row; that one without the field, and with a warning."""
        for command in (["list"], ["week", "2026-03-02"]):
            done = pyas("meetings", *command, "--json")
            assert (0, [81, 99, 82]) == (done.code, [row["id"] for row in done.json])
            assert (self.SOUND, 1) == (done.json[1], done.err.count(self.SAID))

    def test_details(self, pyas: Pyas) -> None:
        """A meeting whose document cannot be written is a failure of its own; the others are written."""
        done = pyas("meetings", "get", 81, 99, 82, "--json")
        shown = pyas("meetings", "get", 99)

        assert (8, {81, 82}, 0) == (done.code, {row["id"] for row in done.json}, shown.code)
        assert "pyas: error: 99: " in done.err

    def test_writes(self, pyas: Pyas) -> None:
        """A create that was carried out says so."""
        extremes.ANSWER.update(self.DEEP)
        done = pyas("meetings", "create", "--title", "t", "--start", "2026-03-02T09:00Z", "--json")

        assert (0, [self.SOUND], 1) == (done.code, done.json, done.err.count(self.SAID))

    @pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "ics"])
    def test_exports(self, pyas: Pyas, tmp_path: Path, suffix: str) -> None:
        """An export has each row, and warns of that one."""
        done = pyas("meetings", "export", "--output", tmp_path / f"all.{suffix}")

        assert (0, 1) == (done.code, done.err.count(self.SAID)), done.err
        assert 3 == (tmp_path / f"all.{suffix}").read_bytes().count(b"Usual") or suffix == "parquet"


@pytest.mark.usefixtures("_machine_zone")
def test_calendar(pyas: Pyas, tmp_path: Path) -> None:
    """A calendar has an event for each start that it can hold, and a duration that leads to a date."""
    done = pyas("meetings", "export", "--output", tmp_path / "all.ics")

    assert (0, True) == (done.code, "values were left out, since a calendar cannot hold them: " in done.err), done.err
    events: list[Any] = icalendar.Calendar.from_ical((tmp_path / "all.ics").read_bytes()).walk("VEVENT")
    starts = [moment_of(row, "start_time") for row in ROWS]
    whole = [None if start is None else start.replace(microsecond=0) for start in starts]
    assert [start for start in whole if start is not None] == [event["DTSTART"].dt for event in events]
    for event in events:
        if "DURATION" in event:
            assert event["DTSTART"].dt <= event.end
    assert len(events) == len({str(event["UID"]) for event in events})
