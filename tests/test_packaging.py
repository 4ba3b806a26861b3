"""The checks of the built distributions find what is wrong with them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from packaging_checks import BESIDE, PACKAGE, ROOT, look, look_at_changelog

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "1.2.3"
FILES = {path.relative_to(ROOT).as_posix() for path in PACKAGE if path.is_file() and path.suffix != ".pyc"}
RELEASED = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-11-22

### Added

- Everything.
"""


def build(folder: Path, *, wheel: set[str], source: set[str]) -> Path:
    """Write a wheel and a source distribution with these files, all of them empty."""
    with zipfile.ZipFile(folder / "pyas_async-1.2.3-py3-none-any.whl", "w") as archive:
        archive.writestr("pyas_async-1.2.3.dist-info/METADATA", f"Metadata-Version: 2.4\nVersion: {VERSION}\n")
        for name in wheel:
            archive.writestr(name, "")
    with tarfile.open(folder / "pyas_async-1.2.3.tar.gz", "w:gz") as archive:
        for name in source:
            archive.addfile(tarfile.TarInfo(f"pyas_async-1.2.3/{name}"), io.BytesIO())
    return folder


SOURCE = FILES | set(BESIDE) | {"tests/test_package.py", "docs/testing.md"}


def test_complete(tmp_path: Path) -> None:
    """Complete distributions pass."""
    assert [] == look(build(tmp_path, wheel=FILES, source=SOURCE), None)


@pytest.mark.parametrize(
    ("wheel", "source", "said"),
    [
        (FILES - {"pyas_async/py.typed"}, SOURCE, "the wheel lacks pyas_async/py.typed"),
        (FILES - {"pyas_async_pytest.py"}, SOURCE, "the wheel lacks pyas_async_pytest.py"),
        (FILES | {"tests/test_package.py"}, SOURCE, "the wheel has tests/test_package.py in it"),
        (FILES, SOURCE - {"pyas_async/client.py"}, "the source distribution lacks pyas_async/client.py"),
        (FILES, SOURCE - {"LICENSE"}, "the source distribution lacks LICENSE"),
        (FILES, SOURCE - {"docs/testing.md"}, "the source distribution lacks docs/"),
        (FILES, SOURCE | {"world.db"}, "the source distribution has world.db in it"),
        (FILES, SOURCE | {"tests/.env"}, "the source distribution has tests/.env in it"),
    ],
)
def test_incomplete(tmp_path: Path, wheel: set[str], source: set[str], said: str) -> None:
    """A missing file, and a file that does not belong there, is named."""
    assert [said] == look(build(tmp_path, wheel=wheel, source=source), None)


def test_nothing_there(tmp_path: Path) -> None:
    """The check fails unless there is exactly one wheel and one source distribution."""
    (fault,) = look(tmp_path, None)
    assert fault.startswith("expected one wheel and one source distribution in ")


def test_released_changelog() -> None:
    """A changelog whose release matches the tag passes."""
    assert [] == look_at_changelog(RELEASED, VERSION, "v1.2.3")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[1.2.3] - 2026-11-22", "1.2.3", "'## 1.2.3' is neither"),
        ("### Added", "### New", "'### New' is none of Added, "),
        ("## [Unreleased]\n", "", "the first section is not '## [Unreleased]'"),
        ("[1.2.3]", "[1.2.2]", "there is no section of version 1.2.3"),
        ("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n", "something is still under Unreleased"),
    ],
)
def test_changelog_out_of_order(before: str, after: str, said: str) -> None:
    """A changelog with a wrong format, or without the release, stops the release."""
    faults = look_at_changelog(RELEASED.replace(before, after), VERSION, "v1.2.3")
    assert any(said in fault for fault in faults), faults


def test_tag_of_another_version() -> None:
    """A tag of another version stops the release."""
    assert ["the tag v1.2.4 is not that of version 1.2.3"] == look_at_changelog(RELEASED, VERSION, "v1.2.4")


def test_own_changelog() -> None:
    """The changelog of this repository has the required format."""
    assert [] == look_at_changelog((ROOT / "CHANGELOG.md").read_text("utf-8"), VERSION, None)
