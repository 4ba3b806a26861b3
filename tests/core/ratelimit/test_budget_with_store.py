"""A budget whose calls a store counts as well: what it asks for, what it tells, and when a call may go out."""

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
    """A store that is never asked: these tests carry the questions and the answers themselves."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Refuse."""
        raise AssertionError


def budget_with_store(limit: int | None = 20, **settings: Any) -> tuple[RateBudget, Leases]:  # noqa: ANN401
    """Make a budget that has had an answer, which said nothing, and give its leases."""
    budget = RateBudget(limit, window=100.0, guard=5.0, store=Store(), **settings)
    budget.learn({}, 0.0, NOON)
    return budget, shared(budget).leases


def shared(budget: RateBudget) -> StoreShare:
    """Give what is said to a budget's store, and heard from it."""
    assert budget.store_share is not None
    return budget.store_share


def lease(budget: RateBudget, leases: Leases, places: int, now: float = 0.0) -> BudgetReport:
    """Ask for places, get so many for a minute, and give what the store was told."""
    budget.queue.add(waiting := Ticket())
    told = shared(budget).report(now)
    budget.queue.remove(waiting)
    assert None is leases.accept(told, BudgetLease(places=places, expires_in=60.0, ask_again_in=2.0), now)
    return told


def test_no_store() -> None:
    """Without a store there is nobody to ask or to tell."""
    budget = RateBudget(20)
    budget.queue.add(Ticket())

    assert None is budget.store_share


@pytest.mark.parametrize("plan", [RateBudget.developer, RateBudget.growth, RateBudget.scale])
def test_a_plan_with_a_store(plan: Callable[..., RateBudget]) -> None:
    """The budget of a plan is shared through the store that it was given, as any other, and by itself through none."""
    store = Store()

    assert store is shared(plan(store=store)).leases.store
    assert None is plan().store_share


def test_it_looks_ahead_as_one_of_several() -> None:
    """As many listings are begun as its part of the limit serves, once the store has told of others: tokens die."""
    budget, _ = budget_with_store()
    budget.queue.add(Ticket())
    told = shared(budget).report(0.0)
    alone = budget.max_listings(115.0)
    wrong = BudgetLease(places=-1, expires_in=60.0, ask_again_in=2.0, processes=2)
    answer = BudgetLease(places=1, expires_in=60.0, ask_again_in=2.0, processes=4)

    assert "leased with places=-1, where a whole number >= 0 was expected" == shared(budget).accept(told, wrong, 0.0)
    assert 20 == alone == budget.max_listings(115.0)
    assert None is shared(budget).accept(told, answer, 0.0)
    assert 5 == budget.max_listings(115.0)


def test_it_asks_when_calls_wait() -> None:
    """The store is asked when calls wait and nothing is leased; they wait as long as it wishes not to be asked."""
    budget, leases = budget_with_store()
    assert not shared(budget).due(0.0)
    budget.queue.add(waiting := Ticket())
    assert shared(budget).due(0.0)
    assert 0.001 == budget.wait_time(0.0)
    budget.queue.remove(waiting)
    lease(budget, leases, 0)
    assert 2.0 == budget.wait_time(0.0)
    lease(budget, leases, 1, 2.0)
    assert 0.0 == budget.wait_time(2.0)
    budget.queue.add(Ticket())
    assert not shared(budget).due(2.0)


def test_calls_go_out_against_the_lease() -> None:
    """Each call takes a place of the lease, and gives it back if it did not go out; the own count holds as well."""
    budget, leases = budget_with_store(2)
    lease(budget, leases, 3)
    budget.acquire(0.0, bulk=False)
    budget.acquire(0.0, bulk=True)
    assert (None, 2) == (budget.wait_time(0.0), budget.in_flight)
    budget.cancel()
    assert (0.0, 1) == (budget.wait_time(0.0), budget.in_flight)
    budget.settle(0.0)
    budget.acquire(0.0, bulk=True)
    told = shared(budget).report(0.0)
    assert (1, 1) == (told.sent, told.under_way)
    assert not leases.empty(0.0)


def test_what_the_store_is_asked_for() -> None:
    """It is asked for those who wait and a few more, told how many are interactive, and this program's own part."""
    budget, leases = budget_with_store(20, share=0.5)
    for bulk in (True, True, False):
        budget.queue.add(Ticket(bulk=bulk))
    told = shared(budget).report(0.0)

    assert (11, 1, 10, 105.0) == (told.wanted, told.interactive, told.limit, told.window)
    leases.accept(told, BudgetLease(places=1, expires_in=60.0, ask_again_in=2.0), 0.0)
    again = shared(budget).report(0.0)
    assert again is not None
    assert 0 == again.wanted
    unlimited, _ = budget_with_store(None)
    told = shared(unlimited).report(0.0)
    assert None is told.limit


def test_what_the_store_is_told() -> None:
    """What the service says is left, and a pause, are told; a pause at once, and the places that it leaves unused."""
    budget, leases = budget_with_store()
    lease(budget, leases, 3)
    budget.acquire(0.0, bulk=False)
    budget.settle(1.0, reported=budget.learn({"x-ratelimit-remaining": "7"}, 1.0, NOON))
    told = shared(budget).report(2.0)
    assert (1, 7, 99.0, False) == (told.sent, told.remaining, told.resets_in, shared(budget).due(2.0))
    budget.pause(30.0, 2.0)
    told = shared(budget).report(3.0)
    assert (1, 2, 29.0, True) == (told.sent, told.unused, told.paused_for, shared(budget).due(3.0))


def test_answers_that_say_nothing_are_not_told() -> None:
    """Of an answer without a count, the store is told nothing."""
    budget, _ = budget_with_store()
    assert not budget.learn({"x-ratelimit-limit": "20"}, 1.0, NOON)
    told = shared(budget).report(1.0)

    assert (None, 0.0) == (told.remaining, told.resets_in)


@pytest.mark.parametrize("bulk", [True, False])
def test_a_call_given_back_is_not_expected_again(bulk: bool) -> None:
    """A call that was given back leaves no place taken, and no single call to keep places for."""
    budget = RateBudget(4, guard=0.0)
    budget.learn({}, 0.0, NOON)
    for _ in range(3):
        budget.acquire(0.0, bulk=bulk)
        budget.cancel(bulk=bulk)

    assert (4, 0) == (budget.bulk_slots(0.0), budget.in_flight)


def test_what_the_service_says_is_for_the_store() -> None:
    """What is left of the key, the store is told with the question for places: it knows what others have been told."""
    budget, leases = budget_with_store()
    told = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "Sun, 22 Nov 2026 12:00:50 GMT"}
    budget.learn(told, 1.0, NOON)

    assert 0 == lease(budget, leases, 7, 2.0).remaining
    assert 0.0 == budget.wait_time(2.0)
    shared(budget).count_alone(3.0)
    assert 53.0 == budget.wait_time(3.0)
