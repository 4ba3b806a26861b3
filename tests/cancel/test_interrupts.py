"""Ctrl-C at any step of any operation raises `KeyboardInterrupt` itself, in no exception group."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from cancel.operations import OPERATIONS
from cancel.service import Service
from cancel.sweep import NEVER, Tally
from runtime.socket_server import client_of
from runtime.steps import Steps, counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cancel.operations import Operation
    from runtime.socket_server import Wire

MOST = 5
"""Steps of each operation at which the ordinary suite interrupts it."""


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with Service().serve() as server:
        yield server


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("way", ["own", "httpx"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_ctrl_c(operation: Operation, way: str, backend: str, service: Wire) -> None:
    """It ends the program with `KeyboardInterrupt`, which `except KeyboardInterrupt` catches."""
    interrupted = 0

    async def program(steps: Steps) -> None:
        async with client_of(service.url, way=way, max_connections=1, **operation.options()) as client:
            if operation.before is not None:
                await operation.before(client)
            with counting(steps, backend):
                # asyncio counts the steps only of tasks that start within the block.
                await (asyncio.ensure_future(operation.do(client)) if backend == "asyncio" else operation.do(client))

    tally = Tally(operation.do.__name__ + way + backend)
    for point in tally.points(MOST):
        steps = Steps(point, lambda: signal.raise_signal(signal.SIGINT))
        ended: BaseException | None = None
        try:
            anyio.run(program, steps, backend=backend)
        except BaseException as error:  # noqa: BLE001  (compared below)
            ended = error
        tally.steps = max(tally.steps, steps.count)
        # The number of steps varies a little, so an operation may end before the last one.
        if point <= steps.count:
            assert KeyboardInterrupt is type(ended)
            interrupted += 1
        elif ended is not None:
            raise ended
    assert interrupted
    assert point != NEVER
