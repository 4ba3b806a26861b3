"""Plain http through a passed client goes to this machine directly: no proxy of the client sees the key."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import httpx_aiohttp
import pytest

import inside
from environments.proxies import proxy, socks_proxy
from pyas_async import AttemptStarted, ConfigurationError, RateBudget
from runtime.socket_server import KEY, NEW, client_of, wire
from runtime.trust import AUTHORITY, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from environments.proxies import Proxy
    from pyas_async import Event
    from runtime.socket_server import Wire

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2])
VARIABLES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove exceptions from proxies."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def trusting() -> ssl.SSLContext:
    """Return a TLS context that trusts the proxy."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


class Wrapper(httpx.AsyncBaseTransport):
    """A transport around another one, such as one that retries or caches. It drops the trace."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        request.extensions.pop("trace", None)
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the other one."""
        await self.inner.aclose()


class Hiding(httpx.AsyncBaseTransport):
    """A transport that hides the one below it, and passes the trace on."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner: Callable[[], httpx.AsyncBaseTransport] = lambda: inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        return await self.inner().handle_async_request(request)

    async def aclose(self) -> None:
        """Close the other one."""
        await self.inner().aclose()


def by_argument(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Pass the proxy as an argument."""
    return library.AsyncClient(proxy=between.url)


def by_mount(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Mount a transport with a proxy for plain http alone."""
    return library.AsyncClient(mounts={"http://": library.AsyncHTTPTransport(proxy=between.url)})


def by_mount_for_the_host(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Mount a transport with a proxy for the service's host."""
    return library.AsyncClient(mounts={"all://127.0.0.1": library.AsyncHTTPTransport(proxy=between.url)})


def by_transport(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Pass a transport with a proxy."""
    return library.AsyncClient(transport=library.AsyncHTTPTransport(proxy=between.url))


def by_wrapper(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Wrap a transport with a proxy in one that drops the trace."""
    return library.AsyncClient(transport=Wrapper(library.AsyncHTTPTransport(proxy=between.url)))


def by_hidden_transport(library: Any, between: Proxy) -> Any:  # noqa: ANN401
    """Hide a transport with a proxy in one that passes the trace on."""
    return library.AsyncClient(transport=Hiding(library.AsyncHTTPTransport(proxy=between.url)))


WAYS = [by_argument, by_mount, by_mount_for_the_host, by_transport, by_wrapper, by_hidden_transport]


async def check_refused(server: Wire, between: Proxy, http: Any, *, used: bool) -> None:  # noqa: ANN401
    """Check that the client refuses to send through the proxy, and that the owner still can.

    `used` lets the owner send a request first, which leaves an open connection to the proxy.
    """
    own = 0
    if used:
        assert 200 == (await http.get(f"{server.url}/owner")).status_code
        own = 1
        assert own == between.tunnels
    events: list[Event] = []
    budget = RateBudget(10)
    client = client_of(server.url, http_client=http, budget=budget, on_event=events.append)
    with pytest.raises(ConfigurationError, match=r"http_client: .*proxy.*trust_env=False") as caught:
        await client.meetings.create(NEW)
    assert "not_sent" == caught.value.write_state
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    with pytest.raises(ConfigurationError, match="http_client"):
        await client.meetings.get(81)
    assert 2 == sum(isinstance(event, AttemptStarted) for event in events)
    assert 10 == client.rate_limit.remaining
    assert {} == inside.under_way(client)
    assert own == len(server.requests)
    assert KEY.encode() not in between.seen
    assert b"/zoom/meetings" not in between.seen
    assert 200 == (await http.get(f"{server.url}/owner")).status_code
    assert own + 1 == len(server.requests)


@pytest.mark.anyio
@LIBRARIES
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("make", WAYS)
async def test_proxy_of_a_passed_client(library: Any, make: Callable[[Any, Proxy], Any], used: bool) -> None:  # noqa: ANN401
    """A proxy that a passed client was given sees no request of ours, also if a connection to it is open."""
    with wire() as server, proxy() as between:
        async with make(library, between) as http:
            await check_refused(server, between, http, used=used)


@pytest.mark.anyio
@LIBRARIES
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("variable", VARIABLES)
async def test_proxy_from_the_environment(
    library: Any,  # noqa: ANN401
    variable: str,
    used: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither does a proxy that the environment named when the passed client was made."""
    with wire() as server, proxy() as between:
        monkeypatch.setenv(variable, between.url)
        async with library.AsyncClient() as http:
            monkeypatch.delenv(variable)
            await check_refused(server, between, http, used=used)


@pytest.mark.anyio
@LIBRARIES
@pytest.mark.parametrize("used", [False, True])
async def test_proxy_over_tls(library: Any, used: bool) -> None:  # noqa: ANN401
    """Neither does a proxy to which the connection is encrypted: it decrypts the request."""
    with wire() as server, proxy(context=served()) as between:
        secure = library.Proxy(between.url, ssl_context=trusting())
        async with library.AsyncClient(proxy=secure) as http:
            await check_refused(server, between, http, used=used)


@pytest.mark.anyio
@LIBRARIES
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("make", WAYS)
async def test_socks_proxy(library: Any, make: Callable[[Any, Proxy], Any], used: bool) -> None:  # noqa: ANN401
    """Neither does a SOCKS proxy, whose connection looks like one to the service once it is open."""
    pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    with wire() as server, socks_proxy() as between:
        async with make(library, between) as http:
            await check_refused(server, between, http, used=used)


@pytest.mark.anyio
@LIBRARIES
async def test_direct_connections(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """A passed client that has proxies, but not for this address, is used."""
    with wire() as server, proxy() as between:
        monkeypatch.setenv("ALL_PROXY", between.url)
        for settings in (
            {"trust_env": False},
            {"mounts": {"http://127.0.0.1": None}},
            {"mounts": {"http://127.0.0.1": library.AsyncHTTPTransport()}},
            {"trust_env": False, "mounts": {"https://": library.AsyncHTTPTransport(proxy=between.url)}},
            {"transport": Wrapper(library.AsyncHTTPTransport())},
            {"transport": Hiding(library.AsyncHTTPTransport())},
        ):
            async with library.AsyncClient(**settings) as http:
                assert 81 == (await client_of(server.url, http_client=http).meetings.create(NEW)).id
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with library.AsyncClient() as http:
            assert 81 == (await client_of(server.url, http_client=http).meetings.create(NEW)).id
        assert (7, 0) == (len(server.requests), between.connections)


def session(**settings: Any) -> Callable[[], aiohttp.ClientSession]:  # noqa: ANN401
    """Return a function that opens a session."""
    return lambda: aiohttp.ClientSession(**settings)


BY_AIOHTTP: dict[str, Callable[[Proxy], httpx.AsyncBaseTransport]] = {
    "argument": lambda between: httpx_aiohttp.AiohttpTransport(proxy=httpx.Proxy(between.url)),
    "session": lambda between: httpx_aiohttp.AiohttpTransport(client=session(proxy=between.url)()),
    "environment": lambda between: httpx_aiohttp.AiohttpTransport(client=session(trust_env=True)()),
    "function": lambda between: httpx_aiohttp.AiohttpTransport(client=session(proxy=between.url)),
    "function, environment": lambda between: httpx_aiohttp.AiohttpTransport(client=session(trust_env=True)),
    "wrapped": lambda between: Wrapper(httpx_aiohttp.AiohttpTransport(client=session(proxy=between.url))),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("make", BY_AIOHTTP.values(), ids=BY_AIOHTTP)
async def test_proxy_of_aiohttp(
    make: Callable[[Proxy], httpx.AsyncBaseTransport], used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does a proxy of an aiohttp session, which reads the environment for each request."""
    with wire() as server, proxy() as between:
        async with httpx.AsyncClient(transport=make(between), trust_env=False) as http:
            for name in VARIABLES:
                monkeypatch.setenv(name, between.url)
            await check_refused(server, between, http, used=used)


@pytest.mark.asyncio
async def test_aiohttp_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of aiohttp is used if the environment names no proxy for the service, or the session ignores it."""
    with wire() as server, proxy() as between:
        for trust_env, exceptions, scheme in [(False, "", "HTTP"), (True, "127.0.0.1", "HTTP"), (True, "", "HTTPS")]:
            for name in VARIABLES:
                monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv(f"{scheme}_PROXY", between.url)
            monkeypatch.setenv("NO_PROXY", exceptions)
            transport = httpx_aiohttp.AiohttpTransport(client=session(trust_env=trust_env))
            async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
                assert 81 == (await client_of(server.url, http_client=http).meetings.create(NEW)).id
        assert (3, 0) == (len(server.requests), between.connections)
