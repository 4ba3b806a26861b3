"""Makes the clients that talk to a socket: with a pool of their own, or sending through somebody else's client.

The variable ``PYAS_ASYNC_TEST_CLIENT`` says which: `own`, unless it is ``httpx`` or ``httpx2``. Then what is promised
of a client is shown of one that was given an `AsyncClient` of that library.
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
"""Whose pool a client sends through: its own, or that of a client which it was given."""
CHOSEN = os.environ.get("PYAS_ASYNC_TEST_CLIENT", "own")

of_the_own_pool = pytest.mark.skipif(CHOSEN != "own", reason="it is about the pool that a client makes for itself")


class Lent(PyasClient):
    """Sends through somebody else's client, and closes that, too, when it is closed."""

    def __init__(self, library: Any, *given: Any, **settings: Any) -> None:  # noqa: ANN401  (a module; whatever a client takes)
        connections = settings.pop("max_connections", 100)
        limits = library.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4)
        secure = str(settings.get("base_url", "")).startswith("https")
        self.lent = library.AsyncClient(limits=limits, verify=secure, trust_env=False)
        super().__init__(*given, **settings, http_client=self.lent)

    async def aclose(self) -> None:
        """Close both."""
        await super().aclose()
        if not inside.is_view(self):
            await self.lent.aclose()


def make(*given: Any, way: str = CHOSEN, **settings: Any) -> PyasClient:  # noqa: ANN401  (whatever a client takes)
    """Make a client; one that is given its sender keeps it."""
    library, http_client = LIBRARIES[way], settings.pop("http_client", None)
    if library is None or http_client is not None:
        return PyasClient(*given, **settings, http_client=http_client)
    return Lent(library, *given, **settings)
