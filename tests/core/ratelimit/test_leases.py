"""The slots that a shared store has leased to a process, and what the process reports."""

from __future__ import annotations

import math

import attrs
import pytest

from pyas_async import BudgetLease, BudgetReport
from pyas_async._core.ratelimit.leases import Leases

NOTHING = BudgetReport(
    wanted=0,
    interactive=0,
    sent=0,
    under_way=0,
    unused=0,
    used=9,
    limit=100,
    window=300.0,
    remaining=None,
    resets_in=0.0,
    paused_for=0.0,
)


class Store:
    """A store that is never asked: these tests pass reports and answers on themselves."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Fail: no test gets here."""
        raise AssertionError


def report(leases: Leases, now: float, *, wanted: int = 0, interactive: int = 0) -> BudgetReport:
    """Make a report."""
    return leases.report(now, wanted=wanted, interactive=interactive, used=9, limit=100, window=300.0)


def leased(
    slots: int, now: float = 0.0, *, expires_in: float = 60.0, ask_again_in: float = 1.0, leases: Leases | None = None
) -> Leases:
    """Lease some slots."""
    leases = leases or Leases(Store())
    lease = BudgetLease(places=slots, expires_in=expires_in, ask_again_in=ask_again_in)
    assert None is leases.accept(report(leases, now, wanted=slots or 1), lease, now)
    return leases


def test_first_report() -> None:
    """The first report is empty; one that asks for bulk slots asks for a few more than needed."""
    leases = Leases(store := Store())

    assert store is leases.store
    assert NOTHING == report(leases, 5.0)
    assert attrs.evolve(NOTHING, wanted=11, interactive=2) == report(leases, 5.0, wanted=3, interactive=2)
    assert (leases.urgent, leases.asking) == (False, False)


def test_report() -> None:
    """Calls that are over, unused slots, the calls that remain and a pause are reported, and only once."""
    leases = leased(5)
    for _ in range(2):
        leases.acquire()
        leases.settle(0.0)
    leases.note_remaining(7, 40.0)
    leases.pause(30.0, 10.0)
    sent = report(leases, 10.0)

    assert attrs.evolve(NOTHING, sent=2, unused=3, remaining=7, resets_in=30.0, paused_for=20.0) == sent
    assert leases.urgent
    assert None is leases.accept(sent, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 10.0)
    assert attrs.evolve(NOTHING, paused_for=19.0) == report(leases, 11.0)
    assert not leases.urgent
    assert NOTHING == report(leases, 40.5)


def test_news_during_a_request_is_reported_later() -> None:
    """What becomes known while the store is asked goes with the next report."""
    leases = leased(5)
    leases.acquire()
    leases.settle(0.0)
    sent = report(leases, 10.0)
    leases.acquire()
    leases.settle(0.0)
    leases.note_remaining(7, 40.0)
    leases.pause(30.0, 11.0)
    leases.accept(sent, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 12.0)

    assert attrs.evolve(NOTHING, sent=1, unused=3, remaining=7, resets_in=28.0, paused_for=18.0) == report(leases, 12.0)
    assert leases.urgent


def test_each_call_takes_a_slot() -> None:
    """A lease is used up call by call; a call that was not sent puts its slot back, and is not reported."""
    leases = leased(2)
    leases.acquire()
    assert not leases.empty(0.0)
    leases.acquire()
    assert leases.empty(0.0)
    leases.cancel()
    assert not leases.empty(0.0)
    assert 1 == report(leases, 0.0).under_way
    leases.acquire()
    assert leases.empty(0.0)
    assert 2 == report(leases, 0.0).under_way


def test_calls_in_flight_are_reported() -> None:
    """The service may count a call at any moment until its response, so it is reported as in flight until then."""
    leases = leased(2)
    leases.acquire()
    leases.acquire()
    leases.settle(0.0)
    sent = report(leases, 0.0)

    assert attrs.evolve(NOTHING, sent=1, under_way=1) == sent
    leases.accept(sent, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 0.0)
    assert attrs.evolve(NOTHING, under_way=1) == report(leases, 1.0)
    leases.settle(0.0)
    assert attrs.evolve(NOTHING, sent=1) == report(leases, 1.0)


def test_when_calls_that_are_over_are_reported() -> None:
    """At once when none is in flight, else within a second: the store frees their slots a window after the report."""
    leases = leased(5)
    assert math.inf == leases.report_at
    leases.acquire()
    leases.acquire()
    leases.settle(5.0)
    assert (6.0, False, True) == (leases.report_at, leases.due(5.9, wanted=True), leases.due(6.0, wanted=True))
    leases.settle(5.5)
    assert (5.0, True, False) == (leases.report_at, leases.due(5.5, wanted=True), leases.due(5.5, wanted=False))
    leases.accept(report(leases, 5.5), BudgetLease(places=3, expires_in=9.0, ask_again_in=0.0), 5.5)
    assert (math.inf, False) == (leases.report_at, leases.due(9.0, wanted=True))
    leases.acquire()
    leases.settle(5.51)
    assert 5.55 == leases.report_at


def test_when_nothing_is_reported() -> None:
    """While the store is asked, or counts as gone, no call is woken for a report: the time is not in the past."""
    leases = leased(5)
    leases.acquire()
    leases.settle(5.0)
    assert 5.0 == leases.report_at
    leases.asking = True
    assert math.inf == leases.report_at
    leases.asking = False
    leases.count_alone(6.0, used=1, window=300.0)
    assert 16.0 == leases.report_at


def test_calls_that_have_been_over_for_long_are_not_reported() -> None:
    """A call whose slot has become free in this process needs none in the store; it is not reported later, either."""
    leases = leased(5)
    for _ in range(3):
        leases.acquire()
        leases.settle(0.0)
    late = leases.report(500.0, wanted=1, interactive=0, used=1, limit=100, window=300.0)

    assert (1, 0) == (late.sent, late.under_way)
    leases.accept(late, BudgetLease(places=1, expires_in=9.0, ask_again_in=0.0), 500.0)
    assert 0 == report(leases, 501.0).sent


def test_cancelled_calls() -> None:
    """Each of several calls that were not sent puts one slot back, and none of them is reported."""
    leases = leased(3)
    for _ in range(3):
        leases.acquire()
    leases.cancel()
    leases.cancel()
    assert 1 == report(leases, 0.0).under_way
    leases.acquire()
    assert (False, 2) == (leases.empty(0.0), report(leases, 0.0).under_way)
    leases.acquire()
    assert (True, 3) == (leases.empty(0.0), report(leases, 0.0).under_way)


def test_calls_beyond_the_lease_leave_no_debt() -> None:
    """Calls that go out while a process counts alone are reported, and take nothing from the next lease."""
    leases = Leases(Store())
    leases.acquire()
    leases.acquire()
    assert 2 == report(leases, 0.0).under_way

    assert not leased(1, leases=leases).empty(0.0)


def test_a_lease_expires() -> None:
    """Slots belong to others when their lease expires, after a window at most, and are not reported as unused."""
    leases = leased(5, 10.0, expires_in=60.0)
    assert not leases.empty(69.9)
    assert leases.empty(70.0)
    assert 0 == report(leases, 70.0).unused
    assert leased(5, 10.0, expires_in=1e300).empty(310.0)
    assert leased(5, 10.0, expires_in=0.0).empty(10.0)


def test_a_pause_gives_back_no_expired_slots() -> None:
    """Slots of an expired lease belong to others already: a pause after that gives back none of them."""
    leases = leased(5, 10.0, expires_in=60.0)
    leases.pause(100.0, 70.0)
    assert 0 == report(leases, 70.0).unused
    late = leased(5, 10.0, expires_in=0.0)
    late.pause(100.0, 10.0)
    assert 0 == report(late, 10.0).unused
    never = Leases(Store())
    never.pause(100.0, 10.0)
    assert 0 == report(never, 10.0).unused


def test_unused_slots_of_two_pauses() -> None:
    """Slots that two pauses leave unused are given back together, and none of them can be used."""
    leases = leased(5)
    leases.pause(10.0, 0.0)
    assert leases.empty(0.0)
    sent = report(leases, 1.0, wanted=1)
    assert 5 == sent.unused
    leases.accept(attrs.evolve(sent, unused=0), BudgetLease(places=2, expires_in=60.0, ask_again_in=1.0), 1.0)
    leases.pause(20.0, 2.0)

    assert 7 == report(leases, 2.0).unused


def test_when_the_store_is_asked() -> None:
    """It is asked when calls wait and no slot is left, as soon as it wishes, and at once if something is urgent."""
    leases = Leases(Store())
    assert leases.due(0.0, wanted=True)
    assert not leases.due(0.0, wanted=False)
    leased(0, 0.0, ask_again_in=2.0, leases=leases)
    assert not leases.due(1.9, wanted=True)
    assert leases.due(2.0, wanted=True)
    leased(1, 2.0, leases=leases)
    assert not leases.due(2.0, wanted=True)
    leases.pause(30.0, 2.0)
    assert leases.due(2.0, wanted=False)
    leases.asking = True
    assert not leases.due(2.0, wanted=False)


@pytest.mark.parametrize(
    ("slots", "expires_in", "ask_again_in", "seconds"),
    [
        (0, 60.0, 2.0, 2.0),
        (0, 60.0, 0.0, 0.05),
        (0, 60.0, 1e300, 300.0),
        (1, 60.0, 2.0, 0.001),
        (1, 0.05, 2.0, 0.001),
        (1, 0.04, 2.0, 2.0),
        (1, 0.0, 2.0, 2.0),
    ],
)
def test_how_soon_the_store_is_asked_again(slots: int, expires_in: float, ask_again_in: float, seconds: float) -> None:
    """After a lease without slots, the store says when: not at once, and after a window at most; else at any time."""
    leases = leased(slots, 10.0, expires_in=expires_in, ask_again_in=ask_again_in)

    assert pytest.approx(seconds) == leases.ask_in(10.0)
    leases.asking = True
    assert None is leases.ask_in(10.0)


def test_a_report_without_a_request_delays_nothing() -> None:
    """A report that asks for no slots does not delay the next request, and does not change the lease."""
    leases = leased(1, 0.0)
    sent = report(leases, 1.0)
    leases.accept(sent, BudgetLease(places=0, expires_in=0.0, ask_again_in=100.0), 1.0)

    assert not leases.empty(1.0)
    assert 0.001 == leases.ask_in(1.0)


def test_time_for_an_answer() -> None:
    """A store has five seconds in all, even if requests were cut short, and at least one second for each request."""
    leases = Leases(Store())
    assert (5.0, None) == (leases.answer_time, leases.note_unanswered(1.5))
    assert (3.5, None) == (leases.answer_time, leases.note_unanswered(3.0))
    assert 1.0 == leases.answer_time
    fault = leases.note_unanswered(0.5)
    assert fault is not None
    assert "5 s" in fault
    leased(1, leases=leases)
    assert (5.0, None) == (leases.answer_time, leases.note_unanswered(4.9))


def test_a_store_that_failed() -> None:
    """The process counts alone for ten seconds; then the store is asked again, and has its whole time."""
    leases = Leases(Store())
    leases.note_unanswered(4.0)
    assert 10.0 == leases.count_alone(100.0, used=0, window=300.0)
    leases.urgent = True
    assert [False, False] == [leases.empty(109.9), leases.due(109.9, wanted=True)]
    assert [True, True] == [leases.empty(110.0), leases.due(110.0, wanted=True)]
    assert 5.0 == leases.answer_time


def test_no_lease_is_kept_of_a_wrong_answer() -> None:
    """A wrong answer is described, and nothing counts as reported."""
    leases = Leases(Store())
    leases.acquire()
    leases.settle(0.0)
    sent = report(leases, 0.0, wanted=1)
    fault = leases.accept(sent, BudgetLease(places=5, expires_in=math.nan, ask_again_in=0.0), 0.0)

    assert fault is not None
    assert "expires_in" in fault
    assert 1 == report(leases, 0.0).sent
    assert leases.empty(0.0)
