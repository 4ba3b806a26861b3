"""The console blocks of the page on the command line run in one session, and its tables are complete."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.console_blocks import BLOCK, Shell, pattern, typed
from cli.picture import NOW, PICTURE, draw, serve, texts
from pyas_async.cli._doctor.calls import CLOCK
from pyas_async.cli._errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.tools import Pyas
    from pyas_async.sandbox import Sandbox

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve the meetings of the page."""
    with serve() as served:
        yield served


def test_every_block_is_run() -> None:
    """A changed fence skips no block, and the blocks that cannot run are known."""
    blocks = BLOCK.findall(PAGE)

    assert PAGE.count("```console") == len(blocks)
    assert (15, 4) == (len(blocks), sum(bool(mark) for mark, _ in blocks))


@pytest.mark.skipif(os.name == "nt", reason="the machine's time zone cannot be set there")
def test_the_session(
    pyas: Pyas, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each command prints what the page shows."""
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
    assert 16 == commands


def test_the_picture() -> None:
    """The picture of a week is the command's current output; `nox -s pages` redraws it."""
    with serve() as (sandbox, url):  # a new sandbox, without the changes of the session above
        drawn = draw(sandbox, url)

    assert texts(PICTURE.read_text("utf-8")) == texts(drawn)


def test_every_exit_code_is_listed() -> None:
    """The page has each exit code, and no other."""
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE.partition("| exit code |")[2], re.MULTILINE)

    assert sorted(Exit) == sorted(int(code) for row in rows for code in row.split(", "))
