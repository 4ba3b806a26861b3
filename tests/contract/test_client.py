"""The client: its settings, its views, its connections, and what it refuses."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import respx

from contract.tools import ACCOUNT, FOUND, HANG, KEY, Reply, Service, client_of, listing, rows_of
from pyas_async import (
    APIStatusError,
    AttemptEnded,
    AttemptStarted,
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    PyasClient,
    RateBudget,
    RateLimitSnapshot,
    ServerError,
    TransportError,
    WrongEventLoopError,
)
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyas_async import Event

pytestmark = pytest.mark.anyio


class Listener(ThreadingHTTPServer):
    """A server on a socket that counts the connections made to it."""

    daemon_threads = True
    connections = 0


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with a meeting."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Count a connection."""
        assert isinstance(self.server, Listener)
        self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps(FOUND.body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log lines."""


@contextmanager
def listener() -> Iterator[tuple[Listener, str]]:
    """Serve meetings on a socket."""
    with Listener(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def service() -> Service:
    """Answer everything with a meeting."""
    return Service(FOUND)


@pytest.mark.parametrize(
    ("argument", "variable", "sent"), [("arg", "env", "arg"), (None, "env", "env"), ("arg", None, "arg")]
)
async def test_settings(
    service: Service, monkeypatch: pytest.MonkeyPatch, argument: str | None, variable: str | None, sent: str
) -> None:
    """Key, account and address come from the argument, else from the environment."""
    if variable is not None:
        monkeypatch.setenv("PYAS_API_KEY", f"{variable}-key")
        monkeypatch.setenv("PYAS_ACCOUNT_ID", f"{variable}-account")
        monkeypatch.setenv("PYAS_BASE_URL", f"https://{variable}.example")
    key, account, url = (
        (None, None, None)
        if argument is None
        else (f"{argument}-key", f"{argument}-account", f"https://{argument}.example")
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
        await PyasClient(key, account_id=account, base_url=url, http_client=http).meetings.get(81)
    [request] = service.requests
    assert (f"{sent}-key", f"{sent}-account", f"{sent}.example") == (
        request.headers["x-api-key"], request.url.params["accountId"], request.url.host,
    )  # fmt: skip


@pytest.mark.parametrize("setting", ["api_key", "account_id", "base_url"])
@pytest.mark.parametrize("source", ["argument", "environment"])
def test_empty_settings(monkeypatch: pytest.MonkeyPatch, setting: str, source: str) -> None:
    """An empty setting is refused, and not replaced from the next source."""
    values: dict[str, Any] = {"api_key": KEY, "account_id": "acc", "base_url": "https://api.pyas.io"}
    for name, value in values.items():
        monkeypatch.setenv(f"PYAS_{name.upper()}", value)
    if source == "argument":
        values[setting] = ""
    else:
        monkeypatch.setenv(f"PYAS_{setting.upper()}", "")
        values[setting] = None
    with pytest.raises(ConfigurationError, match=setting if source == "argument" else f"(?i){setting}"):
        PyasClient(**values)


def test_no_key() -> None:
    """Without a key a client cannot be made, and the error says how to give one."""
    with pytest.raises(ConfigurationError, match="PYAS_API_KEY"):
        PyasClient()


async def test_key_from_a_function(service: Service) -> None:
    """A function that returns the key is called again, so that the key can change."""
    keys = iter(["first", "second"])

    async def key() -> str:
        await anyio.lowlevel.checkpoint()
        return next(keys)

    async with service.client(api_key=key) as client:
        await client.meetings.get(81)
        await client.meetings.get(81)
    assert ["first", "second"] == [request.headers["x-api-key"] for request in service.requests]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.pyas.io", "http://10.0.0.1", "http://localhost.evil.com", "http://127.0.0.1.evil.com",
        "http://localhost@evil.com", "http://0.0.0.0", "http://[2001:db8::1]", "HTTP://api.pyas.io", "ftp://localhost",
        "api.pyas.io", "https://", "//api.pyas.io",
    ],
)  # fmt: skip
def test_refused_addresses(url: str) -> None:
    """Plain http is refused except for this machine, and so is a text that is no address."""
    with pytest.raises(ConfigurationError):
        PyasClient(KEY, base_url=url)


@pytest.mark.parametrize(
    "url", ["http://localhost", "http://localhost:8000", "http://127.0.0.1:9", "http://[::1]:9", "https://example.com/"]
)
async def test_taken_addresses(service: Service, url: str) -> None:
    """Plain http is accepted for this machine, https for any."""
    async with service.client(base_url=url) as client:
        await client.meetings.get(81)
    assert httpx.URL(url).host == service.requests[0].url.host
    assert service.requests[0].url.path == "/zoom/meetings/81"


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": -1}, {"deadline": -1}, {"max_connections": 0}, {"page_token_ttl": -1}, {"page_token_ttl": "soon"},
        {"priority": "urgent"}, {"timeout": "soon"},
    ],
    ids=str,
)  # fmt: skip
def test_refused_settings(settings: dict[str, Any]) -> None:
    """Invalid settings are refused when the client is made."""
    with pytest.raises((ConfigurationError, InvalidArgumentError), match=next(iter(settings))):
        PyasClient(KEY, **settings)


async def test_views_share_the_pool() -> None:
    """Views use the connections of their client, and closing a view closes nothing."""
    with listener() as (server, url):
        async with client_of(url) as client:
            view = client.for_account("a")
            async with view, view.with_options(timeout=9) as deeper:
                await deeper.meetings.get(81)
                await deeper.aclose()
            await view.meetings.get(81)
            await client.for_account("b").with_options(headers={"x-trace": "t"}).meetings.get(81)
        assert 1 == server.connections


async def test_views_of_an_account(service: Service) -> None:
    """A view is bound to its account; its client is not, and a call may name another account."""
    async with service.client() as client:
        view = client.for_account("one")
        await view.meetings.get(81)
        await view.for_account("two").meetings.get(81)
        await view.with_options(retry=None).meetings.get(81)
        await view.meetings.get(81, account_id="three")
        await client.meetings.get(81)
    assert ["one", "two", "one", "three", ACCOUNT] == [r.url.params["accountId"] for r in service.requests]
    assert type(view) is type(client)


async def test_views_of_options() -> None:
    """A view has its own options, and its client keeps its own; None disables one, and those not given stay."""
    service = Service(Reply(500))
    async with service.client() as client:
        once = client.with_options(retry=None, headers={"x-trace": "t1"})
        for view, attempts, trace in (
            (once, 1, "t1"),
            (once.with_options(timeout=9), 1, "t1"),
            (once.with_options(headers=None), 1, None),
            (once.for_account("a"), 1, "t1"),
            (client, 4, None),
        ):
            service.requests.clear()
            with pytest.raises(ServerError):
                await view.meetings.get(81)
            assert [trace] * attempts == [request.headers.get("x-trace") for request in service.requests]


async def test_view_without_timeouts() -> None:
    """None disables timeout and deadline."""
    service = Service(HANG, FOUND)
    async with service.client(timeout=0.01, deadline=0.01) as client:
        with anyio.move_on_after(0.1) as scope:
            await client.with_options(timeout=None, deadline=None).meetings.get(81)
    assert scope.cancelled_caught
    assert 1 == len(service.requests)


@pytest.mark.parametrize("name", ["x-api-key", "X-Api-Key", "host", "Host"])
async def test_refused_headers(service: Service, name: str) -> None:
    """A view cannot change the key or the host."""
    async with service.client() as client:
        with pytest.raises((ConfigurationError, InvalidArgumentError), match=f"(?i){name}"):
            client.with_options(headers={name: "evil"})


async def test_injected_client(service: Service) -> None:
    """An injected client is used as it is, with its headers and hooks, and is not closed."""
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    transport = httpx.MockTransport(service.answer)
    http = httpx.AsyncClient(transport=transport, headers={"x-theirs": "kept"}, event_hooks={"request": [hook]})
    async with http:
        async with PyasClient(KEY, account_id="a", http_client=http) as client:
            await client.meetings.get(81)
        await client.aclose()
        assert not http.is_closed
        await http.get("https://example.com/")
    assert ["/zoom/meetings/81", "/"] == seen
    assert "kept" == service.requests[0].headers["x-theirs"]
    assert KEY not in str(service.requests[1].headers.raw)


async def test_injected_client_keeps_its_user_agent(service: Service) -> None:
    """The user agent of an injected client is kept."""
    transport = httpx.MockTransport(service.answer)
    async with (
        httpx.AsyncClient(transport=transport, headers={"user-agent": "theirs"}) as http,
        PyasClient(KEY, account_id="a", http_client=http) as client,
    ):
        await client.meetings.get(81)
    assert "theirs" == service.requests[0].headers["user-agent"]


async def test_redirects_are_not_followed() -> None:
    """The base URL and the redirects of an injected client do not send the key to another host."""
    elsewhere = Service(Reply(302, None, {"location": "https://evil.example/"}), FOUND)
    transport = httpx.MockTransport(elsewhere.answer)
    async with (
        httpx.AsyncClient(transport=transport, base_url="https://evil.example", follow_redirects=True) as http,
        PyasClient(KEY, account_id="a", http_client=http) as client,
    ):
        with pytest.raises(APIStatusError) as caught:
            await client.meetings.get(81)
    assert (302, ["api.pyas.io"]) == (caught.value.status, [request.url.host for request in elsewhere.requests])


@pytest.mark.parametrize("injected", [True, False])
async def test_use_after_close(service: Service, injected: bool) -> None:
    """A closed client refuses calls and listings, also those of its views; closing again does nothing."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
        client = PyasClient(KEY, account_id="a", http_client=http if injected else None)
        view = client.for_account("b")
        started = client.meetings.iter_all()
        await client.aclose()
        await client.aclose()
        for call in (
            client.meetings.get(81),
            view.meetings.list(),
            client.accounts.oauth_url(),
            started.collect(),
            view.with_options(retry=None).meetings.delete(81),
        ):
            with pytest.raises(ClientClosedError):
                await call
    assert [] == service.requests


async def test_close_under_a_call() -> None:
    """A call that is in flight when its client is closed fails, and does not hang."""
    service = Service(HANG)
    failed: list[BaseException] = []

    async def call(client: PyasClient) -> None:
        try:
            await client.meetings.get(81)
        except ClientClosedError as error:
            failed.append(error)

    with anyio.fail_after(1):
        async with service.client() as client, anyio.create_task_group() as tasks:
            tasks.start_soon(call, client)
            await rest()
            await client.aclose()
    assert 1 == len(failed)


async def test_works_without_async_with() -> None:
    """A client works without `async with`, and can be closed."""
    with listener() as (server, url):
        client = client_of(url, account_id="a")
        assert 81 == (await client.meetings.get(81)).id
        await client.aclose()
    assert 1 == server.connections


def test_second_event_loop(anyio_backend: str, service: Service) -> None:
    """A client that was used on one event loop is refused on another."""
    client = PyasClient(
        KEY, account_id="a", http_client=httpx.AsyncClient(transport=httpx.MockTransport(service.answer))
    )

    async def call() -> None:
        await client.meetings.get(81)

    anyio.run(call, backend=anyio_backend)
    for backend in ("asyncio", "trio"):
        with pytest.raises(WrongEventLoopError):
            anyio.run(call, backend=backend)
    assert 1 == len(service.requests)


async def test_on_event(service: Service) -> None:
    """Each attempt has an event when it starts and one when it ends."""
    events: list[Event] = []
    async with service.client(on_event=events.append) as client:
        await client.meetings.get(81)
    started, ended = (event for event in events if isinstance(event, (AttemptStarted, AttemptEnded)))
    assert AttemptStarted(call=1, operation="meetings.get", attempt=1) == started
    assert isinstance(ended, AttemptEnded)
    assert ("meetings.get", 1, 200) == (ended.operation, ended.attempt, ended.status)


async def test_on_event_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of `on_event` is logged, and never raised to the caller."""

    def burst(event: Event) -> None:
        message = "the hook is broken"
        raise ValueError(message)

    service = Service(Reply(500), listing(rows_of(1)))
    async with service.client(on_event=burst) as client:
        assert 1 == len(await client.meetings.iter_all().collect())
    assert "the hook is broken" in caplog.text


async def test_rate_limit_is_shared(service: Service) -> None:
    """Views show the budget of their client."""
    budget = RateBudget.developer()
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
        client = PyasClient(KEY, account_id="a", http_client=http, budget=budget)
        view = client.for_account("b").with_options(retry=None)
        await view.meetings.get(81)
        assert isinstance(client.rate_limit, RateLimitSnapshot)
        assert (100, 0) == (client.rate_limit.limit, client.rate_limit.waiting)
        assert client.rate_limit.remaining == view.rate_limit.remaining
        assert (client.rate_limit.remaining or 100) < 100


@respx.mock(base_url="https://api.pyas.io")
async def test_respx(respx_mock: respx.MockRouter) -> None:
    """The mocks of respx replace the service for a client with its own connections."""
    route = respx_mock.get("/zoom/meetings/81", params={"accountId": "a"}, headers={"x-api-key": KEY})
    route.respond(json=FOUND.body)
    async with PyasClient(KEY, account_id="a") as client:
        assert 81 == (await client.meetings.get(81)).id
    assert 1 == route.call_count


async def test_no_service() -> None:
    """A call to an address without a server is a transport error that says so."""
    with listener() as (_, url):
        pass
    async with client_of(url, account_id="a") as client:
        with pytest.raises(TransportError) as caught:
            await client.meetings.get(81)
    assert KEY not in str(caught.value)


def test_nothing_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a client sends nothing and opens nothing."""

    def refuse(*_: object, **__: object) -> Callable[[], None]:
        pytest.fail("a socket was made")

    monkeypatch.setattr("socket.socket", refuse)
    PyasClient(KEY).for_account("a").with_options(retry=None)
