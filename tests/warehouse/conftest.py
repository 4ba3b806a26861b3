"""Tests with dlt and DuckDB. Only `python3 noxfile.py -s warehouse` runs the long ones."""

from __future__ import annotations

import multiprocessing
import os

if "PYAS_ASYNC_WAREHOUSE" not in os.environ:
    collect_ignore_glob = ["test_ending.py", "test_export.py", "test_kills.py", "test_page.py", "test_points.py"]

# dlt would report each run to its developers.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
# What is killed is forked from a process that has imported dlt, which takes seconds.
multiprocessing.set_forkserver_preload(["warehouse.points"])
