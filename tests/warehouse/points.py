"""Points at which a load is killed that random kills seldom hit; the killed process imports this module."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlt.common.storages import PackageStorage
from dlt.extract.extract import Extract
from dlt.load.load import Load

from warehouse.worker import load

if TYPE_CHECKING:
    from collections.abc import Sequence


class Packages:
    """The removal of an extracted package, once it is normalized: dlt removes file by file."""

    @staticmethod
    def remove_some(folder: Path) -> None:
        """Remove what dlt cannot do without."""
        shutil.rmtree(folder / PackageStorage.NEW_JOBS_FOLDER)

    @staticmethod
    def delete(packages: PackageStorage, load_id: str, *given: Any, **named: Any) -> None:  # noqa: ANN401  (dlt's)
        """Stand in the place of what removes a package."""
        folder = Path(packages.storage.make_full_path(packages.get_package_path(load_id)))
        if folder.parent.name == "extracted":
            Packages.remove_some(folder)
        _delete(packages, load_id, *given, **named)


_delete = PackageStorage.delete_package
POINTS = {
    "before a package is committed": (Extract, "commit_packages", False, 6),
    # The package has its slice, and the state in the folder does not have it yet.
    "before the state is written down": (Extract, "commit_packages", True, 2),
    # It is normalized, and dlt must not try to do that once more.
    "before an extracted package is removed": (Packages, "remove_some", False, 2),
    "in the middle of its removal": (Packages, "remove_some", True, 2),
    "before a package counts as loaded": (Load, "complete_package", False, 2),
    "after a package counts as loaded": (Load, "complete_package", True, 2),
}
"""The function, whether the kill comes after it, and the cost in calls: those of a lost slice, and two pages."""
CALLS = 2
"""Calls of a slice."""


def die_at(point: str, folder: Path, url: str, account_ids: Sequence[str]) -> None:
    """Load, and exit without cleanup at a point of the second slice."""
    where, name, after, _ = POINTS[point]
    PackageStorage.delete_package = Packages.delete  # type: ignore[assignment,method-assign]
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
