"""Planted secrets are in nothing that the library emits, under any fault and in any form."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs
import httpx
import httpx2
import pytest

import inside
from pyas_async import PyasError
from runtime.socket_server import CHANGE, NEW, client_of, heard, wire
from secrecy.echoes import ECHOES, answering
from secrecy.emitted import Emitted, listening
from secrecy.planted import CODE, HEADER, KEY, STATE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import Event, PyasClient

pytestmark = pytest.mark.anyio


async def key_function() -> str:
    """Return the key."""
    return KEY


KEYS: tuple[Any, ...] = (KEY, key_function)
SENDERS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: httpx.AsyncClient(verify=False),  # noqa: S501  (there is no TLS, and reading certificates is slow)
    lambda: httpx2.AsyncClient(verify=False),
)
"""What the client sends through: its own pool, or an injected client of httpx or httpx2."""


async def iterate(client: PyasClient) -> None:
    """Iterate over the rows of two pages, of which the second is prefetched."""
    async with client.meetings.iter_all() as listing:
        async for _ in listing:
            pass


async def accounts(client: PyasClient) -> object:
    """List two accounts, and raise the error of one that failed."""
    async with client.meetings.iter_accounts(["a", "b"]) as pairs:
        async for _ in pairs:
            pass
    for error in pairs.failures.values():
        raise error
    return pairs


async def many(client: PyasClient) -> object:
    """Get a meeting in a bulk run."""
    [outcome] = await client.meetings.get_many([81])
    return outcome.unwrap()


CALLS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "list": lambda client: client.meetings.list(next_page_token=TOKEN),
    "iterate": iterate,
    "get": lambda client: client.meetings.get(81),
    "get together": lambda client: client.with_options(single_flight=True).meetings.get(81),
    "create": lambda client: client.meetings.create(NEW),
    "reconcile": lambda client: client.meetings.create(NEW, on_unknown="reconcile"),
    "update": lambda client: client.meetings.update(81, CHANGE),
    "delete": lambda client: client.meetings.delete(81),
    "accounts": accounts,
    "many": many,
    "oauth_url": lambda client: client.accounts.oauth_url(state=STATE),
    "connect": lambda client: client.accounts.connect(code=CODE, name="n"),
}


async def at_once(_: float) -> None:
    """Return without waiting."""
    await anyio.lowlevel.checkpoint()


class OwnError(Exception):
    """An error of an event handler, which the client logs."""


def client_for(url: str, key: Any, events: list[Event], http: Any = None, *, turn: int = 0) -> PyasClient:  # noqa: ANN401
    """Make a client that does not wait between its attempts, gives up early, and tells one who raises at times.

    The handler raises at one event in five: each time, all that the error drags along is searched. A call has four
    events or more, so each of them gets its turn, and `turn` says with which it begins.
    """

    def told(event: Event) -> None:
        events.append(event)
        if (len(events) + turn) % 5 == 0:
            raise OwnError("told")

    client = client_of(url, api_key=key, retry=None, timeout=0.05, on_event=told, http_client=http)
    inside.set_clock_of_calls(client, attrs.evolve(inside.clock(client), sleep=at_once))
    return heard(client).with_options(headers={"x-gateway": HEADER})


# On trio, httpx leaves its generators to the garbage collector where it cannot decompress a response.
@pytest.mark.filterwarnings("ignore:.*async_generator object:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", range(len(ECHOES)), ids=[echo.name for echo in ECHOES])
@pytest.mark.parametrize("half", [0, pytest.param(1, marks=pytest.mark.long)])
async def test_faults(number: int, half: int, anyio_backend: str, capfd: pytest.CaptureFixture[str]) -> None:
    """No call gives a secret away, whatever the service does and echoes: not by its error, nor in any other way."""
    emitted = Emitted()
    events: list[Event] = []
    with wire(answering(ECHOES[number])) as server, listening(emitted, capfd):
        for place, (name, call) in enumerate(CALLS.items()):
            # Every fault meets every call, on one of the loops, and half of the calls in the ordinary suite; on each
            # loop, every call meets every other fault, and every fourth in the ordinary suite.
            turn, quarter = divmod(place + number, 4)
            if quarter != 2 * half + (anyio_backend == "asyncio"):
                continue
            # A new client each time: a limit of the key would hold the next call back.
            http = SENDERS[turn % 3]()
            client = client_for(server.url, KEYS[turn % 2], events, http, turn=number)
            try:
                emitted.shown(f"value of {name}", await call(client))
            except PyasError as error:
                emitted.error(name, error)
            emitted.shown("client", client)
            await inside.close(client)
            if http is not None:
                await http.aclose()
    for event in events:
        emitted.shown("event", event)
        emitted.text("event, pickle", pickle.dumps(event))
    assert len(emitted) > 50
    assert [] == emitted.found()
