"""The client reads raw HTTP answers as stock httpx does, or more strictly where the table gives a reason."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import anyio
import httpx
import pytest

from faults.answers import ID, does, says, well
from faults.fault import usual
from faults.raw import ANSWERED, BODY, CHUNKED, FAILED, FAILURE, FOLLOWING, PLAIN, N, Reading, answer
from faults.raw_answers import EARLY, ROWS, TABLE
from faults.raw_page import FILE, page
from faults.server import Do, Later, arrival, serve
from pyas_async import (
    APIStatusError,
    AttemptEnded,
    DecodeError,
    PyasClient,
    PyasError,
    RetryPolicy,
    TransportError,
    to_dict,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from faults.raw import Next, RawAnswer
    from faults.server import Server, Step
    from pyas_async import Event

Get: TypeAlias = "Callable[[int], Awaitable[Reading]]"
"""Gets a meeting, and returns what was read of its answer."""

SMALL = 900
"""Bytes of the largest row that is sent in pieces. Only those about sizes are larger."""
DIVIDED: dict[str, tuple[Step, ...]] = {
    "a length": (PLAIN,),
    "interim answers, two chunks, an extension, trailers": (
        EARLY + answer(CHUNKED, body=b"9;a=b\r\n%b\r\n%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (BODY[:9], N - 9, BODY[9:])),
    ),
    "until the service closes": (answer(), Do.CLOSE),
}
"""Answers that are divided, and cut off, at every position."""
each_divided = pytest.mark.parametrize("sends", DIVIDED.values(), ids=DIVIDED)


@asynccontextmanager
async def stock_httpx(server: Server) -> AsyncIterator[Get]:
    """Read with `httpx.AsyncClient`."""
    async with httpx.AsyncClient(verify=usual(), trust_env=False) as http:

        async def get(number: int) -> Reading:
            try:
                response = await http.get(f"{server.url}/zoom/meetings/{number}")
            except httpx.HTTPError as error:
                return Reading(error=type(error).__name__)
            ids = [value.decode("latin-1") for name, value in response.headers.raw if name.lower() == b"x-request-id"]
            return Reading(response.status_code, response.content, ", ".join(ids) if ids else None)

        yield get


@asynccontextmanager
async def own_client(server: Server, endings: list[str] | None = None) -> AsyncIterator[Get]:
    """Read with the client's own connections. How its calls end is appended to `endings`."""
    events: list[Event] = []
    known = [] if endings is None else endings

    async def get(number: int) -> Reading:
        try:
            found = await client.meetings.get(number)
        except PyasError as error:
            known.append(type(error).__name__)
            if isinstance(error, TransportError):
                return FAILED
            if isinstance(error, APIStatusError):
                told = json.dumps({"message": error.message}).encode()
                return Reading(error.status, told if told == FAILURE else b"", error.request_id)
            body = error.excerpt.encode() if isinstance(error, DecodeError) else b"no such error is expected"
        else:
            known.append("answered")
            body = json.dumps({"meeting": to_dict(found)}).encode()
        status = [event.status for event in events if isinstance(event, AttemptEnded)][-1]
        assert status is not None
        return Reading(status, body)

    client = PyasClient(
        "key",
        account_id="acc",
        base_url=server.url,
        timeout=5.0,  # httpx's default
        retry=RetryPolicy.none(),
        on_event=events.append,
    )
    async with client:
        yield get


async def read(server: Server, get: Get, sends: tuple[Step, ...]) -> tuple[Reading, Next]:
    """Get a meeting with a raw answer, and then another one with a plain answer."""
    before = server.connections
    server.script = does(sends)
    first = await get(ID)
    await server.quiet()
    await arrival()
    server.script = says(FOLLOWING)
    second = await get(ID + 1)
    if second.error is not None:
        return first, "fails"
    if second.body != FOLLOWING:
        return first, "wrong"
    return first, "reused" if server.connections - before == 1 else "new"


@pytest.mark.anyio
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_row(row: RawAnswer) -> None:
    """The client reads what httpx reads, unless the row gives a reason, and its next call gets its own answer."""
    endings: list[str] = []
    async with serve(well) as server:
        async with stock_httpx(server) as get:
            assert (row.httpx, row.httpx_next) == await read(server, get, row.sends)
        async with own_client(server, endings) as get:
            assert (row.ours, row.ours_next) == await read(server, get, row.sends)
    assert [row.ending, "answered"] == endings


def in_pieces(sends: Iterable[Step], size: int) -> tuple[Step, ...]:
    """Divide what is sent into pieces, each sent when the client has read the one before."""
    divided: list[Step] = []
    for step in sends:
        text = step.text if isinstance(step, Later) else step
        if isinstance(text, bytes):
            divided += [Later(text[at : at + size]) for at in range(0, len(text), size)]
        else:
            divided.append(step)
    return tuple(divided)


@pytest.mark.anyio
@pytest.mark.parametrize("section", [title for title in TABLE if title != "Sizes"])
async def test_small_pieces(section: str) -> None:
    """An answer is read in the same way if the network delivers it in pieces of three bytes."""
    rows = [row for row in TABLE[section] if sum(len(step) for step in row.sends if isinstance(step, bytes)) <= SMALL]
    found = {}
    async with serve(well) as server:
        for row in rows:
            async with own_client(server) as get:
                found[row.name] = await read(server, get, in_pieces(row.sends, 3))
    assert {row.name: (row.ours, row.ours_next) for row in rows} == found


@pytest.mark.anyio
@each_divided
async def test_divided_anywhere(sends: tuple[Step, ...]) -> None:
    """An answer is read in the same way wherever the network divides it."""
    text, *rest = sends
    assert isinstance(text, bytes)
    readings = []
    async with serve(well) as server, own_client(server) as get:
        for at in range(1, len(text)):
            server.script = does((text[:at], Later(text[at:]), *rest))
            readings.append(await get(ID))
        assert [ANSWERED] * (len(text) - 1) == readings
        assert (len(readings) if rest else 1) == server.connections


@pytest.mark.anyio
@each_divided
async def test_cut_off_anywhere(sends: tuple[Step, ...]) -> None:
    """An answer that is cut off is never taken for a whole one, unless only the close of the connection ends it."""
    text, *rest = sends
    assert isinstance(text, bytes)
    readings = []
    async with serve(well) as server, own_client(server) as get:
        for at in range(1, len(text) + 1):
            server.script = does((text[:at], Do.CLOSE))
            readings.append(await get(ID))
    head = text.index(BODY) if rest else len(text)
    cut = [Reading(body=text[head:at]) for at in range(head, len(text))]
    assert [*[FAILED] * (head - 1), *cut, ANSWERED] == readings


@pytest.mark.anyio
async def test_pieces_are_read_separately() -> None:
    """A client in the service's event loop reads each piece by itself, so the tests above test what they say."""
    pieces = in_pieces((PLAIN,), 1)
    async with serve(does(pieces)) as server:
        url = httpx.URL(server.url)
        async with await anyio.connect_tcp(url.host, url.port or 0) as stream:
            await stream.send(b"GET / HTTP/1.1\r\n\r\n")
            assert [bytes([byte]) for byte in PLAIN] == [await stream.receive() for _ in pieces]


def test_reasons() -> None:
    """Each stricter row has a reason and a difference, and no next call of the client can get a stray answer."""
    assert [] == [row.name for row in ROWS if row.refused and (row.httpx.error or row.retired)]
    assert [] == [row.name for row in ROWS if row.retired and row.httpx_next == "new"]
    assert {"reused", "new"} == {row.ours_next for row in ROWS}


def test_names() -> None:
    """Each row has a unique name that fits into a cell."""
    names = [row.name for row in ROWS]

    assert len(names) == len(set(names))
    assert not [name for name in names if "|" in name or "\n" in name]


def test_page() -> None:
    """``docs/raw-answers.md`` is what the table generates. To write it again: ``python3 noxfile.py -s pages``."""
    assert FILE.read_text("utf-8") == page()
