"""What is asked of somebody else's httpx: `httpx` has it, and so has `httpx2`, with classes of its own."""

from typing import Any, Protocol


class HttpClient(Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`."""

    @property
    def is_closed(self) -> bool:
        """Whether it sends no more."""
        ...

    @property
    def params(self) -> Any:  # noqa: ANN401  (of its own classes, here and below)
        """What it adds to each query."""
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
        """Make a request."""
        ...

    async def send(self, request: Any, *, stream: bool = ..., follow_redirects: Any = ...) -> Any:  # noqa: ANN401
        """Send it."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class HttpTimeout(Protocol):
    """An `httpx.Timeout`, or an `httpx2.Timeout`: seconds for each phase, ``None`` for no bound."""

    @property
    def connect(self) -> float | None:
        """For opening a connection."""
        ...

    @property
    def read(self) -> float | None:
        """For the next bytes to come."""
        ...

    @property
    def write(self) -> float | None:
        """For some bytes to go."""
        ...

    @property
    def pool(self) -> float | None:
        """For a connection to be free."""
        ...
