"""What the laws once held against an iteration that had kept them: each is a fault of the proof, found by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import inside
from walk.chances import MANY, POOL, Happening, World
from walk.driver import DRIVERS, Driver
from walk.journey import Wishes
from walk.listing import Plan
from walk.machine import ReadingMachine

if TYPE_CHECKING:
    from collections.abc import Iterator

_EARLY = -7200.0
_LOOP = Happening(kind="plan", plan=Plan(what="loop"))


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Run an event loop."""
    driver = DRIVERS[request.param]()
    yield driver
    driver.close()


@pytest.fixture
def machine(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingMachine]:
    """Begin an example, and end it as every example ends."""
    monkeypatch.setattr(ReadingMachine, "driver", driver, raising=False)
    machine = ReadingMachine()
    yield machine
    machine.teardown()


def test_a_token_that_came_again_to_another_client(machine: ReadingMachine) -> None:
    """A checkpoint's token is as old as the client had it that the checkpoint is of, whoever gets it again later."""
    machine.listing(rows=POOL[:18], world=World())
    machine.resume(count=5)
    machine.resume(what=_LOOP, count=5, skew=_EARLY)  # the token once more, by a clock that is two hours behind
    machine.resume(which=1, count=MANY)
    assert 0.0 == machine.marks[-1].born
    machine.resume(count=5)


def test_a_token_that_came_again_and_was_not_looked_at(machine: ReadingMachine) -> None:
    """In the middle of a page, a checkpoint does not know yet that the page on its way brings the token again."""
    machine.listing(rows=POOL[:9], world=World(), wishes=Wishes(prefetch=True))
    machine.rows(count=4)
    machine.resume(count=1, skew=_EARLY, wishes=Wishes(prefetch=True), what=_LOOP)
    machine.rows(count=1)
    machine.resume(count=1)


def test_time_passes_while_nothing_is_in_transit(machine: ReadingMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine stands still, a reader goes on before the next request is on the wire; no hour passes then."""
    monkeypatch.setattr(inside.PREFETCH_HOLD, 0.0)
    machine.listing(rows=POOL[:18], world=World(), wishes=Wishes(prefetch=True))
    machine.rows(count=1)
    assert 2 == machine.service.calls
    machine.rows(count=5, what=Happening(kind="wait", seconds=1000.0))


def test_a_total_that_changed_on_a_page_that_led_back(machine: ReadingMachine) -> None:
    """A reader may repair for a total that a page said which leads back, though the way on from there knows none."""
    wishes = Wishes(verify_total="repair")
    machine.listing(rows=POOL[:9], world=World(), wishes=wishes)
    machine.rows(count=4)
    machine.happen(what=_LOOP, other=Happening(kind="insert", here=17, row=POOL[9]))
    machine.rows(count=1)
    machine.rows(count=MANY, what=Happening(kind="remove", here=9))
    assert machine.marks[-1].finished


def test_a_repair_after_a_cancelled_step(machine: ReadingMachine) -> None:
    """A repair of a listing of one page looks like the repetition of an answer that a cancelled step had lost."""
    ahead = Wishes(prefetch=True, verify_total="off")
    machine.listing(rows=POOL[:1] * 9, world=World(totals="late"), wishes=ahead)
    machine.happen(what=Happening(kind="plan", plan=Plan(drift="remove"), times=12))
    machine.cancel(at=4, wishes=ahead)
    machine.rows(count=1, wishes=ahead)
    machine.rows(count=1, wishes=ahead)
    machine.cancel(at=2, wishes=Wishes(prefetch=True, verify_total="repair"))
    machine.cancel(at=2, wishes=ahead)
