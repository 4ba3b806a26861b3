"""What the session `mutants` needs from the checkout, so that it can start on the day when it is run again."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / ".ci" / "mutants.py"


@pytest.mark.skipif(not SCRIPT.exists(), reason="not in a checkout")
def test_every_module_of_the_decisions_has_its_tests_listed() -> None:
    """Each module of `_core` is listed in `tool.mutmut.tests` with tests that exist, and nothing else is listed."""
    listed = runpy.run_path(str(SCRIPT))["listed"]

    assert listed([])
