"""The memory of a kept meeting, and the growth of a process over a long listing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from suite.contest import HERE, ratios
from suite.figures import RATIO, Figure
from suite.scripts import run_script

if TYPE_CHECKING:
    from suite.sections import Plan

TITLE: Final = "Memory"
KINDS: Final = ("native", "ours", "dicts", "structs", "pydantic")


def run(plan: Plan) -> list[Figure]:
    """Measure the memory."""
    held: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(1 if plan.quick else 3):  # the result hardly varies
        for kind, found in held.items():
            command = [sys.executable, str(HERE / "held.py"), kind, plan.where.url]
            found.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    rows = 20_000 if plan.quick else 1_000_000
    stream = run_script("rows_memory", f"--rows={rows}", "--rounds=1")["figures"]
    return [
        Figure("memory.dict", "a kept meeting as orjson's dict", "bytes", held["dicts"]),
        Figure("memory.model", "a kept meeting: the model alone ÷ that", RATIO, ratios(held["native"], held["dicts"])),
        Figure(
            "memory.held",
            "a kept meeting: the model, and its part of the page's bytes ÷ that",
            RATIO,
            ratios(held["ours"], held["dicts"]),
            ("<=", 0.6),
        ),
        Figure("memory.structs", "msgspec's Struct ÷ that", RATIO, ratios(held["structs"], held["dicts"])),
        Figure("memory.pydantic", "pydantic's model ÷ that", RATIO, ratios(held["pydantic"], held["dicts"])),
        Figure(
            "memory.remembered",
            f"{rows:,} streamed: a row remembered, where that takes most",
            "bytes",
            [stream["memory.worst"]["median"]],
            ("<=", 100.0),
        ),
        Figure(
            "memory.growth",
            f"{rows:,} streamed: growth of the process, a row",
            "bytes",
            [stream["stream.growth"]["median"]],
            ("<=", 100.0),
        ),
    ]
