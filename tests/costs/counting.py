"""Counts what is the same on every machine: calls, blocks of memory, iterations of the event loop."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import attrs
import httpx

import inside
import pyas_async
from pyas_async import PyasClient

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from types import FrameType

OURS = str(Path(pyas_async.__file__).parent)
PAGE = 300


@attrs.define
class Calls:
    """The numbers of calls: of our functions, and of the interpreter's functions that ours called."""

    own: int = 0
    builtin: int = 0


@contextmanager
def calls() -> Iterator[Calls]:
    """Count the calls of this thread within the block."""
    found = Calls()

    def note(frame: FrameType, event: str, _: object) -> None:
        if frame.f_code.co_filename.startswith(OURS):
            found.own += event == "call"
            found.builtin += event == "c_call"

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def blocks(make: Callable[[], Any]) -> tuple[Any, int]:
    """Call a function; return its result, and the number of memory blocks that the result keeps."""
    make()
    gc.collect()
    before = sys.getallocatedblocks()
    made = make()
    gc.collect()
    return made, sys.getallocatedblocks() - before


@contextmanager
def turns() -> Iterator[list[int]]:
    """Count the iterations of asyncio's event loop."""
    found, once = [0], inside.loop_turn()

    def counted(loop: asyncio.BaseEventLoop) -> None:
        found[0] += 1
        once(loop)

    with mock.patch(inside.LOOP_TURN, counted):
        yield found


def page(first: int, rows: int, *, token: str = "") -> bytes:
    """Return a page of rows, numbered from `first` on."""
    row = (
        '{"uuid":"%022d==","id":%d,"host_id":"KDcuGIm1QgePTO8WbOqwIQ","topic":"Weekly review","type":2,'
        '"start_time":"2026-11-22T08:00:00Z","duration":60,"timezone":"Europe/Berlin","agenda":"What is open.",'
        '"created_at":"2026-11-01T08:00:00Z","join_url":"https://zoom.example/j/%d?pwd=x","new":{"x":1}}'
    )
    written = ",".join(row % (number, number, number) for number in range(first, first + rows))
    return f'{{"success":true,"data":{{"next_page_token":"{token}","meetings":[{written}]}}}}'.encode()


DETAIL = b'{"success":true,"meeting":{"id":7,"uuid":"u","topic":"t","type":2,"settings":{"host_video":true,"new":1}}}'


def service(pages: int, rows: int = PAGE) -> PyasClient:
    """Make a client of an in-process service with listings of `pages` pages."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/zoom/meetings":
            return httpx.Response(200, content=DETAIL)
        number = int(request.url.params.get("nextPageToken", "0"))
        token = str(number + 1) if number + 1 < pages else ""
        return httpx.Response(200, content=page(1 + number * rows, rows, token=token))

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return PyasClient("key", base_url="http://localhost", account_id="a", http_client=http)
