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


def _is_of(value: ast.expr, kinds: tuple[str, ...], names: set[str]) -> bool:
    """Return whether a value is made by a call of one of these kinds, or calculated from one of these names."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).removeprefix("datetime.") in kinds
    if isinstance(value, (ast.IfExp, ast.Tuple, ast.BinOp)) and not (
        isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div)  # a number
    ):
        return any(_is_of(part, kinds, names) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    return ast.unparse(value) in names


def _named(tree: ast.AST, *kinds: str) -> set[str]:
    """Return the names to which values of these kinds are assigned, directly or through others."""
    names: set[str] = set()
    assigned = [node for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.AnnAssign))]
    for _ in assigned:
        names |= {
            ast.unparse(part)
            for node in assigned
            if node.value is not None and _is_of(node.value, kinds, names)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            for part in ast.walk(target)
            if isinstance(part, ast.Name)
        }
    return names


def _arithmetic(source: str) -> list[str]:
    """Find what changes a zone, or makes a date of a number or of a sum; a difference of two dates always exists."""
    tree = ast.parse(source)
    durations, moments = _named(tree, "timedelta"), _named(tree, "datetime", "date")
    found = []
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            operands = [node.left, node.right]
        elif isinstance(node, ast.AugAssign):
            operands = [node.value]
        adds = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
        if (
            (isinstance(node, ast.Attribute) and node.attr in ("astimezone", "fromordinal"))
            or any(_is_of(operand, ("timedelta",), durations) for operand in operands)
            or (adds and any(_is_of(operand, ("datetime", "date"), moments) for operand in operands))
        ):
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
        "DAY, HOUR = timedelta(days=1), timedelta(hours=1)\nunit = DAY if long else HOUR\nday + 2 * unit",
        "EPOCH = datetime(1970, 1, 1)\nEPOCH + number * unit",
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
