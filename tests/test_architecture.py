"""What the architecture promises of the sources themselves."""

from __future__ import annotations

import ast

import pytest

import layers

REPOSITORY = layers.PAGE.parents[1]


def test_no_module_imports_itself_by_a_detour() -> None:
    """There are no import circles, neither at run time nor for type checking."""
    assert [] == layers.circles(layers.imports(typing=True))


def test_no_package_imports_itself_by_a_detour() -> None:
    """There are no circles between the packages either: each can be read with those below it."""
    assert [] == layers.circles(layers.packages(layers.imports(typing=True)))


def test_circles_are_found() -> None:
    """A detour of any length is a circle; a chain is none."""
    graph = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": ["d"], "f": ["a"]}
    assert [{"d", "e"}, {"a", "b", "c"}] == layers.circles(graph)


def test_the_page_shows_the_imports() -> None:
    """The picture on the page is drawn from today's imports; ``nox -s pages`` writes it."""
    assert f"```mermaid\n{layers.picture()}\n```" in layers.PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_module() -> None:
    """The page says of every module, and of every package, where it is and what it is for."""
    assert set() == layers.module_paths() - layers.named_paths()


def _arithmetic(source: str) -> list[str]:
    """Find what changes a zone, or makes a date of a number or of a sum with a duration."""
    tree = ast.parse(source)
    durations = {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and node.value is not None
        and "timedelta(" in ast.unparse(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }

    def is_duration(node: ast.expr) -> bool:
        parts = [part for part in ast.walk(node) if isinstance(part, (ast.Call, ast.Name, ast.Attribute))]
        names = {ast.unparse(part.func if isinstance(part, ast.Call) else part) for part in parts}
        return any(name.rpartition(".")[2] == "timedelta" or name in durations for name in names)

    found = []
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            operands = [node.left, node.right]
        elif isinstance(node, ast.AugAssign):
            operands = [node.value]
        changes_zone = isinstance(node, ast.Attribute) and node.attr in ("astimezone", "fromordinal")
        if changes_zone or any(map(is_duration, operands)):
            found.append(ast.unparse(node))
    return found


def test_one_module_calculates_with_dates() -> None:
    """Only ``_moments.py`` changes zones and adds to dates: elsewhere, a date at the end of the calendar would raise.

    The sandbox shares no code with the client.
    """
    sources = {path.relative_to(layers.ROOT): path.read_text(encoding="utf-8") for path in layers.modules().values()}
    found = {str(path): _arithmetic(text) for path, text in sources.items() if path.parts[0] != "sandbox"}

    assert len(found.pop("_moments.py")) >= 4
    assert {} == {path: places for path, places in found.items() if places}


@pytest.mark.parametrize(
    "source",
    [
        "moment.astimezone(UTC)",
        "day + timedelta(days=1)",
        "day - datetime.timedelta(days=1)",
        "DAY = timedelta(days=1)\nday + DAY",
        "DAY: Final = timedelta(days=1)\nday -= 2 * DAY",
        "list(map(datetime.astimezone, moments))",
        "date.fromordinal(number)",
    ],
)
def test_calculations_with_dates_are_found(source: str) -> None:
    """The check finds each way of changing a zone or adding to a date."""
    assert _arithmetic(source)


def test_every_path_on_the_page_exists() -> None:
    """A path on the page leads to a module of the package, to a test, or to a file of the repository."""
    places = (layers.ROOT, layers.ROOT.parent, REPOSITORY)
    missing = {path for path in layers.named_paths() if not any((place / path).exists() for place in places)}
    assert set() == missing
