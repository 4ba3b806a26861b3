"""The invariants are effective: each iteration with a deliberate fault is caught, by the invariant for that fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase

from walk.broken import BROKEN
from walk.driver import DRIVERS, Driver
from walk.machine import ConsumerMachine, run
from walk.scripted import SCRIPTED
from walk.steps import CI, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = 1_000
"""Examples within which a fault must be caught."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """Run an event loop."""
    driver = DRIVERS["asyncio"]()
    yield driver
    driver.close()


def run_script(script: Callable[[ConsumerMachine], None], driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a scripted walk to the end of its listing."""
    monkeypatch.setattr(ConsumerMachine, "driver", driver, raising=False)
    machine = ConsumerMachine()
    try:
        script(machine)
    finally:
        machine.teardown()


@pytest.mark.skipif(STEPS < CI, reason="few steps do not catch them all")
@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        pytest.param(*entry, id=entry[1].__name__, marks=pytest.mark.long if entry[1] in SCRIPTED else [])
        for entry in BROKEN
    ],
)
def test_caught(name: str, broken: object, message: str, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A faulty iteration violates an invariant, and the one that is meant for its fault."""
    monkeypatch.setattr(name, broken)
    with pytest.raises(AssertionError, match=message) as caught:
        run(driver, examples=EXAMPLES, steps=40, phases=[Phase.generate])
    assert caught.type is AssertionError, "it crashed instead"


@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [pytest.param(*entry, id=entry[1].__name__) for entry in BROKEN if entry[1] in SCRIPTED],
)
def test_caught_by_a_script(
    name: str, broken: object, message: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault that random walks rarely hit violates its invariant on a script, which passes without the fault."""
    run_script(SCRIPTED[broken], driver, monkeypatch)
    monkeypatch.setattr(name, broken)
    with pytest.raises(AssertionError, match=message) as caught:
        run_script(SCRIPTED[broken], driver, monkeypatch)
    assert caught.type is AssertionError, "it crashed instead"
