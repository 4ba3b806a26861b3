"""An injected client, httpx's or httpx2's, keeps its own behaviour, and does not disturb ours."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import httpx2
import pytest

import inside
from pyas_async import ConfigurationError, OutcomeUnknownError, PyasClient, TransportError
from runtime.calls import check_usable
from runtime.socket_server import CHANGE, KEY, MEETING, NEW, client_of, document, found, heard, until, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET", "DELETE"])
async def test_httpx2(method: str) -> None:
    """An injected `httpx2.AsyncClient` works, with bodies, and its lost responses are recognised."""
    with wire() as server:
        async with httpx2.AsyncClient() as http:
            client = client_of(server.url, http_client=http)
            calls: dict[str, Any] = {
                "POST": lambda: client.meetings.create(NEW),
                "PATCH": lambda: client.meetings.update(81, CHANGE),
                "GET": lambda: client.meetings.get(81),
                "DELETE": lambda: client.meetings.delete(81),
            }
            await calls[method]()
        [seen] = server.requests
    assert (method, method in ("POST", "PATCH")) == (seen.method, b"meetingData" in seen.body)


async def test_httpx2_lost() -> None:
    """Exceptions of `httpx2` are mapped: a create whose response is lost is sent once, an unsent one again."""
    with wire(lambda seen: None) as server:
        async with httpx2.AsyncClient() as http:
            with pytest.raises(OutcomeUnknownError):
                await client_of(server.url, http_client=http).meetings.create(NEW)
        assert 1 == len(server.requests)
    async with httpx2.AsyncClient() as http:
        with pytest.raises(TransportError) as caught:
            await client_of(server.url, http_client=http).meetings.create(NEW)
    assert "not_sent" == caught.value.write_state


async def test_parameters_of_the_injected_client() -> None:
    """An injected client's own parameters are added to ours, and replace none of ours."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": {"meetings": [], "next_page_token": ""}})

    params = {"tenant": "t 1", "accountId": "theirs"}
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), params=params) as http:
        client = client_of("http://localhost", http_client=http)
        await client.meetings.list(next_page_token="a+b/c==&d", max_results=5)
    expected = {"accountId": "acc", "maxResults": "5", "nextPageToken": "a+b/c==&d", "tenant": "t 1"}
    assert expected == dict(seen[0].url.params)


async def test_hooks_and_auth_of_the_injected_client() -> None:
    """An injected client keeps its hooks and its auth; its base URL sends our requests nowhere else."""
    seen: list[tuple[str, str, str]] = []

    async def before(request: httpx.Request) -> None:
        seen.append(("request", request.url.host, request.headers["authorization"].partition(" ")[0]))

    async def after(response: httpx.Response) -> None:
        seen.append(("response", response.url.host, str(response.status_code)))

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda request: httpx.Response(200, json=MEETING)),
        base_url="http://elsewhere.example/v1",
        auth=("user", "secret"),
        event_hooks={"request": [before], "response": [after]},
    ) as http:
        meeting = await client_of("http://localhost", http_client=http).meetings.create(NEW)
    assert (81, [("request", "localhost", "Basic"), ("response", "localhost", "200")]) == (meeting.id, seen)


def setting_cookies(seen: Seen) -> bytes:
    """Set a cookie for the account of a request."""
    return document(MEETING, Set_Cookie=f"session={seen.query.get('accountId', 'create')}; Path=/")


async def cookies_sent(make: Callable[[], Any], **headers: str) -> list[str | None]:
    """Make two calls for each of two accounts through a client; return the cookies of the requests.

    The second account's calls are made by another `PyasClient` with the same passed client. `headers` are those of
    `with_options`.
    """
    with wire(setting_cookies) as server:
        async with make() as http:
            for account in ("a", "b"):
                client = client_of(server.url, account_id=account, http_client=http)
                client = client.with_options(headers=headers) if headers else client
                await client.meetings.get(81)
                await client.meetings.create(NEW)
        return [seen.headers.get("cookie") for seen in server.requests]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_cookies_are_not_sent(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """No cookie goes from an account's response into a request: not into another account's, nor its own next one.

    Neither do cookies that the owner has put into the jar, which cannot be told from those of the service.
    """
    assert [None] * 4 == await cookies_sent(library.AsyncClient)
    assert [None] * 4 == await cookies_sent(partial(library.AsyncClient, cookies={"gateway": "g"}))


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_cookie_header(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """A header with a cookie is sent as it was set, the owner's or that of `with_options`, which goes first."""
    make = partial(library.AsyncClient, headers={"Cookie": "gateway=owner"}, cookies={"other": "jar"})
    assert ["gateway=owner"] * 4 == await cookies_sent(make)
    assert ["gateway=ours"] * 4 == await cookies_sent(make, cookie="gateway=ours")
    assert ["gateway=ours"] * 4 == await cookies_sent(library.AsyncClient, cookie="gateway=ours")


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_jar_of_the_owner(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """The owner's own requests send the cookies of the jar as before."""
    with wire(setting_cookies) as server:
        async with library.AsyncClient(cookies={"gateway": "g"}) as http:
            await client_of(server.url, http_client=http).meetings.get(81)
            await http.get(f"{server.url}/owner?accountId=acc")
        ours, owners = (seen.headers.get("cookie") for seen in server.requests)
    assert (None, {"gateway=g", "session=acc"}) == (ours, set(str(owners).split("; ")))


@pytest.mark.parametrize("way", ["httpx", "httpx2"])
async def test_no_request_waits_in_the_pool(way: str) -> None:
    """Clients with other keys on one injected client hold no more requests in its pool than it has connections for.

    In httpx's own queue, a cancelled call may make a connection unusable for good.
    """
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        async with client_of(server.url, way=way, max_connections=2) as first:
            second = client_of(server.url, api_key="another", http_client=inside.http_client(first))
            async with anyio.create_task_group() as tasks:
                for client in [first, second] * 3:
                    tasks.start_soon(heard(client).meetings.get, 81)
                await until(lambda: len(server.requests) == 2)
                await anyio.wait_all_tasks_blocked()
                assert [2] == [len(inside.requests_of(pool)) for pool in inside.pools(first)]
                with pytest.raises(TransportError, match="no connection was free") as caught:
                    impatient = second.with_options(retry=None, timeout=httpx.Timeout(5.0, pool=0.01))
                    await impatient.meetings.create(NEW)
                assert "not_sent" == caught.value.write_state
                released.set()
            await check_usable(first)
            await check_usable(second)
        assert 8 == len(server.requests)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_pool_without_a_limit(library: Any) -> None:  # noqa: ANN401  (two libraries with one interface)
    """A pool without a limit gets none."""
    with wire() as server:
        async with library.AsyncClient(limits=library.Limits(max_connections=None), trust_env=False) as http:
            client = client_of(server.url, http_client=http)
            assert inside.connection_limiter(client).try_acquire()
            assert 81 == (await client.meetings.get(81)).id


def test_types() -> None:
    """Type checkers accept clients and timeouts of both libraries, and no synchronous client."""
    with pytest.raises(ConfigurationError, match="http_client"):
        PyasClient(KEY, http_client=httpx.Client())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="timeout"):
        PyasClient(KEY, timeout="5")  # type: ignore[arg-type]
    first = PyasClient(KEY, http_client=httpx.AsyncClient(), timeout=httpx.Timeout(5.0))
    second = PyasClient(KEY, http_client=httpx2.AsyncClient(), timeout=httpx2.Timeout(5.0))
    assert inside.options(first) == inside.options(second)
