"""Our own `httpx.AsyncClient`, and the parts of its requests that make its `send` fast."""

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

NO_AUTH = httpx.Auth()
"""Without it, httpx parses the address of each request to look for a user name."""


class LazyURL(httpx.URL):
    """An address that is parsed when an attribute is read. Parsing takes half as long as the rest of `send`.

    `send` reads none. Event hooks, logs, mocks and tracers do, and see a complete `httpx.URL`.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> object:
        if name == "_text":
            raise AttributeError(name)
        super().__init__(self._text)  # sets the attributes that were missing
        del self._text
        self.__class__ = httpx.URL  # type: ignore[assignment]
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[type[httpx.URL], tuple[str]]:
        return httpx.URL, (self._text,)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Store none: the service sets none, and to look for them takes longer than the rest of `send`."""


_NO_COOKIES = _NoCookies()


def new_client(**settings: Any) -> httpx.AsyncClient:  # noqa: ANN401
    # Asked for now, since a tracer may have replaced the class `httpx.AsyncClient`, even by something that is none.
    made: Any = httpx.AsyncClient
    client: httpx.AsyncClient = (_client_class(made) if issubclass(type(made), type) else made)(
        timeout=None, **settings
    )
    return client


@functools.cache
def _client_class(base: type[httpx.AsyncClient]) -> type[httpx.AsyncClient]:
    class Client(base):  # type: ignore[misc,valid-type]
        @property
        def cookies(self) -> httpx.Cookies:
            return _NO_COOKIES

        @cookies.setter
        def cookies(self, cookies: object) -> None:
            """Store none."""

    return Client


class _Once:
    """Yields its content once. Not a generator: the event loop would have to clean up one that is cancelled midway."""

    def __init__(self, content: bytes, written: Callable[[], None]) -> None:
        self._left: bytes | None = content or None
        self._written = written

    def __aiter__(self) -> "_Once":
        return self

    async def __anext__(self) -> bytes:
        content, self._left = self._left, None
        if content is None:
            # Headers and body are written before the next piece is requested.
            self._written()
            raise StopAsyncIteration
        return content


@functools.cache
def body_class(base: type[Any]) -> type[Any]:
    """Make a class of request bodies on `base`, httpx's or httpx2's: each library requires its own class."""

    class Body(base):  # type: ignore[misc]
        """The content of a request, which calls `written` when the request was written."""

        def __init__(self, content: bytes, written: Callable[[], None]) -> None:
            super().__init__(content)
            self.content = content
            self.written = written

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Once(self.content, self.written)

    return Body


RequestBody: Any = body_class(httpx.ByteStream)
"""The body of a request of our own client."""
