"""The formats of an export: made from the part of another one, and CSV for spreadsheet programs."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import icalendar
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from pyas_async.cli._export.rows import safe_cell
from pyas_async.sandbox import Sandbox
from runtime.socket_server import document, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.tools import Done, Pyas

    Export = Callable[..., Done]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve one small account."""
    with Sandbox(accounts=1, meetings=40) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture
def export(pyas: Pyas, tmp_path: Path) -> Export:
    """Return a function that exports to a file of a name."""

    def call(name: str, *options: object) -> Done:
        return pyas("meetings", "export", "--output", tmp_path / name, *options)

    return call


@pytest.fixture
def finished(export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a Parquet export that fails after its last row, when the file is made; return its part."""

    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(inside.CLI_WRITE_PARQUET, fail)
        done = export("all.parquet")
    assert (1, 40) == (done.code, len((tmp_path / "all.parquet.part").read_bytes().splitlines())), done.err
    assert f"{tmp_path / 'all.parquet'}: No space left on device" in done.err
    assert (
        f"  pyas meetings export --output {tmp_path / 'all.csv'} --from-part {tmp_path / 'all.parquet.part'}"
        in done.err
    )
    sandbox.requests.clear()
    return tmp_path / "all.parquet.part"


def count(path: Path) -> int:
    """Count the meetings in a file."""
    if path.suffix == ".parquet":
        return int(pq.read_table(path).num_rows)
    if path.suffix == ".ics":
        return len(icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT"))
    return len(path.read_text("utf-8").splitlines()) - (path.suffix == ".csv")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "ics"])
def test_from_a_finished_part(export: Export, sandbox: Sandbox, finished: Path, tmp_path: Path, suffix: str) -> None:
    """Each format can be made from a finished part without a call, and equals that of an export of its own."""
    made = export(f"other.{suffix}", "--from-part", finished, "--json")
    calls = len(sandbox.requests)
    export(f"own.{suffix}")

    files = [tmp_path / f"{name}.{suffix}" for name in ("other", "own")]
    assert (0, 0) == (made.code, calls), made.err
    assert {"file": str(files[0]), "format": made.json[0]["format"], "rows": 40, "calls": 0} == made.json[0]
    assert count(files[0]) == count(files[1]) > 30
    if suffix in ("jsonl", "csv"):
        assert files[0].read_bytes() == files[1].read_bytes()
    # The part is still there, for other formats, and to be completed.
    assert (0, 40) == (export("all.parquet", "--resume").code, count(tmp_path / "all.parquet"))
    assert not finished.exists()


@pytest.mark.parametrize("form", ["jsonl", "csv", "ical", "parquet"])
def test_resume_as_another_format(export: Export, sandbox: Sandbox, finished: Path, tmp_path: Path, form: str) -> None:
    """A finished part also becomes a file of another format with --resume, if its own format cannot be made."""
    done = export("all.parquet", "--resume", "--format", form)

    assert (0, []) == (done.code, sandbox.requests), done.err
    assert ["all.parquet"] == [path.name for path in tmp_path.iterdir()]
    suffix = {"ical": "ics"}.get(form, form)
    assert count((tmp_path / "all.parquet").rename(tmp_path / f"all.{suffix}")) > 30


def test_from_an_unfinished_part(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """A part that lacks accounts becomes a file with --partial, of the rows that its checkpoint counts."""
    assert 8 == export("some.jsonl", "--account", sandbox.account_ids[0], "--account", "unknown").code
    part = tmp_path / "some.jsonl.part"
    with part.open("ab") as file:
        file.write(b'{"cut of')
    sandbox.requests.clear()

    refused = export("other.csv", "--from-part", part)
    allowed = export("other.csv", "--from-part", part, "--partial")
    again = export("other.csv", "--from-part", part, "--partial")

    assert (2, 0, 2, []) == (refused.code, allowed.code, again.code, sandbox.requests)
    assert "was not completed" in refused.err
    assert "it exists already" in again.err
    assert 40 == count(tmp_path / "other.csv")


def test_parts_that_cannot_become_another_format(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """What is no finished part, and what would need calls, is refused with the reason, before anything is written."""
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
    assert [8, 8] == [export(name, *accounts).code for name in ("some.csv", "lines.jsonl")]
    table, lines = tmp_path / "some.csv.part", tmp_path / "lines.jsonl.part"
    (tmp_path / "alone.jsonl.part").write_bytes(b"")
    sandbox.requests.clear()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    refused = {
        "cannot become jsonl": export("o.jsonl", "--from-part", table, "--partial"),
        "cannot become duckdb": export("o.duckdb", "--from-part", lines, "--partial"),
        "--resume: not with --from-part": export("o.csv", "--from-part", lines, "--resume"),
        "--page-size: not with --from-part": export("o.csv", "--from-part", lines, "--page-size", 5),
        "expected the FILE.part of an export": export("o.csv", "--from-part", tmp_path / "some.csv"),
        "there is no file": export("o.csv", "--from-part", tmp_path / "none.csv.part"),
        "alone.jsonl.checkpoint": export("o.csv", "--from-part", tmp_path / "alone.jsonl.part"),
        "--safe-cells: only for CSV": export("o.csv", "--from-part", table, "--safe-cells", "--partial"),
        "the export was started as csv": export("some.csv", "--resume", "--to", "parquet"),
    }

    assert dict.fromkeys(refused, (2, True)) == {said: (done.code, said in done.err) for said, done in refused.items()}
    assert (before, []) == ({path: path.read_bytes() for path in tmp_path.iterdir()}, sandbox.requests)


def test_a_part_that_is_too_short(export: Export, finished: Path) -> None:
    """A part with fewer bytes than its checkpoint counts is refused."""
    finished.write_bytes(finished.read_bytes()[:-10])

    done = export("other.csv", "--from-part", finished)

    assert (2, True) == (done.code, "shorter than all.parquet.checkpoint says" in done.err)


FORMULAS = [
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\uff1d1",
    "\ufeff=1",
    "a;=1",
    "a\n=1",
]


@pytest.fixture
def _formulas(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fields = ("uuid", "topic", "timezone", "agenda", "host_id", "join_url")
    rows = [{"id": index, "duration": -5, **dict.fromkeys(fields, text)} for index, text in enumerate(FORMULAS, 1)]
    data = {"page_size": 300, "total_records": len(rows), "next_page_token": "", "meetings": rows}
    with wire(lambda _: document({"success": True, "data": data})) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        monkeypatch.setenv("PYAS_API_KEY", "key")
        monkeypatch.setenv("PYAS_ACCOUNT_ID", "=acc")
        yield


def formulas(text: str) -> list[str]:
    """Return the cells of CSV that a spreadsheet program could take for formulas, whatever separates its cells."""
    cells = [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    pieces = [piece for cell in cells for piece in re.split(r"[;\t\r\n]", cell)]
    return [
        piece for piece in [*cells, *pieces] if re.match(r"[\s\ufeff]*[=+@\uff1d]|[\s\ufeff]*-(?!5$)|[\t\r\n]", piece)
    ]


@pytest.mark.usefixtures("_formulas")
def test_safe_cells(pyas: Pyas, export: Export, tmp_path: Path) -> None:
    """With --safe-cells, no text of any column is a formula, in a file, on stdout, or from a part; numbers stay."""
    codes = [
        export("own.csv", "--safe-cells").code,
        export("plain.csv").code,
        export("lines.jsonl", "--account", "=acc", "--partial").code,
    ]
    streamed = pyas("meetings", "export", "--output", "-", "--format", "csv", "--safe-cells")

    assert [0, 0, 0, 0] == [*codes, streamed.code]
    own = (tmp_path / "own.csv").read_bytes().decode()
    assert formulas((tmp_path / "plain.csv").read_bytes().decode())
    assert [] == formulas(own) == formulas(streamed.out)
    with (tmp_path / "own.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(FORMULAS) == len(rows)
    assert {"-5"} == {row["duration"] for row in rows}
    assert [re.sub(r"\s|\ufeff", "", text) for text in FORMULAS] == [
        re.sub(r"\s|\ufeff|(?<![\w])'", "", row["topic"]) for row in rows
    ]


def test_safe_cells_of_other_formats(export: Export, sandbox: Sandbox, tmp_path: Path) -> None:
    """Formats in which no text can be a formula refuse --safe-cells before any call."""
    wrong = [export(name, "--safe-cells") for name in ("a.jsonl", "a.parquet", "a.ics", "a.duckdb")]

    assert {(2, True)} == {(done.code, "--safe-cells: only for CSV" in done.err) for done in wrong}
    assert ([], []) == (list(tmp_path.iterdir()), sandbox.requests)


def test_safe_cells_are_part_of_the_export(export: Export, sandbox: Sandbox) -> None:
    """--resume keeps the way in which the first rows were written."""
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
    assert 8 == export("a.csv", *accounts).code
    refused = export("a.csv", "--resume", "--safe-cells")
    assert 8 == export("b.csv", *accounts, "--safe-cells").code

    assert (2, True) == (refused.code, "--safe-cells: the export was started otherwise" in refused.err)
    assert 8 == export("b.csv", "--resume").code
    assert 0 == export("b.csv", "--resume", "--safe-cells", "--partial").code


@given(st.text(st.sampled_from("=+-@\t\r\n;, 'a1\uff1d\ufeff\u200b") | st.characters()))
def test_no_text_is_a_formula(text: str) -> None:
    """No text becomes a formula, nor does a part of it that another separator makes; nothing is taken away from it."""
    safe = safe_cell(text)

    for piece in re.split(r"[;\t\r\n]", safe):
        assert not re.match(r"[\s\x00-\x1f\ufeff\u200b]*[=+\-@\uff1d]", piece)
    assert not safe.startswith(("\t", "\r", "\n"))
    rest = iter(safe)
    assert all(character in rest for character in text)
    assert set(safe) <= set(text) | {"'"}


def test_ordinary_texts_stay() -> None:
    """A text in which no formula could begin is written as it is."""
    for text in ("Planning", "a-b", "a = b", "1:1 Ada", "x\ny", "", '{"a": -1}'):
        assert text == safe_cell(text)
