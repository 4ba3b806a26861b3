"""The machine of a run: its cores, and its description in the report."""

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
"""Packages whose versions a report names."""


def cores() -> list[int]:
    """Return the cores on which this process may run; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def stay_on(core: int | None) -> None:
    """Pin this process to a core, if there is one for it."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {core})


def share_out() -> tuple[int | None, int | None]:
    """Assign different cores to the server and the clients; with fewer than two, leave both to the system."""
    found = cores()
    return (found[-1], found[0]) if len(found) > 1 else (None, None)


def describe() -> dict[str, Any]:
    """Describe what the figures of a run depend on."""
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
