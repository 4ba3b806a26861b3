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
from runtime.wires import CHANGE, NEW, client_of, heard, wire
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


def client_for(url: str, key: Any, events: list[Event], http: Any = None) -> PyasClient:  # noqa: ANN401
    """Make a client without pauses and with a short timeout, whose event handler records each event and raises."""

    def told(event: Event) -> None:
        events.append(event)
        raise OwnError("told")

    client = client_of(url, api_key=key, retry=None, timeout=0.05, on_event=told, http_client=http)
    inside.set_clock_of_calls(client, attrs.evolve(inside.clock(client), sleep=at_once))
    return heard(client).with_options(headers={"x-gateway": HEADER})


# On trio, httpx leaves its generators to the garbage collector where it cannot decompress a response.
@pytest.mark.filterwarnings("ignore:.*async_generator object:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", range(len(ECHOES)), ids=[echo.name for echo in ECHOES])
async def test_faults(number: int, anyio_backend: str, capfd: pytest.CaptureFixture[str]) -> None:
    """No call reveals a secret, whatever the service echoes: neither in its error nor anywhere else."""
    emitted = Emitted()
    events: list[Event] = []
    with wire(answering(ECHOES[number])) as server, listening(emitted, capfd):
        for place, (name, call) in enumerate(CALLS.items()):
            # Every call meets every fault on one of the event loops, and every second fault on each of them.
            if (place + number) % 2 == (anyio_backend == "trio"):
                continue
            # A new client each time: after a 429, the pause of the key would delay the next call.
            turn = (place + number) // 2
            http = SENDERS[turn % 3]()
            client = client_for(server.url, KEYS[turn % 2], events, http)
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
