"""The installed `pyas_async`: its files, its metadata, its names, and the cost of its import."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import pyas_async

installed = pytest.mark.skipif(
    os.environ.get("PYAS_ASYNC_TEST_WHEEL") != "1",
    reason="about the installed wheel: run `python3 noxfile.py -s tests`",
)


LAZY_PACKAGES: Final = ("pyas_async", "pyas_async._core.codec", "pyas_async.models", "pyas_async.plans")
"""The packages that import some of their names on first use."""


def rank(name: str) -> tuple[int, str]:
    """Return the sort key of a public name: constants, then classes and aliases, then the rest, each alphabetical."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@installed
def test_wheel_is_under_test() -> None:
    """The tests run against the installed wheel, not against the checkout beside them."""
    assert Path(pyas_async.__file__).parent.parent.name == "site-packages"


@installed
def test_wheel_in_subprocess() -> None:
    """A Python process that a test starts imports the installed wheel as well."""
    code = "import pyas_async; print(pyas_async.__file__)"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert pyas_async.__file__ == out.strip()


@installed
def test_wheel_holds_the_package_alone() -> None:
    """Only the package, its pytest plugin, its script and its metadata are installed: no tests, no docs."""
    files = importlib.metadata.files("pyas_async")

    assert files is not None
    # pip compiles, and records that.
    beside = {file for file in files if not file.parts[0].endswith(".dist-info")} - {
        file for file in files if file.parts[0] in ("pyas_async", "__pycache__")
    }
    assert {"pyas", "pyas_async_cli", "pyas_async_pytest"} == {file.stem for file in beside}


@installed
def test_py_typed() -> None:
    """The package has the marker that makes type checkers use its annotations."""
    files = importlib.metadata.files("pyas_async")

    assert files is not None
    assert "pyas_async/py.typed" in [file.as_posix() for file in files]


@installed
def test_version() -> None:
    """`__version__` is the version of the distribution."""
    assert importlib.metadata.version("pyas_async") == pyas_async.__version__


@installed
def test_licence() -> None:
    """The licence is in the metadata, and its text is in the wheel (PEP 639)."""
    metadata = importlib.metadata.metadata("pyas_async")
    texts = [file.read_text() for file in importlib.metadata.files("pyas_async") or [] if file.name == "LICENSE"]

    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert [text.startswith("MIT License") for text in texts] == [True]


def test_names_are_sorted() -> None:
    """`__all__` is in order and has no duplicates."""
    assert sorted(set(pyas_async.__all__), key=rank) == list(pyas_async.__all__)


@pytest.mark.parametrize("name", pyas_async.__all__)
def test_name_is_importable(name: str) -> None:
    """Every name in `__all__` can be imported."""
    assert hasattr(pyas_async, name)


@pytest.mark.parametrize("name", pyas_async.__all__)
def test_name_reports_the_public_module(name: str) -> None:
    """A class or function reports its public module in tracebacks, reprs and pickles."""
    thing = getattr(pyas_async, name)

    if inspect.isclass(thing) or inspect.isroutine(thing):
        assert thing.__module__ == "pyas_async"


def imported(nodes: list[ast.stmt]) -> dict[str, set[str]]:
    """Return the names that each module is asked for by the ``from`` imports among statements."""
    return {
        node.module or "": {alias.asname or alias.name for alias in node.names}
        for node in nodes
        if isinstance(node, ast.ImportFrom)
    }


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_lazy_names_are_those_that_type_checkers_see(package: str) -> None:
    """The imports under ``TYPE_CHECKING``, the table of `lazy_exports` and ``__all__`` name the same things."""
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__ or "").read_text())
    static, lazy = next((node.body, node.orelse) for node in tree.body if isinstance(node, ast.If))
    call = next(node for statement in lazy for node in ast.walk(statement) if isinstance(node, ast.Call))
    table = {f"{package}.{name}": set(names) for name, names in ast.literal_eval(call.args[1]).items()}
    eager = {name for names in imported(tree.body).values() for name in names} - {"TYPE_CHECKING", "lazy_exports"}

    assert imported(static) == table
    assert set(module.__all__) == eager.union(*table.values())
    assert set(module.__all__) <= set(dir(module))


def test_import_is_light() -> None:
    """Importing the package loads no event loop, no server, no sandbox and no command line."""
    # Not rich: httpx itself imports it if it is installed.
    heavy = {
        "anyio._backends._asyncio",
        "anyio._backends._trio",
        "cyclopts",
        "icalendar",
        "pyarrow",
        "pyas_async.cli",
        "pyas_async.sandbox",
        "pyas_async.testing",
        "pytest",
        "sqlite3",
        "starlette",
        "trio",
        "uvicorn",
    }
    code = "import sys; before = set(sys.modules); import pyas_async; print(*sorted(set(sys.modules) - before))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert set() == heavy & set(out.split())


def test_import_is_silent() -> None:
    """Importing the package prints nothing and warns of nothing, even with warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", "import pyas_async"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
