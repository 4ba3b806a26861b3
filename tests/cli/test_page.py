"""The page on the command line: its console blocks are run, in order, in one session, and its tables are whole."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.consoles import BLOCK, Shell, pattern, typed
from pyas_async.cli._doctor.calls import CLOCK
from pyas_async.cli._failing import Exit
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.tools import Pyas

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
# A day that is over: nothing on the page is of today.
NOW = datetime(2026, 1, 14, 10, 30, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve the same two accounts in each run, at the same moment."""
    with Sandbox(accounts=2, meetings=400, seed=7, clock=lambda: NOW, plan="growth") as sandbox, sandbox.serve() as url:
        yield sandbox, url


def test_every_block_is_run() -> None:
    """None is left out by a change of its fence; those that cannot be run are known."""
    blocks = BLOCK.findall(PAGE)

    assert PAGE.count("```console") == len(blocks)
    assert (12, 3) == (len(blocks), sum(bool(mark) for mark, _ in blocks))


@pytest.mark.skipif(os.name == "nt", reason="the machine's time zone cannot be set there")
def test_the_session(
    pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What the page shows is what comes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(CLOCK, "wall", lambda: NOW)
    monkeypatch.setenv("TZ", "UTC")
    request.addfinalizer(time.tzset)
    time.tzset()
    names = {"acc-2": sandbox.account_ids[1], "acc": sandbox.account_ids[0]}
    shell, commands = Shell(pyas, monkeypatch, names), 0
    for mark, block in BLOCK.findall(PAGE):
        for command, shown in typed(block):
            if mark or command.startswith("pip "):
                continue
            commands += 1
            came = shell.run(command)
            assert pattern(shown).fullmatch(came), f"$ {command}\n{came}"
    assert 13 == commands


def test_every_exit_code_is_told() -> None:
    """The page has each exit code, and no other."""
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE.partition("| exit code |")[2], re.MULTILINE)

    assert sorted(Exit) == sorted(int(code) for row in rows for code in row.split(", "))
