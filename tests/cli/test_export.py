"""``pyas meetings export``: every row of every account in one file, and a checkpoint to continue from."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import icalendar
import pyarrow.parquet as pq
import pytest

from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.rows import COLUMNS
from pyas_async.cli._export.stream import Stream
from pyas_async.sandbox import Sandbox
from runtime.socket_server import document, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from cli.tools import Done, Pyas
    from pyas_async.sandbox import SeenRequest

    Export = Callable[..., Done]

Json = dict[str, Any]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve three small accounts: exports read all of them."""
    with Sandbox(accounts=3, meetings=130) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture
def export(pyas: Pyas, tmp_path: Path) -> Export:
    """Return a function that exports to a file of a name, by default with a checkpoint after every row."""

    def call(name: str, *options: object) -> Done:
        return pyas("meetings", "export", "--output", tmp_path / name, *options)

    return call


@pytest.fixture
def accounts(sandbox: Sandbox, tmp_path: Path) -> Path:
    """Write the ids of all accounts into a file, with a comment, a blank line and a repeated id."""
    first, *others = sandbox.account_ids
    file = tmp_path / "ids.txt"
    file.write_text("\n".join([f"{first}  # Ada", "", *others, first]), "utf-8")
    return file


def truth(sandbox: Sandbox) -> list[Json]:
    """Return all rows, each with its account."""
    return [{"account_id": account, **row} for account in sandbox.account_ids for row in sandbox.rows(account)]


def counted(rows: Iterable[object]) -> Counter[str]:
    """Count documents, regardless of the order of their fields."""
    return Counter(json.dumps(row, sort_keys=True, default=str) for row in rows)


def read_lines(path: Path) -> list[Json]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def left(path: Path) -> list[str]:
    """List the files in a folder, except the file of ids."""
    return sorted(file.name for file in path.iterdir() if file.name != "ids.txt")


def instant(text: str | None) -> datetime | None:
    """Parse a time in the service's format."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def test_json_lines(export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """JSON lines hold each row as the service sent it, with its account; a repeated account is listed once."""
    done = export("all.jsonl", "--accounts-from", accounts, "--json")

    assert (0, "") == (done.code, done.err)
    assert counted(truth(sandbox)) == counted(read_lines(tmp_path / "all.jsonl"))
    assert ["all.jsonl"] == left(tmp_path)
    (summary,) = done.json
    expected = {"file": str(tmp_path / "all.jsonl"), "format": "jsonl", "rows": 390, "accounts": 3, "failed": {}}
    assert expected == {name: summary[name] for name in expected}
    assert len(sandbox.requests) == summary["calls"]


def test_csv(export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """CSV has a column for each field, times in UTC, and unchanged texts."""
    done = export("all.csv", "--accounts-from", accounts)

    assert (0, "") == (done.code, done.out)
    assert done.err.startswith(f"{tmp_path / 'all.csv'}: 390 meetings of 3 accounts, ")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(COLUMNS) == list(rows[0])
    expected = [{name: str(row.get(name, "")) for name in COLUMNS} for row in truth(sandbox)]
    assert counted(expected) == counted(rows)


def test_parquet(export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """Parquet has the same columns, with typed numbers and times."""
    assert 0 == export("all.parquet", "--accounts-from", accounts).code

    rows = pq.read_table(tmp_path / "all.parquet").to_pylist()
    moments = ("start_time", "created_at")
    expected = [
        {name: instant(row.get(name)) if name in moments else row.get(name) for name in COLUMNS}
        for row in truth(sandbox)
    ]
    assert counted(expected) == counted(rows)
    assert ["all.parquet"] == left(tmp_path)


def test_calendar(export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """A calendar has an event for each row with a start, with a unique id; the number of other rows is reported."""
    done = export("all.ics", "--accounts-from", accounts)

    rows = truth(sandbox)
    timed = [row for row in rows if "start_time" in row]
    calendar = icalendar.Calendar.from_ical((tmp_path / "all.ics").read_bytes())
    events: list[Any] = calendar.walk("VEVENT")
    assert 0 == done.code
    assert f"{len(rows) - len(timed)} meetings without a start" in done.err
    assert Counter((row["topic"], instant(row["start_time"]), row.get("duration")) for row in timed) == Counter(
        (
            str(event["SUMMARY"]),
            event["DTSTART"].dt,
            int(event["DURATION"].dt.total_seconds() / 60) if "DURATION" in event else None,
        )
        for event in events
    )
    assert len(timed) == len({str(event["UID"]) for event in events})
    assert {row["join_url"] for row in timed} == {str(event["URL"]) for event in events}


def test_filters(export: Export, sandbox: Sandbox) -> None:
    """Filters go to the service; without an account option, the account comes from the environment."""
    options = ["--start", "2026-03-01", "--end", "2026-03-31", "--type", "upcoming", "--page-size", 100]

    assert 0 == export("one.jsonl", *options, "--plan", "growth", "--repair").code

    keys = ("accountId", "startDate", "endDate", "type", "maxResults")
    assert {(sandbox.account_ids[0], "03-01-2026", "03-31-2026", "upcoming", "100")} == {
        tuple(map(request.query.get, keys)) for request in sandbox.requests
    }


@pytest.mark.parametrize("name", ["all.jsonl", "all.csv", "all.parquet"])
def test_resume(
    export: Export,
    sandbox: Sandbox,
    accounts: Path,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever ends an export, its rows are kept: --resume needs no other option, and no row is lost or repeated."""
    key = sandbox.api_key

    def revoke(_: SeenRequest) -> None:
        if len(sandbox.requests) % 6 == 5:
            sandbox.api_key = "another"

    monkeypatch.setattr(sandbox, "on_request", revoke)
    options: list[object] = ["--accounts-from", accounts, "--page-size", 30, "--at-once", 2]
    ends = []
    while True:
        done = export(name, *options)
        sandbox.api_key = key
        if done.code == 0:
            break
        files = Files(tmp_path / name)
        state = files.load()
        assert (3, [f"{name}.checkpoint", f"{name}.part"]) == (done.code, left(tmp_path))
        assert state is not None
        assert (
            f"{state.rows:,} rows are safe in {files.part}. To continue:\n  pyas meetings export --output" in done.err
        )
        ends.append(state.rows)
        options = ["--resume"]

    assert len(ends) >= 2
    assert ends == sorted(set(ends))
    assert [name] == left(tmp_path)
    monkeypatch.setattr(sandbox, "on_request", None)
    assert 0 == export(f"whole-{name}", "--accounts-from", accounts).code
    both = [sorted((tmp_path / one).read_bytes().splitlines()) for one in (name, f"whole-{name}")]
    if name.endswith("parquet"):
        assert counted(pq.read_table(tmp_path / f"whole-{name}").to_pylist()) == counted(
            pq.read_table(tmp_path / name).to_pylist()
        )
    else:
        assert both[0] == both[1]
    # A completed export makes no call.
    sandbox.requests.clear()
    again = export(name, "--resume")
    assert (0, []) == (again.code, sandbox.requests)
    assert "nothing is left to resume" in again.err


def test_rows_are_written_before_their_checkpoint(
    export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each checkpoint, the part file holds exactly the counted rows; an interval of 0 means one after each row."""
    files, counts, save = Files(tmp_path / "all.csv"), list[int](), Files.save

    def look(self: Files, state: ExportState) -> None:
        assert state.offset == files.part.stat().st_size
        assert state.rows == files.part.read_bytes().count(b"\r\n") - 1
        counts.append(state.rows)
        save(self, state)

    monkeypatch.setattr(Files, "save", look)

    assert 0 == export("all.csv", "--checkpoint-every", 0, "--type", "upcoming").code

    # At the start, after each row, and at the end.
    assert [*range(counts[-1] + 1), counts[-1]] == counts
    assert counts[-1] > 40


def test_accounts_that_fail(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """No file is made while an account has failed: it is retried, or left out with --partial."""
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]

    first = export("some.jsonl", *accounts, "--json")
    sandbox.requests.clear()
    second = export("some.jsonl", "--resume")
    third = export("some.jsonl", "--resume", "--partial", "--json")

    assert (8, 8, 0) == (first.code, second.code, third.code)
    assert (None, 130, ["unknown"]) == (first.json[0]["file"], first.json[0]["rows"], list(first.json[0]["failed"]))
    assert "pyas: error: unknown: 404: Invalid account id" in first.err
    assert "To make the file without them, add --partial." in first.err
    # Only the failed accounts are listed again.
    assert {"unknown"} == {request.query["accountId"] for request in sandbox.requests}
    assert (str(tmp_path / "some.jsonl"), ["unknown"]) == (third.json[0]["file"], list(third.json[0]["failed"]))
    assert 130 == len(read_lines(tmp_path / "some.jsonl"))
    assert ["some.jsonl"] == left(tmp_path)


def test_every_account_fails(export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every account failed, the exit code is theirs, each reason is printed once, and no file is left."""
    ids = tmp_path / "ids.txt"
    ids.write_text("\ufeffunknown\nno-one\nnone\n", "utf-8")  # a byte order mark, as some editors write
    options = ("--accounts-from", ids, "--json")

    unknown = export("all.jsonl", *options)
    partial = export("all.jsonl", *options, "--partial")
    with wire() as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
    gone = export("all.jsonl", *options)

    said = "pyas: error: unknown and 2 more accounts: 404: Invalid account id. Account Not Found\n"
    assert (4, said, 4, said) == (unknown.code, unknown.err, partial.code, partial.err)
    assert (None, 0, ["unknown", "no-one", "none"]) == (
        (summary := unknown.json[0])["file"],
        summary["rows"],
        list(summary["failed"]),
    )
    assert (6, 1, True) == (
        gone.code,
        len(gone.err.splitlines()),
        "unknown and 2 more accounts: meetings.list" in gone.err,
    )
    assert [] == left(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need special rights there")
def test_links_and_devices(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """A link's target is replaced, not the link; a device is refused, even with --force."""
    folder = tmp_path / "ids.txt"
    folder.mkdir()
    (tmp_path / "link.csv").symlink_to(folder / "true.csv")
    os.mkfifo(tmp_path / "pipe.csv")

    made = export("link.csv")
    refused = export("pipe.csv", "--force")

    assert (0, True, ["true.csv"]) == (made.code, (tmp_path / "link.csv").is_symlink(), os.listdir(folder))  # noqa: PTH208
    assert (2, ["link.csv", "pipe.csv"]) == (refused.code, left(tmp_path))


def test_another_plan(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """An export continues with the key's current plan, which the checkpoint records from then on."""
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
    plans = []
    for options in ([*accounts, "--plan", "developer"], ["--resume", "--plan", "scale"], ["--resume"]):
        assert 8 == export("some.jsonl", *options).code
        state = Files(tmp_path / "some.jsonl").load()
        assert state is not None
        plans.append(state.job.plan)

    assert ["developer", "scale", "scale"] == plans


def test_nothing_is_overwritten(export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """An existing file, or an export that can be resumed, is kept unless --force is given."""
    file = tmp_path / "all.jsonl"
    file.write_text("old")
    there = export("all.jsonl")
    sandbox.api_key, key = "another", sandbox.api_key
    refused = export("all.jsonl", "--force")
    sandbox.api_key = key

    assert (2, f"pyas: error: {file}: it exists already\n  --force replaces it.\n") == (there.code, there.err)
    # A failure before the first row leaves no file behind, and an existing file unchanged.
    assert (3, ["all.jsonl"], "old") == (refused.code, left(tmp_path), file.read_text())

    assert 8 == export("all.jsonl", "--force", "--account", sandbox.account_ids[0], "--account", "unknown").code
    begun = (
        export("all.jsonl", "--force", "--resume"),
        export("all.jsonl"),
        export("all.jsonl", "--resume", "--end", "x"),
    )
    assert [2, 2, 2] == [done.code for done in begun]
    assert "give either --resume to continue, or --force to start over" in begun[0].err
    assert "an export to it was not completed (130 rows so far)" in begun[1].err
    assert "--end: the export was started otherwise, and can only continue like that" in begun[2].err
    assert "old" == file.read_text()

    assert 0 == export("all.jsonl", "--force", "--accounts-from", accounts).code
    assert counted(truth(sandbox)) == counted(read_lines(file))


def test_killed_at_the_end(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """After a kill between the last row and the removal of the checkpoint, --resume needs no call."""
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
    for name in ("some.jsonl", "some.parquet"):
        assert 8 == export(name, *accounts).code
        files = Files(tmp_path / name)
        part, checkpoint = files.part.read_bytes(), files.checkpoint.read_text("utf-8")
        assert 0 == export(name, "--resume", "--partial").code
        made = files.output.read_bytes()
        sandbox.requests.clear()
        whole = checkpoint.replace('"whole": false', '"whole": true')

        # Before the file was made,
        files.output.unlink()
        files.part.write_bytes(part)
        files.checkpoint.write_text(whole, "utf-8")
        assert (0, made) == (export(name, "--resume").code, files.output.read_bytes())
        # and after it was made.
        files.checkpoint.write_text(whole, "utf-8")
        assert (0, made) == (export(name, "--resume").code, files.output.read_bytes())
        assert not files.checkpoint.exists()
        assert [] == sandbox.requests


def test_invalid_checkpoint(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """A checkpoint that is damaged, has another version, or does not match its part file is refused and kept."""
    assert 8 == export("some.jsonl", "--account", sandbox.account_ids[0], "--account", "unknown").code
    files = Files(tmp_path / "some.jsonl")
    text = files.checkpoint.read_text("utf-8")
    sandbox.requests.clear()

    for damaged in ("", "{}", text.replace('"pyas_export": 1', '"pyas_export": 2'), text.replace('"rows"', '"rose"')):
        files.checkpoint.write_text(damaged, "utf-8")
        done = export("some.jsonl", "--resume")
        assert (2, damaged) == (done.code, files.checkpoint.read_text("utf-8"))
        assert "not a checkpoint of an export that this version can continue" in done.err
    files.checkpoint.write_text(text[:-40], "utf-8")
    inner = export("some.jsonl", "--resume")
    files.checkpoint.write_text(text, "utf-8")
    files.part.write_bytes(b"")
    short = export("some.jsonl", "--resume")

    assert (2, 2, []) == (inner.code, short.code, sandbox.requests)
    assert "expected the whole text of a checkpoint" in inner.err
    assert "it is shorter than some.jsonl.checkpoint says" in short.err


WRONG = [
    (["--output", "{}/a.txt"], "--output: the suffix of 'a.txt' does not name a format"),
    (["--output", "{}/a.csv", "--account", " "], "--account: expected the id of a connected account, got ' '"),
    (["--output", "{}/a.csv", "--accounts-from", "{}/none"], "{}/none: No such file or directory"),
    (["--output", "{}/none/a.csv"], "--output: there is no folder {}/none"),
    (["--output", "{}", "--force"], "--output: {} is a folder or a device, not a file"),
    (["--output", "{}/a.csv", "--start", "2026-02-30"], "--start: expected a day such as 2026-01-31, got '2026-02-30'"),
    (["--output", "{}/a.csv", "--checkpoint-every", "-1"], "--checkpoint-every: expected 0 or more seconds, got -1.0"),
    (["--output", "{}/a.csv", "--checkpoint-every", "nan"], "--checkpoint-every: expected 0 or more seconds, got nan"),
    (["--output", "{}/a.csv", "--start", "2026-02-01", "--end", "2026-01-01"], "--end: expected nothing before"),
    (["--output", "{}/a.csv", "--at-once", "0"], "--at-once: expected a whole number >= 1, got 0"),
]


@pytest.mark.parametrize(("options", "said"), WRONG, ids=range(len(WRONG)))
def test_called_wrongly(pyas: Pyas, sandbox: Sandbox, tmp_path: Path, options: list[str], said: str) -> None:
    """Invalid options are reported before any request, and leave no file behind."""
    done = pyas("meetings", "export", *(option.replace("{}", str(tmp_path)) for option in options))

    assert done.err.startswith(f"pyas: error: {said.replace('{}', str(tmp_path))}")
    missing = 1 if "No such file" in said else 2
    assert (missing, [], []) == (done.code, sandbox.requests, left(tmp_path))


def test_no_account(export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account, the error names the ways to give one; a list without ids is a mistake."""
    monkeypatch.delenv("PYAS_ACCOUNT_ID")
    (tmp_path / "ids.txt").write_text("# no id\n")

    none, empty = export("a.csv"), export("a.csv", "--accounts-from", tmp_path / "ids.txt")

    assert (2, 2) == (none.code, empty.code)
    assert "Give --account or --accounts-from, or set PYAS_ACCOUNT_ID." in none.err
    assert "--accounts-from: there is no id in" in empty.err


@pytest.mark.parametrize(("suffix", "module"), [("parquet", "pyarrow"), ("ics", "icalendar"), ("duckdb", "dlt")])
def test_without_an_extra(
    export: Export, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str
) -> None:
    """The packages of a format are checked before any call is made."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet" if module == "pyarrow" else module, None)

    done = export(f"a.{suffix}")

    assert (2, []) == (done.code, sandbox.requests)
    assert f"needs {module}, which is not installed\n  pip install " in done.err


def test_unknown_fields(export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown fields are kept, unchanged in JSON lines, or as JSON in a column."""
    row = {"id": 2**63 - 1, "uuid": "u", "topic": 'a "b"\n=c', "new": {"x": [1]}, "account_id": "the service's own"}
    data = {"page_size": 300, "total_records": 1, "next_page_token": "", "meetings": [row]}
    with wire(lambda _: document({"success": True, "data": data})) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        codes = [export(f"a.{suffix}", "--account", "acc").code for suffix in ("jsonl", "csv", "parquet")]

    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        (cells,) = csv.DictReader(file)
    (lines,) = read_lines(tmp_path / "a.jsonl")
    (record,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [0, 0, 0] == codes
    assert row | {"account_id": "acc"} == lines
    assert (str(row["id"]), row["topic"], row["id"], row["topic"]) == (
        cells["id"],
        cells["topic"],
        record["id"],
        record["topic"],
    )
    assert [{"x": [1]}] * 2 == [json.loads(extra)["new"] for extra in (cells["extra"], record["extra"])]


def test_to_stdout(pyas: Pyas, export: Export, sandbox: Sandbox, accounts: Path, tmp_path: Path) -> None:
    """``-`` writes to stdout exactly what the file would hold; the summary goes to stderr."""
    lines = pyas("meetings", "export", "-o", "-", "--accounts-from", accounts)
    table = pyas("meetings", "export", "--output", "-", "--format", "csv")
    export("a.csv")

    assert (0, counted(truth(sandbox))) == (lines.code, counted(lines.json))
    assert "standard output: 390 meetings of 3 accounts, 3 calls\n" == lines.err
    assert (0, (tmp_path / "a.csv").read_text("utf-8").splitlines()) == (table.code, table.out.splitlines())
    assert ["a.csv"] == left(tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "parquet"], "--output -: parquet cannot be written row by row to standard output"),
        (["--to", "ical"], "--output -: ical cannot be written row by row to standard output"),
        (["--to", "duckdb"], "--output -: duckdb cannot be written row by row to standard output"),
        (["--resume"], "--resume: only for exports to a file"),
        (["--force"], "--force: only for exports to a file"),
        (["--json"], "--json: only for exports to a file"),
    ],
    ids=str,
)
def test_options_refused_for_stdout(pyas: Pyas, sandbox: Sandbox, options: list[str], said: str) -> None:
    """Options that need a file are refused for stdout, before any call."""
    done = pyas("meetings", "export", "-o", "-", *options)

    assert (2, "", []) == (done.code, done.out, sandbox.requests)
    assert said in done.err


def test_failures_with_stdout(pyas: Pyas, sandbox: Sandbox, accounts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed accounts are reported, also by the exit code; the rows of the others are written once."""
    wrong = ("meetings", "export", "-o", "-", "--account", "unknown")
    part, allowed = (pyas(*wrong, "--accounts-from", accounts, *more) for more in ((), ("--partial",)))
    none = pyas(*wrong)
    monkeypatch.delenv("PYAS_ACCOUNT_ID")
    without = pyas("meetings", "export", "-o", "-")

    assert (8, 0, 2) == (part.code, allowed.code, without.code)
    assert none.code not in (0, 8)
    assert counted(truth(sandbox)) == counted(part.json) == counted(allowed.json)
    assert ["", ""] == [none.out, without.out]
    assert "pyas: error: unknown: " in part.err
    assert "no account id was given" in without.err


def test_ctrl_c_with_stdout(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C, the command prints how many rows were written to stdout, and that it cannot resume."""
    taken = iter(range(40))

    def write(self: Stream, line: bytes) -> None:
        if next(taken, None) is None:
            raise KeyboardInterrupt
        sys.stdout.buffer.write(line)

    monkeypatch.setattr(Stream, "write", write)

    done = pyas("meetings", "export", "-o", "-")

    assert (130, 39) == (done.code, len(done.json))  # the first line is the file's head, which is empty
    said = "39 rows went to standard output; only an export to a file can continue."
    assert f"pyas: interrupted\n{said}\n" == done.err
