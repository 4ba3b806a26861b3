"""Only `inside.py` uses private names; no other file of the tests does."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import pyas_async

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS: Final = Path(__file__).parent
PACKAGE: Final = Path(pyas_async.__file__).parent
ALLOWED: Final = {
    "os._exit": "documented: it ends a forked process",
    "sys._current_frames": "documented: it gives the stacks of all threads",
}
ADVICE: Final = "put a function into tests/inside.py that says what the test needs to know, and call that"
# Functions whose arguments name an attribute.
BY_NAME: Final = {"setattr", "delattr", "getattr", "hasattr", "patch", "object", "attrgetter", "__setattr__"}


def is_private(name: str) -> bool:
    """Return whether a name begins with exactly one underscore, and has more characters."""
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_module(dotted: str) -> bool:
    """Return whether a name is that of a module of the package."""
    path = PACKAGE.parent.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_ours(dotted: str) -> bool:
    """Return whether a name is the package's, or inside it."""
    return dotted.split(".", maxsplit=1)[0] == "pyas_async"


def imported(nodes: list[ast.AST]) -> dict[str, str]:
    """Return a file's imports: the local name of each, and its full name."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return found


def imports(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield imports of private names. Modules of the package may be imported, for the tests of these modules."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                parts = [alias.name] if is_ours(whole) else whole.split(".")
                if any(map(is_private, parts)) and not (is_ours(whole) and is_module(whole)):
                    yield node.lineno, f"imports {whole}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if not is_ours(alias.name) and any(map(is_private, alias.name.split("."))):
                    yield node.lineno, f"imports {alias.name}"


def attributes(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield private attributes of objects other than the one whose method uses them."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and is_private(node.attr) and ast.unparse(node) not in ALLOWED:
            owner = ast.unparse(node.value)
            # A named tuple's `_replace` is public; the underscore separates it from the fields.
            if owner not in {"self", "cls", "super()"} and node.attr != "_replace":
                yield node.lineno, f"uses {ast.unparse(node)}"


def heirs(nodes: list[ast.AST], names: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield private names in classes that inherit from the package's, where they may be the base class's."""
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = [names.get(ast.unparse(base), ast.unparse(base)) for base in node.bases]
        if not any(is_ours(base) or base.startswith("inside.") for base in bases):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and is_private(inner.attr) and ast.unparse(inner) not in ALLOWED:
                yield inner.lineno, f"uses {ast.unparse(inner)} in a class that inherits from {bases[0]}"
            elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_private(inner.name):
                yield inner.lineno, f"defines {inner.name} in a class that inherits from {bases[0]}"


def named(nodes: list[ast.AST], names: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield private names, and names in private modules of the package, that are read or replaced by a string."""
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in BY_NAME:
            continue
        for given in node.args[:2]:
            text = given.values[0] if isinstance(given, ast.JoinedStr) and given.values else given
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value not in ALLOWED:
                made = given is not text and is_ours(text.value)
                if made or any(map(is_private, text.value.split("."))):
                    yield node.lineno, f"names {ast.unparse(given)} in a call of {name}"
        # A module of the package and a name in it: the same as a string.
        if name in {"setattr", "delattr", "object"} and node.args:
            whole = names.get(ast.unparse(node.args[0]), "")
            if is_ours(whole) and any(map(is_private, whole.split("."))) and is_module(whole):
                yield node.lineno, f"replaces something in {whole}"


def probes(source: str) -> list[tuple[int, str]]:
    """Return the line and description of each use of a private name in a test's source."""
    nodes = list(ast.walk(ast.parse(source)))
    names = imported(nodes)
    return sorted({*imports(nodes), *attributes(nodes), *heirs(nodes, names), *named(nodes, names)})


def test_private_names_are_used_in_one_place() -> None:
    """A change of structure changes `inside.py`, and no test."""
    found = [
        f"{path.relative_to(TESTS.parent)}:{line}: {what}"
        for path in sorted(TESTS.rglob("*.py"))
        if path != TESTS / "inside.py"
        for line, what in probes(path.read_text(encoding="utf-8"))
    ]

    assert not found, "\n".join([f"private names; {ADVICE}:", *found])


@pytest.mark.parametrize(
    "source",
    [
        "client._session",
        "client._session._scheduler.budget = 1",
        "client._view(_options=1)",
        "find(client)._places",
        "self.client._session",
        "Scheduler._sleep",
        "asyncio.BaseEventLoop._run_once",
        "from pyas_async._core.checkpoints.text import _check",
        "from trio._core import _run",
        "from trio._core import run",
        "import httpcore._async",
        "getattr(transport, '_pool', None)",
        "monkeypatch.setattr(client, '_places', 1)",
        "monkeypatch.setattr('pyas_async._runtime.pagination.prefetch._WIRE', 1)",
        "monkeypatch.setattr('pyas_async._core.calls.body_reader.MAX_BODY', 1)",
        "patch.setattr(f'pyas_async.cli.{module}.at_terminal', 1)",
        "from pyas_async.cli import _showing\nmonkeypatch.setattr(_showing, 'stdout', 1)",
        "from pyas_async._core import codec\nmock.patch.object(codec, 'page_steps')",
        "from pyas_async import PyasClient\nclass Lent(PyasClient):\n    def close(self): self._is_view",
        "import inside\nclass Broken(inside.OpenMachine):\n    def _restart(self): pass",
    ],
)
def test_uses_that_are_found(source: str) -> None:
    """Every way to reach a private name is found."""
    assert probes(source), source


@pytest.mark.parametrize(
    "source",
    [
        "self._own = cls._other = super()._third()",
        "os._exit(1); sys._current_frames(); row._replace(a=1); _, rows = pair",
        "thing.__dict__; type(thing).__module__",
        "from pyas_async._core.checkpoints.text import VERSION",
        "from pyas_async._core import sealed",
        "from pyas_async.cli import _output\n_output.say('')",
        "monkeypatch.setattr('getpass.getpass', 1); monkeypatch.setattr('os._exit', 1)",
        "from pyas_async.cli._export.files import Files\nmonkeypatch.setattr(Files, 'save', 1)",
        "monkeypatch.setattr(inside.DIGESTS, 1)",
        "names == {'_source'}",
    ],
)
def test_uses_that_are_allowed(source: str) -> None:
    """A file's own private names are allowed, and so are imports of private modules by their tests."""
    assert [] == probes(source)
