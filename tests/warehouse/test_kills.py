"""A load that is killed at random moments stores each meeting exactly once."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from pyas_async.sandbox import Sandbox
from warehouse.worker import AT_ONCE, CALLS, PAGE, load, pipeline_in

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 590
# A kill costs the calls of a slice, and two pages of each active account: the current one, and the one in flight.
# The next process asks for the page in hand again; a slice is a call or two larger than it should be.
PER_KILL = CALLS + 3 * AT_ONCE + 2


def documents(folder: Path) -> Counter[str]:
    """Count the documents in the warehouse, each with its account."""
    with (
        pipeline_in(folder).sql_client() as client,
        client.execute_query("SELECT account_id, document FROM meetings") as rows,
    ):
        found = [[account_id, json.loads(text)] for account_id, text in rows.fetchall()]
    return Counter(json.dumps(row, sort_keys=True) for row in found)


@pytest.mark.parametrize(("kills", "accounts"), [(3, 4), pytest.param(20, 24, marks=pytest.mark.long)])
def test_killed_at_random_moments(kills: int, accounts: int, tmp_path: Path) -> None:
    """Any step of dlt's may be killed, and its folder may be lost before the next start."""
    random = Random(20261123)
    forks = multiprocessing.get_context("forkserver")
    struck: Counter[str] = Counter()
    with Sandbox(accounts=accounts, meetings=ROWS) as sandbox, sandbox.serve() as url:
        order = (tmp_path, url, sandbox.account_ids)
        while struck.total() < kills:
            process = forks.Process(target=load, args=order)
            process.start()
            # The kill depends on the work done, since a time alone would always be too short on a busy machine.
            wanted = len(sandbox.requests) + random.randint(0, 2 * CALLS + 2)
            while process.is_alive() and len(sandbox.requests) < wanted:
                time.sleep(0.005)  # another process runs on real time
            time.sleep(random.uniform(0.0, 1.2))
            process.kill()
            process.join()
            if process.exitcode == 0:  # the machine was fast enough to end the round: continue with the next one
                continue
            assert process.exitcode == -9
            pipeline = pipeline_in(tmp_path)
            left = [
                name
                for name, packages in (
                    ("extracted", pipeline.list_extracted_load_packages()),
                    ("normalized", pipeline.list_normalized_load_packages()),
                )
                if packages
            ]
            struck[" and ".join(left) or "nothing"] += 1
            if struck.total() % min(5, kills - 1) == 0:
                shutil.rmtree(tmp_path / "pipelines")  # as on another machine
        loaded = load(*order)
        truth = Counter(
            json.dumps([account_id, row], sort_keys=True)
            for account_id in sandbox.account_ids
            for row in sandbox.rows(account_id)
        )
        calls = len(sandbox.requests)
        least = accounts * -(-ROWS // PAGE) * loaded.round
        print(f"{calls} calls, where {least} are the least; left behind by {kills} kills: {dict(struck)}")  # noqa: T201
        assert truth == documents(tmp_path)
        with pipeline_in(tmp_path).sql_client() as client:
            assert [(accounts,)] == client.execute_sql("SELECT count(*) FROM accounts WHERE round = %s", loaded.round)
    assert calls <= least + kills * PER_KILL
    # At full length it must have struck in the middle of dlt's steps, too; `test_points` does so on purpose.
    assert kills < 20 or len(struck) > 1
