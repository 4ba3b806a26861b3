"""Tests of the recipe with DBOS and a real Postgres, which only `python3 noxfile.py -s durable` runs."""

from __future__ import annotations

import os

if "PYAS_ASYNC_DURABLE" not in os.environ:
    collect_ignore_glob = ["test_*.py"]
