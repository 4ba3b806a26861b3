"""The performance page shows the figures of the run that is checked in."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the module that writes the page."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("suite.page")


def report(page: ModuleType) -> dict[str, Any]:
    """Read the run that is checked in."""
    found: dict[str, Any] = json.loads(page.FILE.read_text(encoding="utf-8"))
    return found


def test_the_page_shows_the_run(page: ModuleType) -> None:
    """Every figure between the marks is the run's: writing the page again changes nothing."""
    text = page.PAGE.read_text(encoding="utf-8")

    assert text == page.replace(text, report(page))


def test_a_figure_cannot_be_touched_up(page: ModuleType) -> None:
    """The comparison finds a single figure that was changed, in the page or in the run."""
    text, found = page.PAGE.read_text(encoding="utf-8"), report(page)
    figure = found["sections"]["paging"]["figures"][0]
    figure["median"] *= 2

    assert text != page.replace(text, found)


def test_each_verdict_fits_its_figure(page: ModuleType) -> None:
    """A goal is called reached only if the median reaches it; otherwise the page says that it is not."""
    figures = [figure for section in report(page)["sections"].values() for figure in section["figures"]]
    for figure in figures:
        assert figure["least"] <= figure["median"] <= figure["most"], figure["name"]
        if figure["goal"] is not None:
            sign, bound = figure["goal"]
            assert figure["reached"] is (figure["median"] <= bound if sign == "<=" else figure["median"] >= bound)
    assert [] == [figure["name"] for figure in figures if figure["goal"] is None and figure["reached"] is not None]
