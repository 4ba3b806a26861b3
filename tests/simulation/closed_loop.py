"""People who call, read and call again, beside loops that spend all that they get.

A person waits for the response before the next call. So how many calls a person makes depends on how long each waits.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

import attrs
import trio
from trio.testing import MockClock

from pyas_async import PyasError, RateBudget
from simulation.ours import client_on
from simulation.service import Service
from simulation.world import Plan, Window, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async import PyasClient

LOOPS: Final = 30
"""How many loops make bulk calls."""


@attrs.frozen(kw_only=True)
class Conditions:
    """The conditions of a run.

    Attributes:
        plan: What the key may spend.
        pause: Seconds between a response and the same person's next call.
        bulk: Calls that the bulk loops make in all.
        people: How many people there are.
        begins: Seconds after which they begin.
        window: How the service counts.
        varied: Whether pauses vary by half.
        given: Whether the client was given the limit, or learns it.
        deadline: The deadline of a person's call; ``None`` for none.
    """

    plan: Plan
    pause: float
    bulk: int
    people: int = 1
    begins: float = 0.0
    window: Window = "sliding"
    varied: bool = False
    given: bool = True
    deadline: float | None = None


@attrs.frozen
class Served:
    """The result of a run.

    Attributes:
        waits: Seconds that each call of a person took, in order.
        failed: Calls of people that no slot could serve before their deadline.
        makespan: When the last bulk call ended.
        calls: Calls that the service counted.
        refused: Calls over the limit.
    """

    waits: list[float] = attrs.field(repr=False)
    failed: int
    makespan: float
    calls: int
    refused: int

    def wait(self, part: float) -> float:
        """Return the longest wait in this part of the calls of people, the shortest first."""
        return sorted(self.waits)[math.ceil(part * len(self.waits)) - 1]


def run(conditions: Conditions) -> Served:
    """Run it until the bulk calls are made."""
    return trio.run(_run, conditions, clock=MockClock(autojump_threshold=0))


async def _run(conditions: Conditions) -> Served:
    plan = conditions.plan
    world = World(plan=plan, accounts=1, window=conditions.window, interactive=0, long=1)
    service = Service(world, most=10**9, enough=lambda: None)
    http, client = client_on(service, RateBudget(plan.limit if conditions.given else None, window=plan.window), "loops")
    waits, failures = list[float](), list[PyasError]()
    numbers = iter(range(conditions.bulk))
    async with http, client, trio.open_nursery() as people:
        interactive = client.with_options(deadline=conditions.deadline)
        for person in range(conditions.people):
            people.start_soon(_person, interactive, conditions, person, waits, failures)
        async with trio.open_nursery() as loops:
            for _ in range(LOOPS):
                loops.start_soon(_loop, client.with_options(priority="bulk", deadline=None), numbers)
        makespan = trio.current_time()
        people.cancel_scope.cancel()
    return Served(waits, len(failures), makespan, service.counts["get"], service.counts["refused"])


async def _loop(client: PyasClient, numbers: Iterator[int]) -> None:
    for number in numbers:
        await client.meetings.get(number + 1, account_id="bulk")


async def _person(
    client: PyasClient, conditions: Conditions, person: int, waits: list[float], failures: list[PyasError]
) -> None:
    chance = Random(f"person {person}")
    await trio.sleep(conditions.begins + person * conditions.pause / conditions.people)
    while True:
        began = trio.current_time()
        try:
            await client.meetings.get(1, account_id=f"person {person}")
            waits.append(trio.current_time() - began)
        except PyasError as error:
            failures.append(error)
        await trio.sleep(conditions.pause * (chance.uniform(0.5, 1.5) if conditions.varied else 1))
