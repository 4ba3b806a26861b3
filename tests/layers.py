"""Which module of the package imports which, read from the sources, and what the architecture page says of them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyas_async

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(pyas_async.__file__).parent
PAGE = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
LAYERS = {
    "Extras": ("cli", "sandbox", "testing", "integrations"),
    "Public interface": ("client", "meetings", "accounts"),
    "Runtime": "_runtime",
    "Core": "_core",
}
"""The extras, and the layers from the top; every other module belongs to the last layer."""
LAST = "Vocabulary"


def modules() -> dict[str, Path]:
    """Return every module of the package by its name."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = ("pyas_async", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(*, typing: bool) -> dict[str, set[str]]:
    """Return what each module imports of the package; with `typing`, the imports for type checking as well."""
    known = modules()
    return {name: set(_imported(path, known, typing=typing)) - {name} for name, path in known.items()}


def _imported(path: Path, known: Mapping[str, Path], *, typing: bool) -> Iterator[str]:
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8")), typing=typing):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in known:
                    yield whole
                elif node.module in known:
                    yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def _nodes(tree: ast.AST, *, typing: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not typing and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node, typing=typing)


def circles(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the groups of names that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph.get(name, ()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = set()
            while (last := stack.pop()) != name:
                group.add(last)
            group.add(name)
            if len(group) > 1:
                found.append(group)

    for name in graph:
        if name not in index:
            visit(name)
    return found


def package_of(module: str) -> str:
    """Return the package that a module belongs to in the picture: below ``_core`` and ``_runtime``, the domain."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts and parts[0] in ("_core", "_runtime") else parts[0] if parts else ""


def packages(graph: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the graph of packages, without the public namespace and the version."""
    left_out = {"", "_core", "_runtime", "_version"}
    drawn: dict[str, set[str]] = defaultdict(set)
    for module, others in graph.items():
        here = package_of(module)
        if here not in left_out:
            drawn[here] |= {package_of(other) for other in others} - {here} - left_out
    return dict(drawn)


def picture() -> str:
    """Draw the packages by layer, with an arrow for each import that no chain of others implies."""
    graph = packages(imports(typing=False))
    lines = ["flowchart TD"]
    rest = set(graph)
    for title, names in LAYERS.items():
        inside = {
            name
            for name in rest
            if (name.startswith(f"{names}.") if isinstance(names, str) else name.partition(".")[0] in names)
        }
        rest -= inside
        lines += _box(title, inside)
    lines += _box(LAST, rest)
    for name in sorted(graph):
        for other in sorted(graph[name]):
            if not any(_reaches(graph, between, other) for between in graph[name] - {other}):
                lines.append(f"    {_node(name)} --> {_node(other)}")
    return "\n".join(lines)


def _box(title: str, names: Iterable[str]) -> list[str]:
    inside = [f"        {_node(name)}[{name.rpartition('.')[2]}]" for name in sorted(names)]
    return [f'    subgraph {_node(title)}["{title}"]', *inside, "    end"]


def _node(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _reaches(graph: Mapping[str, Iterable[str]], start: str, end: str) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return False


def module_paths() -> set[str]:
    """Return the path of each module, relative to the package; of a package's ``__init__.py``, the package's path."""
    paths = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")}
    return {path.removesuffix("__init__.py") for path in paths if not path.endswith("__main__.py")} - {""}


def named_paths() -> set[str]:
    """Return the paths on the page, relative to the package or to the repository.

    In a table whose first column has packages, the modules of a row are relative to its package.
    """
    found = set()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        package = re.match(r"\| `([^`]+/)` \|", line)
        for name in re.findall(r"`([\w./]+(?:/|\.py|\.lua|\.toml))`", line):
            inside = package is not None and "/" not in name
            found.add(f"{package[1]}{name}" if package and inside else name)
    return found


def write_page() -> None:
    """Write today's picture into the page."""
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index("```mermaid\nflowchart")
    end = text.index("```", begin + 3)
    PAGE.write_text(f"{text[:begin]}```mermaid\n{picture()}\n{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    write_page()
