"""A function that wraps a method of httpx or httpcore sees each request once, from its installation to its removal."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
import wrapt

import inside
from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    BEFORE_CALLS,
    BEFORE_CLIENT,
    EXCHANGES,
    WAYS,
    call_everything,
    instrumented,
    serving,
)
from instrumentation.wrappers import METHODS, class_of, replaced, wrapped_by_wrapt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from instrumentation.traffic import Exchange, Server

pytestmark = [pytest.mark.anyio, own_pool_only]

CASES: Final = [("own", BEFORE_CLIENT)] + [(way, AFTER_CALLS) for way in WAYS]


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


@pytest.mark.parametrize(("cls", "name"), METHODS)
@pytest.mark.parametrize(("way", "moment"), CASES)
async def test_methods(service: Server, way: str, moment: str, cls: str, name: str) -> None:
    """A wrapper of a method sees each request once, whenever it is installed, and none after its removal."""
    seen: list[Exchange] = []
    wrapped = class_of(way, cls)
    async with instrumented(service, way, moment, lambda: wrapped_by_wrapt(wrapped, name, seen)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert EXCHANGES == Counter(seen)
        seen.clear()
    assert [] == seen


@pytest.mark.parametrize(("way", "moment"), CASES)
async def test_choice_of_the_transport(service: Server, way: str, moment: str) -> None:
    """A wrapper of the method that chooses a client's transport, as respx and pook replace it, sees each request."""
    seen: list[str] = []

    def watch(method: Callable[..., object], _instance: object, given: tuple[Any, ...], options: object) -> object:
        if given[0].path != "/":  # a client may look for the transport of the service without a request
            seen.append(given[0].raw_path.decode())
        return method(*given)

    @contextmanager
    def tool() -> Iterator[None]:
        cls, name = class_of(way, "AsyncClient"), inside.TRANSPORT_FOR_URL
        original = getattr(cls, name)
        wrapt.wrap_function_wrapper(cls, name, watch)
        try:
            yield
        finally:
            setattr(cls, name, original)

    async with instrumented(service, way, moment, tool) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert Counter(exchange.target for exchange in service.exchanges) == Counter(seen)
        seen.clear()
    assert [] == seen


@pytest.mark.parametrize("install", [wrapped_by_wrapt, replaced])
async def test_all_at_once(service: Server, install: Any) -> None:  # noqa: ANN401
    """Wrappers at every level see each request once each, as if two tracers and a mock were installed together."""
    seen: dict[tuple[str, str], list[Exchange]] = {method: [] for method in METHODS}

    @contextmanager
    def tool() -> Iterator[None]:
        with ExitStack() as stack:
            for cls, name in METHODS:
                stack.enter_context(install(class_of("own", cls), name, seen[cls, name]))
            yield

    async with instrumented(service, "own", BEFORE_CALLS, tool) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert dict.fromkeys(METHODS, EXCHANGES) == {method: Counter(found) for method, found in seen.items()}
