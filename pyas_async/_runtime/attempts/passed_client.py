"""Requests through an httpx client that was passed to `PyasClient`."""

from typing import Any, Protocol

import anyio
import httpx

from pyas_async._core.calls.body_reader import supported_encodings
from pyas_async._runtime.attempts.attempt import Attempt
from pyas_async._runtime.attempts.private_names import pool_of, remove_lost, transport_of, uses_proxy
from pyas_async._runtime.attempts.progress import THROUGH_PROXY, Progress
from pyas_async._runtime.http.client import body_class
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async.errors import ConfigurationError

_SOON = 0.002
"""Seconds after which a request is assumed to be written, unless a connection must be opened first."""


class HttpClient(Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`, which has classes of its own."""

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


class PassedClient:
    """Sends through the user's `httpx.AsyncClient`, or one with the same interface.

    It is used as it is, with two exceptions. Its cookies are not sent: a cookie that the service has set for one
    account must not go with a request for another. And plain http through a proxy is refused: see `Progress`.

    Attributes:
        client: The user's client.
    """

    def __init__(self, base_url: str, key: ApiKey, client: HttpClient) -> None:
        self.client: HttpClient = client
        self._base_url = base_url
        self._key = key
        url = httpx.URL(base_url)
        # Plain http goes to the service's address alone: another receiver would be a proxy, and see the key.
        self._only_to = (url.raw_host.decode("ascii"), url.port or 80) if url.scheme == "http" else None

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Run one attempt through the user's client."""
        # Its pool loses connections when `task.cancel()` cancels a request, but not when a scope does. A task group
        # turns the one into the other. (On trio there are only scopes; the group costs next to nothing.)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run, attempt, scope)

    async def _run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        try:
            if attempt.progress.on_wire is None or self.speaks_httpx():
                await attempt.run(self._send, scope)
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_presume_written, attempt.progress)
                await attempt.run(self._send, scope)
                tasks.cancel_scope.cancel()
        finally:
            if not attempt.whole:
                await remove_lost(self.pool())

    def speaks_httpx(self) -> bool:
        """Whether the transport behind the client is httpx's own."""
        return transport_of(self.client, self._base_url) is not None

    def pool(self) -> object:
        """Return the pool of the client; ``None`` if there is none to be seen."""
        return pool_of(self.client, self._base_url)

    async def _send(self, attempt: Attempt) -> Any:  # noqa: ANN401  (a response of the client's library)
        progress = attempt.progress
        progress.fresh, progress.only_to = attempt.fresh, self._only_to
        if self._only_to is not None:
            if uses_proxy(self.client, self._base_url):
                raise ConfigurationError(THROUGH_PROXY)
            # Below another transport there may be a proxy, which shows when a connection is opened.
            progress.fresh = progress.fresh or not self.speaks_httpx()
        return await self.client.send(self._request(attempt), stream=True, follow_redirects=False)

    def _request(self, attempt: Attempt) -> Any:  # noqa: ANN401  (as above)
        client, call = self.client, attempt.call
        # httpx would replace our parameters by the client's own, so both are merged here.
        params = client.params.merge(dict(call.query)) if client.params else None
        headers = {"accept": "application/json", **attempt.headers}
        if call.body is not None:
            headers["content-type"] = "application/json"
        request = client.build_request(
            call.method, self._base_url + call.target, params=params, headers=headers, content=call.body
        )
        kind: Any = type(request.stream)
        request.stream = body_class(kind)(call.body or b"", attempt.progress.written)
        request.extensions = attempt.extensions(always_traced=True)
        request.headers["accept-encoding"] = supported_encodings(request.headers.get("accept-encoding", ""))
        if "cookie" not in attempt.headers and "cookie" not in client.headers:
            request.headers.pop("cookie", None)  # of the client's jar
        request.headers["x-api-key"] = self._key.reveal()
        return request


async def _presume_written(progress: Progress) -> None:
    """Report a request as written when the transport does not tell: on an open connection it is by then."""
    await anyio.sleep(_SOON)
    progress.written()
