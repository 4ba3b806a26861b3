"""Shared by all tests: the event loops, and an environment without settings of the machine."""

from __future__ import annotations

import gc
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Variables that the client, or httpx below it, would read from the environment.
AMBIENT = (
    "PYAS_ACCOUNT_ID",
    "PYAS_API_KEY",
    "PYAS_BASE_URL",
    "PYAS_DATE_FORMAT",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)


# A shell makes its background processes ignore Ctrl-C, and their children inherit that. Tests interrupt processes.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


FREEZE_EVERY = 250
"""Tests after which what they have left is excluded from later garbage collections."""
_finished = 0


def pytest_collection_finish() -> None:
    """Exclude everything loaded so far from later garbage collections: modules and tests stay, and are many."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logfinish() -> None:
    """Do so again now and then: some tests collect garbage many times, and looking at a large heap takes a second."""
    global _finished  # noqa: PLW0603  (a hook has no other place)
    _finished += 1
    if _finished % FREEZE_EVERY == 0:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_settings() -> Iterator[None]:
    """Keep the environment's settings and proxies out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AMBIENT:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _bytecode_is_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the processes that tests start share bytecode if the environment keeps none.

    Without it, each of them compiles all of its imports, which takes longer than most of its work.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            mine = tmp_path_factory.getbasetemp()
            # The workers of pytest-xdist have folders in a common one.
            folder = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
        yield


@pytest.fixture(
    scope="module",
    params=[pytest.param("asyncio", id="asyncio"), pytest.param("trio", id="trio")],
)
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on asyncio and on trio."""
    backend: str = request.param
    return backend


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Record a figure of a proof. The figures of the same name are summed and printed at the end."""

    def note(what: str, amount: float) -> None:
        record_property("figure", [what, amount])

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, one line each. `.ci/proofs.py` finds them there."""
    totals: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "figure" and report.when == "teardown":
                    what, amount = value
                    totals[what] += amount
    for what, amount in totals.items():
        terminalreporter.write_line(f"figure: {amount:,} {what}")
