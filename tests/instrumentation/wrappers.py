"""Functions that wrap the methods of httpx and httpcore that tools wrap."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpcore2
import httpx
import httpx2
import wrapt

import inside
from instrumentation.traffic import exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instrumentation.traffic import Exchange

METHODS: Final = [
    ("AsyncClient", "send"),  # Sentry, New Relic, Datadog, Elastic, SkyWalking
    ("AsyncClient", inside.SEND_SINGLE_REQUEST),  # Datadog, too
    ("AsyncHTTPTransport", "handle_async_request"),  # OpenTelemetry, pytest-httpx, vcrpy, Instana
    ("AsyncConnectionPool", "handle_async_request"),  # respx, vcrpy before 8.2
    ("AsyncHTTPConnection", "handle_async_request"),  # Elastic, respx
]
"""The coroutine methods that tools wrap, of httpx's classes and of httpcore's."""


def class_of(way: str, name: str) -> Any:  # noqa: ANN401  (a class of one of four libraries)
    """Return the class of this name in the library that sends, or in the one below it."""
    libraries = (httpx2, httpcore2) if way == "httpx2" else (httpx, httpcore)
    return next(found for library in libraries if (found := getattr(library, name, None)) is not None)


@contextmanager
def wrapped_by_wrapt(cls: Any, name: str, seen: list[Exchange]) -> Iterator[list[Exchange]]:  # noqa: ANN401
    """Wrap a method with wrapt. Its wrapper is equal to the method, and has the same name and code."""

    async def watch(method: Any, _instance: object, given: tuple[Any, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        response = await method(*given, **options)
        seen.append(exchange_of(given[0], response))
        return response

    original = getattr(cls, name)
    wrapt.wrap_function_wrapper(cls, name, watch)
    assert original == vars(cls)[name]
    try:
        yield seen
    finally:
        setattr(cls, name, original)


@contextmanager
def replaced(cls: Any, name: str, seen: list[Exchange]) -> Iterator[list[Exchange]]:  # noqa: ANN401
    """Replace a method by a function that looks like it."""
    original = getattr(cls, name)

    @functools.wraps(original)
    async def watch(this: object, request: Any, *given: Any, **options: Any) -> Any:  # noqa: ANN401
        response = await original(this, request, *given, **options)
        seen.append(exchange_of(request, response))
        return response

    setattr(cls, name, watch)
    try:
        yield seen
    finally:
        setattr(cls, name, original)
