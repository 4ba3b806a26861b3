"""Invalid settings are refused at once, with a message that names the setting and shows no secret."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import inside
from clients import own_pool_only
from pyas_async import ConfigurationError, InvalidArgumentError, PyasClient, RetryPolicy
from pyas_async._runtime.secrets.api_key import ApiKey
from runtime.socket_server import KEY, MEETING, client_of, document, through, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.socket_server import Seen


class OwnBudget:
    """An object that looks like a budget, and is not one."""


async def deaf(event: object) -> None:
    """Handle an event in a coroutine, which `on_event` does not await."""


NO_NUMBERS: list[Any] = [0, -1, 0.0, -0.5, math.nan, math.inf, -math.inf, True, "30", [30], b"1"]
PHASES: list[httpx.Timeout] = [
    httpx.Timeout(5, connect=0),
    httpx.Timeout(5, connect=-1),
    httpx.Timeout(5, read=math.nan),
    httpx.Timeout(5, write=math.inf),
    httpx.Timeout(5, pool=-0.1),
]
REFUSED: list[tuple[str, Any]] = [
    *(("timeout", value) for value in NO_NUMBERS),
    *(("timeout", value) for value in PHASES),
    ("timeout", object()),
    *(("deadline", value) for value in NO_NUMBERS),
    *(("page_token_ttl", value) for value in [*NO_NUMBERS, None]),
    *(("max_connections", value) for value in (0, -1, 1.5, True, "10", None)),
    *(("priority", value) for value in ("urgent", "", None, 1)),
    *(("retry", value) for value in (3, "often", RetryPolicy, True)),
    *(("budget", value) for value in (100, OwnBudget(), "developer")),
    *(("http_client", value) for value in (httpx.Client(), object(), 3)),
    *(("on_event", value) for value in (deaf, "print", 3)),
    *(("date_format", value) for value in ("", " ", 7, "%d-%m", "%m-%Y", "%d %Y", "%d/%m/%H", "today", "%Y-%m-%d\n")),
    *(("date_format", value) for value in ("%d-%m-%Y" * 20, "%d-%m-%Y\0", "%d-%m-%Y\ud800", "%")),
    *(("account_id", value) for value in ("", " ", 7, b"acc")),
    *(("api_key", value) for value in ("", " ", 7, b"key", "two words", "line\n", "kéy", "tab\t")),
]


def shown(value: object) -> str:
    """Return a name of a value that is the same in each process."""
    return re.sub(r" at 0x\w+", "", repr(value))[:40]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=shown)
def test_refused_by_the_client(name: str, value: object) -> None:
    """The client refuses an invalid setting at once, by its name."""
    settings: dict[str, Any] = {"api_key": KEY, name: value}
    with pytest.raises(ConfigurationError, match=name) as caught:
        PyasClient(**settings)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [pair for pair in REFUSED if pair[0] in ("timeout", "deadline", "priority", "retry") and pair != ("retry", None)],
    ids=shown,
)
def test_refused_by_a_view(name: str, value: object) -> None:
    """A view refuses the same settings."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(ConfigurationError, match=name):
        PyasClient(KEY).with_options(**options)


@pytest.mark.parametrize("phase", ["connect", "read", "write", "pool"])
def test_phase(phase: str) -> None:
    """An invalid phase of a timeout is named."""
    bounds: dict[str, Any] = {phase: -1.0}
    with pytest.raises(ConfigurationError, match=rf"timeout\.{phase}"):
        PyasClient(KEY, timeout=httpx.Timeout(5.0, **bounds))


@pytest.mark.parametrize(
    "timeout", [5, 0.5, None, httpx.Timeout(5.0), httpx.Timeout(None), httpx.Timeout(5, pool=None)]
)
def test_timeouts_taken(timeout: Any) -> None:  # noqa: ANN401
    """Seconds, an httpx.Timeout and None are accepted, phase by phase."""
    limits = inside.options(PyasClient(KEY).with_options(timeout=timeout))
    phases = timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout)
    assert (None in phases.as_dict().values()) == (limits.limits.timeout is None)
    if not isinstance(timeout, httpx.Timeout):
        phases = httpx.Timeout(None)  # the bound of the attempt is enough
    assert (phases.read, phases.write) == (limits.phases.read, limits.phases.write)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.pyas.io:0", "https://api.pyas.io:65536", "https://api.pyas.io:99999", "https://api.pyas.io:http",
        "https://api.pyas.io:-1", "https://api.pyas.io?a=b", "https://api.pyas.io#a", "https://api.pyas.io/v1?a",
        "https://user@api.pyas.io", "https://user:hunter2@api.pyas.io", "https://:hunter2@api.pyas.io",
        "https://hunter2:@api.pyas.io", "https://[::1", "https://a b.example", "https://api.pyas.io\n",
        "https://api.pyas.io/a b", " https://api.pyas.io", "https://api.pyas.io/\x00", "https://[hunter2]/",
        "http://user:hunter2@localhost", "https://", "wss://api.pyas.io", "\\\\api.pyas.io", "https:api.pyas.io",
    ],
)  # fmt: skip
def test_refused_addresses(url: str) -> None:
    """An invalid address, or one with a password, is refused when the client is made, and the password is not shown."""
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        PyasClient(KEY, base_url=url)
    assert "hunter2" not in f"{caught.value!r}"


UNUSABLE = {
    "IPv4 out of range": "https://256.1.1.1",
    "IPv4 with leading zero": "https://01.2.3.4",
    "IPv6 with a zone": "https://[fe80::1%25eth0]",
    "IPv6 with a bare zone": "https://[fe80::1%eth0]",
    "IPv6 too short": "https://[1:2]",
    "full-width letters": "https://\uff41\uff50\uff49.pyas.io",
    "full-width digits": "https://\uff11\uff12\uff17.0.0.1",
    "other digits": "https://\u0663.example",
    "other digits in the port": "https://api.pyas.io:\u0664\u0664\u0663",
    "IDNA with hyphens": "https://ab--\xe9.example",
    "IDNA with a leading hyphen": "https://-\xe9.example",
    "IDNA with an empty label": "https://\xe9..example",
    "IDNA with a long label": "https://" + "\xe9" * 60 + ".example",
    "no letters in IDNA": "https://\u2603.example",
    "punycode of no letter": "https://xn--a",
    "punycode of nothing": "https://xn--",
    "an empty label": "https://a..b",
    "an empty first label": "https://.a",
    "two dots at the end": "https://api.pyas.io..",
    "a label of 64 characters": f"https://{'a' * 64}.example",
    "a host of 254 characters": f"https://{'.'.join(['a' * 50] * 5)}",
    "a path of 100 kB": f"https://api.pyas.io/{'a' * 100_000}",
    "a path of 2 kB": f"https://api.pyas.io/{'a' * 2_000}",
    "a lone surrogate in the host": "https://\ud800.example",
    "a lone surrogate in the path": "https://api.pyas.io/\udcff",
}


@pytest.mark.parametrize("given", [True, False], ids=["argument", "environment"])
@pytest.mark.parametrize("url", UNUSABLE.values(), ids=UNUSABLE)
def test_addresses_that_cannot_be_used(url: str, given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that httpx, or the resolver below it, cannot use is refused when the client is made, not by a call."""
    if not given:
        # A mapping of its own, since the locale of this process may not have all of these characters.
        monkeypatch.setattr(os, "environ", {**os.environ, "PYAS_BASE_URL": url})
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        PyasClient(KEY, base_url=url if given else None)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "url",
    [
        "https://api.pyas.io", "https://API.pyas.io:443/", "https://api.pyas.io.", "https://a_b.example/v1",
        "https://b\xfccher.example/\xfc", "https://xn--bcher-kva.example", "https://\xdf.example", "https://[::1]:8080",
        "https://1.2.3.4", f"https://{'a' * 63}.example", f"https://api.pyas.io/{'a' * 1_900}", "http://localhost:0443",
    ],
)  # fmt: skip
def test_accepted_addresses(url: str) -> None:
    """Addresses that can be used are accepted, international names as well."""
    PyasClient(KEY, base_url=url)


@pytest.mark.parametrize("account_id", ["a" * 12_001, "\xe9" * 4_000, "\ud800"], ids=["long", "long encoded", "lone"])
def test_account_that_cannot_be_sent(account_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that no URL can carry is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="account_id"):
        PyasClient(KEY, account_id=account_id)
    with pytest.raises(InvalidArgumentError, match="account_id"):
        PyasClient(KEY).for_account(account_id)
    monkeypatch.setattr(os, "environ", {**os.environ, "PYAS_ACCOUNT_ID": account_id})
    with pytest.raises(ConfigurationError, match="account_id"):
        PyasClient(KEY)


@pytest.mark.parametrize(
    "headers",
    [
        {"": "v"}, {"a b": "v"}, {"a:b": "v"}, {"a\r\nb": "v"}, {"é": "v"}, {"a.b": "v"}, {1: "v"}, {b"x-a": "v"},
        {"x-a": " v"}, {"x-a": "v "}, {"x-a": "v\t"}, {"x-a": "a\r\nb: c"}, {"x-a": "a\0"}, {"x-a": "é"}, {"x-a": 1},
        {"x-a": None}, {"x-a": b"v"}, {"X-API-Key": "v"}, {"HOST": "v"}, {"Content-Length": "1"},
        {"content-type": "text/plain"}, {"Transfer-Encoding": "chunked"}, {"connection": "close"},
        {"Content-Encoding": "gzip"}, {"Expect": "100-continue"}, {"Upgrade": "h2c"}, {"TE": "trailers"},
        {"Trailer": "x-a"}, {"Keep-Alive": "timeout=5"}, {"Proxy-Authorization": "v"}, {"Proxy-Connection": "close"},
        {"HTTP2-Settings": "v"}, {"Content-Range": "bytes 0-1/2"}, {"content_md5": "v"},
        {"Content-Transfer-Encoding": "base64"},
        {"X-HTTP-Method-Override": "DELETE"}, {"X-HTTP-Method": "DELETE"}, {"X-Method-Override": "DELETE"},
        {"X-Original-URL": "/admin"}, {"X-Rewrite-URL": "/admin"},
        {"X_API_KEY": "v"}, {"x_api-key": "v"}, {"Content_Length": "1"},
        {"transfer_encoding": "chunked"}, {"proxy_authorization": "v"}, {"x_http_method_override": "DELETE"},
    ],
    ids=repr,
)  # fmt: skip
def test_refused_headers(headers: Mapping[Any, Any]) -> None:
    """Headers that would break the request, or replace ours, are refused."""
    with pytest.raises(ConfigurationError, match="headers"):
        PyasClient(KEY).with_options(headers=headers)


def test_refused_header_says_why() -> None:
    """The error names the header as it was written, and why it is refused."""
    with pytest.raises(ConfigurationError) as caught:
        PyasClient(KEY).with_options(headers={"X_Api_Key": "hunter2"})
    assert "headers: 'X_Api_Key' cannot be set" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("headers", ["x-a: v", [("x-a", "v")], 3], ids=repr)
def test_headers_that_are_no_mapping(headers: Any) -> None:  # noqa: ANN401
    """Headers that are not a mapping of names to values are refused by name."""
    with pytest.raises(ConfigurationError, match="headers"):
        PyasClient(KEY).with_options(headers=headers)


def test_secret_header_is_not_shown() -> None:
    """A header's value may be a secret: it is in no message and no repr."""
    with pytest.raises(ConfigurationError) as caught:
        PyasClient(KEY).with_options(headers={"x-gateway": "hunter2 "})
    view = PyasClient(KEY).with_options(headers={"x-gateway": "hunter2"})
    assert "hunter2" not in f"{caught.value!r} {view!r} {inside.options(view)!r}"


@pytest.mark.parametrize("name", ["base", "cap"])
@pytest.mark.parametrize("value", [-1, -0.1, math.nan, math.inf, True, "1", None], ids=repr)
def test_pauses_of_a_policy(name: str, value: Any) -> None:  # noqa: ANN401
    """An invalid pause is refused by its name."""
    with pytest.raises(ConfigurationError, match=rf"RetryPolicy\.{name}"):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None], ids=repr)
def test_attempts_of_a_policy(value: Any) -> None:  # noqa: ANN401
    """An invalid number of attempts is refused by its name."""
    with pytest.raises(ConfigurationError, match=r"RetryPolicy\.max_attempts"):
        RetryPolicy(max_attempts=value)


@pytest.mark.parametrize("value", ["secret key", "secret\n", "secré", " secret"])
def test_key_is_not_echoed(value: str) -> None:
    """An invalid key is refused without showing it."""
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        PyasClient(value)
    assert "secr" not in f"{caught.value} {caught.value!r}"


def test_key_shows_nothing() -> None:
    """A key has no repr, str or pickle that shows it."""
    key = ApiKey(KEY)
    assert KEY not in f"{key} {key!r}"
    with pytest.raises(TypeError, match="pickled") as caught:
        key.__reduce__()
    assert KEY not in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["", "two words", None, 7])
async def test_fetched_key_is_checked(value: Any) -> None:  # noqa: ANN401
    """The result of a key function is checked like any key, before anything is sent."""

    async def key() -> Any:  # noqa: ANN401
        return value

    async with through(lambda request: pytest.fail("sent"), api_key=key) as client:
        with pytest.raises(ConfigurationError, match="api_key"):
            await client.meetings.get(81)


@pytest.mark.anyio
@own_pool_only
async def test_cookies_are_not_kept() -> None:
    """Cookies of the service, or of a proxy in front of it, are not sent back: all accounts share one client."""

    def answer(seen: Seen) -> bytes:
        return document(MEETING, Set_Cookie="session=abc; Path=/")

    with wire(answer) as server:
        async with client_of(server.url) as client:
            await client.meetings.get(81)
            await client.meetings.get(81, account_id="other")
        assert [None, None] == [seen.headers.get("cookie") for seen in server.requests]
