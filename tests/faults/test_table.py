"""Each of the five calls has one right ending under each fault, and the client works afterwards.

The cases of one event loop and one kind of client all run before the first test that needs them, many at a time. The
ordinary suite runs half of them, so that each call meets each fault on one of the loops; the other half is `long`.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio
import attrs
import httpx
import pytest

from faults.cases import WELL, CaseResult, run_case, run_case_once
from faults.endings import ANSWERED, CALLS, Ending
from faults.fault import trusting, usual
from faults.jumping_clock import backend
from faults.table import CONNECTION, FAULTS, HTTP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from faults.cases import Pool
    from faults.fault import Fault

T = TypeVar("T")
Found: TypeAlias = dict[tuple[str, str], T | Exception]
DEADLINE = 90.0
"""The default deadline of a call, in seconds."""
REACHED = [fault for fault in FAULTS if fault.address == "service"]
PASSING = [fault for fault in REACHED if fault.endings["get"].attempts > 1]
# Faults before the first read come before TLS as well, so nothing was sent.
OVER_TLS = [fault for fault in (*CONNECTION, *HTTP) if fault in REACHED and not fault.greets]
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


async def all_of(
    faults: Iterable[Fault], make: Callable[[Fault, str], Awaitable[T]], half: int, calls: Iterable[str] = CALLS
) -> Found[T]:
    """Run every other case; keep an unexpected exception for the test that asks for its case."""
    found: Found[T] = {}
    slots = anyio.CapacityLimiter(8)

    async def one(fault: Fault, call: str) -> None:
        async with slots:
            try:
                found[fault.name, call] = await make(fault, call)
            except Exception as error:  # noqa: BLE001  (see above)
                found[fault.name, call] = error

    pairs = enumerate(faults), enumerate(calls)
    cases = [(fault, call) for (row, fault), (column, call) in product(*pairs) if (row + column + half) % 2 == 0]
    # A jump of the clock affects all tasks, so these cases run one at a time.
    for fault, call in cases:
        if fault.takes_time:
            await one(fault, call)
    async with anyio.create_task_group() as tasks:
        for fault, call in cases:
            if not fault.takes_time:
                tasks.start_soon(one, fault, call)
    return found


def of(fault: Fault, found: Found[T]) -> dict[str, T]:
    """Return the results of a fault, by call."""
    ours = {call: value for (name, call), value in found.items() if name == fault.name}
    for value in ours.values():
        if isinstance(value, Exception):
            raise value
    return {call: value for call, value in ours.items() if not isinstance(value, Exception)}


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run on event loops whose clocks can jump."""
    return backend(request.param)


@pytest.fixture(scope="module", params=[0, pytest.param(1, marks=pytest.mark.long)], ids=["half", "other half"])
def half(request: pytest.FixtureRequest, anyio_backend: tuple[str, object]) -> int:
    """Return which half of the cases runs: trio runs those that asyncio leaves out."""
    return int(request.param) + (anyio_backend[0] == "trio")


@pytest.fixture(scope="module", params=["httpx", "httpx2"])
def pool(request: pytest.FixtureRequest) -> Pool | None:
    """Send through the client's own connections, or through an `httpx2.AsyncClient`."""
    if request.param == "httpx":
        return None
    return partial(pytest.importorskip("httpx2").AsyncClient, verify=usual())


@pytest.fixture(scope="module")
async def results(anyio_backend: object, half: int, pool: Pool | None) -> Found[CaseResult]:
    """Run the cases of all faults."""
    # With an injected client, a list is read as a get is, and a delete is repeated as an update is.
    calls = CALLS if pool is None else ("get", "create", "update")
    found = await all_of(FAULTS, lambda fault, call: run_case(fault, call, pool), half, calls)
    assert abs(len(FAULTS) * len(calls) - 2 * len(found)) <= 1
    return found


@each_fault
def test_endings(fault: Fault, results: Found[CaseResult]) -> None:
    """Under each fault, each call has one right ending: its value or error, and its number of requests."""
    found = of(fault, results)

    assert {call: fault.endings[call] for call in found} == {call: one.ending for call, one in found.items()}


def test_afterwards(results: Found[CaseResult]) -> None:
    """After a fault has passed, the client's next calls get their own responses at the first attempt."""
    after = {(fault.name, call): one.afterwards for fault in FAULTS for call, one in of(fault, results).items()}

    assert {} == {case: found for case, found in after.items() if found != WELL}


def test_waits(results: Found[CaseResult]) -> None:
    """No call waits beyond its deadline, whatever a response demands."""
    waits = {fault.name: max(one.waited for one in of(fault, results).values()) for fault in FAULTS}

    assert {} == {name: seconds for name, seconds in waits.items() if seconds >= DEADLINE}
    assert waits["`Retry-After: 20`"] >= 3 * 20.0


@pytest.fixture(scope="module")
async def passing(anyio_backend: object, half: int) -> Found[Ending]:
    """Run the cases of faults that happen once."""
    return await all_of(PASSING, run_case_once, half, ("get", "create", "update"))


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name)
def test_fault_that_happens_once(fault: Fault, passing: Found[Ending]) -> None:
    """If a call is retried after a fault that happens once, the second attempt succeeds; otherwise nothing changes."""
    reads = 0 if fault.greets else 1  # a service that closes at once has not read the first request
    answered = {call: attrs.evolve(ANSWERED[call], requests=1 + reads, attempts=2) for call in CALLS}
    expected = {call: answered[call] if end.attempts > 1 else end for call, end in fault.endings.items()}
    found = of(fault, passing)

    assert {call: expected[call] for call in found} == found


@pytest.fixture(scope="module")
async def encrypted(anyio_backend: object, half: int) -> Found[CaseResult]:
    """Run cases over TLS."""

    def pool() -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=trusting())

    return await all_of(OVER_TLS, lambda fault, call: run_case(fault, call, pool, tls=True), half, ("get", "create"))


@pytest.mark.parametrize("fault", OVER_TLS, ids=lambda fault: fault.name)
def test_over_tls(fault: Fault, encrypted: Found[CaseResult]) -> None:
    """TLS changes nothing: a close without close_notify truncates a response as without TLS."""
    found = of(fault, encrypted)

    assert {call: fault.endings[call] for call in found} == {call: one.ending for call, one in found.items()}
    assert dict.fromkeys(found, WELL) == {call: one.afterwards for call, one in found.items()}
