"""A service in process for the tests of bulk runs, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk.tools import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyas_async import PyasClient


@pytest.fixture
def service() -> Service:
    """Return a service in process."""
    return Service()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[PyasClient]:
    """Return a client of the service, which tries each call once."""
    async with service.client(retry=None) as made:
        yield made
