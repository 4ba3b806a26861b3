"""The bulk run that users get: an awaitable that returns a list of outcomes, and a block that streams them."""

import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import anyio.lowlevel

from pyas_async import _checks
from pyas_async._core.bulk import BulkOperation
from pyas_async._public import explains, public
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.bulk.workers import BulkWorkers, Send
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.notifier import Notifier
from pyas_async.errors import PyasError
from pyas_async.outcomes import BulkStats, K_co, Outcome, V_co

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

T = TypeVar("T")
_log = logging.getLogger("pyas_async")


_LOOP = (
    "a bulk run is not an iterator, since it may have calls in flight, which must be ended: write "
    "`async with run as outcomes:` and `async for outcome in outcomes:`, or `for outcome in await run:`"
)
_BLOCK = "write `async with run as outcomes:`, and in it `async for outcome in outcomes:`; or `outcomes = await run`"
_COUNT = "a bulk run has no length and no index: write `outcomes = await run`, and `run.stats` counts them"
_OUTCOMES = "write `async for outcome in outcomes:`, in the block of the run; or `outcomes = await run` for a list"


@public
@explains(loop=_LOOP, async_loop=_LOOP, block=_BLOCK, count=_COUNT)
class BulkRun(Generic[K_co, V_co]):
    """Many calls at once. Each item gets its own `Outcome`, whether or not the other calls succeed.

    An outcome is ``"ok"``, ``"failed"``, ``"unknown"`` (a write that may have been carried out) or ``"not_started"``.

    ::

        outcomes = await client.meetings.get_many(ids, account_id="acc")  # a list, in the order of the ids

        async with client.meetings.get_many(ids, account_id="acc") as outcomes:  # each as soon as it is known
            async for outcome in outcomes:
                ...

    Nothing is read or sent before that, and a run can be used once. Items are read from the input one at a time, as
    they are needed: there are never more than `max_concurrency` of them between the input and the consumer, so a slow
    consumer slows the run down. A synchronous iterable is read on the event loop, and must not block. A generator that
    is the input is closed with the run.

    **What ends it early.** An error that every other call must get too (the key is refused, its monthly quota is used
    up, the client is closed), and `cancel`. Then nothing more is sent, requests in flight get their responses, and the
    rest of the input is read and reported as ``"not_started"``. (An endless input never ends: leave the block.)
    If the input itself raises, the outcomes of the items before come first, and then its exception.

    **Leaving it.** A block that is left early, or an ``await`` that is cancelled, cancels the calls in flight: their
    writes may or may not have been carried out. To know the outcome of each, `cancel` the run and read on.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        operation: BulkOperation[T, K_co, V_co],
        source: Iterable[T] | AsyncIterable[T],
        *,
        max_concurrency: int,
        send: Send[V_co] | None = None,
    ) -> None:
        """Made by ``client.meetings.get_many`` and the like; nothing is read or sent yet."""
        self._session = session
        self._account_id = operation.account_id
        self._job: Job | None = None
        self._name = f"{operation.name} of account {operation.account_id!r}"
        self._operation = operation.name
        self._workers: BulkWorkers[Any, K_co, V_co] = BulkWorkers(
            session,
            options.for_bulk(),
            operation,
            source,
            size=_checks.whole_number("max_concurrency", max_concurrency, minimum=1),
            deliver=self._deliver,
            send=send,
        )
        self._state: Literal["new", "running", "ended", "left"] = "new"
        self._collected: list[Outcome[K_co, V_co] | None] | None = None
        self._ready: deque[Outcome[K_co, V_co]] = deque()
        self._tasks = BackgroundTasks()
        self._changed = Notifier()
        self._interrupted = False

    @property
    def stats(self) -> BulkStats:
        """What the run has done so far."""
        tally = self._workers.tally
        return BulkStats(
            ok=tally.ok,
            failed=tally.failed,
            unknown=tally.unknown,
            not_started=tally.not_started,
            calls=self._workers.calls,
        )

    @property
    def collected(self) -> list[Outcome[K_co, V_co]]:
        """The outcomes that an ``await`` has so far, in the order of the input; after it raised, those that it had."""
        return [outcome for outcome in self._collected or () if outcome is not None]

    def cancel(self) -> None:
        """Send nothing more. Requests in flight get their responses, and the rest of the input is ``"not_started"``.

        Any code on the event loop may call it at any time.
        """
        self._workers.end(PyasError(f"{self._operation}: the run was cancelled before this was started"))

    async def collect(self) -> list[Outcome[K_co, V_co]]:
        """Make all calls, and return the outcomes in the order of the input; ``await run`` does the same.

        Raises:
            RuntimeError: If the run has begun before.
            Exception: What the input raised; `collected` has the outcomes.
        """
        self._begin()
        self._collected = []
        try:
            await self._workers.run()
            self._raise_failure()
        except BaseException as error:
            self._emit_end(error)
            raise
        finally:
            self._state = "ended"
        self._emit_end(None)
        return self.collected

    def __await__(self) -> Generator[Any, Any, list[Outcome[K_co, V_co]]]:
        return self.collect().__await__()

    async def __aenter__(self) -> AsyncIterator[Outcome[K_co, V_co]]:
        """Begin, and return an iterator of the outcomes as they come.

        Raises:
            RuntimeError: If the run has begun before.
        """
        self._begin()
        self._tasks.open()
        self._tasks.start_soon(f"pyas_async {self._operation}", self._work)
        return _Outcomes(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the run; calls in flight are cancelled."""
        early = self._state == "running" or bool(self._ready)
        try:
            await self._tasks.close()
        finally:
            self._state = "left" if early else "ended"
            self._ready.clear()
            self._changed.notify()
            self._emit_end(error or self._workers.failure)
        # A consumer that left early has not seen the failure. An exception that ends the program is raised in any case.
        if isinstance(self._workers.failure, Exception):
            fields = {"pyas_event": "AlsoRaised", "pyas_operation": self._operation}
            message = "%s: this was raised when the block was left early"
            _log.error(message, self._operation, exc_info=self._workers.failure, extra=fields)
        elif error is None:
            self._raise_failure()

    def __repr__(self) -> str:
        stats = self.stats
        unknown = f"{stats.unknown} unknown, " if stats.unknown else ""
        return (
            f"<BulkRun {self._name}: {stats.ok} ok, {stats.failed} failed, {unknown}{stats.not_started} not started, "
            f"{stats.calls} calls, {self._state}>"
        )

    def _begin(self) -> None:
        if self._state != "new":
            msg = f"this run has begun before; call {self._operation.rpartition('.')[2]}() again for another"
            raise RuntimeError(msg)
        self._state = "running"
        self._job = self._session.events.job(self._operation, self._account_id)
        self._workers.set_job(self._job.number)

    def _emit_end(self, error: BaseException | None) -> None:
        if self._job is not None:
            if self._state == "left":
                self._job.end("left")
            else:
                self._job.end_by(error)

    async def _work(self) -> None:
        self._interrupted = True
        try:
            await self._workers.run()
            self._interrupted = False
        finally:
            self._state = "ended"
            self._changed.notify()

    def _deliver(self, position: int, outcome: Outcome[K_co, V_co]) -> None:
        if self._collected is not None:
            self._collected += [None] * (position + 1 - len(self._collected))
            self._collected[position] = outcome
            self._workers.acknowledge()
        else:
            self._ready.append(outcome)
            self._changed.notify()

    async def _next(self) -> Outcome[K_co, V_co]:
        while not self._ready:
            if self._state == "left":
                msg = "the block of this run was left before its end; read the outcomes inside of it"
                raise RuntimeError(msg)
            if self._state == "ended":
                self._raise_failure()
                if self._interrupted:
                    await anyio.lowlevel.checkpoint_if_cancelled()
                    msg = "the block of this run was left or cancelled, and nothing more will come"
                    raise RuntimeError(msg)
                raise StopAsyncIteration
            await self._changed.wait()
        self._workers.acknowledge()
        return self._ready.popleft()

    def _raise_failure(self) -> None:
        failure, self._workers.failure = self._workers.failure, None
        if failure is not None:
            self._emit_end(failure)
            raise failure


@explains(loop=_OUTCOMES, wait=_OUTCOMES, block=_OUTCOMES, async_block=_OUTCOMES, count=_OUTCOMES)
class _Outcomes(AsyncIterator[Outcome[K_co, V_co]]):
    """The outcomes of a run. A cancelled step loses no outcome: the next step returns it."""

    def __init__(self, run: BulkRun[K_co, V_co]) -> None:
        self._run = run

    async def __anext__(self) -> Outcome[K_co, V_co]:
        return await self._run._next()  # noqa: SLF001  (the iterator is a part of the run)
