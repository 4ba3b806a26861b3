"""How often an input is drawn: a few times in every run of the tests, a million times when asked for."""

from __future__ import annotations

import gc
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, seed, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis import strategies as st

INPUTS = os.environ.get("PYAS_ASYNC_FUZZ_INPUTS")
"""How many inputs are drawn, for each of the tests as many; if that is not said, a few, the same ones each time."""
TESTS = sum(file.read_text("utf-8").count("\n@fuzz(") for file in Path(__file__).parent.glob("test_*.py"))
FEW = 150
CHUNK = 10_000
"""Inputs of one run of Hypothesis, which remembers all of them."""
SECONDS = 0.5
"""What one input may take of the processor: it is 100 kB at most, and usual ones take a thousandth of that."""


def fuzz(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a test of a check, which is given what the strategies draw."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            left, number = FEW if INPUTS is None else -(-int(INPUTS) // TESTS), 0
            while left > 0:
                rules = settings(
                    max_examples=min(left, CHUNK),
                    deadline=None,
                    database=None,
                    derandomize=INPUTS is None,
                    phases=(Phase.generate, Phase.shrink),
                    suppress_health_check=list(HealthCheck),
                )
                run = rules(given(*strategies)(check))
                # Each part begins with another seed, and the same one each time, so that what it finds is found again.
                (run if INPUTS is None else seed(number)(run))()
                left, number = left - CHUNK, number + 1

        test.__doc__, test.__name__ = check.__doc__, check.__name__
        return test

    return decorate


@contextmanager
def soon() -> Iterator[None]:
    """Hold what is done meanwhile to its time, in which neither others count nor the garbage of other inputs."""
    gc.disable()
    began = time.thread_time()
    try:
        yield
        took = time.thread_time() - began
    finally:
        gc.enable()
    assert took < SECONDS
