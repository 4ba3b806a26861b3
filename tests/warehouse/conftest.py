"""Tests with dlt and DuckDB. Those that take long are run by `python3 noxfile.py -s warehouse` alone."""

from __future__ import annotations

import os

if "PYAS_ASYNC_WAREHOUSE" not in os.environ:
    collect_ignore_glob = ["test_ending.py", "test_export.py", "test_kills.py", "test_page.py", "test_points.py"]

# dlt would tell its makers of each run.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
