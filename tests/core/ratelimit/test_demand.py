"""How many interactive calls are expected in the next window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk
from pyas_async._core.ratelimit.demand import Demand

WINDOW = 300.0


def after(*moments: float) -> Demand:
    """Make calls at these moments, none of which waits."""
    demand = Demand(WINDOW)
    for moment in moments:
        demand.add(moment)
    return demand


def test_as_many_as_in_the_last_window() -> None:
    """Once calls have come for a window, as many are expected as came in the last one; without calls, none."""
    demand = after(*(20.0 * number for number in range(40)))

    assert [15, 10, 0] == [demand.expected(now) for now in (780.0, 880.0, 1_080.0)]
    assert 0 == Demand(WINDOW).expected(0.0)


@brisk
@given(st.floats(16.0, 100.0), st.integers(2, 20))
def test_calls_that_have_begun_go_on(pause: float, calls: int) -> None:
    """From the second call on, a person who calls at even distances is expected to go on, within a factor of two."""
    demand = after(*(pause * number for number in range(calls)))
    expected = demand.expected(pause * (calls - 1) + pause / 2)

    assert 0.5 * WINDOW / pause - 1 <= expected <= 2 * WINDOW / pause + 2


def test_a_burst_does_not_go_on() -> None:
    """Calls that begin together do not mean that others will follow as fast."""
    assert 17 > after(*[0.0] * 16).expected(10.0) >= 16


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 11.0), (60.0, 3.7), (270.0, 1.1), (299.9, 1.0), (300.0, 0.0)])
def test_the_first_call(seconds: float, expected: float) -> None:
    """A single call may be the first of a person's, less so the longer no other comes."""
    assert expected == pytest.approx(after(0.0).expected(seconds), abs=0.05)


def test_time_in_which_a_call_waits_does_not_count() -> None:
    """While a call waits, its caller makes no other: as many calls are expected afterwards as before."""
    waited, served = after(0.0, 20.0), after(0.0, 20.0, 40.0)
    waited.wait_begins(40.0)
    assert waited.expected(40.0) == waited.expected(280.0) == served.expected(40.0)
    waited.add(300.0)  # it gets its slot, and has been counted
    waited.wait_ends(300.0)

    assert [served.expected(now) for now in (41.0, 70.0)] == [waited.expected(now) for now in (301.0, 330.0)]


def test_calls_that_come_while_one_waits() -> None:
    """Calls that come while another waits are not counted, as the time is not; the wait ends with the last of them."""
    demand, alone = after(0.0, 20.0), after(0.0, 20.0)
    for each in (demand, alone):
        each.wait_begins(40.0)
    for moment in (50.0, 60.0):
        demand.wait_begins(moment)
        demand.wait_ends(100.0)
    for each in (demand, alone):
        each.wait_ends(100.0)

    assert alone.expected(150.0) == demand.expected(150.0)


def test_calls_that_fail_at_once_count() -> None:
    """A call that no slot can serve in time fails, and counts as one that would need a slot."""
    failing = Demand(WINDOW)
    for moment in (0.0, 20.0, 40.0):
        failing.wait_begins(moment)
        failing.wait_ends(moment)

    assert after(0.0, 20.0, 40.0).expected(45.0) == failing.expected(45.0)


def test_cancel() -> None:
    """A call that was not sent does not count."""
    demand = after(0.0, 20.0, 40.0)
    demand.cancel()
    assert after(0.0, 20.0).expected(41.0) == demand.expected(41.0)
    for _ in range(3):
        demand.cancel()
    assert 0 == demand.expected(41.0)
