"""An iteration repeats nothing and loses nothing, whatever the service, the network and its reader do."""

from __future__ import annotations

import pytest

from walk.driver import DRIVERS
from walk.machine import ReadingMachine, run
from walk.steps import CI, STEPS

A_WALK = 60
"""Steps of one example at most."""


@pytest.mark.parametrize("backend", DRIVERS)
def test_nothing_is_repeated_and_nothing_lost(backend: str) -> None:
    """No row comes twice, none that never was, each that was there throughout, and no call is wasted (`walk.laws`)."""
    steps = STEPS // len(DRIVERS)
    before = ReadingMachine.made.total()
    driver = DRIVERS[backend]()
    try:
        # Some examples end before their last step.
        run(driver, examples=steps * 6 // (5 * A_WALK) + 1, steps=A_WALK, fixed=STEPS <= CI)
    finally:
        driver.close()
    assert ReadingMachine.made.total() - before >= steps
