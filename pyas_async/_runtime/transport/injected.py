"""Requests through a client that the user brought along."""

import weakref
from collections.abc import Mapping
from typing import Any

import anyio
import httpx

from pyas_async._core.body import acceptable
from pyas_async._runtime.key import ApiKey
from pyas_async._runtime.places import Places
from pyas_async._runtime.transport.attempt import Attempt, target_of
from pyas_async._runtime.transport.face import HttpClient
from pyas_async._runtime.transport.faults import PACKAGES
from pyas_async._runtime.transport.wire import Wire, body_class

_SOON = 0.002
"""Seconds after which a request is on the wire, unless a connection must be opened first."""


# By pool, not by client of ours: two keys may go through one pool.
_places: "weakref.WeakKeyDictionary[Any, Places]" = weakref.WeakKeyDictionary()
_ENDLESS = 100_000
"""Connections from which on a limit is none: httpcore writes ``None`` as the largest number there is."""


class Injected:
    """Sends through somebody's `httpx.AsyncClient`, or one with the same face."""

    def __init__(self, base_url: str, key: ApiKey, client: HttpClient) -> None:
        """Keep what is needed to send."""
        self._base_url = base_url
        self._key = key
        self._client = client

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Make an attempt."""
        if attempt.wire.on_wire is None or self.speaks_httpx():
            await attempt.run(self._send, scope)
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_presume_written, attempt.wire)
            await attempt.run(self._send, scope)
            tasks.cancel_scope.cancel()

    def speaks_httpx(self) -> bool:
        """Whether the transport behind the client is httpx's own."""
        return _transport_of(self._client, self._base_url) is not None

    async def _send(self, attempt: Attempt) -> Any:  # noqa: ANN401  (a response of the client's library)
        return await self._client.send(self._request(attempt), stream=True, follow_redirects=False)

    def _request(self, attempt: Attempt) -> Any:  # noqa: ANN401  (as above)
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
        request.headers["accept-encoding"] = acceptable(request.headers.get("accept-encoding", ""))
        request.headers["x-api-key"] = self._key.reveal()
        return request


async def _presume_written(wire: Wire) -> None:
    """Say that a request is on the wire, where the transport does not say it: on an open connection it is, by then."""
    await anyio.sleep(_SOON)
    wire.written()


def places_of(client: Any, base_url: str) -> Places:  # noqa: ANN401  (httpx's or httpx2's, or a user's own)
    """Give the places in the pool that an injected client sends through; without bound if it has none that we can see.

    In httpx 0.28, a request that is cancelled while it waits for a connection may take one out of use for good, by
    whatever it is cancelled. So nobody may wait there, and the limit must be known; httpx has no public name for it.
    """
    pool = getattr(_transport_of(client, base_url), "_pool", None)
    limit = getattr(pool, "_max_connections", None)
    if not isinstance(limit, int) or not 0 < limit < _ENDLESS:
        return Places(None)
    if pool not in _places:
        _places[pool] = Places(limit)
    return _places[pool]


def _transport_of(client: Any, base_url: str) -> object:  # noqa: ANN401  (see above)
    """Find the transport that a client sends through; ``None`` if that is not httpx's own."""
    find = getattr(client, "_transport_for_url", None)
    transport = find(httpx.URL(base_url)) if find is not None else None
    return transport if type(transport).__module__.partition(".")[0] in PACKAGES else None


def _headers(own: Mapping[str, str], *, has_body: bool) -> dict[str, str]:
    headers = {"accept": "application/json", **own}
    if has_body:
        headers["content-type"] = "application/json"
    return headers
