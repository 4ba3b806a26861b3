"""The demonstration program does its job over real sockets, and its final checks can fail."""

from __future__ import annotations

import importlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
ROWS = [{"id": number, "topic": f"Meeting {number}"} for number in range(5)]


@pytest.fixture
def first_run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the program without running it."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("first_run")


@pytest.fixture
def here(first_run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Run the program in this process; only its sandbox is one of its own. Signals and proxies are as before then."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")  # so that it is put back

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["first_run.py", *arguments])
        code: int = first_run.main()
        return code

    yield run
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def command(*arguments: str) -> list[str]:
    """Return the command that runs the program, with every warning an error."""
    return [sys.executable, "-W", "error", str(EXAMPLES / "first_run.py"), *arguments]


def closing_table(out: str) -> dict[str, list[str]]:
    """Read the rows of the closing table: by account, and the total."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    return {name: rest for name, *rest in cells if len(rest) == 6 and (name == "total" or len(name) == 6)}


@pytest.mark.parametrize("loop", [[], pytest.param(["--trio"], marks=pytest.mark.long)], ids=["asyncio", "trio"])
def test_every_row_once(loop: list[str]) -> None:
    """On both event loops, tokens expire by age and by refusal, every row comes once, and a pipe gets plain lines."""
    # A lifetime long enough for a token to be refused instead of too old, even on a slow machine.
    arguments = ["--meetings=700", "--accounts=2", "--token-ttl=1.2", *loop]

    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    *accounts, total = closing_table(done.stdout).values()
    assert ["700", "700", "1,400"] == [row[0] for row in (*accounts, total)]
    assert ["agrees"] * 3 == [row[-1] for row in (*accounts, total)]
    sums = [sum(int(row[column].replace(",", "")) for row in accounts) for column in range(5)]
    assert [f"{number:,}" for number in sums] == total[:5]
    _, pages, calls, restarts, skipped = sums
    # The number of further expirations depends on the machine's speed; their cost does not.
    assert restarts >= 2
    assert 6 + restarts <= pages <= calls <= pages + restarts
    assert skipped >= 300 * restarts
    assert "grew too old" in done.stdout
    assert "was refused by the service" in done.stdout
    assert "\x1b" not in done.stdout


def test_no_token_died(here: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """A run in which no token expired fails, although every row came once: it proves nothing."""
    code = here("--meetings=20", "--accounts=1", "--token-ttl=0.1", "--trio")

    out, err = capsys.readouterr()
    assert (1, "") == (code, err), out
    assert ["20", "1", "1", "0", "0", "agrees"] == closing_table(out)["total"]
    assert ["no page token expired"] == re.findall(r"FAILED: ([\w ]+)", out)


def test_sandbox_that_does_not_start(here: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """If the sandbox does not start, the program shows the sandbox's own error."""
    with pytest.raises(SystemExit) as ended:
        here("--meetings=-1")

    assert "" == capsys.readouterr().out
    assert "did not start" in str(ended.value)  # which Python writes to stderr, and ends with 1
    assert "meetings must be a whole number, 0 or more; got -1" in str(ended.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize(
    ("number", "loop"), [(signal.SIGINT, []), (signal.SIGTERM, ["--trio"])], ids=["Ctrl-C", "SIGTERM-trio"]
)
def test_interrupted(number: signal.Signals, loop: list[str]) -> None:
    """A signal midway ends the program at once, without a traceback and without leaving a sandbox running."""
    # As a shell starts background processes: SIGINT is ignored.
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if number is signal.SIGTERM else []
    # A few meetings lead to the reader that dawdles at once, and a token that lives long lets it dawdle long.
    whole = [*shell, *command("--meetings=60", "--token-ttl=60", *loop)]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = int(running.stdout.readline().split(":")[2])
        assert any("pauses" in line for line in running.stdout)
        running.send_signal(number)
        out, err = running.communicate(timeout=5)

    assert (130, "Interrupted.\n", "") == (running.returncode, out[-13:], err)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        (ROWS, []),
        (ROWS[::-1], []),
        (ROWS[1:], ["1 missing"]),
        ([*ROWS, ROWS[0]], ["1 repeated"]),
        ([*ROWS, {"id": 9, "topic": "Meeting 9"}], ["1 not in the database"]),
        ([*ROWS[1:], {**ROWS[0], "topic": "Another"}], ["1 missing", "1 not in the database"]),
        ([*ROWS[2:], ROWS[2], ROWS[2]], ["2 missing", "2 repeated"]),
        ([], ["5 missing"]),
    ],
    ids=["all", "order", "missing", "repeated", "invented", "changed", "swapped", "none"],
)
def test_compare(first_run: ModuleType, rows: Sequence[Mapping[str, Any]], faults: list[str]) -> None:
    """A row that is missing, repeated, invented or changed is found, whatever the number of rows."""
    assert faults == first_run.compare(ROWS, rows)


@pytest.mark.parametrize(
    ("checks", "meeting", "deaths", "failed"),
    [
        ({"a": [], "b": []}, [], 1, []),
        ({"a": [], "b": []}, [], 0, ["no page token expired; use more meetings or a shorter --token-ttl"]),
        (
            {"a": [], "b": ["1 missing", "2 repeated"]},
            [],
            1,
            ["the rows of b, against the database: 1 missing, 2 repeated"],
        ),
        ({"a": []}, ["the meeting, deleted: still there"], 1, ["the meeting, deleted: still there"]),
    ],
    ids=["agrees", "no expired token", "rows", "meeting"],
)
def test_verdict(
    first_run: ModuleType, checks: dict[str, list[str]], meeting: list[str], deaths: int, failed: list[str]
) -> None:
    """Each of the three checks alone fails the run and reports the reason."""
    assert failed == first_run.verdict(checks, meeting, deaths)


def test_truth_is_the_database(first_run: ModuleType, tmp_path: Path) -> None:
    """The rows are compared with the database file: with those of one account, or with one meeting."""
    db = tmp_path / "world # 1.db"
    with closing(sqlite3.connect(db)) as database, database:
        database.execute("CREATE TABLE rows(account_id, id, document)")
        records = [("a", 1, '{"id":1}'), ("a", 2, '{"id":2}'), ("b", 1, '{"id":3}')]
        database.executemany("INSERT INTO rows VALUES (?, ?, ?)", records)
    service = first_run.Service(url="", api_key="", account_ids=["a", "b"], db=str(db))

    assert [{"id": 1}, {"id": 2}] == first_run.documents(service, "a")
    assert [{"id": 2}] == first_run.documents(service, "a", 2)
    assert [] == first_run.documents(service, "b", 2)
