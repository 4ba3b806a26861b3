"""The logs of httpx and httpcore have the records of the client's requests that they have of any other request."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    BEFORE_CLIENT,
    EXCHANGES,
    MOMENTS,
    call_everything,
    instrumented,
    serving,
)
from runtime.socket_server import NEW, client_of
from secrecy.planted import CODE, KEY, STATE, TOKEN, leaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instrumentation.traffic import Server

pytestmark = [pytest.mark.anyio, own_pool_only]

CASES: Final = [("own", moment) for moment in MOMENTS] + [("httpx", BEFORE_CLIENT), ("httpx", AFTER_CALLS)]


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


class Records(logging.Handler):
    """Keeps the records of a logger."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.kept.append(record)

    def steps(self) -> list[tuple[str, str]]:
        """Return the logger and the step of each record, without the details of the step."""
        return [(record.name, record.getMessage().partition(" ")[0]) for record in self.kept]


@contextmanager
def reading(name: str, level: int) -> Iterator[Records]:
    """Read the log of a library from a level on."""
    logger, records = logging.getLogger(name), Records()
    before = logger.level
    logger.addHandler(records)
    logger.setLevel(level)
    try:
        yield records
    finally:
        logger.setLevel(before)
        logger.removeHandler(records)


async def steps_of_httpx(service: Server) -> list[tuple[str, str]]:
    """Return the records of httpcore for two requests of a client of httpx, and for its end."""
    with reading("httpcore", logging.DEBUG) as records:
        async with httpx.AsyncClient(base_url=service.url, verify=False, trust_env=False) as http:  # noqa: S501
            await http.get("/zoom/meetings/81")
            await http.get("/zoom/meetings/82")
    return records.steps()


@pytest.mark.parametrize("name", ["httpcore", "httpcore.http11", ""])
async def test_steps(service: Server, name: str) -> None:
    """Two calls and the end of a client have the records of httpcore that they have with httpx alone."""
    expected = [step for step in await steps_of_httpx(service) if step[0].startswith(name)]
    assert len(expected) > 10
    with reading(name, logging.DEBUG) as records:
        async with client_of(service.url, way="own") as client:
            await client.meetings.get(81)
            await client.meetings.get(82)
    assert expected == [step for step in records.steps() if step[0].startswith("httpcore")]


@pytest.mark.parametrize(("way", "moment"), CASES)
async def test_debug_log(service: Server, way: str, moment: str) -> None:
    """While httpcore's log is read, it has each request once."""
    tool = partial(reading, "httpcore", logging.DEBUG)
    async with instrumented(service, way, moment, tool) as (client, records):
        await call_everything(client)
        service.check_complete()
        counted = Counter(records.steps())
        for step in (
            "send_request_headers.complete",
            "send_request_body.complete",
            "receive_response_headers.complete",
        ):
            assert EXCHANGES.total() == counted["httpcore.http11", step]
        assert counted["httpcore.connection", "connect_tcp.complete"]


@pytest.mark.parametrize(("way", "moment"), CASES)
async def test_requests_log(service: Server, way: str, moment: str) -> None:
    """The log of httpx has a line for each request, and no level is needed above the one that httpx needs."""
    tool = partial(reading, "httpx", logging.INFO)
    async with instrumented(service, way, moment, tool) as (client, records):
        await call_everything(client)
        service.check_complete()
        lines = [record.getMessage() for record in records.kept]
        sent = Counter((exchange.method, exchange.status) for exchange in service.exchanges)
        assert sent == Counter((line.split()[2], int(line.rpartition("HTTP/1.1 ")[2].split()[0])) for line in lines)
        assert service.url in lines[0]


@pytest.mark.parametrize("way", ["own", "httpx", "httpx2"])
async def test_secrets(service: Server, way: str) -> None:
    """At the level DEBUG of all loggers, no record shows the key, a page token, a code or a state."""
    with reading("", logging.DEBUG) as records:
        async with client_of(service.url, way=way, api_key=KEY) as client:
            await client.meetings.list(next_page_token=TOKEN)
            await client.meetings.create(NEW)
            await client.accounts.oauth_url(state=STATE)
            await client.accounts.connect(code=CODE, name="n")
    names = {record.name.partition(".")[0] for record in records.kept}
    assert {"httpx", "httpcore"} <= {name.removesuffix("2") for name in names}
    assert set() == {kind for record in records.kept for kind in leaks(f"{record.getMessage()} {record.args!r}")}
    assert {KEY} == {headers["x-api-key"] for headers in service.headers[-4:]}
