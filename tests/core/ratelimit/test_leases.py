"""What a process notes of the places that a shared store has leased to it, and tells the store."""

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
    """A store that is never asked: these tests carry the questions and the answers themselves."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Refuse."""
        raise AssertionError


def report(leases: Leases, now: float, *, wanted: int = 0, interactive: int = 0) -> BudgetReport:
    """Write what the store is told."""
    return leases.report(now, wanted=wanted, interactive=interactive, used=9, limit=100, window=300.0)


def leased(
    places: int, now: float = 0.0, *, expires_in: float = 60.0, ask_again_in: float = 1.0, leases: Leases | None = None
) -> Leases:
    """Lease so many places."""
    leases = leases or Leases(Store())
    lease = BudgetLease(places=places, expires_in=expires_in, ask_again_in=ask_again_in)
    assert None is leases.accept(report(leases, now, wanted=places or 1), lease, now)
    return leases


def test_first_report() -> None:
    """A process that has nothing to tell says so, and asks for a few places more than it needs."""
    leases = Leases(store := Store())

    assert store is leases.store
    assert NOTHING == report(leases, 5.0)
    assert attrs.evolve(NOTHING, wanted=11, interactive=2) == report(leases, 5.0, wanted=3, interactive=2)
    assert (leases.urgent, leases.asking) == (False, False)


def test_report_tells_what_happened() -> None:
    """Calls that went out, places not used, what the service said is left, and its pause are told, and told once."""
    leases = leased(5)
    for _ in range(2):
        leases.acquire()
        leases.settle(0.0)
    leases.note_remaining(7, 40.0)
    leases.pause(30.0, 10.0)
    told = report(leases, 10.0)

    assert attrs.evolve(NOTHING, sent=2, unused=3, remaining=7, resets_in=30.0, paused_for=20.0) == told
    assert leases.urgent
    assert None is leases.accept(told, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 10.0)
    assert attrs.evolve(NOTHING, paused_for=19.0) == report(leases, 11.0)
    assert not leases.urgent
    assert NOTHING == report(leases, 40.5)


def test_what_happens_meanwhile_is_told_later() -> None:
    """What becomes known while the store is asked stays to be told."""
    leases = leased(5)
    leases.acquire()
    leases.settle(0.0)
    told = report(leases, 10.0)
    leases.acquire()
    leases.settle(0.0)
    leases.note_remaining(7, 40.0)
    leases.pause(30.0, 11.0)
    leases.accept(told, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 12.0)

    assert attrs.evolve(NOTHING, sent=1, unused=3, remaining=7, resets_in=28.0, paused_for=18.0) == report(leases, 12.0)
    assert leases.urgent


def test_each_call_takes_a_place() -> None:
    """A lease is used up call by call; a call that did not go out gives its place back, and is not told."""
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


def test_a_call_is_told_of_until_it_is_over() -> None:
    """The service may count a call at any moment until it has answered: only then does its place begin to come back."""
    leases = leased(2)
    leases.acquire()
    leases.acquire()
    leases.settle(0.0)
    told = report(leases, 0.0)

    assert attrs.evolve(NOTHING, sent=1, under_way=1) == told
    leases.accept(told, BudgetLease(places=0, expires_in=0.0, ask_again_in=0.0), 0.0)
    assert attrs.evolve(NOTHING, under_way=1) == report(leases, 1.0)
    leases.settle(0.0)
    assert attrs.evolve(NOTHING, sent=1) == report(leases, 1.0)


def test_when_it_tells_of_calls_that_are_over() -> None:
    """Their places come back a window after the store has heard of it: at once after the last, else within a second."""
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


def test_when_it_does_not_tell() -> None:
    """While the store is asked, or counts as gone, nobody need wake to tell it: the moment is not in the past."""
    leases = leased(5)
    leases.acquire()
    leases.settle(5.0)
    assert 5.0 == leases.report_at
    leases.asking = True
    assert math.inf == leases.report_at
    leases.asking = False
    leases.count_alone(6.0, used=1, window=300.0)
    assert 16.0 == leases.report_at


def test_calls_that_are_over_for_long_are_not_told() -> None:
    """What has its place back in this process needs none in the store; it is not told later, either."""
    leases = leased(5)
    for _ in range(3):
        leases.acquire()
        leases.settle(0.0)
    late = leases.report(500.0, wanted=1, interactive=0, used=1, limit=100, window=300.0)

    assert (1, 0) == (late.sent, late.under_way)
    leases.accept(late, BudgetLease(places=1, expires_in=9.0, ask_again_in=0.0), 500.0)
    assert 0 == report(leases, 501.0).sent


def test_places_that_come_back_are_counted() -> None:
    """Of several calls that did not go out, each gives one place back, and none of them is told."""
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
    """Calls that go out while a process counts alone are told, and take nothing from the next lease."""
    leases = Leases(Store())
    leases.acquire()
    leases.acquire()
    assert 2 == report(leases, 0.0).under_way

    assert not leased(1, leases=leases).empty(0.0)


def test_a_lease_expires() -> None:
    """What is left of a lease belongs to others when it expires, or when a window has passed, and is not given back."""
    leases = leased(5, 10.0, expires_in=60.0)
    assert not leases.empty(69.9)
    assert leases.empty(70.0)
    assert 0 == report(leases, 70.0).unused
    assert leased(5, 10.0, expires_in=1e300).empty(310.0)
    assert leased(5, 10.0, expires_in=0.0).empty(10.0)


def test_what_expired_is_not_given_back() -> None:
    """Places that a lease left over belong to others since it expired: a pause after that gives back none of them."""
    leases = leased(5, 10.0, expires_in=60.0)
    leases.pause(100.0, 70.0)
    assert 0 == report(leases, 70.0).unused
    late = leased(5, 10.0, expires_in=0.0)
    late.pause(100.0, 10.0)
    assert 0 == report(late, 10.0).unused
    never = Leases(Store())
    never.pause(100.0, 10.0)
    assert 0 == report(never, 10.0).unused


def test_what_is_given_back_in_turns() -> None:
    """Places that two pauses leave unused are given back together, and none of them can be used."""
    leases = leased(5)
    leases.pause(10.0, 0.0)
    assert leases.empty(0.0)
    told = report(leases, 1.0, wanted=1)
    assert 5 == told.unused
    leases.accept(attrs.evolve(told, unused=0), BudgetLease(places=2, expires_in=60.0, ask_again_in=1.0), 1.0)
    leases.pause(20.0, 2.0)

    assert 7 == report(leases, 2.0).unused


def test_when_the_store_is_asked() -> None:
    """It is asked when calls wait and nothing is left, as soon as it wishes; told at once of what is urgent."""
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
    ("places", "expires_in", "ask_again_in", "seconds"),
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
def test_how_soon_the_store_is_asked_again(places: int, expires_in: float, ask_again_in: float, seconds: float) -> None:
    """Who got nothing asks again when the store says, not at once and not after more than a window; others any time."""
    leases = leased(places, 10.0, expires_in=expires_in, ask_again_in=ask_again_in)

    assert pytest.approx(seconds) == leases.ask_in(10.0)
    leases.asking = True
    assert None is leases.ask_in(10.0)


def test_who_only_told_may_ask_at_once() -> None:
    """A report that asked for nothing does not put off the next question, and does not touch the lease."""
    leases = leased(1, 0.0)
    told = report(leases, 1.0)
    leases.accept(told, BudgetLease(places=0, expires_in=0.0, ask_again_in=100.0), 1.0)

    assert not leases.empty(1.0)
    assert 0.001 == leases.ask_in(1.0)


def test_patience_with_the_store() -> None:
    """A store has five seconds in all to answer, however many questions were cut short, and one for each at least."""
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
    """The process counts alone for ten seconds; then the store is asked again, and has all its time."""
    leases = Leases(Store())
    leases.note_unanswered(4.0)
    assert 10.0 == leases.count_alone(100.0, used=0, window=300.0)
    leases.urgent = True
    assert [False, False] == [leases.empty(109.9), leases.due(109.9, wanted=True)]
    assert [True, True] == [leases.empty(110.0), leases.due(110.0, wanted=True)]
    assert 5.0 == leases.answer_time


def test_no_lease_is_kept_of_a_wrong_answer() -> None:
    """An answer that is no lease is said to be wrong, and nothing counts as told."""
    leases = Leases(Store())
    leases.acquire()
    leases.settle(0.0)
    told = report(leases, 0.0, wanted=1)
    fault = leases.accept(told, BudgetLease(places=5, expires_in=math.nan, ask_again_in=0.0), 0.0)

    assert fault is not None
    assert "expires_in" in fault
    assert 1 == report(leases, 0.0).sent
    assert leases.empty(0.0)
