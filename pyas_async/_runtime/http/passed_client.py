"""Requests through an httpx client that was passed to `PyasClient`."""

from typing import TYPE_CHECKING, Any

import anyio

from pyas_async._core.calls.body_reader import supported_encodings
from pyas_async._runtime.http.attempt import Attempt
from pyas_async._runtime.http.http_client import HttpClient
from pyas_async._runtime.http.private_names import pool_of, remove_lost, transport_of, uses_proxy
from pyas_async._runtime.http.progress import THROUGH_PROXY, Progress, body_class
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

_SOON = 0.002
"""Seconds after which a request is assumed to be written, unless a connection must be opened first."""


class PassedClient:
    """Sends through the user's `httpx.AsyncClient`, or one with the same interface.

    It is used as it is, with two exceptions. Its cookies are not sent: a cookie that the service has set for one
    account must not go with a request for another. And plain http through a proxy is refused: see `Progress`.
    """

    def __init__(self, base_url: str, key: ApiKey, client: HttpClient) -> None:
        self._base_url = base_url
        self._key = key
        self._client = client

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Run one attempt through the user's client."""
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
                await remove_lost(pool_of(self._client, self._base_url))

    def speaks_httpx(self) -> bool:
        """Whether the transport behind the client is httpx's own."""
        return transport_of(self._client, self._base_url) is not None

    async def _send(self, attempt: Attempt) -> Any:  # noqa: ANN401  (a response of the client's library)
        if (progress := attempt.progress).only_to is not None:
            if uses_proxy(self._client, self._base_url):
                raise ConfigurationError(THROUGH_PROXY)
            # Below another transport there may be a proxy, which shows when a connection is opened.
            progress.fresh = progress.fresh or not self.speaks_httpx()
        return await self._client.send(self._request(attempt), stream=True, follow_redirects=False)

    def _request(self, attempt: Attempt) -> Any:  # noqa: ANN401  (as above)
        client, call = self._client, attempt.call
        params: httpx.QueryParams | None = None
        if client.params:
            # httpx would replace our parameters by the client's own, so both are merged here.
            params = client.params.merge(dict(call.query))
        headers = {"accept": "application/json", **attempt.headers}
        if call.body is not None:
            headers["content-type"] = "application/json"
        request = client.build_request(
            call.method, self._base_url + call.target, params=params, headers=headers, content=call.body
        )
        kind: Any = type(request.stream)
        request.stream = body_class(kind)(call.body or b"", attempt.progress)
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
