"""The figures of several processes and keys in the documentation are those of the simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.several import HEAD, LARGE, SMALL, Case

PAGE = (Path(__file__).parents[2] / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")
# With the store and without it, on one key and on several. The others take ten seconds.
QUICK = {("pairs", 4), ("uneven-stored", 1)}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=f"{case.contender}-{case.keys}",
            marks=[] if (case.contender, case.keys) in QUICK else pytest.mark.long,
        )
        for case in SMALL
    ],
)
def test_the_page_has_it(case: Case) -> None:
    """Each small row of the page is the simulation's; `nox -s durable -- --whole` checks the large ones."""
    assert case.row() in PAGE.splitlines()


def test_no_other_row_in_the_documentation() -> None:
    """The table of the page has the rows of the simulation, and no others."""
    _, _, below = PAGE.partition(HEAD)
    rows = below.strip().partition("\n\n")[0].splitlines()
    assert len(SMALL) + len(LARGE) == len(rows)
