"""Examples that the invariants once rejected although the iteration was right: each was a fault of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import inside
from walk.driver import DRIVERS, Driver
from walk.listing import Plan
from walk.machine import ConsumerMachine
from walk.options import IteratorOptions
from walk.strategies import MANY, POOL, Disturbance, World

if TYPE_CHECKING:
    from collections.abc import Iterator

_EARLY = -7200.0
_LOOP = Disturbance(kind="plan", plan=Plan(what="loop"))


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Run an event loop."""
    driver = DRIVERS[request.param]()
    yield driver
    driver.close()


@pytest.fixture
def machine(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsumerMachine]:
    """Begin an example, and end it as every example ends."""
    monkeypatch.setattr(ConsumerMachine, "driver", driver, raising=False)
    machine = ConsumerMachine()
    yield machine
    machine.teardown()


def test_a_token_that_came_again_to_another_client(machine: ConsumerMachine) -> None:
    """The age of a checkpoint's token counts from its arrival at the client of the checkpoint, not at a later one."""
    machine.listing(rows=POOL[:18], world=World())
    machine.resume(count=5)
    machine.resume(what=_LOOP, count=5, skew=_EARLY)  # the same token, by a clock that is two hours behind
    machine.resume(which=1, count=MANY)
    assert 0.0 == machine.kept[-1].arrived_wall
    machine.resume(count=5)


def test_a_token_that_came_again_and_was_not_processed(machine: ConsumerMachine) -> None:
    """In the middle of a page, a checkpoint does not know yet that the prefetched page brings its token again."""
    machine.listing(rows=POOL[:9], world=World(), with_options=IteratorOptions(prefetch=True))
    machine.rows(count=4)
    machine.resume(count=1, skew=_EARLY, with_options=IteratorOptions(prefetch=True), what=_LOOP)
    machine.rows(count=1)
    machine.resume(count=1)


def test_time_passes_while_nothing_is_in_transit(machine: ConsumerMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process is held up, the consumer goes on before the prefetch is sent; no virtual time passes then."""
    monkeypatch.setattr(inside.PREFETCH_HOLD, 0.0)
    machine.listing(rows=POOL[:18], world=World(), with_options=IteratorOptions(prefetch=True))
    machine.rows(count=1)
    assert 2 == machine.service.calls
    machine.rows(count=5, what=Disturbance(kind="wait", seconds=1000.0))


def test_a_total_that_changed_on_a_page_that_led_back(machine: ConsumerMachine) -> None:
    """An iteration may repair for a total on a page that leads back, though the position after it does not know it."""
    with_options = IteratorOptions(verify_total="repair")
    machine.listing(rows=POOL[:9], world=World(), with_options=with_options)
    machine.rows(count=4)
    machine.disturb(what=_LOOP, other=Disturbance(kind="insert", here=17, row=POOL[9]))
    machine.rows(count=1)
    machine.rows(count=MANY, what=Disturbance(kind="remove", here=9))
    assert machine.kept[-1].finished


def test_a_repair_after_a_cancelled_step(machine: ConsumerMachine) -> None:
    """A repair of a listing of one page looks like a repeated request after a cancelled step lost the response."""
    ahead = IteratorOptions(prefetch=True, verify_total="off")
    machine.listing(rows=POOL[:1] * 9, world=World(totals="late"), with_options=ahead)
    machine.disturb(what=Disturbance(kind="plan", plan=Plan(drift="remove"), times=12))
    machine.cancel(at=4, with_options=ahead)
    machine.rows(count=1, with_options=ahead)
    machine.rows(count=1, with_options=ahead)
    machine.cancel(at=2, with_options=IteratorOptions(prefetch=True, verify_total="repair"))
    machine.cancel(at=2, with_options=ahead)


def test_a_refusal_that_a_cancelled_step_lost(machine: ConsumerMachine) -> None:
    """A step that is cancelled while it reads the refusal of a token does not know it, and sends the token again."""
    machine.listing(rows=POOL[:9], world=World(cap=1))
    machine.rows(count=1)
    machine.cancel(at=2, what=Disturbance(kind="expired_tokens", times=8))
    machine.cancel(at=2, what=Disturbance(kind="shape", times=3))  # a 200, which is read in two steps
    machine.pages(count=1)
