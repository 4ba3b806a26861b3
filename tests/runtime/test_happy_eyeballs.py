"""A client connects to the first address of its host that answers (RFC 8305), on each event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import inside
from cancel.sweep import cancel_at
from clients import own_pool_only
from pyas_async import RetryPolicy, TransportError
from runtime.names import resolving
from runtime.open_sockets import linux_only, states
from runtime.raw_service import every_loop, plain_and_encrypted, silent
from runtime.socket_server import client_of, found, until, wire
from runtime.trust import AUTHORITY, trusted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, own_pool_only, every_loop]

NAME = "localhost"
"""The host to which a client may send plain http; its addresses are those of a test."""
LIVE = "127.0.0.1"
SOON = 1.0
"""Seconds within which a client must have found the address that answers; it tries the next after a quarter of one."""


def has_ipv6() -> bool:
    """Return whether this machine has IPv6 on its loopback interface."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


DEAD = "::1" if has_ipv6() else "127.0.0.2"
"""An address of this machine at which nothing answers."""


@contextlib.contextmanager
def dead(how: str, port: int) -> Iterator[None]:
    """Make the dead address refuse connections, or not answer them at all."""
    with silent(DEAD, port) if how == "silent" else contextlib.nullcontext():
        yield


every_death = pytest.mark.parametrize(
    "how", ["refuses", pytest.param("silent", marks=linux_only)], ids=["refuses", "silent"]
)


@pytest.fixture
def context(tmp_path: Path, secure: bool) -> Iterator[ssl.SSLContext | None]:
    """Return the TLS context of a service with the name; ``None`` for plain HTTP."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(NAME).configure_cert(served)
    with trusted(tmp_path):
        yield served if secure else None


def url_of(port: int, context: ssl.SSLContext | None = None) -> str:
    """Return the address of a service by its name."""
    return f"{'http' if context is None else 'https'}://{NAME}:{port}"


@every_death
@plain_and_encrypted
@pytest.mark.parametrize("order", [[DEAD, LIVE], [LIVE, DEAD]], ids=["dead first", "live first"])
async def test_one_address_is_dead(
    how: str, order: list[str], context: ssl.SSLContext | None, anyio_backend: object
) -> None:
    """If one address of a host is dead, the call goes to the other one, soon and at its first attempt."""
    with wire(found, context) as server, dead(how, server.port), resolving(*order, loop=anyio_backend) as names:
        async with client_of(url_of(server.port, context), retry=RetryPolicy.none(), timeout=5) as client:
            began = time.monotonic()
            assert 81 == (await client.meetings.get(81)).id
            took = time.monotonic() - began
            assert 82 == (await client.meetings.get(82)).id
        assert ([NAME], [1, 2]) == (names, [seen.turn for seen in server.requests])
    assert took < SOON


@linux_only
async def test_nothing_is_left_of_the_other_attempt(anyio_backend: object) -> None:
    """The attempt to reach the address that does not answer ends with the one that succeeds."""
    with wire() as server, dead("silent", server.port), resolving(DEAD, LIVE, loop=anyio_backend):
        before = states(server.port)
        async with client_of(url_of(server.port)) as client:
            await client.meetings.get(81)
            with anyio.fail_after(5):
                await until(lambda: {"ESTABLISHED": 1} == states(server.port) - before)


@pytest.mark.parametrize("addresses", [[DEAD, LIVE], [LIVE], [DEAD]], ids=["two", "one", "the other"])
async def test_all_addresses_refuse(addresses: list[str], anyio_backend: object) -> None:
    """If no address accepts a connection, the error names the reason, and the request was not sent."""
    with wire() as server:
        pass  # its port is free now
    with resolving(*addresses, loop=anyio_backend):
        async with client_of(url_of(server.port), retry=RetryPolicy.none()) as client:
            with pytest.raises(TransportError, match=r"ConnectError: .*(refused|Connect call failed)"):
                await client.meetings.get(81)


@linux_only
async def test_no_address_answers(anyio_backend: object) -> None:
    """If no address answers, the attempt ends in time, and no socket is left."""
    with silent(LIVE) as port, silent(DEAD, port), resolving(DEAD, LIVE, loop=anyio_backend):
        before = states(port)
        connection = inside.connection_to(NAME, port)
        with pytest.raises(TimeoutError), anyio.fail_after(0.6):
            await inside.exchange(connection)
        with anyio.fail_after(5):
            await until(lambda: before == states(port))


async def test_unknown_name(anyio_backend: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the name has no address, the error says so, and the request was not sent."""

    async def fail(*_: Any, **__: Any) -> Any:  # noqa: ANN401
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    where: Any = anyio if anyio_backend == "trio" else asyncio.get_running_loop()
    if anyio_backend == "trio":
        where = pytest.importorskip("trio").socket
    monkeypatch.setattr(where, "getaddrinfo", fail)
    async with client_of("https://nowhere.test", retry=RetryPolicy.none()) as client:
        with pytest.raises(TransportError, match=r"ConnectError: .*Name or service not known"):
            await client.meetings.get(81)


POINTS = range(1, 16) if os.environ.get("PYAS_ASYNC_CANCEL") == "complete" else (1, 2, 3, 5, 8, 11, 15)
"""The suspension points at which a call is cancelled."""


@linux_only
@every_death
async def test_cancelled_at_any_moment(how: str, anyio_backend: Any) -> None:  # noqa: ANN401
    """However far the attempts were when the call was cancelled, no socket is left of any of them."""
    loop = anyio_backend if isinstance(anyio_backend, str) else anyio_backend[0]
    cancelled = 0
    with wire() as server, dead(how, server.port), resolving(DEAD, LIVE, loop=anyio_backend):
        before = states(server.port)
        for point in POINTS:
            for kind in ("scope",) if loop == "trio" else ("scope", "task.cancel()"):
                connection = inside.connection_to(NAME, server.port)

                async def send(connection: Any = connection) -> object:  # noqa: ANN401
                    return await inside.exchange(connection)

                cancelled += (await cancel_at(send, kind, loop, point)).cancelled  # type: ignore[arg-type]
                await connection.aclose()
                with anyio.fail_after(5):
                    await until(lambda: before == states(server.port))
    assert cancelled > len(POINTS) // 3
