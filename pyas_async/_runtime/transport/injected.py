"""Requests through a client that the user brought along."""

from collections.abc import Mapping
from typing import Any

import anyio
import httpx

from pyas_async._runtime.key import ApiKey
from pyas_async._runtime.transport.attempt import Attempt, target_of
from pyas_async._runtime.transport.body import ENCODING
from pyas_async._runtime.transport.wire import body_class


class Injected:
    """Sends through somebody's `httpx.AsyncClient`, or one with the same face."""

    def __init__(self, base_url: str, key: ApiKey, client: httpx.AsyncClient) -> None:
        """Keep what is needed to send."""
        self._base_url = base_url
        self._key = key
        self._client = client

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Make an attempt."""
        await attempt.run(self._send, scope)

    async def _send(self, attempt: Attempt) -> httpx.Response:
        return await self._client.send(self._request(attempt), stream=True, follow_redirects=False)

    def _request(self, attempt: Attempt) -> httpx.Request:
        client, call = self._client, attempt.call
        params: httpx.QueryParams | None = None
        if client.params:
            # httpx would put the client's own parameters in the place of ours; theirs go beside.
            params = client.params.merge(dict(call.query))
        request = client.build_request(
            call.method,
            self._base_url + target_of(call),
            params=params,
            headers=_headers(attempt.headers, has_body=call.body is not None),
            content=call.body,
        )
        kind: Any = type(request.stream)
        request.stream = body_class(kind)(call.body or b"", attempt.wire)
        request.extensions = attempt.extensions()
        request.headers["x-api-key"] = self._key.reveal()
        return request


def _headers(own: Mapping[str, str], *, has_body: bool) -> dict[str, str]:
    headers = {"accept": "application/json", "accept-encoding": ENCODING, **own}
    if has_body:
        headers["content-type"] = "application/json"
    return headers
