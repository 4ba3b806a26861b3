"""The figures of several processes and keys on the page are those that a simulation prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.several import HEAD, LARGE, SMALL, Case

PAGE = (Path(__file__).parents[2] / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")


@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.who}-{case.keys}")
def test_the_page_has_it(case: Case) -> None:
    """Each small row of the page is what the simulation says; `nox -s durable -- --whole` looks at the large ones."""
    assert case.row() in PAGE.splitlines()


def test_the_page_has_no_other() -> None:
    """The table of the page has the rows of the simulation, and none besides."""
    _, _, below = PAGE.partition(HEAD)
    rows = below.strip().partition("\n\n")[0].splitlines()
    assert len(SMALL) + len(LARGE) == len(rows)
