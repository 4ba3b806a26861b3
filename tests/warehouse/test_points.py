"""Kills at the points that random kills seldom hit."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from pyas_async.sandbox import Sandbox
from warehouse.points import POINTS, die_at
from warehouse.worker import load, pipeline_in

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 9
# Of those that dlt is ready for; each takes five seconds.
LONG = {"before a package counts as loaded", "after a package counts as loaded"}


@pytest.mark.parametrize(
    "point", [pytest.param(point, marks=pytest.mark.long if point in LONG else []) for point in POINTS]
)
def test_killed_at(point: str, tmp_path: Path) -> None:
    """The next process continues from what was stored: no row twice, and no unnecessary call."""
    with Sandbox(accounts=3, meetings=150) as sandbox, sandbox.serve() as url:
        order = (tmp_path, url, sandbox.account_ids)
        process = multiprocessing.get_context("forkserver").Process(target=die_at, args=(point, *order))
        process.start()
        process.join()
        assert 9 == process.exitcode
        load(*order)
        with pipeline_in(tmp_path).sql_client() as client:
            assert [(450, 450)] == client.execute_sql("SELECT count(*), count(DISTINCT row_key) FROM meetings")
            assert [(3,)] == client.execute_sql("SELECT count(*) FROM accounts WHERE round = 1")
        assert LEAST <= len(sandbox.requests) <= LEAST + POINTS[point][-1], len(sandbox.requests)
