"""Scripted walks that reveal a planted fault, for faults that random walks rarely hit. Without a fault, each passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from walk import broken
from walk.listing import Plan
from walk.options import IteratorOptions
from walk.strategies import MANY, POOL, Disturbance, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from walk.machine import ConsumerMachine

_ROWS: Final = POOL[:18]


def _a_checkpoint_in_a_page(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=1)
    machine.resume()


def _a_server_that_fails(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=4)
    machine.rows(count=1, what=Disturbance(kind="plan", plan=Plan(what="server"), times=4))


def _a_checkpoint_that_is_old(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=5)
    machine.resume(count=5, what=Disturbance(kind="wait", seconds=1000.0))


def _less_than_a_page(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS, with_options=IteratorOptions(max_items=1))
    machine.rows(count=MANY)


def _a_listing_that_drifts(machine: ConsumerMachine) -> None:
    repair = IteratorOptions(verify_total="repair")
    machine.listing(rows=_ROWS[:9], with_options=repair)
    machine.rows(count=MANY, what=Disturbance(kind="plan", plan=Plan(drift="insert"), times=12))


def _rows_and_then_pages(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=1)
    machine.pages(count=1)


def _a_token_that_dies(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=4)
    machine.rows(count=1, what=Disturbance(kind="kill"))


def _a_page_that_waits(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS, with_options=IteratorOptions(prefetch=True))
    machine.rows(count=1)
    machine.rows(count=5, what=Disturbance(kind="wait", seconds=1000.0))


def _a_filter(machine: ConsumerMachine) -> None:
    machine.listing(rows=POOL[9:27], world=World(filtered=True))
    machine.rows(count=MANY)


def _an_empty_page(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=4)
    machine.rows(count=1, what=Disturbance(kind="plan", plan=Plan(what="empty")))


def _two_deaths_in_a_row(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS)
    machine.rows(count=4)
    machine.rows(count=MANY, what=Disturbance(kind="plan", plan=Plan(kill="after"), times=3))


def _an_error_of_a_prefetched_page(machine: ConsumerMachine) -> None:
    machine.listing(rows=_ROWS, with_options=IteratorOptions(prefetch=True))
    machine.rows(count=1, what=Disturbance(kind="plan", plan=Plan(), times=1))
    machine.rows(count=4, what=Disturbance(kind="plan", plan=Plan(what="key"), times=4))


SCRIPTED: Final[dict[object, Callable[[ConsumerMachine], None]]] = {
    broken.SavesTheNextToken: _a_checkpoint_in_a_page,
    broken.CountsARowAhead: _a_checkpoint_in_a_page,
    broken.TakesFaultsForADeadToken: _a_server_that_fails,
    broken.TrustsASavedToken: _a_checkpoint_that_is_old,
    broken.WantsOneMorePage: _less_than_a_page,
    broken.CountsWhatWasLeftOut: _less_than_a_page,
    broken.RepairsOnce: _a_listing_that_drifts,
    broken.RepeatsThePage: _rows_and_then_pages,
    broken.SendsADeadTokenAgain: _a_token_that_dies,
    broken.StampsLate: _a_page_that_waits,
    broken.DropsFilters: _a_filter,
    broken.StopsAtAnEmptyPage: _an_empty_page,
    broken.GivesUpEarly: _two_deaths_in_a_row,
    broken.LetsAnErrorGoFirst: _an_error_of_a_prefetched_page,
}
"""The scripted walk for each fault. A random walk finds each of them as well, but may take a minute."""
