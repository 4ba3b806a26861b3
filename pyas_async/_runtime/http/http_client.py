"""The interfaces of clients that are passed, which both httpx and httpx2 implement with classes of their own."""

from typing import Any, Protocol


class HttpClient(Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`."""

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        ...

    @property
    def headers(self) -> Any:  # noqa: ANN401  (the library's own classes, here and below)
        """The headers that it adds to each request."""
        ...

    @property
    def params(self) -> Any:  # noqa: ANN401
        """The parameters that it adds to each query."""
        ...

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: Any = ...,  # noqa: ANN401
        params: Any = ...,  # noqa: ANN401
        headers: Any = ...,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Build a request."""
        ...

    async def send(self, request: Any, *, stream: bool = ..., follow_redirects: Any = ...) -> Any:  # noqa: ANN401
        """Send a request and return its response."""
        ...

    async def aclose(self) -> None:
        """Close the client's connections."""
        ...


class HttpTimeout(Protocol):
    """An `httpx.Timeout`, or an `httpx2.Timeout`: seconds for each phase, ``None`` for no bound."""

    @property
    def connect(self) -> float | None:
        """Seconds for opening a connection."""
        ...

    @property
    def read(self) -> float | None:
        """Seconds to wait for the next bytes of the response."""
        ...

    @property
    def write(self) -> float | None:
        """Seconds to wait for bytes of the request to be written."""
        ...

    @property
    def pool(self) -> float | None:
        """Seconds to wait for a free connection."""
        ...
