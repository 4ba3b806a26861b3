"""An iteration repeats no row and loses none, whatever the service, the network and the consumer do."""

from __future__ import annotations

import pytest

from walk.driver import DRIVERS
from walk.machine import ConsumerMachine, run
from walk.steps import CI, GIVEN, SHORT, STEPS

MAX_STEPS = 60
"""The most steps of one example."""


@pytest.mark.parametrize("steps", [STEPS] if GIVEN else [SHORT, pytest.param(STEPS, marks=pytest.mark.long)])
@pytest.mark.parametrize("backend", DRIVERS)
def test_nothing_is_repeated_and_nothing_lost(backend: str, steps: int) -> None:
    """Each row that stays in the listing comes, none comes twice or was never there, no call is wasted."""
    part = steps // len(DRIVERS)
    before = ConsumerMachine.made.total()
    driver = DRIVERS[backend]()
    try:
        # Some examples end before their last step, and most of the first ones do.
        run(driver, examples=part * 6 // (5 * MAX_STEPS) + 20, steps=MAX_STEPS, fixed=steps <= CI)
    finally:
        driver.close()
    assert ConsumerMachine.made.total() - before >= part
