"""Input and output as other programs make them: repeated ids, links, local times, zones, streams, byte order marks."""

from __future__ import annotations

import codecs
import io
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from cli import extremes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links, streams and zones")
SERIES = {"type": 8, "topic": "Series", "start_time": "2026-03-02T09:00:00Z", "duration": 30}


@pytest.fixture
def series(sandbox: Sandbox) -> int:
    """Add a series of three dates, which are three rows with one id, and return it."""
    account = sandbox.account_ids[1]
    row = sandbox.add_meeting(account, SERIES)
    for day in (3, 4):
        sandbox.add_meeting(account, {**row, "uuid": f"day-{day}", "start_time": f"2026-03-0{day}T09:00:00Z"})
    sandbox.requests.clear()
    return int(row["id"])


def of(sandbox: Sandbox) -> tuple[str, str]:
    """Return the option for the account of the series."""
    return "--account", sandbox.account_ids[1]


class TestRepeatedIds:
    """Ids come from listings, which repeat that of a series."""

    def test_delete(self, pyas: Pyas, sandbox: Sandbox, series: int) -> None:
        """A series whose id is given several times is deleted once, and that is a success."""
        listed = pyas("meetings", "list", "--json", *of(sandbox)).json
        ids = [row["id"] for row in listed if row["id"] == series]
        sandbox.requests.clear()

        lines = "\n".join(map(str, ids))
        done = pyas("meetings", "delete", "-", f" {series}", series, "--yes", *of(sandbox), stdin=lines)

        assert 3 == len(ids)
        assert (0, f"{series}: deleted\n") == (done.code, done.err)
        assert 1 == len(sandbox.requests)

    def test_get(self, pyas: Pyas, sandbox: Sandbox, series: int) -> None:
        """A meeting whose id is given several times is fetched and shown once."""
        shown = pyas("meetings", "get", "-", series, *of(sandbox), stdin=f'"{series}"\r\n{series}\n')
        documents = pyas("meetings", "get", series, series, "--json", *of(sandbox))

        assert ([0, 0], 2) == ([shown.code, documents.code], len(sandbox.requests))
        assert (1, [series]) == (shown.out.count("title  Series"), [one["id"] for one in documents.json])

    def test_the_question(self, pyas: Pyas, sandbox: Sandbox, series: int) -> None:
        """The question before a delete counts each meeting once, so that it describes a single one."""
        done = pyas("meetings", "delete", series, series, *of(sandbox), typed="n\n")

        assert (1, True) == (done.code, f"Delete “Series” ({series}" in done.err)


@posix
class TestLinks:
    """Links in the place of the files that an export writes."""

    @pytest.mark.parametrize("suffix", ["csv", "parquet", "duckdb"])
    @pytest.mark.parametrize("ending", [".part", ".checkpoint", ".tmp", ".part.wal", ".dlt"])
    def test_own_files(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path, suffix: str, ending: str) -> None:
        """A link is refused before any call; with --force it is deleted, and its target stays in either case."""
        output, target = tmp_path / f"all.{suffix}", tmp_path / "precious"
        target.mkdir() if ending == ".dlt" else target.write_text("precious")
        link = output.with_name(output.name + ending)
        link.symlink_to(target)

        refused = pyas("meetings", "export", "--output", output)
        resumed = pyas("meetings", "export", "--output", output, "--resume")
        calls = len(sandbox.requests)
        forced = pyas("meetings", "export", "--output", output, "--force")

        assert (2, 2, 0) == (refused.code, resumed.code, calls)
        assert f"pyas: error: {link}: it is a symbolic link" in refused.err
        assert (0, True, False) == (forced.code, output.is_file(), link.is_symlink()), forced.err
        assert target.is_dir() or target.read_text() == "precious"

    def test_a_link_that_appears_later(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
        """A link that is made after the check is not followed either."""
        output, target = tmp_path / "all.jsonl", tmp_path / "precious"
        target.write_text("precious")

        def link(_: object) -> None:
            scratch = tmp_path / "all.jsonl.tmp"
            if not scratch.is_symlink():
                scratch.symlink_to(target)

        sandbox.on_request = link
        try:
            done = pyas("meetings", "export", "--output", output)
        finally:
            sandbox.on_request = None

        assert (0, True, "precious") == (done.code, output.is_file(), target.read_text()), done.err

    def test_from_part(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
        """The links beside the file that is made from a part are refused as well."""
        accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
        assert 8 == pyas("meetings", "export", "--output", tmp_path / "a.jsonl", *accounts).code
        (tmp_path / "precious").write_text("precious")
        (tmp_path / "b.csv.tmp").symlink_to(tmp_path / "precious")
        options = ["--from-part", tmp_path / "a.jsonl.part", "--partial"]

        refused = pyas("meetings", "export", "--output", tmp_path / "b.csv", *options)
        forced = pyas("meetings", "export", "--output", tmp_path / "b.csv", *options, "--force")

        assert (2, 0, "precious") == (refused.code, forced.code, (tmp_path / "precious").read_text())

    @pytest.mark.parametrize("name", ["all.csv.part", "all.csv.checkpoint", "all.csv.tmp"])
    def test_folders(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path, name: str) -> None:
        """A folder in the place of such a file is refused, and stays even with --force."""
        (tmp_path / name).mkdir()

        done = pyas("meetings", "export", "--output", tmp_path / "all.csv", "--force")

        assert (2, [], True) == (done.code, sandbox.requests, (tmp_path / name).is_dir())
        assert f"{tmp_path / name}: it is in the way" in done.err

    @pytest.mark.parametrize(
        "options",
        [
            "meetings export --output {}/loop.csv",
            "meetings export --output {}/loop.csv --force",
            "meetings export --output {}/loop.csv --resume",
            "meetings export --output {}/loop/all.csv",
            "meetings export --output {}/all.csv --accounts-from {}/loop.csv",
            "meetings export --output {}/all.csv --from-part {}/loop.csv.part",
            "meetings export --output {}/loop.csv --from-part {}/a.csv.part",
            "meetings create --from-json {}/loop.csv",
            "meetings update 81 --from-json {}/loop.csv",
        ],
    )
    def test_loops(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path, options: str) -> None:
        """A loop of links is named as such, or as a file that is not there."""
        for name in ("loop", "loop.csv", "loop.csv.part"):
            (tmp_path / name).symlink_to(tmp_path / f"{name}-2")
            (tmp_path / f"{name}-2").symlink_to(tmp_path / name)

        done = pyas(*options.replace("{}", str(tmp_path)).split())

        assert (True, [], False) == (done.code in (1, 2), sandbox.requests, "bug" in done.err), done.err
        assert "loop" in done.err


MISSING = ["2027-03-28T02:00", "2027-03-28T02:30", "2027-03-28 02:59:59", "20270328T0230"]
TWICE = ["2027-10-31T02:00", "2027-10-31T02:30", "2027-10-31T02:59:59"]
DAILY = ["--recurrence", "daily"]
CREATE = ["create", "--title", "t", "--start"]
COMMANDS = {
    "create": CREATE,
    "update": ["update", "81", "--start"],
    "recurrence start": [*CREATE, "2027-01-01T09:00Z", *DAILY, "--recurrence-start"],
    "recurrence end": [*CREATE, "2027-01-01T09:00Z", *DAILY, "--recurrence-end"],
    "update recurrence": ["update", "81", *DAILY, "--recurrence-end"],
}


class TestLocalTimes:
    """Times without an offset, in the zone of --time-zone."""

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
    @pytest.mark.parametrize("moment", MISSING)
    def test_missing(self, pyas: Pyas, sandbox: Sandbox, command: list[str], moment: str) -> None:
        """A time that no clock shows is refused before any call, with the time that follows the gap."""
        done = pyas("meetings", *command, moment, "--time-zone", "Europe/Berlin")

        assert (2, []) == (done.code, sandbox.requests)
        assert (
            f"{command[-1]}: {moment!r} does not exist in Europe/Berlin: clocks are set forward over it\n" in done.err
        )
        assert "Perhaps 2027-03-28T03:" in done.err

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
    @pytest.mark.parametrize("moment", TWICE)
    def test_twice(self, pyas: Pyas, sandbox: Sandbox, command: list[str], moment: str) -> None:
        """A time that clocks show twice is refused before any call, with both of its meanings."""
        done = pyas("meetings", *command, moment, "--time-zone", "Europe/Berlin")

        assert (2, []) == (done.code, sandbox.requests)
        assert f"{command[-1]}: {moment!r} comes twice in Europe/Berlin, since clocks are set back\n" in done.err
        both = done.err.partition("Write ")[2].rstrip(".\n").split(" or ")
        assert ["+02:00", "+01:00"] == [text[-6:] for text in both]

    @pytest.mark.parametrize("moment", [*MISSING, *TWICE])
    @pytest.mark.parametrize(("offset", "zone"), [("+01:00", "Europe/Berlin"), ("Z", "Europe/Berlin"), ("", "UTC")])
    def test_certain(self, pyas: Pyas, sandbox: Sandbox, moment: str, offset: str, zone: str) -> None:
        """With an offset, or in a zone whose clocks are not set, every time is one moment."""
        done = pyas("meetings", "create", "--title", "t", "--start", f"{moment}{offset}", "--time-zone", zone)

        assert (0, 1) == (done.code, len(sandbox.requests)), done.err

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59:59", "1800-01-01T00:00"])
    @pytest.mark.parametrize("zone", [*extremes.ZONES, "Europe/Berlin"])
    def test_the_ends_of_the_calendar(self, pyas: Pyas, sandbox: Sandbox, moment: str, zone: str) -> None:
        """A time at the ends of the calendar is sent, or refused by name."""
        done = pyas("meetings", "create", "--title", "t", "--start", moment, "--time-zone", zone)

        assert "bug" not in done.err
        assert done.code in (0, 1) or (2, True, []) == (done.code, "--start: " in done.err, sandbox.requests)


def timed(sandbox: Sandbox) -> int:
    """Return a meeting that has a start."""
    return next(int(row["id"]) for row in sandbox.rows(sandbox.account_ids[0]) if "start_time" in row)


@posix
class TestMachineZones:
    """Time zones of the machine that Python cannot represent."""

    @pytest.fixture(params=["XYZ-25:99", "ABC+167:59:59"], autouse=True)
    def _zone(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", request.param)
            time.tzset()
            yield
        time.tzset()

    @pytest.mark.parametrize("command", ["list", "week 2026-03-02", "week", "get {}", "create --title t --start {now}"])
    def test_times_are_in_utc(self, pyas: Pyas, sandbox: Sandbox, command: str) -> None:
        """Times are shown in UTC then, and a warning says why; nothing else changes."""
        number = timed(sandbox)
        arguments = command.replace("{now}", "2026-03-02T09:00Z").replace("{}", str(number)).split()
        done = pyas("meetings", *arguments)
        utc = pyas("meetings", *arguments, "--time-zone", "UTC")

        warning = (
            f"pyas: warning: this machine's time zone cannot be used (TZ={os.environ['TZ']!r}); times are in UTC\n"
        )
        assert (0, 1, True) == (done.code, done.err.count(warning), "UTC" in done.out), done.err
        if "create" not in command:
            assert (utc.out, utc.err) == (done.out, done.err.replace(warning, ""))

    def test_questions_and_exports(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
        """Questions and exports work as well."""
        number = timed(sandbox)

        asked = pyas("meetings", "delete", number, typed="n\n")
        codes = [
            pyas("meetings", "export", "--output", tmp_path / f"a.{suffix}").code
            for suffix in ("jsonl", "csv", "parquet", "ics")
        ]

        assert (1, [0] * 4) == (asked.code, codes)
        assert " UTC)" in asked.err


@posix
class TestStreams:
    """Standard streams that the parent process has closed."""

    def run(
        self, served: tuple[Sandbox, str], redirection: str, *arguments: object
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command in a shell with a redirection."""
        sandbox, url = served
        environment = {
            **os.environ, "PYAS_BASE_URL": url, "PYAS_API_KEY": sandbox.api_key,
            "PYAS_ACCOUNT_ID": sandbox.account_ids[0],
        }  # fmt: skip
        command = [sys.executable, "-m", "pyas_async.cli", *map(str, arguments)]
        script = f'"$@" {redirection}'
        sandbox.requests.clear()
        return subprocess.run(
            ["/bin/sh", "-c", script, "sh", *command], env=environment, capture_output=True, check=False, timeout=60
        )

    @pytest.mark.parametrize(
        "command",
        ["--help", "--version", "plan --accounts 3", "meetings list", "meetings list --json", "meetings week",
         "meetings export --output -", "accounts url", "doctor"],
    )  # fmt: skip
    def test_closed_stdout(self, served: tuple[Sandbox, str], command: str) -> None:
        """A command whose output cannot be written fails, and says so."""
        done = self.run(served, ">&-", *command.split())

        assert (1, b"", b"pyas: error: standard output: Bad file descriptor") == (
            done.returncode,
            done.stdout,
            done.stderr.strip().splitlines()[-1],
        )

    @pytest.mark.parametrize(
        "command", ["meetings create --title t --start 2026-03-02T09:00Z", "meetings update 1 --duration 5"]
    )
    def test_writes(self, served: tuple[Sandbox, str], command: str) -> None:
        """A write whose answer could not be shown is not sent."""
        done = self.run(served, ">&-", *command.split())

        assert (1, []) == (done.returncode, served[0].requests)
        assert b"standard output: Bad file descriptor" in done.stderr

    def test_what_needs_no_stdout(self, served: tuple[Sandbox, str], tmp_path: Path) -> None:
        """Exports to a file, and deletes, do not write to stdout, and succeed."""
        sandbox = served[0]
        number = sandbox.add_meeting(sandbox.account_ids[0])["id"]

        exported = self.run(served, ">&-", "meetings", "export", "--output", tmp_path / "a.csv")
        deleted = self.run(served, ">&-", "meetings", "delete", number, "--yes")

        assert (0, 0) == (exported.returncode, deleted.returncode), exported.stderr
        assert (tmp_path / "a.csv").is_file()

    def test_closed_stderr_and_stdin(self, served: tuple[Sandbox, str]) -> None:
        """Without stderr, messages are lost, and the exit code stays; without stdin, it is empty."""
        listed = self.run(served, "2>&-", "meetings", "list", "--limit", "1", "--json")
        unknown = self.run(served, "2>&-", "meetings", "get", "1")
        empty = self.run(served, "<&-", "meetings", "get", "-")
        every = self.run(served, "<&- >&- 2>&-", "meetings", "list")

        assert (0, 1) == (listed.returncode, len(listed.stdout.splitlines()))
        assert (4, 2, 1) == (unknown.returncode, empty.returncode, every.returncode)
        assert b"no meeting id was given" in empty.stderr


MARKS = {"UTF-8": codecs.BOM_UTF8, "UTF-16 LE": codecs.BOM_UTF16_LE, "UTF-16 BE": codecs.BOM_UTF16_BE}
NEW = {"type": 2, "title": "日次", "description": "", "startDate": "2026-03-02T09:00:00Z"}


def marked(mark: str, text: str) -> bytes:
    """Encode a text with a byte order mark."""
    encoding = {"UTF-8": "utf-8", "UTF-16 LE": "utf-16-le", "UTF-16 BE": "utf-16-be"}[mark]
    return MARKS[mark] + text.encode(encoding)


@pytest.mark.parametrize("mark", MARKS)
class TestByteOrderMarks:
    """Byte order marks, with which editors and PowerShell begin files, in every file and on stdin."""

    def on_stdin(self, pyas: Pyas, content: bytes, *arguments: object) -> Any:  # noqa: ANN401  (the result of a call)
        """Call the command with bytes on stdin."""
        with pyas.patch.context() as patch:
            patch.setattr(io, "StringIO", lambda _: io.TextIOWrapper(io.BytesIO(content), "utf-8"))
            return pyas(*arguments, stdin="x")

    def test_documents(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path, mark: str) -> None:
        """``--from-json`` reads a document with a mark from a file and from stdin."""
        content = marked(mark, json.dumps(NEW, ensure_ascii=False))
        (tmp_path / "new.json").write_bytes(content)

        created = pyas("meetings", "create", "--from-json", tmp_path / "new.json", "--json")
        number = created.json[0]["id"]
        changed = self.on_stdin(pyas, content, "meetings", "update", number, "--from-json", "-", "--json")

        assert (0, 0) == (created.code, changed.code), changed.err
        assert ["日次"] * 2 == [request.body["meetingData"]["title"] for request in sandbox.requests]

    def test_ids(self, pyas: Pyas, sandbox: Sandbox, tmp_path: Path, mark: str) -> None:
        """Ids of meetings on stdin, and ids of accounts in a file or on stdin, may begin with a mark."""
        number, account = sandbox.rows(sandbox.account_ids[0])[0]["id"], sandbox.account_ids[1]
        (tmp_path / "ids.txt").write_bytes(marked(mark, f"{account}\r\n"))
        export = ("meetings", "export", "--output", "-", "--accounts-from")

        got = self.on_stdin(pyas, marked(mark, f"{number}\r\n"), "meetings", "get", "-", "--json")
        read = pyas(*export, tmp_path / "ids.txt")
        piped = self.on_stdin(pyas, marked(mark, account), *export, "-")

        assert [0, 0, 0] == [got.code, read.code, piped.code], got.err + read.err
        assert [number] == [one["id"] for one in got.json]
        assert {account} == {row["account_id"] for row in read.json} == {row["account_id"] for row in piped.json}


def test_the_code_of_an_account(pyas: Pyas, sandbox: Sandbox) -> None:
    """A code that works only once is not spoiled by a mark."""
    pyas("accounts", "connect", "--name", "Ada", stdin="\ufeffthe-code\n")

    assert ["the-code"] == [request.body["code"] for request in sandbox.requests]


def test_text_in_another_encoding(pyas: Pyas, sandbox: Sandbox, tmp_path: Path) -> None:
    """Text that is neither is refused by the option's name."""
    (tmp_path / "new.json").write_bytes(b'{"title": "\xe9"}')
    (tmp_path / "cut.json").write_bytes(codecs.BOM_UTF16_LE + b"{")

    refused = [pyas("meetings", "create", "--from-json", tmp_path / name) for name in ("new.json", "cut.json")]

    assert ([2, 2], []) == ([done.code for done in refused], sandbox.requests)
    assert all("--from-json: expected text in UTF-8" in done.err for done in refused)
