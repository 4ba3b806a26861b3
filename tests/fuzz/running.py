"""How many inputs are drawn: a few in an ordinary run of the tests, a million on request."""

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
"""How many inputs are drawn, shared equally among the tests; without it, a few, the same ones in each run."""
TESTS = sum(file.read_text("utf-8").count("\n@fuzz(") for file in Path(__file__).parent.glob("test_*.py"))
FEW = 150
CHUNK = 10_000
"""Inputs of one run of Hypothesis, which keeps all of them in memory."""
SECONDS = 0.5
"""Processor time for one input, which has 100 kB at most; a usual one takes a thousandth of it."""


def fuzz(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a test of a check that takes the values of the strategies."""

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
                # Each part has its own seed, the same one in each run, so that a failure can be reproduced.
                (run if INPUTS is None else seed(number)(run))()
                left, number = left - CHUNK, number + 1

        test.__doc__, test.__name__ = check.__doc__, check.__name__
        return test

    return decorate


@contextmanager
def within_time() -> Iterator[None]:
    """Check that the block stays within its time. Other threads and the garbage of other inputs do not count."""
    gc.disable()
    began = time.thread_time()
    try:
        yield
        took = time.thread_time() - began
    finally:
        gc.enable()
    assert took < SECONDS
