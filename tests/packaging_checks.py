"""Check the built distributions: `python tests/packaging_checks.py FOLDER [TAG]`.

`nox -s dist` runs this. It needs only the standard library.
"""

from __future__ import annotations

import email
import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = [*sorted((ROOT / "pyas_async").rglob("*")), *sorted(ROOT.glob("pyas_async_*.py"))]
"""The installed packages and modules."""
BESIDE = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "noxfile.py", "pyproject.toml"]
"""The files of a source distribution besides the package, its tests and its documentation."""
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""The headings of Keep a Changelog."""


def look(folder: Path, tag: str | None) -> list[str]:
    """Return everything that is wrong with the distributions."""
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if (len(wheels), len(sources)) != (1, 1):
        return [f"expected one wheel and one source distribution in {folder}, found {[*wheels, *sources]}"]
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = set(wheel.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        version = str(email.message_from_bytes(wheel.read(metadata))["Version"])
    with tarfile.open(sources[0]) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    package = {path.relative_to(ROOT).as_posix() for path in PACKAGE if path.is_file() and path.suffix != ".pyc"}
    installed = {name for name in names if ".dist-info/" not in name}
    faults = [f"the wheel lacks {name}" for name in sorted(package - installed)]
    faults += [f"the wheel has {name} in it" for name in sorted(installed - package)]
    faults += [f"the source distribution lacks {name}" for name in sorted((package | set(BESIDE)) - held)]
    faults += [f"the source distribution lacks {name}/" for name in ("docs", "tests") if f"{name}/" not in _tops(held)]
    # A sandbox database, an environment, or a report: files that git does not track do not belong in a distribution.
    stray = re.compile(r"(^|/)(\.(?!gitignore)|dist/|build/)|\.(db|sqlite3|log|pyc)$")
    faults += [f"the source distribution has {name} in it" for name in sorted(held) if stray.search(name)]
    return [*faults, *look_at_changelog((ROOT / "CHANGELOG.md").read_text("utf-8"), version, tag)]


def _tops(names: set[str]) -> set[str]:
    return {name.partition("/")[0] + "/" for name in names if "/" in name}


def look_at_changelog(text: str, version: str, tag: str | None) -> list[str]:
    """Return what is wrong with the changelog's format; with a tag, check the release as well."""
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    faults = [
        f"CHANGELOG.md: '## {section}' is neither '## [Unreleased]' nor '## [1.2.3] - 2026-01-31'"
        for section in sections
        if not re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d( \[YANKED\])?", section)
    ]
    faults += [
        f"CHANGELOG.md: '### {kind}' is none of {', '.join(KINDS)}"
        for kind in re.findall(r"^### (.*)$", text, re.MULTILINE)
        if kind not in KINDS
    ]
    if sections[:1] != ["[Unreleased]"]:
        faults.append("CHANGELOG.md: the first section is not '## [Unreleased]'")
    if tag is None:
        return faults
    if tag != f"v{version}":
        faults.append(f"the tag {tag} is not that of version {version}")
    if not any(section.startswith(f"[{version}] - ") for section in sections):
        faults.append(f"CHANGELOG.md: there is no section of version {version}")
    unreleased = re.split(r"^## ", text, flags=re.MULTILINE)[1].partition("\n")[2]
    if unreleased.strip():
        faults.append("CHANGELOG.md: something is still under Unreleased")
    return faults


if __name__ == "__main__":
    found = look(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    print(*(found or ["The distributions are complete."]), sep="\n")
    sys.exit(bool(found))
