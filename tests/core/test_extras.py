"""What installs an extra comes from where the package came from: no index is asked for a package of its name."""

from __future__ import annotations

import json
import re
import shlex
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pyas_async
from pyas_async._extras import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
METADATA = """Metadata-Version: 2.4
Name: pyas_async
Version: 1.0
Requires-Dist: anyio>=4.9
Provides-Extra: cli
Requires-Dist: cyclopts>=5.0; extra == 'cli'
Requires-Dist: rich>=13.9 ; extra == "cli"
Provides-Extra: dlt
Requires-Dist: dlt[duckdb]>=1.30; (python_version < "4") and extra == 'dlt'
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any] | None], None]:
    """Make the package look as if it were installed from somewhere."""

    def install(origin: dict[str, Any] | None) -> None:
        folder = tmp_path / "pyas_async-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(METADATA, "utf-8")
        if origin is not None:
            (folder / "direct_url.json").write_text(json.dumps(origin), "utf-8")
        monkeypatch.setattr(
            "importlib.metadata.Distribution.discover", lambda **_: iter([metadata.PathDistribution(folder)])
        )

    return install


def test_from_an_index(installed: Callable[[dict[str, Any] | None], None]) -> None:
    """Of a package that came from an index, or from a folder of wheels, the extra's own packages are named."""
    installed(None)

    assert ["pip", "install", "cyclopts>=5.0", "rich>=13.9"] == shlex.split(how_to_install("cli"))
    assert ["pip", "install", "dlt[duckdb]>=1.30"] == shlex.split(how_to_install("dlt"))


def test_from_a_folder(installed: Callable[[dict[str, Any] | None], None], tmp_path: Path) -> None:
    """A package that was installed from a folder is installed from there again."""
    installed({"url": tmp_path.as_uri(), "dir_info": {}})

    assert ["pip", "install", f"{tmp_path}[cli]"] == shlex.split(how_to_install("cli"))


def test_editable(installed: Callable[[dict[str, Any] | None], None], tmp_path: Path) -> None:
    """A package that is editable stays so; blanks in its path are quoted."""
    (folder := tmp_path / "my projects").mkdir()
    installed({"url": folder.as_uri(), "dir_info": {"editable": True}})

    assert f"pip install -e '{folder}[cli]'" == how_to_install("cli")


def test_from_a_wheel(installed: Callable[[dict[str, Any] | None], None], tmp_path: Path) -> None:
    """A wheel is installed again if it is still there; otherwise the extra's own packages are."""
    wheel = tmp_path / "pyas_async-1.0-py3-none-any.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {}})

    assert ["pip", "install", f"{wheel}[cli]"] == shlex.split(how_to_install("cli"))
    wheel.unlink()
    assert "pip install 'cyclopts>=5.0' 'rich>=13.9'" == how_to_install("cli")


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (
            {"url": "https://me:s3cret@git.example/p.git", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            "pyas_async[cli] @ git+https://git.example/p.git@0a1b",
        ),
        ({"url": "https://example.com/p.whl", "archive_info": {}}, "pyas_async[cli] @ https://example.com/p.whl"),
    ],
)
def test_from_the_web(
    installed: Callable[[dict[str, Any] | None], None], origin: dict[str, Any], requirement: str
) -> None:
    """A package from a repository or an address is installed from there again; a password is not shown."""
    installed(origin)

    assert ["pip", "install", requirement] == shlex.split(how_to_install("cli"))


@pytest.mark.parametrize("origin", [{}, {"url": None}, {"other": 1}])
def test_odd_notes(installed: Callable[[dict[str, Any] | None], None], origin: dict[str, Any]) -> None:
    """What cannot be read is as if it were not there."""
    installed(origin)

    assert "cyclopts" in how_to_install("cli")


def test_from_a_copy_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed at all is installed from its source."""
    monkeypatch.setattr("importlib.metadata.Distribution.discover", lambda **_: iter(()))

    source = Path(pyas_async.__file__).parents[1]
    assert ["pip", "install", f"{source}[cli]"] == shlex.split(how_to_install("cli"))


def test_no_message_asks_an_index() -> None:
    """No message of the package names it to an index, which may have a stranger of that name."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("pyas_async", "docs")
        for path in sorted((ROOT / folder).rglob("*.*"))
        if path.suffix in (".py", ".md")
        for match in re.finditer(r"(pip|pipx|uv|uvx)( \w+)* (-\S+ )*['\"]?pyas[_-]async.*", path.read_text("utf-8"))
    ]
    assert [] == found
