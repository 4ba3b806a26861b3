"""The command in processes of its own: with and without a terminal, and ended by SIGKILL, Ctrl-C or SIGTERM."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from pyas_async.cli._export.files import Files
from pyas_async.sandbox import Sandbox

if os.name == "nt":
    pytest.skip("Windows has neither these signals nor these terminals", allow_module_level=True)

from cli.forked_commands import ForkedCommands, forks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.tools import Pyas


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve three accounts, with some latency."""
    with Sandbox(accounts=3, meetings=150, latency=0.004) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture(scope="module")
def processes(served: tuple[Sandbox, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommands]:
    """Start the process from which others are forked."""
    sandbox, url = served
    settings = {"PYAS_BASE_URL": url, "PYAS_API_KEY": sandbox.api_key, "PYAS_ACCOUNT_ID": sandbox.account_ids[0]}
    settings |= {"TERM": "xterm-256color", "COLUMNS": "", "TZ": "UTC"}
    with forks(settings, tmp_path_factory.mktemp("processes")) as begun:
        yield begun


def wait_for(ready: Callable[[], bool]) -> None:
    """Wait for an event in another process."""
    ends = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < ends, "the event did not come"
        time.sleep(0.001)  # another process runs on real time


def exported(sandbox: Sandbox) -> Counter[str]:
    """Count all rows, in the form of an export."""
    rows: list[dict[str, Any]] = []
    for account in sandbox.account_ids:
        rows += ({"account_id": account, **row} for row in sandbox.rows(account))
    return Counter(map(json.dumps, rows))


@pytest.mark.parametrize("kills", [3, pytest.param(6, marks=pytest.mark.long)])
def test_killed_at_any_moment(kills: int, sandbox: Sandbox, processes: ForkedCommands, tmp_path: Path) -> None:
    """An export that is killed and resumed many times holds each row exactly once."""
    random, output = Random(20260101), tmp_path / "all.jsonl"
    files, stored = Files(output), [0]
    (tmp_path / "ids.txt").write_text("\n".join(sandbox.account_ids))
    accounts: list[object] = ["--accounts-from", tmp_path / "ids.txt", "--page-size", 20]
    # With a checkpoint after every row, most kills hit the writes that must be atomic.
    options = ["--output", output, "--at-once", 2, "--resume", "--checkpoint-every", 0]
    for turn in range(kills):
        if turn == kills // 2:
            sandbox.expire_tokens()
        child = processes.begin("meetings", "export", *options, *([] if stored[-1] else accounts))
        goal = stored[-1] + random.randint(1, 60)
        wait_for(lambda goal=goal: ((state := files.load()) is not None) and state.rows >= goal)  # type: ignore[misc]
        time.sleep(random.uniform(0.0, 0.01))
        child.kill()
        assert -signal.SIGKILL == child.wait()
        state = files.load()
        assert state is not None
        # The state counts whole lines.
        assert state.rows == files.part.read_bytes()[: state.offset].count(b"\n")
        stored.append(state.rows)

    code, out, err = processes.call("meetings", "export", "--output", output, "--resume", "--json")

    rows = output.read_text("utf-8").splitlines()
    assert (0, "", 450) == (code, err, json.loads(out)["rows"])
    # The test proves something only if it struck in the middle, at different places.
    assert len(set(stored)) == kills + 1, stored
    assert stored[-1] < 450
    assert exported(sandbox) == Counter(json.dumps(json.loads(row)) for row in rows)
    assert ["all.jsonl", "ids.txt"] == sorted(file.name for file in tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_at_a_terminal(
    sandbox: Sandbox, processes: ForkedCommands, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C ends it at once, with the saved rows and the command to continue; the bar is removed. So does SIGTERM."""
    sandbox.latency = 0.02
    output = tmp_path / "my meetings.csv"
    seen = len(sandbox.requests)
    child = processes.begin("meetings", "export", "-o", output, "--page-size", 3, terminal=True)
    wait_for(lambda: len(sandbox.requests) >= seen + 8)
    if number == signal.SIGINT:
        child.type("\x03")
    else:
        child.kill(number)
    screen, code = child.screen(), child.wait()

    sandbox.latency = 0.004
    state = Files(output).load()
    assert state is not None
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).replace("\r", "\n").split("\n")
    *_, first, second, third = [line for line in lines if line]
    assert 128 + number == code
    assert any("━" in line for line in lines)
    assert "pyas: interrupted" == first
    assert f"{state.rows} rows are safe in {output}.part. To continue:" == second
    assert f"  pyas meetings export --output '{output}' --resume" == third
    assert 0 < state.rows < 150
    # The printed command works.
    code, _, err = processes.call("meetings", "export", "--output", output, "--resume")
    assert (0, f"{output}: 150 meetings of 1 account, ") == (code, err[: err.rindex(", ") + 2])


def test_ctrl_c_at_a_question(sandbox: Sandbox, processes: ForkedCommands) -> None:
    """Ctrl-C at a question ends the command at once, and nothing is done."""
    account, seen = sandbox.account_ids[0], len(sandbox.requests)
    row = next(row for row in sandbox.rows(account) if row["type"] == 2)
    number = row["id"]
    child = processes.begin("meetings", "delete", number, terminal=True)
    asked = child.screen(until="[y/N]")
    child.type("\x03")
    rest, code = child.screen(), child.wait()

    assert (130, True) == (code, f"Delete “{row['topic']}”" in asked)
    assert "pyas: interrupted" in rest
    assert ["GET"] == [request.method for request in sandbox.requests[seen:]]
    assert number == sandbox.document(account, number)["id"]


def test_second_export_is_refused(sandbox: Sandbox, processes: ForkedCommands, tmp_path: Path, pyas: Pyas) -> None:
    """A second export to the same file is refused while one is running, and does no harm, even with --force."""
    output = tmp_path / "one.jsonl"
    seen = len(sandbox.requests)
    first = processes.begin("meetings", "export", "-o", output, "--page-size", 2)
    wait_for(lambda: len(sandbox.requests) >= seen + 3)

    second = pyas("meetings", "export", "-o", output, "--force")

    assert (2, f"pyas: error: {output}: another process is exporting to it\n") == (second.code, second.err)
    assert 0 == first.wait()
    assert 150 == len(set(output.read_text("utf-8").splitlines()))


def test_not_a_terminal(sandbox: Sandbox, processes: ForkedCommands) -> None:
    """Output to a file has no colours, no bar, and lines of any length; a terminal gets colours, and lines that fit."""
    arguments = ["meetings", "list", "--limit", "40", "--time-zone", "UTC"]

    code, out, err = processes.call(*arguments)
    child = processes.begin(*arguments, terminal=True)
    screen = child.screen()

    topics = [row["topic"] for row in sandbox.rows(sandbox.account_ids[0])[:40]]
    assert (0, "40 meetings, 1 call\n", False) == (code, err, "\x1b" in out)
    assert [True] * 40 == [topic in line for topic, line in zip(topics, out.splitlines()[2:], strict=True)]
    assert (0, True) == (child.wait(), "\x1b[1m" in screen)
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in screen.splitlines()]
    assert all(cell_len(line.rpartition("\r")[2]) <= 80 for line in plain)


def test_closed_pipe(sandbox: Sandbox, processes: ForkedCommands) -> None:
    """If the reader of a pipe closes it, the command ends quietly with the shell's exit code."""
    pipe = processes.folder / "out"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    try:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        child = processes.begin("meetings", "list", "--json", "--page-size", 10)
        wait_for(lambda: select.select([reader], [], [], 0)[0] != [])
        first = os.read(reader, 65_536).decode().partition("\n")[0]
        os.close(reader)
        code = child.wait()
    finally:
        pipe.unlink()

    assert sandbox.rows(sandbox.account_ids[0])[0] == json.loads(first)
    assert (141, "") == (code, (processes.folder / "err").read_text())
