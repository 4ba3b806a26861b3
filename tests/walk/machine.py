"""The state machine: a consumer that does all that a program can do with an iterator, and a service that disturbs it.

In each example, iterators walk one listing. They are opened, used, disturbed, cancelled, closed, and resumed from
checkpoints taken anywhere. At the end, without further disturbances, the listing is walked to its end. The invariants
are in `walk.invariants`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from walk.consumer import Consumer
from walk.service import Service
from walk.strategies import (
    COUNTS,
    DISTURBANCES,
    KEEP,
    MANY,
    NOTHING,
    OPTIONS,
    PLAIN,
    ROWS,
    SELDOM,
    SKEWS,
    WORLDS,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from walk.driver import Driver
    from walk.listing import Row
    from walk.options import IteratorOptions, KeptCheckpoint
    from walk.strategies import Disturbance

KEPT = 6
"""How many checkpoints are kept to resume from."""


class ConsumerMachine(RuleBasedStateMachine):
    """A consumer of one listing."""

    driver: ClassVar[Driver]
    made: ClassVar[Counter[str]] = Counter()
    """How many steps were made, by rule."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.consumer: Consumer | None = None
        self.kept: list[KeptCheckpoint] = []
        self._world, self._options = World(), PLAIN
        self._http_client = httpx.AsyncClient(transport=self.service, trust_env=False)
        self._broken = False
        self.driver.begin()

    @initialize(rows=ROWS, world=WORLDS, with_options=OPTIONS)
    def listing(self, rows: Sequence[Row], world: World = World(), with_options: IteratorOptions = PLAIN) -> None:  # noqa: B008
        """Begin with a listing, and open an iterator."""
        self._world, self._options = world, with_options
        service = self.service
        service.cap, service.strict, service.lifetime = world.cap, world.strict, world.lifetime
        service.totals, service.shape, service.slow = world.totals, world.shape, world.slow
        service.begin(rows[: world.length])
        self._open(with_options, None)

    @rule(what=DISTURBANCES, other=DISTURBANCES)
    def disturb(self, what: Disturbance, other: Disturbance = NOTHING) -> None:
        """Apply two disturbances."""
        self.made["disturb"] += 1
        what(self.service)
        other(self.service)

    @rule(what=DISTURBANCES, count=COUNTS, keep=KEEP, with_options=OPTIONS)
    def rows(
        self, count: int, what: Disturbance = NOTHING, keep: str = "no", with_options: IteratorOptions = PLAIN
    ) -> None:
        """Take some rows, or all of them, and then perhaps a checkpoint."""
        self.made["rows"] += 1
        what(self.service)
        self._read(with_options, count, keep=keep)

    @rule(what=DISTURBANCES, count=st.integers(1, 4), keep=KEEP, with_options=OPTIONS)
    def pages(
        self, count: int, what: Disturbance = NOTHING, keep: str = "no", with_options: IteratorOptions = PLAIN
    ) -> None:
        """Take some pages, or the rest of one, and then perhaps a checkpoint."""
        self.made["pages"] += 1
        what(self.service)
        self._read(with_options, count, pages=True, keep=keep)

    @rule(what=DISTURBANCES, at=st.integers(1, 4), pages=SELDOM, with_options=OPTIONS)
    def cancel(
        self, at: int, what: Disturbance = NOTHING, *, pages: bool = False, with_options: IteratorOptions = PLAIN
    ) -> None:
        """Take rows or pages, and be cancelled at the `at`-th wait."""
        self.made["cancel"] += 1
        what(self.service)
        self._read(with_options, 5, pages=pages, cancel_at=at)

    @rule(what=DISTURBANCES, which=st.integers(0, KEPT - 1), count=COUNTS, skew=SKEWS, with_options=OPTIONS)
    def resume(
        self,
        what: Disturbance = NOTHING,
        which: int = 0,
        count: int = MANY,
        skew: float = 0.0,
        with_options: IteratorOptions = PLAIN,
    ) -> None:
        """Leave the iterator, and resume from a checkpoint in a new client."""
        self.made["resume"] += 1
        self._close()
        what(self.service)
        kept = self.kept[-1 - which % len(self.kept)]
        self._open(with_options, None if kept.finished and which else kept, skew)
        if count < MANY:
            self._read(with_options, count)

    def teardown(self) -> None:
        """Walk to the end of the listing without disturbances."""
        try:
            if not self._broken:
                self._walk_to_the_end()
        finally:
            with contextlib.suppress(Exception):
                self._close()
            self.driver.end()

    def _walk_to_the_end(self) -> None:
        self.service.plans.clear()
        self.service.expired_tokens = 0
        self._world = attrs.evolve(self._world, same_options=False)
        for _ in range(5):
            if self.consumer is None:
                self._open(PLAIN, self.kept[-1])
            self._read(PLAIN, MANY)
            if self.kept[-1].finished:
                return
            self._close()
        raise AssertionError("the end cannot be reached, though there are no disturbances")

    def _run(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make a step in the event loop; after a failure, the example does not continue."""
        self.service.requests_in_step = 0
        try:
            self.driver.run(step)
            if self.consumer is not None:
                self.consumer.monitor.check()
        except BaseException:
            self._broken = True
            raise

    def _open(self, with_options: IteratorOptions, start: KeptCheckpoint | None, skew: float = 0.0) -> None:
        world = self._world
        filters = (("type", "upcoming"),) if world.filtered else ()
        with_options = attrs.evolve(
            self._options if world.same_options else with_options,
            page_size=world.page_size,
            ttl=world.ttl,
            filters=filters,
        )
        self.consumer = Consumer(self.service, self._http_client, with_options, start, skew=skew)
        self._run(self.consumer.enter)
        self._keep("text")

    def _close(self) -> None:
        """Close the iterator, or abandon it as a bare loop does, and keep its checkpoint."""
        consumer = self.consumer
        if consumer is None:
            return
        self._run(consumer.leave)
        self.consumer = None
        self.kept.append(consumer.keep(text=True))
        if consumer.at_end:
            assert self.kept[-1].finished, "a checkpoint after the last row does not know that it is the end"
            del self.kept[:-1]  # the next iterator begins another walk

    def _keep(self, keep: str) -> None:
        assert self.consumer is not None
        self.kept.append(self.consumer.keep(text=keep == "text"))
        del self.kept[:-KEPT]

    def _read(
        self, with_options: IteratorOptions, count: int, *, pages: bool = False, cancel_at: int = 0, keep: str = "no"
    ) -> None:
        """Take rows; without an open iterator, open one that resumes, or one that begins anew after the end."""
        if self.consumer is None:
            start = self.kept[-1]
            self._open(with_options, None if start.finished else start)
        consumer = self.consumer
        assert consumer is not None
        self._run(lambda: consumer.take(count, pages=pages, cancel_at=cancel_at))
        if consumer.failure is not None:
            self.kept.append(consumer.failure)
        if consumer.monitor.over or (
            consumer.failure is not None and consumer.monitor.errors > 1
        ):  # it does not retry for ever
            self._close()
        elif keep != "no":
            self._keep(keep)


def run(
    driver: Driver, *, examples: int, steps: int, phases: Sequence[Phase] = tuple(Phase), fixed: bool = True
) -> None:
    """Run the machine, with the same examples every time if they are `fixed`."""

    class Machine(ConsumerMachine):
        pass

    Machine.driver = driver
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            derandomize=fixed,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
