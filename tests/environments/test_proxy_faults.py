"""Faults at a proxy, HTTP's or SOCKS's: nothing was sent, the error names the proxy, and never its password."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx_aiohttp
import pytest
import trustme

import inside
from clients import LIBRARIES, own_pool_only
from environments.proxies import SOCKS_CONNECTED, proxy, socks_proxy
from pyas_async import AttemptStarted, PyasClient, RateBudget, TransportError
from runtime.calls import check_usable
from runtime.socket_server import KEY, NEW, client_of, found, wire
from runtime.trust import AUTHORITY, served, trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pyas_async import Event
    from runtime.socket_server import Wire

pytestmark = own_pool_only

PASSWORD = "proxy-password-61f0"
every_way = pytest.mark.parametrize("way", LIBRARIES)


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve https on a socket."""
    with wire(found, served()) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Trust the service and the proxies through the environment, and remove exceptions from proxies."""
    with trusted(tmp_path) as patch:
        for name in ("NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        yield patch


def trusting() -> ssl.SSLContext:
    """Return a TLS context that trusts the service and the proxies."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def with_password(url: str) -> str:
    """Return the address of a proxy with a user and a password."""
    return url.replace("//", f"//user:{PASSWORD}@")


@asynccontextmanager
async def client_through(way: str, service: Wire, proxy_url: str, **settings: Any) -> AsyncIterator[PyasClient]:  # noqa: ANN401
    """Open a client that uses a proxy: from the environment for our own connections, else by its argument."""
    library: Any = LIBRARIES[way]
    if library is None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HTTPS_PROXY", proxy_url)
            async with client_of(service.url, way=way, max_connections=1, **settings) as client:
                yield client
        return
    between = library.Proxy(proxy_url, ssl_context=trusting() if proxy_url.startswith("https") else None)
    limits = library.Limits(max_connections=1)
    async with (
        library.AsyncClient(limits=limits, verify=trusting(), proxy=between) as http,
        client_of(service.url, http_client=http, **settings) as client,
    ):
        yield client


async def check_fault(
    way: str,
    service: Wire,
    proxy_url: str,
    *,
    attempts: int,
    says: str,
    at: str | None = None,
) -> None:
    """Check that creates and gets fail as they should, and that they leave nothing behind.

    `at` is the host and port of the proxy that the error must name.
    """
    events: list[Event] = []
    requests = len(service.requests)
    budget = RateBudget(100)
    async with client_through(way, service, proxy_url, budget=budget, on_event=events.append) as client:
        for call, state in (
            (client.meetings.create(NEW), "not_sent"),
            (client.meetings.get(81), None),
            (client.meetings.create(NEW), "not_sent"),
        ):
            events.clear()
            with pytest.raises(TransportError) as caught:
                await call
            text = "".join(map(str, (caught.value, *caught.value.args, *events)))
            assert says in text
            assert f"the proxy {at} before {service.url}" in text or at is None
            assert PASSWORD not in text
            assert (None, None) == (caught.value.__cause__, caught.value.__context__)
            assert attempts == sum(isinstance(event, AttemptStarted) for event in events)
            assert state == caught.value.write_state
        assert 100 == client.rate_limit.remaining
        assert {} == inside.under_way(client)
    assert requests == len(service.requests)


REFUSALS = {
    "407": (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407 Proxy Auth", 1),
    "403": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403 Forbidden", 1),
    "502": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway", 4),
    "429": (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", "429 Too Many Requests", 4),
    "closed": (b"", "", 4),
    "no HTTP": (b"\0\0\0\r\n\r\n", "", 4),
}


@pytest.mark.anyio
@every_way
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("refusal", "says", "attempts"), REFUSALS.values(), ids=REFUSALS)
async def test_refused_tunnel(service: Wire, way: str, secure: bool, refusal: bytes, says: str, attempts: int) -> None:
    """A tunnel that a proxy refuses, over TLS or without, is tried again only if the refusal may not last."""
    with proxy(refusal, served() if secure else None) as between:
        await check_fault(way, service, with_password(between.url), attempts=attempts, says=says, at=between.place)
        assert 3 * attempts == between.seen.count(b"CONNECT ")
        assert KEY.encode() not in between.seen


SOCKS = {
    "wrong password": ((b"\5\2", b"\1\1"), "Invalid username/password", 1),
    "no such method": ((b"\5\xff",), "got NO ACCEPTABLE METHODS", 1),
    "wants no password": ((b"\5\0",), "got NO AUTHENTICATION REQUIRED", 1),
    "not allowed": ((b"\5\2", b"\1\0", b"\5\2\0\1\0\0\0\0\0\0"), "not allowed by ruleset", 1),
    "no such command": ((b"\5\2", b"\1\0", b"\5\7\0\1\0\0\0\0\0\0"), "Command not supported", 1),
    "no such address": ((b"\5\2", b"\1\0", b"\5\x08\0\1\0\0\0\0\0\0"), "Address type not supported", 1),
    "failure": ((b"\5\2", b"\1\0", b"\5\1\0\1\0\0\0\0\0\0"), "General SOCKS server failure", 4),
    "unreachable": ((b"\5\2", b"\1\0", b"\5\4\0\1\0\0\0\0\0\0"), "Host unreachable", 4),
    "refused": ((b"\5\2", b"\1\0", b"\5\5\0\1\0\0\0\0\0\0"), "Connection refused", 4),
    "closed at once": ((b"",), "", 4),
    "closed later": ((b"\5\2", b"\1\0", b""), "", 4),
    "no SOCKS": ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "", 4),
    "SOCKS4": ((b"\0\x5b\0\0\0\0\0\0",), "", 4),
    "unknown reply": ((b"\5\2", b"\1\0", b"\5\x63\0\1\0\0\0\0\0\0"), "", 4),
}


@pytest.mark.anyio
@every_way
@pytest.mark.parametrize(("replies", "says", "attempts"), SOCKS.values(), ids=SOCKS)
async def test_socks_proxy_that_refuses(
    service: Wire, way: str, replies: tuple[bytes, ...], says: str, attempts: int
) -> None:
    """So is a connection that a SOCKS proxy refuses, or does not make because it speaks something else."""
    pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    with socks_proxy(*replies) as between:
        await check_fault(way, service, with_password(between.url), attempts=attempts, says=says, at=between.place)
        assert 3 * attempts == between.connections


@pytest.mark.anyio
@every_way
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_proxy_that_cannot_be_reached(service: Wire, way: str, scheme: str) -> None:
    """If no connection to the proxy can be made, the error names the proxy, not the service alone."""
    if scheme == "socks5":
        pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    await check_fault(way, service, with_password(f"{scheme}://{place}"), attempts=4, says="ConnectError", at=place)


@pytest.mark.anyio
@every_way
async def test_untrusted_proxy(service: Wire, way: str, environment: pytest.MonkeyPatch) -> None:
    """The certificate of a proxy that is not trusted is the proxy's fault, and the call is not tried again."""
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(strange)
    with proxy(context=strange) as between:
        await check_fault(way, service, with_password(between.url), attempts=1, says="certificate", at=between.place)


@pytest.mark.anyio
@every_way
@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
async def test_untrusted_service(service: Wire, way: str, kind: str) -> None:
    """The certificate of the service behind a proxy is the service's, and the error says through which proxy."""
    if kind == "socks5":
        pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(strange)
    with ExitStack() as stack:
        other = stack.enter_context(wire(found, strange))
        between = stack.enter_context(
            socks_proxy() if kind == "socks5" else proxy(context=served() if kind == "https" else None)
        )
        says = f"{other.url}, through the proxy {between.place}"
        await check_fault(way, other, between.url, attempts=1, says=says)
        await check_fault(way, other, between.url, attempts=1, says="certificate")


@pytest.mark.anyio
@every_way
@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
async def test_working_proxy(service: Wire, way: str, kind: str) -> None:
    """Calls go through the proxy, which sees its password, and nothing of a request."""
    replies: tuple[bytes, ...] = (b"\5\2", b"\1\0", SOCKS_CONNECTED)
    if kind == "socks5":
        pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    with socks_proxy(*replies) if kind == "socks5" else proxy(context=served() if kind == "https" else None) as between:
        async with client_through(way, service, with_password(between.url)) as client:
            await client.meetings.create(NEW)
            await check_usable(client)
        seen = bytes(between.seen)
    assert KEY == service.requests[-1].headers["x-api-key"]
    assert between.tunnels
    for secret in (KEY, "x-api-key", "/zoom/meetings", "accountId"):
        assert secret.encode() not in seen


AIOHTTP = {
    "argument": lambda url: httpx_aiohttp.AiohttpTransport(proxy=httpx.Proxy(url), verify=trusting()),
    "session": lambda url: httpx_aiohttp.AiohttpTransport(
        client=lambda: aiohttp.ClientSession(proxy=url, connector=aiohttp.TCPConnector(ssl=trusting()))
    ),
    "environment": lambda _: httpx_aiohttp.AiohttpTransport(
        client=lambda: aiohttp.ClientSession(trust_env=True, connector=aiohttp.TCPConnector(ssl=trusting()))
    ),
}


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # of what httpx-aiohttp passes to aiohttp
@pytest.mark.parametrize("make", AIOHTTP.values(), ids=AIOHTTP)
@pytest.mark.parametrize("case", ["407", "403", "502", "unreachable"])
async def test_aiohttp(service: Wire, make: Any, case: str, environment: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """A proxy of aiohttp that refuses the tunnel has sent nothing on, and its password is not shown."""
    refusal, _, attempts = REFUSALS.get(case, (b"", "", 4))
    events: list[Event] = []
    requests = len(service.requests)
    with proxy(refusal) as between:
        url = with_password(between.url)
        if case == "unreachable":
            between.close()
        environment.setenv("HTTPS_PROXY", url)
        async with httpx.AsyncClient(transport=make(url)) as http:
            client = client_of(service.url, http_client=http, on_event=events.append)
            with pytest.raises(TransportError, match="the proxy before") as caught:
                await client.meetings.create(NEW)
    assert "not_sent" == caught.value.write_state
    assert PASSWORD not in "".join(map(str, (caught.value, *events)))
    assert attempts == sum(isinstance(event, AttemptStarted) for event in events)
    assert requests == len(service.requests)
