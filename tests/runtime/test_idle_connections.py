"""A service may close idle connections at any time: no create is in doubt because of it, and no other call fails."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import trustme

import inside
from clients import LIBRARIES, own_pool_only
from pyas_async import AttemptEnded
from runtime.socket_server import CHANGE, NEW, Last, client_of, found, heard, until, wire

if TYPE_CHECKING:
    from pyas_async import Event
    from runtime.socket_server import Answerer, Seen

pytestmark = pytest.mark.anyio

every_way = pytest.mark.parametrize("way", LIBRARIES)


def hang_up_on_the_second(seen: Seen) -> bytes | None:
    """Close a connection at the worst moment: when its next request has arrived."""
    return found(seen) if seen.turn == 1 else None


def hang_up_at_once(seen: Seen) -> bytes:
    """Close each connection after its first response, without notice: the next request may find it closed."""
    return Last(found(seen))


@every_way
@pytest.mark.parametrize("answer", [hang_up_on_the_second, hang_up_at_once])
async def test_closed_when_the_next_request_arrives(way: str, answer: Answerer) -> None:
    """Every call succeeds; each create is sent once, on a connection that has carried nothing before."""
    with wire(answer) as server:
        async with client_of(server.url, way=way) as client:
            for _ in range(3):
                await client.meetings.get(81)
                await client.meetings.create(NEW)
                await client.meetings.create(NEW)
                await client.meetings.update(81, CHANGE)
                await client.meetings.delete(81)
        assert [1] * 6 == [seen.turn for seen in server.requests if seen.method == "POST"]


@every_way
async def test_many_idle_connections(way: str) -> None:
    """If one idle connection was closed, others may be too: the second attempt uses a new one."""
    together = threading.Barrier(6)

    def answer(seen: Seen) -> bytes | None:
        if seen.turn == 1 and len(server.requests) <= together.parties:
            together.wait(5)
        return hang_up_on_the_second(seen)

    with wire(answer) as server:
        async with client_of(server.url, way=way) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(together.parties):
                    tasks.start_soon(heard(client).meetings.get, 81)
            await client.meetings.update(81, CHANGE)
        assert [2, 1] == [seen.turn for seen in server.requests[together.parties :]]


@pytest.mark.parametrize(("way", "secure"), [("own", False), ("httpx", True), ("httpx2", True)])
async def test_closed_while_idle(way: str, secure: bool) -> None:
    """A connection that was closed while idle is not used: the next call uses a new one, at its first attempt."""
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    events: list[Event] = []
    with wire(hang_up_at_once, served if secure else None) as server:
        library: Any = LIBRARIES[way] or httpx
        async with (
            library.AsyncClient(verify=trusting, trust_env=False) as http,
            client_of(server.url, http_client=http if secure else None, on_event=events.append) as client,
        ):
            for number in range(1, 4):
                await client.meetings.get(81)
                await until(lambda: server.closed == number)  # noqa: B023  (awaited here)
    assert [200] * 3 == [event.status for event in events if isinstance(event, AttemptEnded)]
    assert 3 == server.connections


@own_pool_only
async def test_after_a_pause() -> None:
    """A connection is reused for calls that follow soon, and not after four seconds: Node closes it after five."""
    jump = 0.0
    connections = []
    with wire() as server:
        async with client_of(server.url) as client:
            await client.meetings.get(81)
            inside.set_clock_of_idle_connections(client, lambda: anyio.current_time() + jump)
            for pause in (3.5, 4.5):
                jump += pause
                await client.meetings.get(81)
                connections.append(server.connections)
    assert [1, 2] == connections
