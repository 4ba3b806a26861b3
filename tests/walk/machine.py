"""The state machine: a reader who does everything to an iteration that a reader can, with a service that does the rest.

Each example is a listing, and a journey through it: iterators that are opened, read, disturbed, cancelled, closed, and
resumed from checkpoints taken anywhere; at its end the service is left in peace, and the journey is driven to the end
of the listing. What must hold is said in `walk.laws`.
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

from walk.chances import COUNTS, HAPPENINGS, KEEP, MANY, NOTHING, PLAIN, ROWS, SELDOM, SKEWS, WISHES, WORLDS, World
from walk.reader import Reader
from walk.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from walk.chances import Happening
    from walk.driver import Driver
    from walk.journey import Mark, Wishes
    from walk.listing import Row

KEPT = 6
"""Checkpoints that are kept to go on from."""


class ReadingMachine(RuleBasedStateMachine):
    """A reader of one listing."""

    driver: ClassVar[Driver]
    made: ClassVar[Counter[str]] = Counter()
    """The steps that were made, by rule."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.reader: Reader | None = None
        self.marks: list[Mark] = []
        self._world, self._wishes = World(), PLAIN
        self._http_client = httpx.AsyncClient(transport=self.service, trust_env=False)
        self._broken = False
        self.driver.begin()

    @initialize(rows=ROWS, world=WORLDS, wishes=WISHES)
    def listing(self, rows: Sequence[Row], world: World = World(), wishes: Wishes = PLAIN) -> None:  # noqa: B008
        """Begin with a listing, and open it."""
        self._world, self._wishes = world, wishes
        service = self.service
        service.cap, service.strict, service.lifetime = world.cap, world.strict, world.lifetime
        service.totals, service.shape, service.slow = world.totals, world.shape, world.slow
        service.begin(rows[: world.length])
        self._open(wishes, None)

    @rule(what=HAPPENINGS, other=HAPPENINGS)
    def happen(self, what: Happening, other: Happening = NOTHING) -> None:
        """Let something happen that the reader has no hand in, and something else."""
        self.made["happen"] += 1
        what(self.service)
        other(self.service)

    @rule(what=HAPPENINGS, count=COUNTS, keep=KEEP, wishes=WISHES)
    def rows(self, count: int, what: Happening = NOTHING, keep: str = "no", wishes: Wishes = PLAIN) -> None:
        """Take some rows, or all that there are; and then, perhaps, a checkpoint."""
        self.made["rows"] += 1
        what(self.service)
        self._read(wishes, count, keep=keep)

    @rule(what=HAPPENINGS, count=st.integers(1, 4), keep=KEEP, wishes=WISHES)
    def pages(self, count: int, what: Happening = NOTHING, keep: str = "no", wishes: Wishes = PLAIN) -> None:
        """Take some pages, or what is left of one; and then, perhaps, a checkpoint."""
        self.made["pages"] += 1
        what(self.service)
        self._read(wishes, count, pages=True, keep=keep)

    @rule(what=HAPPENINGS, at=st.integers(1, 4), pages=SELDOM, wishes=WISHES)
    def cancel(self, at: int, what: Happening = NOTHING, *, pages: bool = False, wishes: Wishes = PLAIN) -> None:
        """Take rows or pages, and be cancelled when waiting for the so-manieth time; then go on."""
        self.made["cancel"] += 1
        what(self.service)
        self._read(wishes, 5, pages=pages, cancel_at=at)

    @rule(what=HAPPENINGS, which=st.integers(0, KEPT - 1), count=COUNTS, skew=SKEWS, wishes=WISHES)
    def resume(
        self, what: Happening = NOTHING, which: int = 0, count: int = MANY, skew: float = 0.0, wishes: Wishes = PLAIN
    ) -> None:
        """Leave the iterator where it stands, and go on from a checkpoint in a new client."""
        self.made["resume"] += 1
        self._close()
        what(self.service)
        mark = self.marks[-1 - which % len(self.marks)]
        self._open(wishes, None if mark.finished and which else mark, skew)
        if count < MANY:
            self._read(wishes, count)

    def teardown(self) -> None:
        """Leave the service in peace, and drive the journey to the end of the listing."""
        try:
            if not self._broken:
                self._drive_to_the_end()
        finally:
            with contextlib.suppress(Exception):
                self._close()
            self.driver.end()

    def _drive_to_the_end(self) -> None:
        self.service.plans.clear()
        self.service.curse = 0
        self._world = attrs.evolve(self._world, stubborn=False)
        for _ in range(5):
            if self.reader is None:
                self._open(PLAIN, self.marks[-1])
            self._read(PLAIN, MANY)
            if self.marks[-1].finished:
                return
            self._close()
        raise AssertionError("the end cannot be reached, though nothing is in the way")

    def _run(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make a step in the event loop; an example that failed is not gone on with."""
        self.service.storm = 0
        try:
            self.driver.run(step)
            if self.reader is not None:
                self.reader.leg.check()
        except BaseException:
            self._broken = True
            raise

    def _open(self, wishes: Wishes, start: Mark | None, skew: float = 0.0) -> None:
        world = self._world
        filters = (("type", "upcoming"),) if world.filtered else ()
        wishes = attrs.evolve(
            self._wishes if world.stubborn else wishes, page_size=world.page_size, ttl=world.ttl, filters=filters
        )
        self.reader = Reader(self.service, self._http_client, wishes, start, skew=skew)
        self._run(self.reader.enter)
        self._mark("text")

    def _close(self) -> None:
        """Close the iterator, or leave it as a bare loop does, and keep the place."""
        reader = self.reader
        if reader is None:
            return
        self._run(reader.leave)
        self.reader = None
        self.marks.append(reader.mark(text=True))
        if reader.at_end:
            assert self.marks[-1].finished, "a checkpoint behind the last row does not know that it is the end"
            del self.marks[:-1]  # the journey is over; what comes next is another

    def _mark(self, keep: str) -> None:
        assert self.reader is not None
        self.marks.append(self.reader.mark(text=keep == "text"))
        del self.marks[:-KEPT]

    def _read(self, wishes: Wishes, count: int, *, pages: bool = False, cancel_at: int = 0, keep: str = "no") -> None:
        """Read on; where no iterator is open, open one that goes on, or that begins anew if the end was reached."""
        if self.reader is None:
            start = self.marks[-1]
            self._open(wishes, None if start.finished else start)
        reader = self.reader
        assert reader is not None
        self._run(lambda: reader.read(count, pages=pages, cancel_at=cancel_at))
        if reader.failure is not None:
            self.marks.append(reader.failure)
        if reader.leg.over or (reader.failure is not None and reader.leg.errors > 1):  # nobody tries for ever
            self._close()
        elif keep != "no":
            self._mark(keep)


def run(
    driver: Driver, *, examples: int, steps: int, phases: Sequence[Phase] = tuple(Phase), fixed: bool = True
) -> None:
    """Run the machine, with the same examples every time if they are `fixed`."""

    class Machine(ReadingMachine):
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
