"""The workers of a bulk run: one task reads the items, and the workers send a call for each."""

import logging
import math
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import anyio
import anyio.lowlevel
import attrs

from pyas_async._core.bulk import BulkOperation, BulkTally
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.calls.unsent import UnsentCall
from pyas_async._runtime.events import CallTrace
from pyas_async._runtime.exits import bare_exits
from pyas_async._runtime.item_source import ItemSource
from pyas_async._runtime.notifier import Notifier
from pyas_async.errors import InvalidArgumentError, PyasError
from pyas_async.outcomes import Outcome

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
_log = logging.getLogger("pyas_async")
# If items are read without a wait and nothing is sent for them, other tasks can run after this many items.
_CHECKPOINT_EVERY = 100


class Send(Protocol[V_co]):
    """Sends what an item asks for, and returns the result."""

    def __call__(
        self,
        request: Any,  # noqa: ANN401  (what the operation makes of an item: a call, for most)
        options: CallOptions,
        trace: CallTrace,
        /,
        *,
        unsent: UnsentCall,
    ) -> Awaitable[V_co]:
        """Send it.

        Raises:
            InvalidArgumentError: If it cannot be sent.
            PyasError: What ended the call.
        """
        ...


@attrs.define(kw_only=True)
class _WorkItem(Generic[T, K]):
    """An item that was read. The item itself is the user's data, and tracebacks must not show it."""

    position: int
    key: K
    item: T = attrs.field(repr=False)


@attrs.define
class _IdleWorker(Generic[T, K]):
    """What an idle worker waits for: its next item, or ``None`` if there are no more."""

    wake: anyio.Event = attrs.field(factory=anyio.Event)
    next: _WorkItem[T, K] | None = None


class BulkWorkers(Generic[T, K, V]):
    """Up to `size` workers, and no more items than that between the input and the consumer of the outcomes.

    Attributes:
        tally: Makes and counts the outcomes.
        failure: The exception that ended the run: the input raised it, or a call did, and it is not a `PyasError`.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        operation: BulkOperation[T, K, V],
        source: Iterable[T] | AsyncIterable[T],
        *,
        size: int,
        deliver: Callable[[int, Outcome[K, V]], None],
        send: Send[V] | None = None,
    ) -> None:
        """Prepare a run; nothing is read or sent yet.

        Args:
            session: Makes the calls.
            options: How the calls are made.
            operation: How items become calls.
            source: The items.
            size: The largest number of workers.
            deliver: Called with each position and its outcome. When the consumer has got it, `acknowledge` is called.
            send: Sends what an item asks for; by default, that is a call.
        """
        self.tally: BulkTally[K, V] = BulkTally(operation)
        self.failure: BaseException | None = None
        self._session = session
        self._options = options
        self._operation = operation
        self._items = ItemSource(operation.argument, operation.expected, source)
        self._size = size
        self._deliver = deliver
        self._send: Send[V] = session.run if send is None else send
        # Both exist only during `run`.
        self._tasks: TaskGroup
        self._reading_scope: anyio.CancelScope
        self._idle: list[_IdleWorker[T, K]] = []
        self._all_read = False
        self._unacknowledged = 0
        self._acknowledged = Notifier()
        self._in_flight: dict[int, tuple[CallTrace, UnsentCall]] = {}
        self._requests = 0
        self._job: int | None = None

    @property
    def calls(self) -> int:
        """The number of requests sent so far."""
        return self._requests + sum(trace.requests for trace, _ in self._in_flight.values())

    def set_job(self, number: int | None) -> None:
        """Set the number of the job that events report for the calls; ``None`` if there is none."""
        self._job = number

    def acknowledge(self) -> None:
        """Let the next item be read: the consumer has got an outcome."""
        self._unacknowledged -= 1
        self._acknowledged.notify()

    def end(self, reason: PyasError) -> None:
        """Send nothing more. Requests that were sent are waited for."""
        self.tally.end(reason)
        for _, unsent in self._in_flight.values():
            unsent.cancel()

    async def run(self) -> None:
        """Read all items, and deliver an outcome for each, unless `failure` has ended the run."""
        with bare_exits:
            await self._run()

    async def _run(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            # One scope for all items, not one for each: a generator may keep its own scopes open from one item to the
            # next.
            with anyio.CancelScope() as self._reading_scope:
                try:
                    await self._read_all()
                finally:
                    await self._close_items()
            self._all_read = True
            for worker in self._idle:
                worker.wake.set()

    async def _read_all(self) -> None:
        position = 0
        while (work := await self._read_next(position)) is not None:
            self._unacknowledged += 1
            if self.tally.ended_by is not None:
                self._deliver(position, self.tally.skip(work.key))
            else:
                self._assign(work)
            position += 1
            if not position % _CHECKPOINT_EVERY:
                await anyio.lowlevel.checkpoint()

    async def _read_next(self, position: int) -> _WorkItem[T, K] | None:
        """Read the next item, once fewer than `size` are unacknowledged; ``None`` after the last one."""
        while self._unacknowledged >= self._size:
            await self._acknowledged.wait()
        try:
            item = await self._items.read_next()
            return _WorkItem(position=position, key=self._operation.key(position, item), item=item)
        except StopAsyncIteration:
            return None
        except BaseException as error:  # noqa: BLE001  (raised again outside of the task group)
            self._on_input_error(error)
            return None

    async def _close_items(self) -> None:
        try:
            await self._items.aclose()
        except BaseException as error:  # noqa: BLE001  (raised again outside of the task group)
            self._on_input_error(error)

    def _on_input_error(self, error: BaseException) -> None:
        if is_own_cancellation(error):
            raise error
        if isinstance(error, Exception):
            self._keep_failure(error)  # the items that were read before are finished first
        else:
            self._abort(error)

    def _assign(self, work: _WorkItem[T, K]) -> None:
        if self._idle:
            worker = self._idle.pop()
            worker.next = work
            worker.wake.set()
        else:
            self._tasks.start_soon(self._work, work)

    async def _work(self, work: _WorkItem[T, K] | None) -> None:
        while work is not None:
            if (outcome := await self._outcome(work)) is not None:
                self._deliver(work.position, outcome)
            work = None  # an idle worker keeps no item alive
            if not self._all_read:
                idle: _IdleWorker[T, K] = _IdleWorker()
                self._idle.append(idle)
                await idle.wake.wait()
                work = idle.next

    async def _outcome(self, work: _WorkItem[T, K]) -> Outcome[K, V] | None:
        """Make the call of an item; ``None`` if that has ended the run with a failure."""
        if self.tally.ended_by is not None:
            return self.tally.skip(work.key)
        trace = CallTrace(job=self._job)
        _, unsent = self._in_flight[work.position] = trace, UnsentCall(trace)
        failed: PyasError
        try:
            request = self._operation.request(work.item)
            return self.tally.succeed(work.key, await self._send(request, self._options, trace, unsent=unsent))
        except InvalidArgumentError as error:
            return self.tally.reject(work.position, work.key, error)
        except PyasError as error:
            failed = error
        except BaseException as error:  # noqa: BLE001  (raised again outside of the task group)
            self._on_call_error(error)
            return None
        finally:
            del self._in_flight[work.position]
            self._requests += trace.requests
        if self.tally.ended_by is not None and not trace.requests:
            return self.tally.skip(work.key)
        outcome = self.tally.fail(work.key, failed)
        if self.tally.ended_by is not None:
            self.end(self.tally.ended_by)
        return outcome

    def _on_call_error(self, error: BaseException) -> None:
        if is_own_cancellation(error):
            raise error
        if isinstance(error, Exception):
            self._keep_failure(error)
            name = type(error).__name__
            self.end(PyasError(f"{self._operation.name}: {name} ended the run before this was started"))
            self._reading_scope.cancel()
        else:
            self._abort(error)

    def _keep_failure(self, error: Exception) -> None:
        """Keep the first failure, which the run will raise; log any other."""
        if self.failure is None:
            self.failure = error
        else:
            fields = {"pyas_event": "AlsoRaised", "pyas_operation": self._operation.name}
            message = "%s: this was raised, too, while the run was ending"
            _log.error(message, self._operation.name, exc_info=error, extra=fields)

    def _abort(self, error: BaseException) -> None:
        """End everything now: the program is to end, or a cancellation came that belongs to no scope around it."""
        self.failure = error
        self._tasks.cancel_scope.cancel()


def is_own_cancellation(error: BaseException) -> bool:
    """Whether an exception is the cancellation of the current task by a scope around it."""
    return isinstance(error, anyio.get_cancelled_exc_class()) and anyio.current_effective_deadline() == -math.inf
