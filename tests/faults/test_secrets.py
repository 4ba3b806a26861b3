"""No error, event or log record shows a planted secret under any fault of the table.

`tests/secrecy` covers responses that repeat the request; here are faults with hardly any response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from faults.answers import ID
from faults.cases import client_of
from faults.fault import serving, usual
from faults.jumping_clock import backend, jump
from faults.table import FAULTS
from pyas_async import PyasError
from runtime.socket_server import CHANGE, NEW
from secrecy.emitted import Emitted, listening
from secrecy.planted import HEADER, KEY, TOKEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from faults.cases import Pool
    from pyas_async import PyasClient

pytestmark = pytest.mark.anyio
POOLS: tuple[Pool | None, ...] = (
    None,
    lambda: httpx.AsyncClient(verify=usual()),
    lambda: httpx2.AsyncClient(verify=usual()),
)
CALLS: Mapping[str, Callable[[PyasClient], Awaitable[object]]] = {
    "list": lambda client: client.meetings.list(next_page_token=TOKEN),
    "get": lambda client: client.meetings.get(ID),
    "create": lambda client: client.meetings.create(NEW),
    "update": lambda client: client.meetings.update(ID, CHANGE),
    "delete": lambda client: client.meetings.delete(ID),
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run on event loops whose clocks can jump."""
    return backend(request.param)


# On trio, httpx leaves generators to the garbage collector when it cannot decompress a response.
@pytest.mark.filterwarnings("ignore:.*async_generator object:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.long) for turn in range(1, len(CALLS)))])
async def test_no_fault_tells_a_secret(
    turn: int, anyio_backend: tuple[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    """No call under any fault shows the key, its page token or a header of the user's own.

    In each turn, every fault is tried with one call on each of the loops; in all turns, with every call.
    """
    emitted = Emitted()
    errors = 0
    with listening(emitted, capfd):
        for number, fault in enumerate(FAULTS):
            place = number + turn + 2 * (anyio_backend[0] == "trio")
            name, call = list(CALLS.items())[place % len(CALLS)]
            options = {} if jump(0.0) else fault.options
            async with serving(fault) as server, client_of(server.url, POOLS[place % 3], KEY, **options) as (client, _):
                where = f"{name} under {fault.name}"
                try:
                    emitted.shown(where, await call(client.with_options(headers={"x-gateway": HEADER})))
                except PyasError as error:
                    errors += 1
                    emitted.error(where, error)
                emitted.shown(where, client)
    assert errors > 50
    assert [] == emitted.found()
