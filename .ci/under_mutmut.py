"""A plugin of pytest for runs under mutmut (`.ci/mutants.py` puts it where pytest finds it)."""

import functools
import gc
import json
import os
import sys
from pathlib import Path

import pytest

MEASURED = Path("mutmut-stats.json")
"""What mutmut has measured before it tries the first mutant, in the folder where the tests run."""


def pytest_configure() -> None:
    """Let every run draw the same examples, and look for no simpler one: the first failure is all that counts."""
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415  (not before pytest can rewrite its asserts)

    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        # A busy machine must not be taken for a test that noticed something.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("mutants")


def forget_what_was_cached() -> None:
    """Empty the package's caches: mutmut forks from a process that has run all tests, with nothing mutated."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pyas_async."):
            for cached in vars(module).values():
                if hasattr(cached, "cache_clear"):
                    cached.cache_clear()


@functools.cache
def durations() -> dict[str, float]:
    """Give the seconds that each test took."""
    measured: dict[str, float] = json.loads(MEASURED.read_bytes())["duration_by_test"]
    return measured


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a mutant's shortest tests first: the first failure ends its run."""
    if MEASURED.exists():
        forget_what_was_cached()
        gc.freeze()  # a fork need not look through what the first process holds
        items.sort(key=lambda item: durations().get(item.nodeid, 0.0))


def pytest_runtest_setup() -> None:
    """While mutmut notes which test calls which function, let no test be spared a call by those before it."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        forget_what_was_cached()
