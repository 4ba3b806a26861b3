"""What every test shares: the event loops it runs on, and an environment without surprises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the client, or httpx below it, would take from the environment of whoever runs the tests.
AMBIENT = (
    "PYAS_ACCOUNT_ID",
    "PYAS_API_KEY",
    "PYAS_BASE_URL",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_settings() -> Iterator[None]:
    """Keep settings and proxies of the surroundings out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AMBIENT:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(
    scope="module",
    params=[pytest.param("asyncio", id="asyncio"), pytest.param("trio", id="trio")],
)
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on asyncio and on trio."""
    backend: str = request.param
    return backend
