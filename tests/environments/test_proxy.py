"""A proxy from the environment: https goes through a tunnel that the proxy cannot read; loopback http never uses it."""

from __future__ import annotations

import base64
import ssl
import sys
from typing import TYPE_CHECKING

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


@pytest.mark.parametrize("exception", ["127.0.0.1", "*"])
async def test_no_proxy(service: Wire, exception: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If `NO_PROXY` names the service, nothing goes through the proxy."""
    with proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", exception)
        async with client_of(service.url) as client:
            await every_method(client)
        assert b"" == between.seen


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


@pytest.mark.parametrize("refusal", [REFUSAL, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", b""])
async def test_refusal(service: Wire, refusal: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that a proxy refuses was not sent, even a create, and the proxy's password is in no error."""
    with proxy(refusal) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url.replace("//", f"//user:{PASSWORD}@"))
        async with client_of(service.url, max_connections=1) as client:
            for _ in range(2):
                with pytest.raises(TransportError) as caught:
                    await client.meetings.create(NEW)
                assert "not_sent" == caught.value.write_state
                assert PASSWORD not in "".join(map(str, (caught.value, caught.value.__cause__)))
                assert refusal.split(b"\r\n")[0].decode().partition(" ")[2] in str(caught.value)
        assert 8 == between.seen.count(b"CONNECT ")  # retried, since nothing was sent


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
