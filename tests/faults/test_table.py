"""Each of the five calls under each of the faults: the one right ending, and a client that goes on as if nothing were.

The visits of one event loop and one kind of client are made before the first test asks, many at a time. The ordinary
suite makes half of them, so that each call meets each fault on one of the loops; the other half is `long`.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio
import attrs
import httpx
import pytest

from faults.endings import ANSWERED, CALLS, Ending
from faults.fault import trusting, usual
from faults.leaping import backend
from faults.table import CONNECTION, FAULTS, HTTP
from faults.visits import WELL, Visit, visit, visit_once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from faults.fault import Fault
    from faults.visits import Pool

T = TypeVar("T")
Found: TypeAlias = dict[tuple[str, str], T | Exception]
DEADLINE = 90.0
"""Seconds that a call may take unless it is told otherwise."""
REACHED = [fault for fault in FAULTS if fault.place == "service"]
PASSING = [fault for fault in REACHED if fault.endings["get"].attempts > 1]
# Before it has read anything, nobody has begun to speak TLS, either: nothing was sent then.
OVER_TLS = [fault for fault in (*CONNECTION, *HTTP) if fault in REACHED and not fault.greets]
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


async def all_of(
    faults: Iterable[Fault], make: Callable[[Fault, str], Awaitable[T]], half: int, calls: Iterable[str] = CALLS
) -> Found[T]:
    """Make every other call under the faults; what nobody expects is kept for the test that asks for it."""
    found: Found[T] = {}
    places = anyio.CapacityLimiter(8)

    async def one(fault: Fault, call: str) -> None:
        async with places:
            try:
                found[fault.name, call] = await make(fault, call)
            except Exception as error:  # noqa: BLE001  (see above)
                found[fault.name, call] = error

    pairs = enumerate(faults), enumerate(calls)
    cases = [(fault, call) for (row, fault), (column, call) in product(*pairs) if (row + column + half) % 2 == 0]
    # Where time leaps, it leaps for all: so these go one by one.
    for fault, call in cases:
        if fault.takes_time:
            await one(fault, call)
    async with anyio.create_task_group() as tasks:
        for fault, call in cases:
            if not fault.takes_time:
                tasks.start_soon(one, fault, call)
    return found


def of(fault: Fault, found: Found[T]) -> dict[str, T]:
    """Give what was found of a fault, call by call."""
    ours = {call: value for (name, call), value in found.items() if name == fault.name}
    for value in ours.values():
        if isinstance(value, Exception):
            raise value
    return {call: value for call, value in ours.items() if not isinstance(value, Exception)}


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run on event loops whose clocks leap."""
    return backend(request.param)


@pytest.fixture(scope="module", params=[0, pytest.param(1, marks=pytest.mark.long)], ids=["half", "other half"])
def half(request: pytest.FixtureRequest, anyio_backend: tuple[str, object]) -> int:
    """Say which half of the calls is made: on trio, it is the one that the other loop leaves out."""
    return int(request.param) + (anyio_backend[0] == "trio")


@pytest.fixture(scope="module", params=["httpx", "httpx2"])
def pool(request: pytest.FixtureRequest) -> Pool | None:
    """Send through a pool of our own, or through an `httpx2.AsyncClient`."""
    if request.param == "httpx":
        return None
    return partial(pytest.importorskip("httpx2").AsyncClient, verify=usual())


@pytest.fixture(scope="module")
async def visits(anyio_backend: object, half: int, pool: Pool | None) -> Found[Visit]:
    """Make the calls under all faults."""
    # Whoever sends, a list is read as a get is, and a delete is repeated as an update is.
    calls = CALLS if pool is None else ("get", "create", "update")
    found = await all_of(FAULTS, lambda fault, call: visit(fault, call, pool), half, calls)
    assert abs(len(FAULTS) * len(calls) - 2 * len(found)) <= 1
    return found


@each_fault
def test_endings(fault: Fault, visits: Found[Visit]) -> None:
    """Under each fault, each call has one right ending: what it gives or raises, and after how many requests."""
    found = of(fault, visits)

    assert {call: fault.endings[call] for call in found} == {call: one.ending for call, one in found.items()}


def test_afterwards(visits: Found[Visit]) -> None:
    """When a fault has passed, the client's next calls get the answers to their own questions, at the first attempt."""
    after = {(fault.name, call): one.afterwards for fault in FAULTS for call, one in of(fault, visits).items()}

    assert {} == {case: found for case, found in after.items() if found != WELL}


def test_waits(visits: Found[Visit]) -> None:
    """Whatever an answer asks for, no call waits beyond its deadline."""
    waits = {fault.name: max(one.waited for one in of(fault, visits).values()) for fault in FAULTS}

    assert {} == {name: seconds for name, seconds in waits.items() if seconds >= DEADLINE}
    assert waits["`Retry-After: 20`"] >= 3 * 20.0


@pytest.fixture(scope="module")
async def passing(anyio_backend: object, half: int) -> Found[Ending]:
    """Make calls under the faults that happen once."""
    return await all_of(PASSING, visit_once, half, ("get", "create", "update"))


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name)
def test_passing(fault: Fault, passing: Found[Ending]) -> None:
    """Where a call is tried again, the second attempt gets what the first should have got; else nothing is changed."""
    reads = 0 if fault.greets else 1  # whoever hangs up at once has not read the first
    answered = {call: attrs.evolve(ANSWERED[call], requests=1 + reads, attempts=2) for call in CALLS}
    expected = {call: answered[call] if end.attempts > 1 else end for call, end in fault.endings.items()}
    found = of(fault, passing)

    assert {call: expected[call] for call in found} == found


@pytest.fixture(scope="module")
async def encrypted(anyio_backend: object, half: int) -> Found[Visit]:
    """Make calls over TLS."""

    def pool() -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=trusting())

    return await all_of(OVER_TLS, lambda fault, call: visit(fault, call, pool, tls=True), half, ("get", "create"))


@pytest.mark.parametrize("fault", OVER_TLS, ids=lambda fault: fault.name)
def test_over_tls(fault: Fault, encrypted: Found[Visit]) -> None:
    """TLS changes nothing: who hangs up without its farewell cuts an answer as without it."""
    found = of(fault, encrypted)

    assert {call: fault.endings[call] for call in found} == {call: one.ending for call, one in found.items()}
    assert dict.fromkeys(found, WELL) == {call: one.afterwards for call, one in found.items()}
