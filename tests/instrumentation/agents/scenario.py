"""What each agent is shown, in a process of its own, and what it has seen, as one line of JSON on standard output.

An agent changes its whole process, and most cannot be removed from it. So clients are made before and after it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import anyio

from instrumentation.traffic import (
    AFTER_CALLS,
    BEFORE_CALLS,
    BEFORE_CLIENT,
    Exchange,
    Server,
    call_everything,
    serving,
)
from pyas_async import PyasError
from runtime.socket_server import client_of, wire
from secrecy.echoes import ECHOES
from secrecy.planted import CODE, HEADER, KEY, STATE, TOKEN, leaks

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pyas_async import PyasClient

Case = tuple[str, str]
"""Where requests go, and when the agent is installed."""
ERRORS = {"200 unread", "401", "hung up", "no status line"}
"""Faults of a service whose responses repeat the request, or are full of passcodes."""
Views = dict[str, list[Exchange]]
"""What an agent has recorded, by the kind of record."""


class Agent(ABC):
    """A tool that traces requests to a backend, without the backend."""

    cases: ClassVar[tuple[Case, ...]] = (
        ("own", BEFORE_CLIENT),
        ("own", BEFORE_CALLS),
        ("own", AFTER_CALLS),
        ("httpx", AFTER_CALLS),
        ("httpx2", AFTER_CALLS),
    )
    """The cases in which the agent promises to see requests."""
    header: ClassVar[str]
    """The header that carries the trace to the service."""
    has_query: ClassVar[bool] = True
    """Whether the agent records the query of a request."""
    on_trio: ClassVar[bool] = True
    """Whether the agent works on trio."""

    @abstractmethod
    def install(self) -> None:
        """Start the agent, and let it change httpx."""

    def remove(self) -> bool:
        """Undo the changes of httpx, and return whether the agent can do that."""
        return False

    @abstractmethod
    def trace(self) -> AbstractContextManager[Views]:
        """Trace a block. The views are complete after it."""

    def report(self, error: Exception) -> None:  # noqa: B027  (not every agent collects errors)
        """Report an error that was caught."""

    @abstractmethod
    def collected(self) -> str:
        """Return everything that the backend would have got."""


def run(agent: Agent) -> None:
    """Run the scenario on asyncio, then on trio, and print what was seen."""
    found: dict[str, object] = {"cases": {}}
    anyio.run(partial(_on_asyncio, agent, found), backend="asyncio")
    if agent.on_trio:
        anyio.run(partial(_on_trio, agent, found), backend="trio")
    text = agent.collected()
    found["collected"] = len(text)
    # An address that the service documents has the page token or the state in its query.
    found["secrets"] = sorted(leaks(text, allowed="ts"))
    print(json.dumps(found))  # noqa: T201


async def _on_asyncio(agent: Agent, found: dict[str, object]) -> None:
    with serving() as service:
        async with AsyncExitStack() as stack:
            clients: dict[Case, PyasClient] = {}

            async def make(case: Case) -> None:
                client = client_of(service.url, way=case[0], api_key=KEY)
                clients[case] = await stack.enter_async_context(client)

            for case in agent.cases:
                if case[1] != BEFORE_CLIENT:
                    await make(case)
                if case[1] == AFTER_CALLS:
                    await clients[case].meetings.get(7)
            agent.install()
            for case in agent.cases:
                if case[1] == BEFORE_CLIENT:
                    await make(case)
                await _observe(agent, service, clients[case], f"asyncio, {', '.join(case)}", found)
    await _fail(agent)


async def _on_trio(agent: Agent, found: dict[str, object]) -> None:
    with serving() as service:
        async with client_of(service.url, way="own", api_key=KEY) as client:
            await _observe(agent, service, client, "trio, own", found)
            if agent.remove():
                with agent.trace() as views:
                    await client.meetings.get(8)
                found["seen after removal"] = {view: len(seen) for view, seen in views.items()}
                found["trace after removal"] = agent.header in service.headers[-1]
    await _fail(agent)


async def _observe(agent: Agent, service: Server, client: PyasClient, name: str, found: dict[str, object]) -> None:
    service.start_again()
    with agent.trace() as views:
        await call_everything(client)
    arrived = [exchange if agent.has_query else without_query(exchange) for exchange in service.exchanges]
    cases = found["cases"]
    assert isinstance(cases, dict)
    cases[name] = {
        "arrived": arrived,
        "traced": [headers.get(agent.header) for headers in service.headers],
        "views": dict(views),
    }


def without_query(exchange: Exchange) -> Exchange:
    """Return an exchange without the query of its request."""
    return exchange._replace(target=exchange.target.partition("?")[0])


async def _fail(agent: Agent) -> None:
    """Make calls that fail, with secrets in the requests and the responses, and report the errors."""
    for echo in ECHOES:
        if echo.name not in ERRORS:
            continue
        with wire(echo.answer) as server:
            async with client_of(server.url, way="own", api_key=KEY, retry=None) as client:
                view = client.with_options(headers={"x-gateway": HEADER})
                calls = (
                    view.meetings.list(next_page_token=TOKEN),
                    view.accounts.oauth_url(state=STATE),
                    view.accounts.connect(code=CODE, name="n"),
                )
                with agent.trace():
                    for call in calls:
                        try:
                            await call
                        except PyasError as error:
                            agent.report(error)
