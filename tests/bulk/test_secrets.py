"""A run does not show its items, neither in its frames nor in its errors or its `repr`."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import pyas_async
from bulk.tools import awaited, streamed
from pyas_async import MeetingCreate, MeetingUpdate
from runtime.socket_server import through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from bulk.tools import Read
    from pyas_async import BulkRun, PyasClient

pytestmark = pytest.mark.anyio
OURS = Path(pyas_async.__file__).parent
KEY = "planted-key-4f2a"
PRIVATE = "planted-title"
START = datetime(2031, 1, 1, tzinfo=UTC)


async def meetings() -> AsyncIterator[MeetingCreate]:
    """Yield meetings with private titles, and then nothing for a long time."""
    for _ in range(3):
        yield MeetingCreate(type=2, title=PRIVATE, description="", start_date=START)
    await anyio.sleep_forever()


async def changes() -> AsyncIterator[tuple[int, MeetingUpdate]]:
    """Yield changes with private titles, and then nothing for a long time."""
    for number in range(1, 4):
        yield number, MeetingUpdate(title=PRIVATE)
    await anyio.sleep_forever()


RUNS: dict[str, Callable[[PyasClient], BulkRun[Any, Any]]] = {
    "create": lambda client: client.meetings.create_many(meetings()),
    "update": lambda client: client.meetings.update_many(changes()),
}


@pytest.mark.parametrize("read", [awaited, streamed])
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
async def test_frames(read: Read, run: Callable[[PyasClient], BulkRun[Any, Any]]) -> None:
    """The TimeoutError of a cancelled run has the frames of the package: neither the key nor an item is in them."""

    async def hang(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async with through(hang, api_key=KEY) as client:
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.05):
            await read(run(client))

    shown: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown += [f"{frame} {frame.locals}" for frame in report.stack if Path(frame.filename).is_relative_to(OURS)]
        error = error.__context__
    assert shown
    assert [] == [text for text in shown if KEY in text or PRIVATE in text]
