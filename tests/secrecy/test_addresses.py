"""The key is sent over TLS or to this machine, to the configured address, and never on to another one."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyas_async import APIStatusError, ConfigurationError, PyasClient
from pyas_async._runtime.settings import base_url
from runtime.socket_server import CHANGE, KEY, NEW, client_of, wire
from secrecy.echoes import raw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.socket_server import Seen

LOOPBACK = [
    "http://127.0.0.1", "http://127.0.0.1:8080", "http://127.8.9.10", "http://localhost", "http://localhost:8080/v1/",
    "HTTP://LOCALHOST", "http://[::1]", "http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]", "http://[::ffff:127.0.0.1]",
]  # fmt: skip
# With most resolvers, some of these are this machine as well. Each of those has a form that is accepted.
ELSEWHERE = [
    "http://api.pyas.io", "http://10.0.0.1", "http://192.168.1.1", "http://169.254.169.254", "http://0.0.0.0",
    "http://[::]", "http://[::ffff:10.0.0.1]", "http://[fe80::1%25eth0]", "http://[::1%25eth0]", "http://127.1",
    "http://0x7f000001", "http://0x7f.0.0.1", "http://2130706433", "http://017700000001", "http://127.0.0.1.",
    "http://localhost.", "http://service.localhost", "http://localhost.example", "http://localhost.localdomain",
    "http://127.0.0.1.example", "http://127.0.0.1%2eexample", "http://127.0.0.1%00.example", "http://xn--localhost",
    "http://127.0.0.1@service.example", "http://localhost:80@service.example", "http://localhost%40service.example",
    "http://service.example\\@127.0.0.1", "http://service.example\\.localhost", "http://service.example;.localhost",
    "http://service.example%2f.localhost", "http://service.example#@127.0.0.1", "http://service.example?@127.0.0.1",
    "http://127.0.0.1#@service.example", "http://127.0.0.1 .example", "http://127.0.0.1\t.example",
    "http://127.0.0.1\n.example", "http://\uff11\uff12\uff17.0.0.1", "http://127\u30020\u30020\u30021",
    "http://\uff4cocalhost", "http://\u246027.0.0.1",
    "http://[::1].example", "http://[::1]example", "http://[127.0.0.1]", "http://::1", "http:///127.0.0.1",
    "http:127.0.0.1", "http://", "http://:80", "hTTp://api.pyas.io", "ftp://127.0.0.1", "//127.0.0.1", "127.0.0.1",
]  # fmt: skip


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine without a resolver's decision."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


@pytest.mark.parametrize("url", LOOPBACK)
def test_plain_http_to_this_machine(url: str) -> None:
    """Plain http to this machine is accepted, and httpx reads the address in the same way."""
    assert is_loopback(httpx.URL(base_url(url)).host)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_plain_http_elsewhere(url: str) -> None:
    """Plain http to any other host, in any notation, is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="base_url"):
        PyasClient(KEY, base_url=url)


NETWORK = [
    "http://sandbox:8080",
    "http://sandbox",
    "http://10.0.0.1:8080/v1",
    "http://[fd00::1]:8080",
    "HTTP://SANDBOX",
]


@pytest.mark.parametrize("url", NETWORK)
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_insecure_http(url: str, way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Plain http to another host needs the explicit permission, which the error names, and then logs a warning."""
    monkeypatch.setenv("PYAS_BASE_URL", url)
    with pytest.raises(ConfigurationError, match=r"insecure_http=True \(PYAS_INSECURE_HTTP=1\) for a sandbox"):
        PyasClient(KEY)
    assert [] == caplog.messages
    if way == "environment":
        monkeypatch.setenv("PYAS_INSECURE_HTTP", "1")
        PyasClient(KEY)
    else:
        PyasClient(KEY, insecure_http=True)
    assert ["WARNING"] == [record.levelname for record in caplog.records]
    assert f"on the way to {httpx.URL(url).host} can read the API key" in caplog.text


@pytest.mark.parametrize("url", ["https://api.pyas.io", "http://127.0.0.1:8080"])
def test_insecure_http_without_need(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where it is not needed, the permission changes and says nothing."""
    PyasClient(KEY, base_url=url, insecure_http=True)
    assert [] == caplog.messages


@pytest.mark.parametrize("value", ["", " ", "true", "yes", "2", "01", "off"])
@pytest.mark.parametrize("given", [True, False])
def test_unclear_permissions(value: str, given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value of the variable that is neither 1 nor 0 is refused, whatever the address."""
    monkeypatch.setenv("PYAS_INSECURE_HTTP", value)
    with pytest.raises(ConfigurationError, match="PYAS_INSECURE_HTTP"):
        PyasClient(KEY, insecure_http=given)


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 means no, and anything else than a bool is no permission."""
    monkeypatch.setenv("PYAS_INSECURE_HTTP", "0")
    with pytest.raises(ConfigurationError, match="base_url: plain http"):
        PyasClient(KEY, base_url="http://sandbox")
    for value in (None, 1, "1", "yes"):
        with pytest.raises(ConfigurationError, match="insecure_http: expected True or False"):
            PyasClient(KEY, insecure_http=value)  # type: ignore[arg-type]


MISREAD = [
    url for url in ELSEWHERE if "@" in url or "\\" in url or "#" in url or "?" in url or " " in url or "%" in url
]


@pytest.mark.parametrize("url", MISREAD)
def test_permission_for_no_other_notation(url: str) -> None:
    """The permission is for plain http alone: what programs read in different ways stays refused."""
    with pytest.raises(ConfigurationError, match="base_url"):
        PyasClient(KEY, base_url=url, insecure_http=True)


@pytest.mark.anyio
@pytest.mark.parametrize("passed", [True, False], ids=["passed client", "own client"])
async def test_insecure_http_goes_directly(passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is reached in plain http is reached without a proxy, by our own client and by one that was passed."""
    resolved = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  (the arguments of `getaddrinfo`)
        known = "127.0.0.1" if host in ("sandbox", b"sandbox") else host
        return resolved(known, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with wire() as proxy, wire() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        address = server.url.replace("127.0.0.1", "sandbox")
        async with httpx.AsyncClient(trust_env=False) as http:
            given: dict[str, Any] = {"http_client": http} if passed else {}
            async with PyasClient(KEY, account_id="acc", base_url=address, insecure_http=True, **given) as client:
                await client.meetings.get(81)
        assert (0, 1) == (proxy.connections, len(server.requests))


pieces = st.sampled_from(
    [
        *(
            "http",
            "HTTP",
            "https",
            ":",
            "//",
            "/",
            "\\",
            "@",
            "?",
            "#",
            ";",
            "%",
            "%2e",
            "%40",
            ".",
            "..",
            "[",
            "]",
            "::1",
        ),
        *(
            "127.0.0.1",
            "localhost",
            "LOCALHOST",
            "evil.example",
            "\u217c",
            "\u3002",
            "80",
            "0",
            " ",
            "\t",
            "\0",
            "user",
            "é",
            "-",
            "_",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(pieces, max_size=8).map("".join)
    | st.lists(pieces, max_size=6).map(lambda parts: "http://" + "".join(parts))
)
@example("http://localhost\\")
@example("https://[::1]evil.example")
def test_no_two_readings(url: str) -> None:
    """An accepted address is read by httpx as the check read it: plain http leads to this machine only."""
    try:
        taken = base_url(url)
    except ConfigurationError:
        return
    try:
        read = httpx.URL(f"{taken}/zoom/meetings")
    except httpx.InvalidURL:
        return  # not a valid host name: nothing can be sent there
    assert "https" == read.scheme or is_loopback(read.host)
    assert b"" == read.userinfo
    assert read.path.endswith("/zoom/meetings")


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
async def test_no_proxy_for_plain_http(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy from the environment is not used for plain http, where it would see the key, in any spelling of it."""
    with wire() as proxy, wire() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with client_of(server.url.replace("http", scheme)) as client:
            await client.meetings.get(81)
        assert (0, 1) == (proxy.connections, len(server.requests))


def _httpx2(**options: Any) -> Any:  # noqa: ANN401
    return pytest.importorskip("httpx2").AsyncClient(**options)


SENDERS: dict[str, Callable[..., Any]] = {"own": lambda **_: None, "httpx": httpx.AsyncClient, "httpx2": _httpx2}


@pytest.mark.anyio
@pytest.mark.parametrize("make", SENDERS.values(), ids=SENDERS)
async def test_no_redirect(make: Callable[..., Any]) -> None:
    """A redirect is an error wherever it leads, also if the injected client is set to follow redirects."""
    with wire() as other:
        port = other.port
        places = [
            f"http://127.0.0.1:{port}/x",
            f"//127.0.0.1:{port}/x",
            f"http://localhost:{port}",
            "/zoom/oauth",
            "?a=b",
            "\\",
        ]
        statuses = [
            "301 Moved",
            "302 Found",
            "303 See Other",
            "307 Temporary Redirect",
            "308 Permanent Redirect",
            "300 x",
        ]
        answers = [raw("", status=status, Location=place) for status in statuses for place in places]
        turn = iter(answers)

        def answer(seen: Seen) -> bytes:
            return next(turn)

        with wire(answer) as server:
            http = make(follow_redirects=True)
            async with client_of(server.url, http_client=http) as client:
                calls: list[Callable[[], Awaitable[object]]] = [
                    lambda: client.meetings.get(81),
                    client.meetings.list,
                    lambda: client.meetings.create(NEW),
                    lambda: client.meetings.update(81, CHANGE),
                ]
                errors = []
                for number in range(len(answers)):
                    with pytest.raises(APIStatusError) as caught:
                        await calls[number % len(calls)]()
                    errors.append(caught.value)
            if http is not None:
                await http.aclose()
            assert len(answers) == len(server.requests)
        assert {300, 301, 302, 303, 307, 308} == {error.status for error in errors}
        assert {None, "rejected"} <= {error.write_state for error in errors}
        assert 0 == other.connections


@pytest.mark.anyio
@pytest.mark.parametrize("make", list(SENDERS.values())[1:], ids=list(SENDERS)[1:])
async def test_own_origin(make: Callable[..., Any]) -> None:
    """The key is sent once, to the configured address, whatever base URL, headers and parameters the client has."""
    with wire() as other, wire() as server:

        async def unmoved(passing: Any) -> None:  # noqa: ANN401
            assert str(passing.url).startswith(server.url if passing.headers["x-api-key"] == KEY else other.url)

        http = make(
            base_url=f"{other.url}/v1/",
            headers={"x-api-key": "theirs", "X-Other": "theirs"},
            params={"accountId": "theirs"},
            follow_redirects=True,
            event_hooks={"request": [unmoved]},
        )
        async with http:
            client = client_of(server.url, http_client=http)
            await client.meetings.get(81)
            await client.meetings.create(NEW)
            await http.get("theirs")
        assert [[KEY], [KEY]] == [seen.headers.get_list("x-api-key") for seen in server.requests]
        assert ["theirs"] == [seen.headers["x-api-key"] for seen in other.requests]
        assert ["theirs", "theirs"] == [seen.headers["x-other"] for seen in server.requests]
