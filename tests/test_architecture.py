"""What the architecture promises of the sources themselves."""

from __future__ import annotations

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


def test_every_path_on_the_page_exists() -> None:
    """A path on the page leads to a module of the package, to a test, or to a file of the repository."""
    places = (layers.ROOT, layers.ROOT.parent, REPOSITORY)
    missing = {path for path in layers.named_paths() if not any((place / path).exists() for place in places)}
    assert set() == missing
