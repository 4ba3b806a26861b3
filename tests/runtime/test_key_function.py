"""Key functions that hang, or that are not async."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from pyas_async import ConfigurationError, PyasError
from runtime.socket_server import KEY, MEETING, NEW, through

pytestmark = pytest.mark.anyio


async def test_key_that_hangs() -> None:
    """The deadline bounds a key function that hangs, and nothing is sent."""

    async def key() -> str:
        await anyio.sleep_forever()
        return KEY

    async with through(lambda request: httpx.Response(200, json=MEETING), api_key=key, deadline=0.02) as client:
        with anyio.fail_after(1), pytest.raises(TimeoutError) as caught:
            await client.meetings.create(NEW)
    assert isinstance(caught.value, PyasError)
    assert "not_sent" == caught.value.write_state


async def test_key_function_that_is_not_async() -> None:
    """A key function that is not async raises a configuration error, which does not show the key."""
    key: Any = lambda: KEY  # noqa: E731
    async with through(lambda request: httpx.Response(200, json=MEETING), api_key=key) as client:
        with pytest.raises(ConfigurationError, match=r"api_key.*async") as caught:
            await client.meetings.get(81)
    assert KEY not in str(caught.value)
