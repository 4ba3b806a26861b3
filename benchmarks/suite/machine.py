"""The machine that a run is made on: its cores, and what is written down of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from datetime import UTC, datetime
from typing import Any, Final

PACKAGES: Final = (
    "pyas_async",
    "httpx",
    "httpcore",
    "anyio",
    "attrs",
    "cattrs",
    "msgspec",
    "orjson",
    "pydantic",
    "openai",
    "openapi-python-client",
    "aiohttp",
    "httpx-aiohttp",
)
"""Whose versions a report names."""


def cores() -> list[int]:
    """List the cores that this process may run on; empty where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def stay_on(core: int | None) -> None:
    """Keep this process on one core, if there is one for it."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {core})


def share_out() -> tuple[int | None, int | None]:
    """Give the server a core and the clients another, where there are two; else leave both to the system."""
    found = cores()
    return (found[-1], found[0]) if len(found) > 1 else (None, None)


def describe() -> dict[str, Any]:
    """Write down what the figures of a run depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(cores()) or os.cpu_count(),
        "pinned": share_out()[0] is not None,
        "versions": versions,
    }
