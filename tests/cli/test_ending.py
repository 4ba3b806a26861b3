"""How the command ends: stable exit codes, errors without tracebacks, and no secret in either."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Literal

import pytest
from rich.console import Console

import inside
from pyas_async import Event, Waiting, __version__, plans
from pyas_async.cli import _output
from pyas_async.cli._client import WaitMessages
from pyas_async.cli._errors import code_of, text_of
from pyas_async.cli._options import Common
from pyas_async.cli._runner import perform
from runtime.socket_server import document, wire

if TYPE_CHECKING:
    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox

KEY = "a-key-that-must-stay-secret"


def test_version(pyas: Pyas) -> None:
    """``--version`` prints the command and its version, and needs no key."""
    assert (0, f"pyas {__version__}\n", "") == (
        (done := pyas("--version")).code,
        done.out,
        done.err,
    )


@pytest.mark.parametrize(
    "command",
    [
        *([group, *name.split()] for group in ("meetings",) for name in ("list", "get", "create", "update", "delete")),
        *(["accounts", name] for name in ("url", "connect")),
        ["meetings", "export"],
        ["meetings", "week"],
        ["doctor"],
        ["plan"],
        ["sandbox"],
    ],
    ids=" ".join,
)
def test_help(pyas: Pyas, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command has a help text with its usage, which fits into 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    done = pyas(*command, "--help")

    assert (0, "") == (done.code, done.err)
    assert re.search(rf"^usage: pyas {' '.join(command)}\b", done.out, re.IGNORECASE)
    assert all(len(line) <= 80 for line in done.out.splitlines())


def test_commands_are_listed(pyas: Pyas) -> None:
    """Without a command, the commands and the exit codes are listed."""
    done = pyas()

    assert 0 == done.code
    assert all(word in done.out for word in ("accounts", "meetings", "plan", "sandbox", "Exit codes: 0 done"))


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["meetings", "lst"], ["meetings", "list", "--strat", "x"], ["meetings", "list", "--limit", "x"]],
    ids=" ".join,
)
def test_called_wrongly(pyas: Pyas, arguments: list[str]) -> None:
    """A wrong call ends with 2, one line with the mistake, and one line that points to the help."""
    done = pyas(*arguments)

    assert (2, "", 2) == (done.code, done.out, len(done.err.splitlines()))
    assert done.err.startswith("pyas: error: ")


@pytest.mark.parametrize("option", ["--api-key", "--api_key", f"--key={KEY}", "--x-api-key"])
def test_the_key_is_no_argument(pyas: Pyas, option: str) -> None:
    """A key among the arguments is refused, and not shown."""
    done = pyas("meetings", "list", option, KEY)

    assert (2, "") == (done.code, done.out)
    assert "the API key is not taken from the command line" in done.err
    assert KEY not in done.err


def test_no_key(pyas: Pyas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key and a terminal, the missing variable is named; an empty variable counts as missing."""
    monkeypatch.delenv("PYAS_API_KEY", raising=False)
    missing = pyas("meetings", "list", "--account", "acc")
    monkeypatch.setenv("PYAS_API_KEY", "")
    empty = pyas("meetings", "list", "--account", "acc")

    assert (2, "pyas: error: no API key is set\n  Set PYAS_API_KEY in the environment.\n") == (
        missing.code,
        missing.err,
    )
    assert (2, True) == (empty.code, "PYAS_API_KEY, it is empty" in empty.err)


def test_asked_for_the_key(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal, a key that is not in the environment is asked for, with hidden input."""
    monkeypatch.delenv("PYAS_API_KEY")
    said: list[str] = []
    answers = iter([f"{sandbox.api_key}\n", ""])

    def ask(prompt: str) -> str:
        said.append(prompt)
        return next(answers)

    monkeypatch.setattr("getpass.getpass", ask)

    given, refused = (pyas("meetings", "list", "--limit", 1, typed="") for _ in range(2))

    assert (0, 2) == (given.code, refused.code)
    assert ["Pyas API key (not shown): "] * 2 == said
    assert "no API key was given" in refused.err


def test_no_account(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account, the error names the ways to give one."""
    monkeypatch.delenv("PYAS_ACCOUNT_ID")

    done = pyas("meetings", "list")

    assert (2, []) == (done.code, sandbox.requests)
    assert "Give --account, or set PYAS_ACCOUNT_ID." in done.err


LIMIT = {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"}
ANSWERS = {
    "a refused key": (401, {"error": "Unauthorized. Invalid API key."}, 3),
    "no right": (403, {"error": "Forbidden"}, 3),
    "not found": (404, {"success": False, "error": "Not Found", "code": 404}, 4),
    "a limit of the day": (429, {"code": 429, "message": "You have exceeded the daily rate limit of (100)"}, 5),
    "the service failed": (502, {"error": "Bad Gateway"}, 6),
    "refused": (409, {"error": "Conflict"}, 1),
    "no JSON": (200, {"success": True, "meeting": {"id": "x"}}, 1),
}


@pytest.mark.parametrize(("status", "body", "code"), ANSWERS.values(), ids=ANSWERS)
def test_exit_codes(
    pyas: Pyas, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, object], code: int
) -> None:
    """Each kind of failure has its exit code, and one or two lines on stderr without a key or a traceback."""
    monkeypatch.setenv("PYAS_API_KEY", KEY)
    with wire(lambda _: document(body, status)) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        done = pyas("meetings", "get", 1, "--account", "acc")

    assert (code, "") == (done.code, done.out)
    assert done.err.startswith("pyas: error: 1: ")
    assert len(done.err.splitlines()) <= 2
    assert "Traceback" not in done.err
    assert KEY not in done.err


def test_unreachable_service(pyas: Pyas, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable service is reported, with the exit code of failures that may be retried."""
    with wire() as server:
        url = server.url
    monkeypatch.setenv("PYAS_BASE_URL", url)
    monkeypatch.setenv("PYAS_API_KEY", KEY)

    done = pyas("meetings", "list", "--account", "acc")

    assert 6 == done.code
    assert done.err.startswith(f"pyas: error: meetings.list: {url}: ConnectError")


def test_refused_key_ends_a_bulk_run(pyas: Pyas, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused key ends the run: it is reported once, with the number of calls that were not tried."""
    monkeypatch.setenv("PYAS_API_KEY", KEY)
    refusal = {"error": "Unauthorized. Invalid API key."}
    with wire(lambda _: document(refusal, 401, Connection="close")) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        done = pyas("meetings", "get", "-", "--account", "acc", stdin="\n".join(map(str, range(1, 301))))

    tried = len(server.requests)
    assert (3, True) == (done.code, tried < 300)
    assert f"{300 - tried:,} more were not tried" in done.err


def test_debug(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--debug`` shows the traceback before the usual line, and no key."""
    monkeypatch.setenv("PYAS_API_KEY", KEY)

    done = pyas("meetings", "list", "--debug")

    first, *_, error, _ = done.err.splitlines()
    assert (3, "Traceback (most recent call last):") == (done.code, first)
    assert error.startswith("pyas: error: 401: ")
    assert KEY not in done.err


def test_unexpected_exception(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception is reported in one line, with the advice to use --debug."""

    def broken(*_: object) -> None:
        raise LookupError("a mistake")

    monkeypatch.setattr(inside.CLI_DAY_FILTER, broken)

    done = pyas("meetings", "list")

    assert (1, "pyas: error: LookupError: a mistake\n  This is a bug in pyas. With --debug, it shows where.\n") == (
        done.code,
        done.err,
    )


def test_system_errors() -> None:
    """An error of the operating system is reported with the file's name, in the system's words."""
    assert (1, ("x: No such file or directory", "")) == (
        code_of(error := FileNotFoundError(2, "No such file or directory", "x")),
        text_of(error),
    )


def test_long_waits(capsys: pytest.CaptureFixture[str]) -> None:
    """A long wait is printed once for all waiting calls, and a short one is not. Other listeners get every event."""
    now, heard = [100.0], list[Event]()
    waits = WaitMessages(heard.append, clock=lambda: now[0])
    told: list[tuple[float, Literal["budget", "retry"], float]] = [
        (4.0, "retry", 0.0),
        (290.4, "budget", 1.0),
        (290.0, "budget", 289.0),
        (9.0, "retry", 2.0),
        (8.0, "retry", 0.0),
    ]
    for seconds, reason, later in told:
        waits(Waiting(call=1, operation="meetings.list", seconds=seconds, reason=reason))
        now[0] += later

    assert 5 == len(heard)
    assert [
        "pyas: the call limit is used up: continuing in 4:50",
        "pyas: the request failed: trying again in 0:08",
    ] == capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(("event", "shown"), [("LongWait", False), ("Waiting", False), ("ListingDrifted", True)])
def test_warnings_of_waits(event: str, shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The library's warnings are printed, except those of waits, which the commands show in their own words."""

    def work() -> None:
        logging.getLogger("pyas_async").warning("something", extra={"pyas_event": event})

    assert 0 == perform(work, Common())
    assert ["pyas: warning: something"] * shown == capsys.readouterr().err.splitlines()


def test_lines_during_a_live_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line printed during a live display stands above it, and is not overwritten."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=60)
    monkeypatch.setattr(inside.CLI_LIVE_CONSOLES, [console])

    with _output.status("listing") as tell:
        tell("listing: 300 meetings")
        _output.say("pyas: warning: odd")

    assert re.search(r"pyas: warning: odd\n. listing: 300 meetings", screen.getvalue())


def test_warnings_of_the_library(pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning of the library is printed on stderr as a line of the command."""
    data = {"page_size": 300, "total_records": 9, "next_page_token": "", "meetings": [{"id": 1, "uuid": "u"}]}
    with wire(lambda _: document({"success": True, "data": data})) as server:
        monkeypatch.setenv("PYAS_BASE_URL", server.url)
        done = pyas("meetings", "list", "--json")

    assert (0, 1) == (done.code, len(done.json))
    assert done.err.startswith("pyas: warning: ")


def test_the_calculator(pyas: Pyas, capsys: pytest.CaptureFixture[str]) -> None:
    """``pyas plan`` is the calculator, with its table, its JSON and its errors."""
    table, lines = pyas("plan", "--accounts", 400), pyas("plan", "--accounts", 400, "--json", "--plan", "growth")
    wrong = pyas("plan", "--accounts", 0)
    plans.main(["--accounts", "400"])

    assert (0, capsys.readouterr().out) == (table.code, table.out)
    assert [("growth", 400, True)] == [(one["plan"], one["calls"], one["fits"]) for one in lines.json]
    assert (2, True) == (wrong.code, "pyas plan: error: argument --accounts" in wrong.err)
