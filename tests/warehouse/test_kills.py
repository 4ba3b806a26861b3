"""A load that is killed at random moments stores each meeting exactly once."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from pyas_async.sandbox import Sandbox
from warehouse.worker import AT_ONCE, CALLS, PAGE, load, pipeline_in

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20
ACCOUNTS, ROWS = 24, 590
LEAST = ACCOUNTS * -(-ROWS // PAGE)
# A kill costs the calls of a slice, and two pages of each running account: the current one and the prefetched one. The
# next process requests the current page again; a slice is a call or two larger than requested.
PER_KILL = CALLS + 3 * AT_ONCE + 2


def documents(folder: Path) -> Counter[str]:
    """Count the documents in the warehouse, each with its account."""
    with (
        pipeline_in(folder).sql_client() as client,
        client.execute_query("SELECT account_id, document FROM meetings") as rows,
    ):
        found = [[account_id, json.loads(text)] for account_id, text in rows.fetchall()]
    return Counter(json.dumps(row, sort_keys=True) for row in found)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """Any step of dlt's may be killed, and its folder may be lost before the next start."""
    random = Random(20261123)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["warehouse.worker"])
    leftovers: Counter[str] = Counter()
    with Sandbox(accounts=ACCOUNTS, meetings=ROWS) as sandbox, sandbox.serve() as url:
        order = (tmp_path, url, sandbox.account_ids)
        while leftovers.total() < KILLS:
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
            leftovers[" and ".join(left) or "nothing"] += 1
            if leftovers.total() % 5 == 0:
                shutil.rmtree(tmp_path / "pipelines")  # as on another machine
        loaded = load(*order)
        truth = Counter(
            json.dumps([account_id, row], sort_keys=True)
            for account_id in sandbox.account_ids
            for row in sandbox.rows(account_id)
        )
        calls = len(sandbox.requests)
        least = LEAST * loaded.round
        print(f"{calls} calls, where {least} are the least; left behind by {KILLS} kills: {dict(leftovers)}")  # noqa: T201
        assert truth == documents(tmp_path)
        with pipeline_in(tmp_path).sql_client() as client:
            assert [(ACCOUNTS,)] == client.execute_sql("SELECT count(*) FROM accounts WHERE round = %s", loaded.round)
    assert calls <= least + KILLS * PER_KILL
    # The test proves something only if it also killed some of dlt's steps midway.
    assert len(leftovers) > 1
