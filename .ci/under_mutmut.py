"""A pytest plugin for runs under mutmut. `.ci/mutants.py` copies it to where pytest finds it."""

import functools
import gc
import json
import os
import sys
from pathlib import Path

import pytest

MEASURED = Path("mutmut-stats.json")
"""The file of the measurements that mutmut makes before the first mutant, in the folder where the tests run."""


def pytest_configure() -> None:
    """Make every run draw the same examples, without shrinking: only the first failure matters."""
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415  (not before pytest can rewrite its asserts)

    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        # A slow machine must not look like a test that noticed something.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("mutants")


def forget_what_was_cached() -> None:
    """Empty the package's caches: mutmut forks from a process that has run all tests on the unmutated code."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pyas_async."):
            for cached in vars(module).values():
                if hasattr(cached, "cache_clear"):
                    cached.cache_clear()


@functools.cache
def durations() -> dict[str, float]:
    """Return the seconds that each test took."""
    measured: dict[str, float] = json.loads(MEASURED.read_bytes())["duration_by_test"]
    return measured


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the shortest tests of a mutant first, since the first failure ends the run."""
    if MEASURED.exists():
        forget_what_was_cached()
        gc.freeze()  # so that a fork does not scan the objects of the first process
        items.sort(key=lambda item: durations().get(item.nodeid, 0.0))


def pytest_runtest_setup() -> None:
    """Empty the caches while mutmut records which test calls which function, so that each test makes its own calls."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        forget_what_was_cached()
