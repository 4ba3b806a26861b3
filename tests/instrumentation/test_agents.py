"""The agents of Sentry, New Relic, Datadog, Elastic and AWS X-Ray see each request once, and send no secret.

`python3 noxfile.py -s agents` installs them. Each runs in a process of its own: see `agents/scenario.py`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from instrumentation.agents.scenario import without_query
from instrumentation.traffic import EXCHANGES, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = {
    "sentry": "sentry_sdk",
    "new_relic": "newrelic",
    "datadog": "ddtrace",
    "elastic": "elasticapm",
    "x_ray": "aws_xray_sdk",
}
"""The program of each agent in `agents/`, and the package that it needs."""
COMPILED: Final = {"newrelic", "ddtrace"}
"""Packages without a wheel for the Pythons after 3.14. To build them needs compilers, and takes minutes."""
CASES: Final = {"sentry": 6, "new_relic": 5, "datadog": 6, "elastic": 5, "x_ray": 3}
"""In how many cases each agent is shown all requests."""

pytestmark = pytest.mark.skipif(
    "PYAS_ASYNC_AGENTS" not in os.environ,
    reason="needs the dependency group `agents`: run `python3 noxfile.py -s agents`",
)
agents = pytest.mark.parametrize("agent", PACKAGES)


def output_of(agent: str) -> str:
    """Run the program of an agent, and return what it printed."""
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", f"instrumentation.agents.{agent}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def report_of() -> Iterator[Callable[[str], Any]]:
    """Run all programs side by side, since each takes seconds to start; return a function that returns a report."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = {agent: pool.submit(output_of, agent) for agent in PACKAGES if not has_no_wheel(agent)}

        def report(agent: str) -> Any:  # noqa: ANN401  (JSON)
            if agent not in outputs:
                pytest.skip(f"{PACKAGES[agent]} has no wheel for this Python")
            return json.loads(outputs[agent].result())

        yield report


def has_no_wheel(agent: str) -> bool:
    """Return whether the package of an agent is missing because it would have to be compiled."""
    package = PACKAGES[agent]
    return package in COMPILED and sys.version_info >= (3, 15) and importlib.util.find_spec(package) is None


def counted(exchanges: list[list[Any]]) -> Counter[Exchange]:
    """Count exchanges that were written as JSON."""
    return Counter(Exchange(*exchange) for exchange in exchanges)


@agents
def test_each_request_is_seen_once(agent: str, report_of: Callable[[str], Any]) -> None:
    """An agent sees each request once, whenever it is installed, over own connections and through passed clients."""
    cases = report_of(agent)["cases"]
    assert CASES[agent] == len(cases)
    for case in cases.values():
        arrived = counted(case["arrived"])
        assert arrived in (EXCHANGES, Counter(map(without_query, EXCHANGES.elements())))
        assert case["views"]
        assert dict.fromkeys(case["views"], arrived) == {view: counted(seen) for view, seen in case["views"].items()}


@agents
def test_the_trace_arrives(agent: str, report_of: Callable[[str], Any]) -> None:
    """Each request has the header with the agent's trace, and no two requests have the same."""
    for name, case in report_of(agent)["cases"].items():
        assert EXCHANGES.total() == len(set(case["traced"]) - {None}), name


@pytest.mark.parametrize("agent", ["datadog", "elastic"])
def test_removal(agent: str, report_of: Callable[[str], Any]) -> None:
    """After an agent has undone its changes, a client that was used before has no more spans and headers of it."""
    report = report_of(agent)
    assert {"spans": 0} == report["seen after removal"]
    assert not report["trace after removal"]


@agents
def test_secrets(agent: str, report_of: Callable[[str], Any]) -> None:
    """Nothing that an agent would send shows a key, a code, a user's header or a passcode, in errors neither."""
    report = report_of(agent)
    assert report["collected"] > 5_000
    assert [] == report["secrets"]
