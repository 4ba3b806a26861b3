"""The invariants are effective: each iteration with a deliberate fault is caught, by the invariant for that fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase

from walk.broken import BROKEN
from walk.driver import DRIVERS, Driver
from walk.machine import run
from walk.steps import CI, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(STEPS < CI, reason="few steps do not catch them all")
EXAMPLES = 1_000
"""Examples within which a fault must be caught."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """Run an event loop."""
    driver = DRIVERS["asyncio"]()
    yield driver
    driver.close()


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN, ids=[broken.__name__ for _, broken, _ in BROKEN])
def test_caught(name: str, broken: object, message: str, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A faulty iteration violates an invariant, and the one that is meant for its fault."""
    monkeypatch.setattr(name, broken)
    with pytest.raises(AssertionError, match=message) as caught:
        run(driver, examples=EXAMPLES, steps=40, phases=[Phase.generate])
    assert caught.type is AssertionError, "it crashed instead"
