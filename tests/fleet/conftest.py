"""Tests of several processes with real servers, which only `python3 noxfile.py -s fleet` runs."""

from __future__ import annotations

import os

if "PYAS_ASYNC_FLEET" not in os.environ:
    collect_ignore_glob = ["test_*.py"]
