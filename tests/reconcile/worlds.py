"""A service that loses responses: the sandbox, behind a socket that closes chosen connections without a response."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs

import inside
from behind import Ask, behind
from pyas_async import MeetingCreate
from pyas_async._runtime.clock import Clock
from pyas_async.sandbox import Sandbox
from runtime.socket_server import KEY, Seen, Wire, client_of, document, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pyas_async import PyasClient

START = datetime(2031, 5, 6, 9, 30, tzinfo=UTC)
NEW = MeetingCreate(
    type=2, title="Planning", description="What comes next", start_date=START, duration=45, time_zone="Europe/Berlin"
)
PAUSES = [1.0, 3.0, 9.0]
"""The pauses before the lookups."""


def lost(_: Seen, __: bytes) -> bytes | None:
    """Close the connection after the request was carried out."""
    return None


def refused(status: int) -> Callable[[Seen, bytes], bytes | None]:
    """Answer with an error after the request was carried out."""
    return lambda _seen, _answer: document({"error": "x"}, status)


def unreadable(_: Seen, __: bytes) -> bytes | None:
    """Answer with a body that cannot be read, after the request was carried out."""
    return document({"success": True, "data": "done"})


def kind_of(seen: Seen) -> str:
    """Return the kind of a request: a create, a list or a get."""
    if seen.method == "POST":
        return "create"
    return "list" if seen.target.partition("?")[0].endswith("/meetings") else "get"


@attrs.define
class World:
    """The service, and what happens to its responses.

    Attributes:
        sandbox: The service itself.
        server: The address that clients send to.
        creates: Changes of the responses to creates, one for each; later ones are not changed.
        unexecuted: Creates that are not carried out, counted from 0.
        lag: The number of list calls that do not contain the new meetings yet.
        change_rows: Changes the rows that list calls return.
        change_list: Changes the responses to list calls.
        change_get: Changes the responses to gets.
        pauses: The seconds that the client would have waited; no time passes.
        second_look: Set when the client waits for its second lookup.
        until_then: An event for which the second lookup and later ones wait; none if not set.
    """

    sandbox: Sandbox
    _pass_on: Ask
    creates: list[Callable[[Seen, bytes], bytes | None]] = attrs.Factory(list)
    unexecuted: set[int] = attrs.Factory(set)
    lag: int = 0
    change_rows: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    change_get: Callable[[Seen, bytes], bytes | None] | None = None
    change_list: Callable[[Seen, bytes], bytes | None] | None = None
    pauses: list[float] = attrs.Factory(list)
    second_look: threading.Event = attrs.Factory(threading.Event)
    until_then: anyio.Event | None = None
    server: Wire = attrs.field(init=False)
    _posts: int = 0

    @property
    def account(self) -> str:
        """The account of the meetings."""
        return self.sandbox.account_ids[0]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows of the account."""
        return self.sandbox.rows(self.account)

    def calls(self) -> list[str]:
        """The kinds of the requests so far."""
        return [kind_of(seen) for seen in self.server.requests]

    def pass_on(self, seen: Seen) -> bytes | None:
        """Answer a request as the sandbox does, with the changes that were set."""
        if seen.method == "POST":
            number, self._posts = self._posts, self._posts + 1
            answer = b"" if number in self.unexecuted else self._ask(seen)
            change = self.creates[number] if number < len(self.creates) else None
            return answer if change is None else change(seen, answer)
        answer = self._ask(seen)
        if kind_of(seen) == "get":
            return answer if self.change_get is None else self.change_get(seen, answer)
        return answer if self.change_list is None else self.change_list(seen, answer)

    def _ask(self, seen: Seen) -> bytes:
        answer = self._pass_on(seen)
        body = answer.json()
        if seen.method == "GET" and "meetings" in body.get("data", {}):
            rows = body["data"]["meetings"]
            if self.lag > 0:
                self.lag -= 1
                rows = [row for row in rows if row["topic"] != NEW.title]
            body["data"]["meetings"] = rows if self.change_rows is None else self.change_rows(rows)
        return document(body, answer.status_code)

    async def sleep(self, seconds: float) -> None:
        """Record a pause, and return at once."""
        self.pauses.append(seconds)
        if len(self.pauses) > 1:
            self.second_look.set()
            if self.until_then is not None:
                await self.until_then.wait()
        await anyio.lowlevel.checkpoint()

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[PyasClient]:  # noqa: ANN401
        """Open a client whose pauses take no time."""
        async with client_of(self.server.url, account_id=self.account, **options) as client:
            inside.set_clock_of_calls(client, Clock(sleep=self.sleep))
            yield client


@contextmanager
def world_of(meetings: int = 20) -> Iterator[World]:
    """Serve a sandbox behind a socket that can lose its responses."""
    with Sandbox(accounts=1, meetings=meetings, api_key=KEY, daily_writes=None) as sandbox:
        world = World(sandbox, behind(sandbox))
        with wire(world.pass_on) as server:
            world.server = server
            yield world
