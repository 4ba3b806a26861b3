"""The pytest plugin of pyas_async: fixtures for tests without the service.

It is outside of the package, since pytest loads it in every run wherever pyas_async is installed. It imports only
pytest until a test uses one of its fixtures. The fixtures are synchronous, so that tests can use them on asyncio and
trio, under any plugin or none.

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
    """Register the marker ``pyas``."""
    line = "pyas(**settings): settings of `pyas` and of the fixtures based on it, as in meetings=50, plan='developer'"
    config.addinivalue_line("markers", line)


@pytest.fixture
def pyas_settings() -> dict[str, Any]:
    """Settings of `pyas_async.testing.Offline` for all tests that see this fixture. Override it to change them."""
    return {}


@pytest.fixture
def pyas(request: pytest.FixtureRequest, pyas_settings: dict[str, Any]) -> Iterator[Offline]:
    """The Pyas service in process, with its clock and its clients: a `pyas_async.testing.Offline`."""
    from pyas_async.testing import Offline  # noqa: PLC0415  (loaded on first use)

    settings = dict(pyas_settings)
    # The nearest marker wins.
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
    """The service in process: its data, its settings, its faults, and the requests that it received."""
    return pyas.sandbox


@pytest.fixture
def pyas_clock(pyas: Offline) -> Clock:
    """The clock of `pyas_client` and `pyas_sandbox`; the test moves it."""
    return pyas.clock


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Add the calls that the sandbox saw to the report of a failed test."""
    if call.when == "call" and call.excinfo is not None and _IN_USE in item.stash:
        item.add_report_section("call", "calls seen by the Pyas sandbox", str(item.stash[_IN_USE].calls))
