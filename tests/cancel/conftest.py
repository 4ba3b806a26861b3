"""Counts the cancellations, and prints the counts after the complete sweep."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cancel.sweep import COMPLETE, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STRUCK = pytest.StashKey[Counter[str]]()
SAID = pytest.StashKey[list[str]]()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Count the cancellations of a case."""
    made = Tally(request.node.name)
    yield made
    way = request.node.callspec.params["way"]
    how = "task.cancel()" if "task_cancel" in request.node.name else "a scope"
    backend = request.node.callspec.params.get("anyio_backend", "asyncio")
    what = "in the churn" if "churn" in request.node.name else "of each operation at each point"
    request.config.stash.setdefault(STRUCK, Counter())[f"{what}, by {how} on {backend}, pool: {way}"] += made.cancelled


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that keeps a line for the end of the run."""
    return request.config.stash.setdefault(SAID, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts of the complete sweep."""
    counts = config.stash.get(STRUCK, Counter())
    if not (COMPLETE and counts):
        return
    failed = len(terminalreporter.stats.get("failed", ()))
    terminalreporter.section("cancellations")
    for name, count in counts.items():
        terminalreporter.line(f"{count:7,}  {name}")
    terminalreporter.line(f"{counts.total():7,}  altogether; {failed} cases failed: they left something behind")
    for line in config.stash.get(SAID, []):
        terminalreporter.line(line)
