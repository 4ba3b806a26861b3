"""What every test shares: the event loops it runs on, and an environment without surprises."""

from __future__ import annotations

import functools
import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Under mutmut, the first failure is all that counts: it need not be the simplest one. Every run draws the same.
settings.register_profile(
    "mutants", parent=settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate], print_blob=False
)

# What the client, or httpx below it, would take from the environment of whoever runs the tests.
AMBIENT = (
    "PYAS_ACCOUNT_ID",
    "PYAS_API_KEY",
    "PYAS_BASE_URL",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)


def forget_what_was_cached() -> None:
    """Empty the package's caches: mutmut forks from a process that has run all tests, with nothing mutated."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pyas_async."):
            for cached in vars(module).values():
                if hasattr(cached, "cache_clear"):
                    cached.cache_clear()


@functools.cache
def measured_durations() -> dict[str, float]:
    """Give the seconds that mutmut measured for each test; in the folder of its mutants."""
    durations: dict[str, float] = json.loads(Path("mutmut-stats.json").read_bytes())["duration_by_test"]
    return durations


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under mutmut, run the shortest tests first: the first failure is all that a mutant is run for."""
    if "MUTANT_UNDER_TEST" in os.environ and Path("mutmut-stats.json").exists():
        forget_what_was_cached()
        gc.freeze()  # thousands of forks need not look through what the first process holds
        durations = measured_durations()
        items.sort(key=lambda item: durations.get(item.nodeid, 0.0))


def pytest_runtest_setup() -> None:
    """While mutmut notes which tests call which function, none may be spared a call by a test before it."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        forget_what_was_cached()


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_settings() -> Iterator[None]:
    """Keep settings and proxies of the surroundings out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AMBIENT:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(
    scope="module",
    params=[pytest.param("asyncio", id="asyncio"), pytest.param("trio", id="trio")],
)
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on asyncio and on trio."""
    backend: str = request.param
    return backend
