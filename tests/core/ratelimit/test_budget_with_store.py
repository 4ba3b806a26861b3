"""A budget with a store: what it asks for, what it reports, and when a call may go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.tools import NOON
from pyas_async import BudgetLease, BudgetReport, RateBudget
from pyas_async._core.ratelimit.tickets import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async._core.ratelimit.leases import Leases, StoreShare


class Store:
    """A store that is never asked: these tests pass reports and answers on themselves."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Fail: no test gets here."""
        raise AssertionError


def budget_with_store(limit: int | None = 20, **settings: Any) -> tuple[RateBudget, Leases]:  # noqa: ANN401
    """Make a budget that has had a response, which reported nothing; return it and its leases."""
    budget = RateBudget(limit, window=100.0, guard=5.0, store=Store(), **settings)
    budget.learn({}, 0.0, NOON)
    return budget, share_of(budget).leases


def share_of(budget: RateBudget) -> StoreShare:
    """Return the part that a budget has in a shared one."""
    assert budget.store_share is not None
    return budget.store_share


def lease(budget: RateBudget, leases: Leases, slots: int, now: float = 0.0) -> BudgetReport:
    """Ask for slots, get some for a minute, and return the report."""
    budget.queue.add(waiting := Ticket())
    report = share_of(budget).report(now)
    budget.queue.remove(waiting)
    assert None is leases.accept(report, BudgetLease(places=slots, expires_in=60.0, ask_again_in=2.0), now)
    return report


def test_no_store() -> None:
    """Without a store there is no part in a shared budget."""
    budget = RateBudget(20)
    budget.queue.add(Ticket())

    assert None is budget.store_share


@pytest.mark.parametrize("plan", [RateBudget.developer, RateBudget.growth, RateBudget.scale])
def test_a_plan_with_a_store(plan: Callable[..., RateBudget]) -> None:
    """The budget of a plan is shared through the store that it was given, as any other; by default through none."""
    store = Store()

    assert store is share_of(plan(store=store)).leases.store
    assert None is plan().store_share


def test_forecast_as_one_of_several() -> None:
    """When the store tells of other processes, fewer listings begin: its part must serve them before tokens expire."""
    budget, _ = budget_with_store()
    budget.queue.add(Ticket())
    report = share_of(budget).report(0.0)
    alone = budget.max_listings(115.0)
    wrong = BudgetLease(places=-1, expires_in=60.0, ask_again_in=2.0, processes=2)
    answer = BudgetLease(places=1, expires_in=60.0, ask_again_in=2.0, processes=4)

    assert "leased with places=-1, where a whole number >= 0 was expected" == share_of(budget).accept(
        report, wrong, 0.0
    )
    assert 20 == alone == budget.max_listings(115.0)
    assert None is share_of(budget).accept(report, answer, 0.0)
    assert 5 == budget.max_listings(115.0)


def test_it_asks_when_calls_wait() -> None:
    """The store is asked when calls wait and nothing is leased; they wait until it may be asked again."""
    budget, leases = budget_with_store()
    assert not share_of(budget).due(0.0)
    budget.queue.add(waiting := Ticket())
    assert share_of(budget).due(0.0)
    assert 0.001 == budget.wait_time(0.0)
    budget.queue.remove(waiting)
    lease(budget, leases, 0)
    assert 2.0 == budget.wait_time(0.0)
    lease(budget, leases, 1, 2.0)
    assert 0.0 == budget.wait_time(2.0)
    budget.queue.add(Ticket())
    assert not share_of(budget).due(2.0)


def test_calls_go_out_against_the_lease() -> None:
    """Each call takes a leased slot, and puts it back if it was not sent; the own count is a bound as well."""
    budget, leases = budget_with_store(2)
    lease(budget, leases, 3)
    budget.acquire(0.0, bulk=False)
    budget.acquire(0.0, bulk=True)
    assert (None, 2) == (budget.wait_time(0.0), budget.in_flight)
    budget.cancel()
    assert (0.0, 1) == (budget.wait_time(0.0), budget.in_flight)
    budget.settle(0.0)
    budget.acquire(0.0, bulk=True)
    report = share_of(budget).report(0.0)
    assert (1, 1) == (report.sent, report.under_way)
    assert not leases.empty(0.0)


def test_what_the_store_is_asked_for() -> None:
    """The report asks for the waiting calls and a few more; it has the interactive ones, and this program's limit."""
    budget, leases = budget_with_store(20, share=0.5)
    for bulk in (True, True, False):
        budget.queue.add(Ticket(bulk=bulk))
    report = share_of(budget).report(0.0)

    assert (11, 1, 10, 105.0) == (report.wanted, report.interactive, report.limit, report.window)
    leases.accept(report, BudgetLease(places=1, expires_in=60.0, ask_again_in=2.0), 0.0)
    again = share_of(budget).report(0.0)
    assert again is not None
    assert 0 == again.wanted
    unlimited, _ = budget_with_store(None)
    report = share_of(unlimited).report(0.0)
    assert None is report.limit


def test_what_the_store_is_told() -> None:
    """The calls that remain and a pause are reported; the pause at once, with the slots that it leaves unused."""
    budget, leases = budget_with_store()
    lease(budget, leases, 3)
    budget.acquire(0.0, bulk=False)
    budget.settle(1.0, reported=budget.learn({"x-ratelimit-remaining": "7"}, 1.0, NOON))
    report = share_of(budget).report(2.0)
    assert (1, 7, 99.0, False) == (report.sent, report.remaining, report.resets_in, share_of(budget).due(2.0))
    budget.pause(30.0, 2.0)
    report = share_of(budget).report(3.0)
    assert (1, 2, 29.0, True) == (report.sent, report.unused, report.paused_for, share_of(budget).due(3.0))


def test_responses_without_a_count_are_not_reported() -> None:
    """A response without a count adds nothing to the report."""
    budget, _ = budget_with_store()
    assert not budget.learn({"x-ratelimit-limit": "20"}, 1.0, NOON)
    report = share_of(budget).report(1.0)

    assert (None, 0.0) == (report.remaining, report.resets_in)


@pytest.mark.parametrize("bulk", [True, False])
def test_a_cancelled_call_is_not_expected_again(bulk: bool) -> None:
    """A cancelled call leaves no slot taken, and no interactive call that slots are reserved for."""
    budget = RateBudget(4, guard=0.0)
    budget.learn({}, 0.0, NOON)
    for _ in range(3):
        budget.acquire(0.0, bulk=bulk)
        budget.cancel(bulk=bulk)

    assert (4, 0) == (budget.bulk_slots(0.0), budget.in_flight)


def test_the_service_count_is_for_the_store() -> None:
    """The calls that remain are reported with the request for slots, since the store knows the others' reports."""
    budget, leases = budget_with_store()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "Sun, 22 Nov 2026 12:00:50 GMT"}
    budget.learn(headers, 1.0, NOON)

    assert 0 == lease(budget, leases, 7, 2.0).remaining
    assert 0.0 == budget.wait_time(2.0)
    share_of(budget).count_alone(3.0)
    assert 53.0 == budget.wait_time(3.0)
