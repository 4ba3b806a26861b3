"""Many listings at once, with a key that has few calls: none is wasted, none refused, and no token expires.

A small world of the model that `benchmarks/budget.py` simulates at length.
"""

from __future__ import annotations

import attrs
import pytest

from simulation.run import run
from simulation.world import LATENCY, Plan, Window, World

PLAN = Plan("small", 20)
# In the life of a page token, three windows, fewer calls are to be had than there are listings with a second page.
SHORT = World(plan=Plan("tiny", 5), accounts=25, long=15)
WHOLE = World(plan=PLAN, accounts=100)
windows = pytest.mark.parametrize("window", ["fixed", "sliding"])
worlds = pytest.mark.parametrize(
    "world", [pytest.param(SHORT, id="short"), pytest.param(WHOLE, id="whole", marks=pytest.mark.long)]
)


@worlds
@windows
@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("who", ["ours", "pairs"])
def test_no_call_is_wasted(world: World, window: Window, headers: bool, who: str) -> None:
    """Each page costs one call, whatever the phase of the service's windows, with counts in the responses or not."""
    figures = run(attrs.evolve(world, window=window, headers=headers), who)

    assert {} == figures.failures
    assert world.accounts == figures.done
    assert figures.least == figures.pages
    assert (0, 0, 0) == (figures.refused, figures.expired, figures.restarts)
    assert figures.waits
    assert figures.makespan <= 1.05


@worlds
@windows
def test_first_come_first_served(world: World, window: Window) -> None:
    """In the same world, a queue in order of arrival lets tokens expire: the goals take more than that."""
    figures = run(attrs.evolve(world, window=window), "queue")

    assert {} == figures.failures
    assert figures.expired > world.accounts
    assert figures.pages > 2 * figures.least


@windows
def test_semaphore(window: Window) -> None:
    """A semaphore around the listings finds the limit by refusals, in either kind of window."""
    world = World(plan=PLAN, accounts=2, window=window, long=50)

    figures = run(world, "workers")

    assert {} == figures.failures
    assert (2, figures.least) == (figures.done, figures.pages)
    assert figures.refused >= world.least // PLAN.limit


def test_bound_by_the_limit() -> None:
    """Three bursts of calls need two windows, and the last burst its answers."""
    world = World(plan=PLAN, accounts=1, long=3 * PLAN.limit, interactive=0)

    assert 2 * PLAN.window + LATENCY[0] == world.bound.seconds
    assert 3 * PLAN.limit == world.bound.calls


def test_bound_by_the_longest_listing() -> None:
    """If the limit is high enough, the longest listing decides: its pages' time, and that of the first response."""
    world = World(plan=Plan("large", 10_000), accounts=10, interactive=0)

    figures = run(world, "ours")

    assert world.bound.seconds <= figures.seconds <= world.bound.seconds + LATENCY[1]
    assert 300 * LATENCY[0] < world.bound.seconds < 300 * LATENCY[1]


def test_same_seed_same_figures() -> None:
    """A run can be repeated: all randomness comes from the seed."""
    once, again = (attrs.evolve(run(SHORT, "ours"), real=0.0, cpu=0.0) for _ in range(2))

    assert once == again
