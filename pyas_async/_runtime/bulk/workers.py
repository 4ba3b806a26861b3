"""The workers of a bulk run: they send, one task draws for them, and the room that they share bounds both."""

import logging
import math
from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.lowlevel
import attrs

from pyas_async._core.bulk import BulkOperation, BulkTally
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.calls.unsent import UnsentCall
from pyas_async._runtime.events import CallTrace
from pyas_async._runtime.item_source import ItemSource
from pyas_async._runtime.notifier import Notifier
from pyas_async.errors import InvalidArgumentError, PyasError
from pyas_async.outcomes import Outcome

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
_log = logging.getLogger("pyas_async")
# An input that has everything at hand, and nothing to be sent for it: others on the event loop get their turn now and
# then.
_BREATH = 100


@attrs.define(kw_only=True)
class _Job(Generic[T, K]):
    """An item that was drawn. It is a user's own, and stands in no traceback."""

    position: int
    key: K
    item: T = attrs.field(repr=False)


@attrs.define
class _Seat(Generic[T, K]):
    """Where a worker waits for its next job; none: there will be no more."""

    called: anyio.Event = attrs.field(factory=anyio.Event)
    job: _Job[T, K] | None = None


class BulkWorkers(Generic[T, K, V]):
    """At most so many workers, and at most as many items between the input and whoever takes the outcomes.

    Attributes:
        ledger: What became of the items so far.
        failure: What ended the run that is no outcome: it was raised by the input, or is no error of ours.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        plan: BulkOperation[T, K, V],
        source: Iterable[T] | AsyncIterable[T],
        *,
        size: int,
        deliver: Callable[[int, Outcome[K, V]], None],
    ) -> None:
        """Stand before the input.

        Args:
            session: What sends.
            options: How.
            plan: How items become calls.
            source: The items.
            size: How many workers there may be.
            deliver: Given each position and its outcome; whoever takes it from there calls `taken`.
        """
        self.ledger: BulkTally[K, V] = BulkTally(plan)
        self.failure: BaseException | None = None
        self._session = session
        self._options = options
        self._plan = plan
        self._items = ItemSource(plan.argument, plan.expected, source)
        self._size = size
        self._deliver = deliver
        # Both as long as it works.
        self._tasks: TaskGroup
        self._drawing: anyio.CancelScope
        self._idle: list[_Seat[T, K]] = []
        self._drawn_all = False
        self._held = 0
        self._room = Notifier()
        self._under_way: dict[int, tuple[CallTrace, UnsentCall]] = {}
        self._requests = 0
        self._job: int | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._requests + sum(trace.requests for trace, _ in self._under_way.values())

    def belongs_to(self, job: int | None) -> None:
        """Let the calls be those of a job that somebody is told of."""
        self._job = job

    def taken(self) -> None:
        """Let the next item be drawn: an outcome is in its owner's hands."""
        self._held -= 1
        self._room.notify()

    def end(self, reason: PyasError) -> None:
        """Send nothing more; what was sent is waited for."""
        self.ledger.end(reason)
        for _, unsent in self._under_way.values():
            unsent.cancel()

    async def work(self) -> None:
        """Draw everything, and deliver an outcome for each item, unless `failure` has ended the run."""
        async with anyio.create_task_group() as self._tasks:
            # Around all of the drawing, not each step: a generator may hold scopes open from one to the next.
            with anyio.CancelScope() as self._drawing:
                try:
                    await self._draw_all()
                finally:
                    await self._close_items()
            self._drawn_all = True
            for seat in self._idle:
                seat.called.set()

    async def _draw_all(self) -> None:
        position = 0
        while (job := await self._draw(position)) is not None:
            self._held += 1
            if self.ledger.ended_by is not None:
                self._deliver(position, self.ledger.leave_out(job.key))
            else:
                self._hand_over(job)
            position += 1
            if not position % _BREATH:
                await anyio.lowlevel.checkpoint()

    async def _draw(self, position: int) -> _Job[T, K] | None:
        """Draw an item once there is room for it; ``None`` if there is none."""
        while self._held >= self._size:
            await self._room.wait()
        try:
            item = await self._items.draw()
            return _Job(position=position, key=self._plan.key(position, item), item=item)
        except StopAsyncIteration:
            return None
        except BaseException as error:  # noqa: BLE001  (handed on, out of the task group)
            self._input_raised(error)
            return None

    async def _close_items(self) -> None:
        try:
            await self._items.aclose()
        except BaseException as error:  # noqa: BLE001  (handed on, out of the task group)
            self._input_raised(error)

    def _input_raised(self, error: BaseException) -> None:
        if is_ours(error):
            raise error
        if isinstance(error, Exception):
            self._keep(error)  # what was drawn before is finished first
        else:
            self._break_off(error)

    def _hand_over(self, job: _Job[T, K]) -> None:
        if self._idle:
            seat = self._idle.pop()
            seat.job = job
            seat.called.set()
        else:
            self._tasks.start_soon(self._work, job)

    async def _work(self, job: _Job[T, K] | None) -> None:
        while job is not None:
            if (outcome := await self._outcome(job)) is not None:
                self._deliver(job.position, outcome)
            job = None  # a worker that waits keeps nothing
            if not self._drawn_all:
                seat: _Seat[T, K] = _Seat()
                self._idle.append(seat)
                await seat.called.wait()
                job = seat.job

    async def _outcome(self, job: _Job[T, K]) -> Outcome[K, V] | None:
        """Make the call of an item; ``None`` if that has broken the run."""
        if self.ledger.ended_by is not None:
            return self.ledger.leave_out(job.key)
        trace = CallTrace(job=self._job)
        _, unsent = self._under_way[job.position] = trace, UnsentCall(trace)
        failed: PyasError
        try:
            call = self._plan.call(job.item)
            return self.ledger.succeed(job.key, await self._session.run(call, self._options, trace, unsent=unsent))
        except InvalidArgumentError as error:
            return self.ledger.refuse(job.position, job.key, error)
        except PyasError as error:
            failed = error
        except BaseException as error:  # noqa: BLE001  (handed on, out of the task group)
            self._call_raised(error)
            return None
        finally:
            del self._under_way[job.position]
            self._requests += trace.requests
        if self.ledger.ended_by is not None and not trace.requests:
            return self.ledger.leave_out(job.key)
        outcome = self.ledger.fail(job.key, failed)
        if self.ledger.ended_by is not None:
            self.end(self.ledger.ended_by)
        return outcome

    def _call_raised(self, error: BaseException) -> None:
        if is_ours(error):
            raise error
        if isinstance(error, Exception):
            self._keep(error)
            name = type(error).__name__
            self.end(PyasError(f"{self._plan.operation}: {name} ended the run before this was started"))
            self._drawing.cancel()
        else:
            self._break_off(error)

    def _keep(self, error: Exception) -> None:
        """Keep what will come out of the run: the first; nothing is swallowed without a word."""
        if self.failure is None:
            self.failure = error
        else:
            fields = {"pyas_event": "AlsoRaised", "pyas_operation": self._plan.operation}
            said = "%s: this was raised, too, while the run was ending"
            _log.error(said, self._plan.operation, exc_info=error, extra=fields)

    def _break_off(self, error: BaseException) -> None:
        """End everything now: the program is to end, or somebody was cancelled whom we know nothing of."""
        self.failure = error
        self._tasks.cancel_scope.cancel()


def is_ours(error: BaseException) -> bool:
    """Whether it is a cancellation of this very task, by a scope around it."""
    return isinstance(error, anyio.get_cancelled_exc_class()) and anyio.current_effective_deadline() == -math.inf
