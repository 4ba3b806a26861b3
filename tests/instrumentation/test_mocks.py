"""respx, pytest-httpx and httpx's own mock transport answer each request once, in place of the service."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
import respx

from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    BEFORE_CALLS,
    BEFORE_CLIENT,
    EXCHANGES,
    LIBRARIES,
    MOMENTS,
    Exchange,
    Service,
    call_everything,
    exchange_of,
    instrumented,
    serving,
)
from runtime.socket_server import client_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_httpx import HTTPXMock

    from instrumentation.traffic import Server

pytestmark = [pytest.mark.anyio, own_pool_only]

NOWHERE: Final = "http://127.0.0.1:9"
"""An address at which nothing is served."""
LEVELS: Final = ("httpx", "httpcore")
"""What respx replaces: a method of httpx's client, or methods of httpcore's pools and connections."""


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


def seen_by(router: respx.Router) -> Counter[Exchange]:
    """Return the exchanges that a router of respx has recorded."""
    return Counter(exchange_of(call.request, call.response) for call in router.calls)


@pytest.mark.parametrize("using", LEVELS)
@pytest.mark.parametrize(
    ("way", "moment"), [("own", moment) for moment in MOMENTS] + [("httpx", BEFORE_CLIENT), ("httpx", AFTER_CALLS)]
)
async def test_respx_as_context_manager(service: Server, way: str, moment: str, using: str) -> None:
    """A router of respx sees each request with its body, whenever it is started, and none after it is stopped."""
    fake, router = Service(), respx.mock(using=using, base_url=service.url)
    router.route().mock(side_effect=fake.in_process)
    async with instrumented(service, way, moment, lambda: router) as (client, _):
        await call_everything(client)
        fake.check_complete()
        assert EXCHANGES == seen_by(router)
        assert [] == service.exchanges
    assert EXCHANGES == Counter(fake.exchanges)


@pytest.mark.parametrize("using", LEVELS)
@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_respx_as_decorator(way: str, using: str) -> None:
    """A function that respx decorates needs no service for its calls."""
    fake = Service()

    @respx.mock(using=using, base_url=NOWHERE)
    async def decorated(respx_mock: respx.MockRouter) -> None:
        respx_mock.route().mock(side_effect=fake.in_process)
        async with client_of(NOWHERE, way=way) as client:
            await call_everything(client)
        assert EXCHANGES == seen_by(respx_mock)

    await decorated()
    fake.check_complete()


@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_respx_as_fixture(way: str, respx_mock: respx.MockRouter) -> None:
    """The fixture of respx answers."""
    await check_fixture(way, respx_mock)


@pytest.mark.respx(using="httpx", base_url=NOWHERE)
@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_respx_as_fixture_above_transports(way: str, respx_mock: respx.MockRouter) -> None:
    """The fixture of respx answers when it replaces the choice of the transport."""
    await check_fixture(way, respx_mock)


async def check_fixture(way: str, router: respx.MockRouter) -> None:
    """Check that a router which was started before the test sees each request."""
    fake = Service()
    router.route().mock(side_effect=fake.in_process)
    async with client_of(NOWHERE, way=way) as client:
        await call_everything(client)
    fake.check_complete()
    assert EXCHANGES == seen_by(router)


@pytest.mark.parametrize("using", LEVELS)
@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_respx_passes_on(service: Server, way: str, using: str) -> None:
    """What respx lets through reaches the service once, with its body; what it answers does not."""
    router = respx.mock(using=using, base_url=service.url, assert_all_called=False)
    answered = router.delete(path="/zoom/meetings/81").respond(json={"success": True})
    router.route().pass_through()
    async with instrumented(service, way, BEFORE_CALLS, lambda: router) as (client, _):
        await call_everything(client)
        assert EXCHANGES == Counter([*service.exchanges, deletion()])
        assert Counter([b"}"] * 3) == Counter(body[-1:] for body in service.bodies if body)
        assert 1 == answered.call_count


def deletion() -> Exchange:
    """Return the one exchange with the method DELETE."""
    [found] = [exchange for exchange in EXCHANGES if exchange.method == "DELETE"]
    return found


@pytest.mark.parametrize(
    ("way", "moment"), [("own", BEFORE_CLIENT), ("own", BEFORE_CALLS), ("own", AFTER_CALLS), ("httpx", AFTER_CALLS)]
)
async def test_pytest_httpx(service: Server, way: str, moment: str, request: pytest.FixtureRequest) -> None:
    """The fixture of pytest-httpx sees each request with its body, also in a client that was used before."""
    fake = Service()

    def start() -> HTTPXMock:
        mock: HTTPXMock = request.getfixturevalue("httpx_mock")
        mock.add_callback(fake.in_process, is_reusable=True)
        return mock

    mock = start() if moment == BEFORE_CLIENT else None
    async with client_of(service.url, way=way) as client:
        if moment == AFTER_CALLS:
            await client.meetings.get(7)
        mock = mock or start()
        service.start_again()
        await call_everything(client)
    assert [] == service.exchanges
    fake.check_complete()
    assert without_status(EXCHANGES.elements()) == Counter(
        (one.method, one.url.raw_path.decode()) for one in mock.get_requests()
    )


@pytest.mark.httpx_mock(should_mock=lambda request: request.method == "DELETE")
@pytest.mark.parametrize("way", ["own", "httpx"])
async def test_pytest_httpx_passes_on(service: Server, way: str, httpx_mock: HTTPXMock) -> None:
    """What pytest-httpx lets through reaches the service once, with its body; what it answers does not."""
    httpx_mock.add_response(json={"success": True})
    service.start_again()
    async with client_of(service.url, way=way) as client:
        await call_everything(client)
    assert EXCHANGES == Counter([*service.exchanges, deletion()])
    assert Counter([b"}"] * 3) == Counter(body[-1:] for body in service.bodies if body)
    assert 1 == len(httpx_mock.get_requests())


def without_status(exchanges: Iterable[Exchange]) -> Counter[tuple[str, str]]:
    """Count requests without the status of their responses."""
    return Counter((exchange.method, exchange.target) for exchange in exchanges)


@pytest.mark.parametrize("form", ["function", "coroutine function", "mounted"])
@pytest.mark.parametrize("way", ["httpx", "httpx2"])
async def test_mock_transport(way: str, form: str) -> None:
    """A mock transport of a passed client sees each request with its body."""
    library, fake = LIBRARIES[way], Service()

    async def answer(request: Any) -> Any:  # noqa: ANN401  (of httpx or httpx2)
        return fake.in_process(request)

    transport = library.MockTransport(answer if form == "coroutine function" else fake.in_process)
    settings = {"transport": transport}
    if form == "mounted":
        unused = library.MockTransport(lambda request: library.Response(404))
        settings = {"transport": unused, "mounts": {"all://127.0.0.1": transport}}
    async with library.AsyncClient(**settings) as http, client_of(NOWHERE, http_client=http) as client:
        await call_everything(client)
    fake.check_complete()
