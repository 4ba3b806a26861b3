"""From the start to the first row, each in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from suite.contest import HERE, ratios
from suite.figures import RATIO, Figure

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "The start: CPU, each time in a new interpreter"
WHAT: Final = (
    "import_ours",
    "import_floor",
    "import_libraries",
    "first_ours",
    "first_httpx",
    "first_httpx_plain",
    "second_client",
)


def run(plan: Plan) -> list[Figure]:
    """Measure the starts."""
    took: dict[str, list[float]] = {what: [] for what in WHAT}
    for what in WHAT:
        _measure(what, plan)  # which compiles the modules for the other runs
    for _ in range(plan.close()):
        for what in WHAT:
            took[what].append(_measure(what, plan))
        print(".", end="", file=sys.stderr, flush=True)
    imported, first = took["import_ours"], took["first_ours"]
    return [
        Figure("start.import", "import pyas_async", "ms", [each * 1e3 for each in imported]),
        Figure(
            "start.import_floor",
            "import pyas_async ÷ import httpx, attrs, anyio",
            RATIO,
            ratios(imported, took["import_floor"]),
            ("<=", 1.5),
        ),
        Figure(
            "start.import_libraries",
            "import pyas_async ÷ import of those, asyncio, cattrs and msgspec",
            RATIO,
            ratios(imported, took["import_libraries"]),
        ),
        Figure(
            "start.first",
            "the first row after the import ÷ httpx by hand",
            RATIO,
            ratios(first, took["first_httpx"]),
            ("<=", 1.3),
        ),
        Figure(
            "start.first_plain",
            "the same ÷ httpx by hand, told not to read certificates",
            RATIO,
            ratios(first, took["first_httpx_plain"]),
            ("<=", 1.3),
        ),
        Figure("start.second", "a second client", "ms", [each * 1e3 for each in took["second_client"]], ("<=", 0.5)),
    ]


def _measure(what: str, plan: Plan) -> float:
    command = [sys.executable, str(HERE / "fresh.py"), what, plan.where.url, str(HERE.parent)]
    # Without a cache for bytecode, every start would compile every module, which does not happen to users.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
