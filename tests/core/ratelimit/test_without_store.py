"""While a store cannot be asked, each process spends its own part of the limit."""

from __future__ import annotations

import attrs
import pytest

from core.ratelimit.test_budget_with_store import Store, budget_with_store, share_of
from core.tools import NOON, try_acquire
from pyas_async import BudgetLease, RateBudget
from pyas_async._core.ratelimit.tickets import Ticket


def fails(budget: RateBudget, now: float, *, processes: int | None = None) -> None:
    """Let the store say how many processes there are, and then fail."""
    budget.queue.add(waiting := Ticket())
    report = share_of(budget).report(now)
    budget.queue.remove(waiting)
    lease = BudgetLease(places=0, expires_in=1.0, ask_again_in=0.1, processes=processes)
    assert None is share_of(budget).leases.accept(report, lease, now)
    assert 10.0 == share_of(budget).count_alone(now)


def second_window(budget: RateBudget, *, processes: int | None) -> float:
    """Let the store fail until the first window without it is over; return the time."""
    fails(budget, 1.0, processes=processes)
    for now in range(11, 111, 10):
        share_of(budget).count_alone(now)
    return 108.0


@pytest.mark.parametrize(("processes", "slots"), [(None, 20), (1, 20), (4, 5), (7, 2), (100, 1)])
def test_part_of_the_limit(processes: int | None, slots: int) -> None:
    """Each process counts alone against its part of the limit, so together they keep to the limit."""
    budget, _ = budget_with_store(20)
    now = second_window(budget, processes=processes)

    assert slots == sum(try_acquire(budget, now) for _ in range(50))


def test_until_the_store_is_asked_again() -> None:
    """A call without a slot looks again when the store may be asked, and not when a window is over."""
    budget, leases = budget_with_store(20)
    budget.acquire(-104.0, bulk=False)
    budget.settle(-104.0)
    fails(budget, 1.0, processes=20)
    assert try_acquire(budget, 2.0)
    budget.settle(2.0)

    assert 9.0 == budget.wait_time(2.0)
    assert (1, 11.0) == leases.part_alone(10.9, 1)


def test_others_may_not_have_noticed_yet() -> None:
    """When the store is back, a process keeps to its part until all others must have noticed."""
    budget, leases = budget_with_store(20)
    fails(budget, 1.0, processes=4)

    assert (0, 26.0) == leases.part_alone(11.0, 5)
    assert None is leases.part_alone(26.0, 5)


def test_a_store_that_has_forgotten_others() -> None:
    """While others may not have noticed that the store is back, a lower number of processes does not count."""
    budget, leases = budget_with_store(20)
    fails(budget, 1.0, processes=4)
    found = []
    for now, processes in ((11.0, 1), (12.0, 5), (25.9, 2), (26.0, 2)):
        report = share_of(budget).report(now)
        leases.accept(report, BudgetLease(places=0, expires_in=1.0, ask_again_in=0.1, processes=processes), now)
        found.append(leases.processes)

    assert [4, 5, 5, 2] == found


@pytest.mark.parametrize(("used", "slots"), [(0, 0), (2, 0), (7, 0)])
def test_the_first_window(used: int, slots: int) -> None:
    """Others may have used more than their parts, or everything: at first each process keeps to what it used."""
    budget, _ = budget_with_store(20)
    for _ in range(used):
        budget.acquire(1.0, bulk=False)
        budget.settle(1.0)
    fails(budget, 2.0, processes=4)

    assert slots == sum(try_acquire(budget, 3.0) for _ in range(50))
    share_of(budget).count_alone(12.0)
    assert 0 == sum(try_acquire(budget, 13.0) for _ in range(50))


def test_slots_that_come_back() -> None:
    """In the first window a process may spend the slots that come back again."""
    budget, _ = budget_with_store(20)
    for _ in range(3):
        budget.acquire(1.0, bulk=False)
        budget.settle(1.0)
    fails(budget, 100.0, processes=4)

    assert 0 == sum(try_acquire(budget, 105.9) for _ in range(50))
    assert 3 == sum(try_acquire(budget, 106.0) for _ in range(50))


def test_the_second_window() -> None:
    """Afterwards each process has its equal part, whatever it used before."""
    budget, leases = budget_with_store(20)
    fails(budget, 2.0, processes=4)
    assert (0, 12.0) == leases.part_alone(2.0, 5)
    for now in range(12, 112, 10):
        share_of(budget).count_alone(now)

    assert (0, 107.0) == leases.part_alone(106.9, 5)
    assert (5, 112.0) == leases.part_alone(107.0, 5)


def test_the_only_process() -> None:
    """A process that is the only one need not wait for a window: nothing was spent but by itself."""
    budget, _ = budget_with_store(20)
    fails(budget, 2.0, processes=1)

    assert 20 == sum(try_acquire(budget, 3.0) for _ in range(50))


def test_a_store_that_fails_again() -> None:
    """If the store has answered meanwhile, others may have got more than their parts: a first window begins again."""
    budget, leases = budget_with_store(20)
    fails(budget, 2.0, processes=4)
    for now in range(12, 122, 10):
        share_of(budget).count_alone(now)
    assert (5, 122.0) == leases.part_alone(112.0, 5)
    fails(budget, 123.0)

    assert (0, 133.0) == leases.part_alone(123.0, 5)


def test_a_store_that_was_never_there() -> None:
    """A process that has never reached the store knows of no others, and spends the whole limit."""
    budget, _ = budget_with_store(20)
    share_of(budget).count_alone(0.0)

    assert 20 == sum(try_acquire(budget, 1.0) for _ in range(50))


def test_share_of_the_share() -> None:
    """With a share, that part of the limit is divided among the processes that ask the store."""
    budget, _ = budget_with_store(20, share=0.5)
    now = second_window(budget, processes=2)

    assert 5 == sum(try_acquire(budget, now) for _ in range(50))


def test_unknown_limit() -> None:
    """If the limit is unknown, so is its part: calls go out, and the service counts them."""
    budget, _ = budget_with_store(None)
    fails(budget, 1.0, processes=4)

    assert 50 == sum(try_acquire(budget, 2.0) for _ in range(50))


def test_used_slots_are_reported() -> None:
    """All calls that hold a slot are reported, also those reported before: the store may have lost its data."""
    budget, leases = budget_with_store(20)
    fails(budget, 0.0)
    for _ in range(3):
        assert try_acquire(budget, 1.0)
    for _ in range(2):
        budget.settle(2.0)
    report = share_of(budget).report(3.0)
    assert (3, 2, 1) == (report.used, report.sent, report.under_way)
    assert None is leases.accept(report, BudgetLease(places=0, expires_in=1.0, ask_again_in=0.1), 12.0)
    report = share_of(budget).report(50.0)
    assert (3, 0, 1) == (report.used, report.sent, report.under_way)
    report = share_of(budget).report(108.0)
    assert 1 == report.used


@pytest.mark.parametrize("processes", [0, -1, 1.5, True, "4"])
def test_a_wrong_number_of_processes(processes: object) -> None:
    """An answer with a wrong number of processes is no lease."""
    budget = RateBudget(20, store=Store())
    budget.learn({}, 0.0, NOON)
    report = share_of(budget).report(0.0)
    lease = attrs.evolve(BudgetLease(places=1, expires_in=1.0, ask_again_in=0.0), processes=processes)  # type: ignore[arg-type]

    assert "processes=" in (share_of(budget).leases.accept(report, lease, 0.0) or "")
