"""A tracer that replaces the class `httpx.AsyncClient`, or its constructor, sees our requests."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import wrapt

from clients import own_pool_only
from instrumentation.traffic import (
    BEFORE_CALLS,
    BEFORE_CLIENT,
    EXCHANGES,
    call_everything,
    exchange_of,
    instrumented,
    serving,
)
from runtime.socket_server import client_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from instrumentation.traffic import Exchange, Server

pytestmark = [pytest.mark.anyio, own_pool_only]

Seen = list["Exchange"]


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


def hooked(client: httpx.AsyncClient, seen: Seen) -> httpx.AsyncClient:
    """Add an event hook to a client, as a tracer of constructors does."""

    async def after(response: httpx.Response) -> None:
        seen.append(exchange_of(response.request, response))

    client.event_hooks["response"].append(after)
    return client


def with_its_own_send(original: type[httpx.AsyncClient], seen: Seen) -> object:
    """Return a subclass that overrides `send`."""

    class Traced(original):  # type: ignore[misc,valid-type]
        async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401
            response: httpx.Response = await super().send(request, **options)
            seen.append(exchange_of(request, response))
            return response

    return Traced


def with_a_wrapped_transport(original: type[httpx.AsyncClient], seen: Seen) -> object:
    """Return a subclass that wraps its transport, as those of AWS X-Ray and of OpenTelemetry before 0.50b0 do."""

    class Transport(httpx.AsyncBaseTransport):
        def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
            self.inner = inner

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await self.inner.handle_async_request(request)
            seen.append(exchange_of(request, response))
            return response

        async def aclose(self) -> None:
            await self.inner.aclose()

    class Traced(original):  # type: ignore[misc,valid-type]
        _transport: httpx.AsyncBaseTransport

        def __init__(self, *given: Any, **settings: Any) -> None:  # noqa: ANN401
            super().__init__(*given, **settings)
            self._transport = Transport(self._transport)

    return Traced


def function(original: type[httpx.AsyncClient], seen: Seen) -> object:
    """Return a function that makes clients and adds a hook to them."""

    def make(*given: Any, **settings: Any) -> httpx.AsyncClient:  # noqa: ANN401
        return hooked(original(*given, **settings), seen)

    return make


def proxy(original: type[httpx.AsyncClient], seen: Seen) -> object:
    """Return wrapt's proxy of the class, which adds a hook to the clients it makes."""

    def make(cls: Any, _instance: object, given: tuple[Any, ...], settings: dict[str, Any]) -> httpx.AsyncClient:  # noqa: ANN401
        return hooked(cls(*given, **settings), seen)

    return wrapt.FunctionWrapper(original, make)


REPLACEMENTS: Final = [with_its_own_send, with_a_wrapped_transport, function, proxy]


def class_replaced(replacement: Callable[[type[httpx.AsyncClient], Seen], object], seen: Seen) -> Callable[[], Any]:
    """Return a context manager that replaces `httpx.AsyncClient`."""

    @contextmanager
    def tool() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(httpx, "AsyncClient", replacement(httpx.AsyncClient, seen))
            yield

    return tool


@contextmanager
def constructor_wrapped(seen: Seen) -> Iterator[None]:
    """Wrap ``AsyncClient.__init__`` with a function that adds a hook."""

    def make(method: Callable[..., None], client: httpx.AsyncClient, given: Any, settings: Any) -> None:  # noqa: ANN401
        method(*given, **settings)
        hooked(client, seen)

    original = httpx.AsyncClient.__init__
    wrapt.wrap_function_wrapper(httpx.AsyncClient, "__init__", make)
    try:
        yield
    finally:
        httpx.AsyncClient.__init__ = original  # type: ignore[method-assign]


@pytest.mark.parametrize("moment", [BEFORE_CLIENT, BEFORE_CALLS])
@pytest.mark.parametrize("replacement", REPLACEMENTS)
async def test_class(service: Server, moment: str, replacement: Any) -> None:  # noqa: ANN401
    """What replaces the class before a client's first call sees each request of the client once."""
    seen: Seen = []
    async with instrumented(service, "own", moment, class_replaced(replacement, seen)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert EXCHANGES == Counter(seen)


@pytest.mark.parametrize("moment", [BEFORE_CLIENT, BEFORE_CALLS])
async def test_constructor(service: Server, moment: str) -> None:
    """What wraps the constructor before a client's first call sees each request of the client once."""
    seen: Seen = []
    async with instrumented(service, "own", moment, lambda: constructor_wrapped(seen)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert EXCHANGES == Counter(seen)


@pytest.mark.parametrize("replacement", REPLACEMENTS)
async def test_class_replaced_later(service: Server, replacement: Any) -> None:  # noqa: ANN401
    """A replacement of the class harms no client that is in use, and is in no client made after its removal."""
    seen: Seen = []
    async with client_of(service.url, way="own") as client:
        await client.meetings.get(1)
        with class_replaced(replacement, seen)():
            service.start_again()
            await call_everything(client)
            service.check_complete()
    counted = len(seen)
    async with client_of(service.url, way="own") as client:
        await client.meetings.get(2)
    assert counted == len(seen)


@pytest.mark.parametrize("replacement", REPLACEMENTS)
async def test_passed_client_of_another_class(service: Server, replacement: Any) -> None:  # noqa: ANN401
    """A client that was made before its class was replaced, or by the replacement, can be passed."""
    seen: Seen = []
    async with httpx.AsyncClient(verify=False, trust_env=False) as earlier:  # noqa: S501
        with class_replaced(replacement, seen)():
            service.start_again()
            await call_everything(client_of(service.url, http_client=earlier))
            service.check_complete()
            assert [] == seen
            service.start_again()
            async with httpx.AsyncClient(verify=False, trust_env=False) as later:  # noqa: S501
                await call_everything(client_of(service.url, http_client=later))
            service.check_complete()
            assert EXCHANGES == Counter(seen)
