"""The interfaces of clients that are passed, which both httpx and httpx2 implement with classes of their own."""

from typing import Any, Protocol


class HttpClient(Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`."""

    @property
    def is_closed(self) -> bool: ...
    @property
    def headers(self) -> Any: ...  # noqa: ANN401  (the library's own classes, here and below)
    @property
    def params(self) -> Any: ...  # noqa: ANN401
    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: Any = ...,  # noqa: ANN401
        params: Any = ...,  # noqa: ANN401
        headers: Any = ...,  # noqa: ANN401
    ) -> Any: ...  # noqa: ANN401
    async def send(self, request: Any, *, stream: bool = ..., follow_redirects: Any = ...) -> Any: ...  # noqa: ANN401
    async def aclose(self) -> None: ...
