"""The parts of docs/dataframes.md that are no programs; `test_docs` runs its programs."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pyas_async import Meeting, row_types
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "dataframes.md").read_text("utf-8")


def test_the_table_is_whole() -> None:
    """The table of columns has each column of a meeting, with its type."""
    shown = {
        name: kind
        for names, kind in re.findall(r"^\| (`.*`) \| (\w+) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }

    assert {name: kind.__name__ for name, kind in row_types(Meeting).items()} == shown


def test_the_cell_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cell of a notebook runs where `await` may stand at the top, and makes a frame."""
    (cell,) = re.findall(r"^```ipython\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    with Sandbox(accounts=1, meetings=40) as sandbox, sandbox.serve() as url:
        monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("PYAS_BASE_URL", url)
        code = compile(
            cell.replace('"acc"', repr(sandbox.account_ids[0])), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )

        async def run() -> None:
            coroutine = eval(code, names)  # noqa: S307  (running the cell is the test)
            assert inspect.isawaitable(coroutine)
            await coroutine

        asyncio.run(run())

    assert 40 == len(names["frame"])  # type: ignore[arg-type]
