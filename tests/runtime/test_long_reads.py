"""Long reads let other tasks run in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest

import inside
from pyas_async._core import codec
from runtime.socket_server import through

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyas_async import Page

ROWS = [{"id": str(number), "uuid": f"u{number}"} for number in range(300)]


@pytest.mark.anyio
async def test_others_run_while_a_page_of_odd_rows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two steps of reading an undocumented page, every other task runs."""
    turns, read_in_steps = [0], codec.page_steps

    def noted(body: bytes) -> Generator[None, None, Page]:
        steps = read_in_steps(body)
        while True:
            found.append(turns[0])
            try:
                next(steps)
            except StopIteration as end:
                page: Page = end.value
                return page
            yield

    async def other() -> None:
        while True:
            await anyio.lowlevel.checkpoint()
            turns[0] += 1

    found: list[int] = []
    monkeypatch.setattr(inside.PAGE_STEPS, noted)
    answer = httpx.Response(200, json={"success": True, "data": {"meetings": ROWS}})
    async with through(lambda _: answer) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        page = await client.meetings.list(account_id="acc")
        tasks.cancel_scope.cancel()

    assert 300 == len(page)
    assert 8 == len(found)
    assert 6 <= found[-1] - found[0]  # trio chooses the order of tasks, so one of the seven may be missing
