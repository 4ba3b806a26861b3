"""New Relic's agent in developer mode, in which it sends nothing."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import newrelic.agent

from instrumentation.agents.scenario import Agent, Views, run
from instrumentation.traffic import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS: Final = """
[newrelic]
app_name = test
license_key = {key}
developer_mode = true
monitor_mode = true
distributed_tracing.enabled = true
audit_log_file = {log}
"""


class NewRelic(Agent):
    """Makes a node in the tree of a transaction for each request, and writes what it would send to a file."""

    header = "traceparent"
    on_trio = False  # it stores the trace in asyncio's tasks, and otherwise in threads

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._application: Any = None

    def install(self) -> None:
        """Start the agent, which also changes modules that are already imported."""
        settings = self._folder / "newrelic.ini"
        settings.write_text(SETTINGS.format(key="0" * 40, log=self._folder / "audit.log"), encoding="utf-8")
        newrelic.agent.initialize(str(settings))
        self._application = newrelic.agent.register_application(timeout=10)

    @contextmanager
    def trace(self) -> Iterator[Views]:
        """Trace a block as a task in the background."""
        views: Views = {"nodes": []}
        with newrelic.agent.BackgroundTask(self._application, name="test"):
            root = newrelic.agent.current_trace()
            yield views
            views["nodes"] += _exchanges_in(root)

    def report(self, error: Exception) -> None:
        """Send an error."""
        newrelic.agent.notice_error((type(error), error, error.__traceback__))

    def collected(self) -> str:
        """Return what the agent would have sent."""
        newrelic.agent.shutdown_agent(timeout=10)
        return (self._folder / "audit.log").read_text(encoding="utf-8")


def _exchanges_in(node: Any) -> list[Exchange]:  # noqa: ANN401  (untyped)
    """Return the requests in a tree."""
    found = []
    for child in node.children:
        if hasattr(child, "url"):
            target = "/" + child.url.split("/", 3)[3]
            # The status comes from the event hook that the agent adds to each client.
            found.append(Exchange(child.method, target, child.agent_attributes.get("http.statusCode", 0)))
        found += _exchanges_in(child)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(NewRelic(Path(folder)))
