"""What the architecture promises of the sources themselves."""

from __future__ import annotations

import layers


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
    """The picture on the page is drawn from the imports of today; ``nox -s pages`` writes it."""
    assert f"```mermaid\n{layers.picture()}\n```" in layers.PAGE.read_text(encoding="utf-8")
