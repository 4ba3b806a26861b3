"""What a kill leaves behind at the points that chance seldom strikes."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING, Any

import pytest
from dlt.extract.extract import Extract
from dlt.load.load import Load

from pyas_async.sandbox import Sandbox
from warehouse.worker import load, pipeline_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POINTS = {
    "before a package is committed": (Extract, "commit_packages", False, 6),
    # The package knows of its slice, and the state in the folder does not.
    "before the state is written down": (Extract, "commit_packages", True, 2),
    "before a package counts as loaded": (Load, "complete_package", False, 2),
    "after a package counts as loaded": (Load, "complete_package", True, 2),
}
"""Where, whether after that was done, and the calls that it costs: those of a slice that is lost, and two pages."""
CALLS, LEAST = 2, 9


def die_at(point: str, folder: Path, url: str, account_ids: Sequence[str]) -> None:
    """Load, and die without a word at a point of the second slice."""
    where, name, after, _ = POINTS[point]
    method, times = getattr(where, name), [0]

    def dying(*given: Any, **named: Any) -> Any:  # noqa: ANN401  (whatever it is)
        times[0] += 1
        if times[0] == 2 and not after:
            os._exit(9)
        result = method(*given, **named)
        if times[0] == 2:
            os._exit(9)
        return result

    setattr(where, name, dying)
    load(folder, url, account_ids, slice_calls=CALLS, max_concurrency=1)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(point: str, tmp_path: Path) -> None:
    """The next process takes what is there for what it is: no row twice, and no call that need not be."""
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
