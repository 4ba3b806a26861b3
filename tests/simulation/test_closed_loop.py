"""People who call, read and call again get their slots in time, beside loops that spend all that they get."""

from __future__ import annotations

import math

import attrs
import pytest

from simulation.closed_loop import Conditions, run
from simulation.world import LATENCY, PLANS, Plan, Window

SMALL = Conditions(plan=Plan("small", 100), pause=20.0, bulk=600)
LARGE = Conditions(plan=Plan("large", 200), pause=20.0, bulk=1_200)
GROWTH = Conditions(plan=PLANS["growth"], pause=5.0, bulk=30_000)
windows = pytest.mark.parametrize("window", ["sliding", pytest.param("fixed", marks=pytest.mark.long)])


def least(conditions: Conditions, calls: int) -> float:
    """Return when so many calls can have been made, with a guard and a latency for each window."""
    return (math.ceil(calls / conditions.plan.limit) - 1) * (conditions.plan.window + 1 + LATENCY[1])


@windows
@pytest.mark.parametrize("varied", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("pause", [20.0, 60.0])
@pytest.mark.parametrize(
    "world", [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.long)]
)
def test_a_person_waits_for_seconds(world: Conditions, pause: float, varied: bool, window: Window) -> None:
    """All but one or two of a person's calls, those of the first window, take at most five seconds."""
    served = run(attrs.evolve(world, pause=pause, varied=varied, window=window))

    assert 0 == served.refused
    assert len(served.waits) >= 0.8 * served.makespan / pause
    assert sum(seconds > 5 for seconds in served.waits) <= 2


@windows
@pytest.mark.parametrize("pause", [20.0, pytest.param(10.0, marks=pytest.mark.long)])
def test_bulk_calls_lose_no_time(pause: float, window: Window) -> None:
    """The bulk loops end as early as the limit allows, counting the calls of the person as well."""
    served = run(attrs.evolve(LARGE, pause=pause, window=window))

    assert 0 == served.refused
    assert served.makespan <= 1.03 * least(LARGE, served.calls)


@pytest.mark.long
@windows
def test_growth(window: Window) -> None:
    """On the Growth plan, a person who calls every five seconds waits for at most five, and bulk calls lose no time."""
    served = run(attrs.evolve(GROWTH, window=window))

    assert 0 == served.refused
    assert served.wait(0.99) <= 5.0
    assert served.makespan <= 1.03 * least(GROWTH, served.calls)


@windows
def test_a_person_who_begins_later(window: Window) -> None:
    """A person who begins when all slots are taken waits for the next window, and hardly after that."""
    served = run(attrs.evolve(SMALL, begins=400.0, window=window))

    assert served.waits[0] > 5
    assert sum(seconds > 5 for seconds in served.waits[1:]) <= 1


@windows
def test_several_people(window: Window) -> None:
    """Several people are counted together: in the first window each may wait once, and later hardly any does."""
    served = run(attrs.evolve(LARGE, people=4, pause=60.0, window=window))

    assert 0 == served.refused
    assert sum(seconds > 5 for seconds in served.waits) <= 6


@windows
def test_a_person_who_does_not_wait(window: Window) -> None:
    """Calls that fail at once, since no slot comes before their deadline, count as calls that would need one."""
    served = run(attrs.evolve(SMALL, begins=100.0, deadline=90.0, window=window))

    # All that failed did so in the first window.
    assert served.failed <= 12
    assert len(served.waits) >= 0.8 * (served.makespan - 400) / 20
    assert sum(seconds > 5 for seconds in served.waits) <= 1


@windows
def test_limit_that_is_learned(window: Window) -> None:
    """If the client learns the limit from the responses, slots are reserved for people as well."""
    served = run(attrs.evolve(LARGE, given=False, window=window))

    assert sum(seconds > 5 for seconds in served.waits) <= 3
