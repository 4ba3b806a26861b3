"""Makes the clients of the tests with sockets, with a pool of their own or with an injected client.

The variable ``PYAS_ASYNC_TEST_CLIENT`` selects: `own` is the default; ``httpx`` and ``httpx2`` inject an `AsyncClient`
of that library, so that the same tests cover injected clients.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import httpx2
import pytest

import inside
from pyas_async import PyasClient

LIBRARIES: dict[str, Any] = {"own": None, "httpx": httpx, "httpx2": httpx2}
"""Where a client's requests go: its own pool, or the `AsyncClient` of a library."""
CHOSEN = os.environ.get("PYAS_ASYNC_TEST_CLIENT", "own")

own_pool_only = pytest.mark.skipif(CHOSEN != "own", reason="about the client's own pool")


class InjectedClient(PyasClient):
    """Sends through an injected client, and closes that client as well when it is closed."""

    def __init__(self, library: Any, *given: Any, **settings: Any) -> None:  # noqa: ANN401  (a module; the client's arguments)
        connections = settings.pop("max_connections", 100)
        limits = library.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4)
        secure = str(settings.get("base_url", "")).startswith("https")
        self.lent = library.AsyncClient(limits=limits, verify=secure, trust_env=False)
        super().__init__(*given, **settings, http_client=self.lent)

    async def aclose(self) -> None:
        """Close this client and the injected one."""
        await super().aclose()
        if not inside.is_view(self):
            await self.lent.aclose()


def make(*given: Any, way: str = CHOSEN, **settings: Any) -> PyasClient:  # noqa: ANN401  (the client's arguments)
    """Make a client. An `http_client` in the settings is used as it is."""
    library, http_client = LIBRARIES[way], settings.pop("http_client", None)
    if library is None or http_client is not None:
        return PyasClient(*given, **settings, http_client=http_client)
    return InjectedClient(library, *given, **settings)
