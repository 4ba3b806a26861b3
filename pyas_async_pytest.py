"""The pytest plugin of pyas_async: fixtures for tests without the service.

It stands outside of the package, since pytest loads it for every run wherever pyas_async is installed: it imports
nothing but pytest before a test asks for one of its fixtures. They are synchronous, so that tests can use them on
asyncio and trio under any plugin, and without one.

There are no assertions in here to rewrite: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async import PyasClient
    from pyas_async.sandbox import Sandbox
    from pyas_async.testing import Clock, Offline

_IN_USE: pytest.StashKey[Offline] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    line = "pyas(**settings): what `pyas` and the fixtures made from it are like, as in meetings=50, plan='developer'"
    config.addinivalue_line("markers", line)


@pytest.fixture
def pyas_settings() -> dict[str, Any]:
    """Settings for all tests that see this fixture, for `pyas_async.testing.Offline`: override it to have others."""
    return {}


@pytest.fixture
def pyas(request: pytest.FixtureRequest, pyas_settings: dict[str, Any]) -> Iterator[Offline]:
    """The Pyas service in process, with its clock and its clients: a `pyas_async.testing.Offline`."""
    from pyas_async.testing import Offline  # noqa: PLC0415  (loaded when it is used)

    settings = dict(pyas_settings)
    # The nearest marker counts most.
    for mark in reversed(list(request.node.iter_markers("pyas"))):
        if mark.args:
            msg = f"the marker pyas takes settings by name, as in pyas(meetings=50); got {mark.args[0]!r}"
            raise TypeError(msg)
        settings |= mark.kwargs
    with Offline(**settings) as made:
        request.node.stash[_IN_USE] = made
        yield made


@pytest.fixture
def pyas_client(pyas: Offline) -> PyasClient:
    """A `PyasClient` of the service in process, bound to its first account."""
    return pyas.client


@pytest.fixture
def pyas_sandbox(pyas: Offline) -> Sandbox:
    """The service in process: its truth, its settings, its faults, and the requests that it saw."""
    return pyas.sandbox


@pytest.fixture
def pyas_clock(pyas: Offline) -> Clock:
    """The clock of `pyas_client` and `pyas_sandbox`, which the test moves."""
    return pyas.clock


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Add the calls that were seen to the report of a test that failed."""
    if call.when == "call" and call.excinfo is not None and _IN_USE in item.stash:
        item.add_report_section("call", "calls seen by the Pyas sandbox", str(item.stash[_IN_USE].calls))
