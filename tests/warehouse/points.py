"""Points at which a load is killed that random kills seldom hit; the killed process imports this module."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dlt.extract.extract import Extract
from dlt.load.load import Load

from warehouse.worker import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POINTS = {
    "before a package is committed": (Extract, "commit_packages", False, 6),
    # The package has its slice, and the state in the folder does not have it yet.
    "before the state is written down": (Extract, "commit_packages", True, 2),
    "before a package counts as loaded": (Load, "complete_package", False, 2),
    "after a package counts as loaded": (Load, "complete_package", True, 2),
}
"""The function, whether the kill comes after it, and the cost in calls: those of a lost slice, and two pages."""
CALLS = 2
"""Calls of a slice."""


def die_at(point: str, folder: Path, url: str, account_ids: Sequence[str]) -> None:
    """Load, and exit without cleanup at a point of the second slice."""
    where, name, after, _ = POINTS[point]
    method, times = getattr(where, name), [0]

    def dying(*given: Any, **named: Any) -> Any:  # noqa: ANN401  (of the patched function)
        times[0] += 1
        if times[0] == 2 and not after:
            os._exit(9)
        result = method(*given, **named)
        if times[0] == 2:
            os._exit(9)
        return result

    setattr(where, name, dying)
    load(folder, url, account_ids, slice_calls=CALLS, max_concurrency=1)
