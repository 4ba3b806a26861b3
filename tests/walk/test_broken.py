"""The laws are no empty words: each machine that is broken on purpose is caught, by the law that is meant for it."""

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

pytestmark = pytest.mark.skipif(STEPS < CI, reason="a short walk does not catch them all")
EXAMPLES = 1_000
"""Examples within which a broken machine must be caught."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """Run an event loop."""
    driver = DRIVERS["asyncio"]()
    yield driver
    driver.close()


@pytest.mark.parametrize(("place", "broken", "law"), BROKEN, ids=[broken.__name__ for _, broken, _ in BROKEN])
def test_caught(place: str, broken: object, law: str, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken machine breaks a law, and the one that it should."""
    monkeypatch.setattr(place, broken)
    with pytest.raises(AssertionError, match=law) as caught:
        run(driver, examples=EXAMPLES, steps=40, phases=[Phase.generate])
    assert caught.type is AssertionError, "it crashed instead"
