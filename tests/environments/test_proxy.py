"""A proxy from the environment: https goes through a tunnel that the proxy cannot read; loopback http never uses it."""

from __future__ import annotations

import base64
import socket
import ssl
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

import inside
from clients import own_pool_only
from environments.proxies import proxy
from pyas_async import ConfigurationError, TransportError
from runtime.socket_server import CHANGE, KEY, NEW, client_of, found, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyas_async import PyasClient
    from runtime.socket_server import Wire

pytestmark = [pytest.mark.anyio, own_pool_only]

PASSWORD = "proxy-password-61f0"
REFUSAL = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make the certificate authority of the service."""
    return trustme.CA()


@pytest.fixture(scope="module")
def service(authority: trustme.CA) -> Iterator[Wire]:
    """Serve https on a socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with wire(found, context) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust the service through the environment, and remove exceptions from proxies."""
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    inside.forget_ssl_context()
    yield
    inside.forget_ssl_context()


async def every_method(client: PyasClient) -> None:
    """Make a call with each method."""
    await client.meetings.get(81)
    await client.meetings.create(NEW)
    await client.meetings.update(81, CHANGE)
    await client.meetings.delete(81)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_tunnel(service: Wire, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go through the tunnel. The proxy sees the target and its own credentials, and nothing else."""
    connections = service.connections
    with proxy() as between:
        monkeypatch.setenv(variable, between.url.replace("//", f"//user:{PASSWORD}@"))
        async with client_of(service.url) as client:
            await every_method(client)
        assert service.connections - connections == between.tunnels
        seen = bytes(between.seen)
    assert KEY == service.requests[-1].headers["x-api-key"]
    assert f"CONNECT 127.0.0.1:{service.port} HTTP/1.1".encode() == seen.partition(b"\r\n")[0]
    assert base64.b64encode(f"user:{PASSWORD}".encode()) in seen
    for secret in (KEY, "x-api-key", "/zoom/meetings", "accountId"):
        assert secret.encode() not in seen


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "x,*", " * ", "https://127.0.0.1", "x.example, 127.0.0.1 "])
async def test_no_proxy(service: Wire, exception: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If `NO_PROXY` names the service in a form that httpx knows, nothing goes through the proxy."""
    with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", exception)
        async with client_of(service.url) as client:
            await every_method(client)
        assert b"" == between.seen


@pytest.mark.parametrize("exception", ["::1", "[::1]", "x.example,[::1]", "https://[::1]", "https://[::1]:1"])
async def test_no_proxy_for_an_address_of_ipv6(exception: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For an address of IPv6, `NO_PROXY` means what it means to httpx, which cannot read one in brackets."""
    monkeypatch.setenv("NO_PROXY", exception)
    with proxy(REFUSAL) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        expected = False
        if "://" in exception or "[" not in exception:
            async with httpx.AsyncClient() as http:
                with pytest.raises(httpx.TransportError):
                    await http.get("https://[::1]:1/")
            expected = bool(between.seen)
        between.seen.clear()
        async with client_of("https://[::1]:1") as client:
            with pytest.raises(TransportError):
                await client.with_options(retry=None).meetings.get(81)
        assert expected == bool(between.seen)


async def test_address_in_brackets_of_another_host(service: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, since httpx cannot read such an exception: no client of it could be used."""
    monkeypatch.setenv("NO_PROXY", "[::1]")
    with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        async with client_of(service.url) as client:
            with pytest.raises(ConfigurationError, match="without brackets in NO_PROXY"):
                await client.meetings.get(81)


async def test_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http to this machine never goes through a proxy, which would see the key."""
    with proxy() as between, wire() as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, between.url)
            monkeypatch.setenv(name.lower(), between.url)
        async with client_of(server.url) as client:
            await every_method(client)
        assert b"" == between.seen
    assert 4 == len(server.requests)


@pytest.mark.parametrize(
    ("refusal", "attempts"),
    [
        (REFUSAL, 1),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 4),
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", 4),
        (b"", 4),
    ],
    ids=["407", "403", "502", "429", "closed"],
)
async def test_refusal(service: Wire, refusal: bytes, attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that a proxy refuses was not sent, even a create, and is sent again unless the refusal is for good.

    The error names the proxy, without its password.
    """
    with proxy(refusal) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url.replace("//", f"//user:{PASSWORD}@"))
        async with client_of(service.url, max_connections=1) as client:
            for _ in range(2):
                with pytest.raises(TransportError) as caught:
                    await client.meetings.create(NEW)
                assert "not_sent" == caught.value.write_state
                assert PASSWORD not in "".join(map(str, (caught.value, caught.value.__cause__)))
                assert refusal.split(b"\r\n")[0].decode().partition(" ")[2] in str(caught.value)
                assert f"the proxy {between.url.removeprefix('http://')} before {service.url}" in str(caught.value)
        assert 2 * attempts == between.seen.count(b"CONNECT ")


async def test_proxy_that_cannot_be_reached(service: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no connection to the proxy can be made, the error names the proxy, not the service alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://{closed}")
    async with client_of(service.url) as client:
        with pytest.raises(TransportError, match=f"the proxy {closed} before {service.url}") as caught:
            await client.with_options(retry=None).meetings.create(NEW)
    assert "not_sent" == caught.value.write_state


async def test_handshake_that_fails_in_the_tunnel(service: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrusted certificate makes no connection unusable, however often it occurs."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        async with client_of(service.url, max_connections=1) as client:
            for _ in range(3):
                with pytest.raises(TransportError, match="certificate") as caught:
                    await client.meetings.create(NEW)
                assert "not_sent" == caught.value.write_state
        assert 3 == between.tunnels


BAD = {
    "an unknown scheme": ("HTTPS_PROXY", f"nonsense://user:{PASSWORD}@127.0.0.1:1"),
    "no address": ("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:port"),
    "SOCKS without its package": ("ALL_PROXY", f"socks5://user:{PASSWORD}@127.0.0.1:1"),
    "no certificates": ("SSL_CERT_FILE", "/nowhere/at/all.pem"),
    "a file without certificates": ("SSL_CERT_FILE", __file__),
}


@pytest.mark.parametrize(("variable", "value"), BAD.values(), ids=BAD)
async def test_unusable_environment(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unusable setting of the environment is refused by its name, and its secrets are not shown."""
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it were not installed
    monkeypatch.setenv(variable, value)
    async with client_of("https://127.0.0.1:9", max_connections=1) as client:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=variable) as caught:
                await client.meetings.create(NEW)
            assert "not_sent" == caught.value.write_state
            assert PASSWORD not in str(caught.value)
            assert (None, None) == (caught.value.__cause__, caught.value.__context__)
        await client.aclose()
        assert {} == inside.under_way(client)
