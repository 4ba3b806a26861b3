"""Budgets shared by processes through a store of the user's own; and estimates of plans."""

from __future__ import annotations

from typing import assert_type

from pyas_async import BudgetLease, BudgetReport, BudgetStore, PyasClient, RateBudget
from pyas_async.plans import DEVELOPER, PLANS, Estimate, Plan, estimate


class Database:
    """Matches the protocol without naming it: it has the one method."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Lease what is requested."""
        assert_type(report.limit, int | None)
        assert_type(report.paused_for, float)
        return BudgetLease(places=report.wanted, expires_in=30, ask_again_in=1.5)


class Blocking:
    """A store that would block the event loop."""

    def lease(self, report: BudgetReport) -> BudgetLease:
        """Lease nothing."""
        return BudgetLease(places=0, expires_in=report.window, ask_again_in=report.window)


class Forgetful:
    """A store whose lease has no duration."""

    async def lease(self, report: BudgetReport) -> int:
        """Lease a number."""
        return report.wanted


def stores() -> None:
    """A store is any object with the async method of these types."""
    store: BudgetStore = Database()
    PyasClient(budget=RateBudget(3000, window=300, share=0.5, guard=2, store=store))
    PyasClient(budget=RateBudget(store=Database()))
    assert_type(RateBudget.scale(share=0.2), RateBudget)
    RateBudget(store=Blocking())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateBudget(store=Forgetful())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateBudget(store=Database)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateBudget("3000")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    BudgetLease(places=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    BudgetLease(1, 30, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def plans() -> None:
    """Estimates take a plan."""
    assert_type([estimate(plan, accounts=400, pages=3) for plan in PLANS.values()], list[Estimate])
    assert_type(DEVELOPER, Plan)
    estimate("developer", accounts=400)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    estimate(DEVELOPER)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
