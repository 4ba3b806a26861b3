"""The pytest plugin: its fixtures under every async plugin, and no effect on suites that do not use it."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

import pyas_async.testing  # imported once instead of in each of the runs below
from test_package import installed

pytest_plugins = ("pytester",)

SUITE = """
import pytest

{mark}

@pytest.fixture
def pyas_settings():
    return {{"meetings": 30, "max_page_size": 10}}

async def test_listing(pyas, pyas_client, pyas_sandbox, pyas_clock):
    pyas_sandbox.fail_next(503)
    rows = [row async for row in pyas_client.meetings.iter_all()]
    assert [row["id"] for row in pyas_sandbox.rows(pyas.account_id)] == [row.id for row in rows]
    assert 30 == len(rows)
    assert 0 < pyas_clock.elapsed
    pyas.calls.assert_made("meetings.list", times=4)

async def test_tokens(pyas_client, pyas_clock):
    async with pyas_client.meetings.iter_all() as listing:
        await anext(listing)
        pyas_clock.advance(900)
        assert 29 == len([row async for row in listing])
    assert 1 == listing.stats.restarts

@pytest.mark.pyas(meetings=2)
class TestMarked:
    async def test_marker(self, pyas_client):
        assert 2 == len((await pyas_client.meetings.list()).meetings)

    @pytest.mark.pyas(accounts=2)
    async def test_nearest_marker(self, pyas):
        assert [2, 2] == [len(pyas.sandbox.rows(account)) for account in pyas.sandbox.account_ids]

async def test_failing(pyas_client, pyas):
    await pyas_client.meetings.list()
    assert ["meetings.get"] == pyas.calls.operations
"""
# The inner runs are strict, with warnings as errors, whatever the outer settings are.
STRICT = ("-p", "no:cacheprovider", "--strict-markers", "-W", "error")
ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function")
USES = ("-p", "pyas_async_pytest")


@pytest.mark.parametrize(
    ("mark", "options", "loops"),
    [
        pytest.param("pytestmark = pytest.mark.anyio", ASYNCIO, 2, id="anyio"),
        pytest.param(
            "pytestmark = pytest.mark.asyncio", (*ASYNCIO, "-o", "asyncio_mode=strict"), 1, id="asyncio strict"
        ),
        pytest.param("", (*ASYNCIO, "-o", "asyncio_mode=auto", "-p", "no:trio"), 1, id="asyncio auto"),
        pytest.param("pytestmark = pytest.mark.trio", ("-p", "no:asyncio"), 1, id="trio"),
    ],
)
def test_fixtures(pytester: pytest.Pytester, mark: str, options: tuple[str, ...], loops: int) -> None:
    """The fixtures work with every plugin for async tests; the report of a failure lists the calls."""
    pytester.makepyfile(SUITE.format(mark=mark))

    result = pytester.runpytest_inprocess(*STRICT, *USES, *options)

    result.assert_outcomes(passed=4 * loops, failed=loops)
    result.stdout.fnmatch_lines(
        ["*calls seen by the Pyas sandbox*", "Calls seen: 1", "  1. GET /zoom/meetings?* -> 200"]
    )


def test_under_the_name_of_the_package(pytester: pytest.Pytester) -> None:
    """`-p pyas_async.testing` also loads the fixtures, once; a test needs no event loop to use them."""
    pytester.makepyfile("def test_it(pyas, pyas_client): assert pyas.client is pyas_client and not len(pyas.calls)")

    result = pytester.runpytest_inprocess(*STRICT, *USES, *ASYNCIO, "-p", "pyas_async.testing")

    result.assert_outcomes(passed=1)


def test_settings_that_mean_nothing(pytester: pytest.Pytester) -> None:
    """A setting without a name, or an unknown one, is an error of the test, not ignored."""
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.pyas(3)
        def test_without_a_name(pyas): pass
        @pytest.mark.pyas(meeting=3)
        def test_unknown(pyas): pass
        """
    )

    result = pytester.runpytest_inprocess(*STRICT, *USES, *ASYNCIO)

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*TypeError: the marker pyas takes settings by name, as in pyas(meetings=50); got 3",
            "*TypeError: there is no setting meeting; there are seed, start, accounts, meetings, *",
        ]
    )


BYSTANDERS = {
    "conftest": """
        import sys, pathlib
        def pytest_sessionfinish(session):
            pathlib.Path("modules.txt").write_text(" ".join(sys.modules))
    """,
    "test_bystander": """
        import pytest
        @pytest.fixture
        def pyas_client(): return "one's own"
        def test_own_fixture(pyas_client): assert "one's own" == pyas_client
        def test_fails(): assert 1 == 2
        @pytest.mark.parametrize("x", [1, 2])
        def test_each(x): print("said", x)
        @pytest.mark.skip(reason="why not")
        def test_skipped(): pass
        @pytest.mark.xfail(strict=True)
        def test_xfails(): assert 0
    """,
}


def test_bystanders(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that does not use the plugin has the same output, and loads no module besides the plugin's own."""
    pytester.makepyfile(**BYSTANDERS)
    # Only pytest, whatever else is installed. Modules imported in this process do not count.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(pyas_async.__file__).parent.parent))

    said: list[list[str]] = []
    modules: list[set[str]] = []
    for more in ((), USES):
        result = pytester.runpytest_subprocess(*STRICT, "-rA", "--no-header", *more)
        result.assert_outcomes(passed=3, failed=1, skipped=1, xfailed=1)
        modules.append(set((pytester.path / "modules.txt").read_text().split()))
        said.append([line for line in result.outlines if not re.search(r" in [\d.]+s", line)])
    assert {"pyas_async_pytest"} == modules[1] - modules[0]
    assert set() == modules[0] - modules[1]
    assert "pyas_async" not in modules[1]
    assert said[0] == said[1]


@installed
def test_entry_point() -> None:
    """Pytest finds the plugin through its entry point, named like the module, which is outside of the package."""
    (found,) = importlib.metadata.entry_points(group="pytest11", name="pyas_async_pytest")

    assert ("pyas_async_pytest", "pyas_async") == (found.value, found.dist.name if found.dist else None)
    assert pyas_async.testing.pytest_plugins == (found.value,)
