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


# What happens on each day of two weeks: the day's number, from Monday on, start, minutes, title.
WEEK = [
    *((day, "09:00", 15, "Standup") for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)),
    (0, "10:00", 120, "Sprint planning"),
    (0, "10:30", 30, "1:1 Ada"),
    (1, "14:00", 90, "Design review"),
    (1, "14:30", 60, "Hiring panel"),
    (2, "13:00", 60, "Customer call: Contoso"),
    (3, "23:00", 90, "Release"),
    (4, "15:00", 60, "Retro"),
    (8, "10:00", 60, "Board meeting"),
    (11, "15:00", 60, "Retro"),
]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve two accounts, one with the meetings of two weeks of January 2026, and one with two more."""
    with Sandbox(accounts=2, meetings=0, clock=lambda: NOW, plan="growth") as sandbox, sandbox.serve() as url:
        first, second = sandbox.account_ids
        for number, (day, start, minutes, title) in enumerate(sorted(WEEK)):
            moment = f"2026-01-{12 + day:02}T{start}:00Z"
            facts = {"start_time": moment, "duration": minutes, "topic": title, "timezone": "UTC"}
            urls = {"id": 85_746_065_400 + 17 * number, "join_url": f"https://us05web.zoom.us/j/{number}?pwd=x"}
            sandbox.add_meeting(first, {"type": 2, **facts, **urls, "created_at": "2026-01-05T08:00:00Z"})
        sandbox.add_meeting(
            first, {"type": 1, "id": 85_746_065_999, "topic": "Ad hoc", "created_at": "2026-01-13T08:00:00Z"}
        )
        for day in (13, 27):
            sandbox.add_meeting(second, {"type": 2, "topic": "Lecture", "start_time": f"2026-01-{day}T08:00:00Z"})
        yield sandbox, url


def test_every_block_is_run() -> None:
    """None is left out by a change of its fence; those that cannot be run are known."""
    blocks = BLOCK.findall(PAGE)

    assert PAGE.count("```console") == len(blocks)
    assert (13, 4) == (len(blocks), sum(bool(mark) for mark, _ in blocks))


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
    assert 14 == commands


def test_every_exit_code_is_told() -> None:
    """The page has each exit code, and no other."""
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE.partition("| exit code |")[2], re.MULTILINE)

    assert sorted(Exit) == sorted(int(code) for row in rows for code in row.split(", "))
