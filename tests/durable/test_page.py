"""The large figures of the page on several machines come from a simulation, which runs only at full size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulation.several import LARGE, Case

PAGE = (Path(__file__).parents[2] / "docs" / "when-one-machine-is-not-enough.md").read_text("utf-8")


@pytest.mark.skipif("PYAS_ASYNC_DURABLE_WHOLE" not in os.environ, reason="takes minutes: nox -s durable -- --whole")
@pytest.mark.parametrize("case", LARGE, ids=lambda case: f"{case.contender}-{case.keys}")
def test_the_page_has_it(case: Case) -> None:
    """Each large row of the page is the simulation's."""
    assert case.row() in PAGE.splitlines()
