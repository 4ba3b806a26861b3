"""A bulk run as users hold it: awaited for a list of outcomes, or a block that streams them as they come."""

import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar

import anyio.lowlevel

from pyas_async import _checks
from pyas_async._core.bulk import BulkOperation
from pyas_async._public import public
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.bulk.workers import BulkWorkers
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.notifier import Notifier
from pyas_async.errors import PyasError
from pyas_async.outcomes import BulkStats, K_co, Outcome, V_co

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

T = TypeVar("T")
_log = logging.getLogger("pyas_async")


@public
class BulkRun(Generic[K_co, V_co]):
    """Many calls at once, of which each item gets its own `Outcome`, whatever becomes of the others.

    ::

        outcomes = await client.meetings.get_many(ids, account_id="acc")  # a list, in the order of the ids

        async with client.meetings.get_many(ids, account_id="acc") as outcomes:  # each as soon as it is there
            async for outcome in outcomes:
                ...

    Nothing is drawn or sent before that, and it can be done once. The items are drawn as they are needed, one at a
    time: between the input and the reader there are never more than `max_concurrency` of them, so a reader that is slow
    holds back the rest. An ordinary iterable is drawn on the event loop, and must not block. A generator that was given
    is closed with the run.

    **What ends it early.** A failure that every other call must meet too (the key is refused, its month is used up, the
    client is closed) and `cancel`: nothing more is sent, requests under way get their answers, and the rest of the
    input is drawn to its end and reported as ``"not_started"``. (Of an endless input there is no end: leave the block.)
    If the input itself raises, the outcomes of the items before come first, and then its exception.

    **Leaving it.** A block that is left early, or an ``await`` that is cancelled, cancels the calls under way: their
    writes may have been carried out or not. To know each of them, `cancel` the run and read on.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        plan: BulkOperation[T, K_co, V_co],
        source: Iterable[T] | AsyncIterable[T],
        *,
        max_concurrency: int,
    ) -> None:
        """Made by ``client.meetings.get_many`` and its like; nothing is drawn or sent yet."""
        self._session = session
        self._account_id = plan.account_id
        self._job: Job | None = None
        self._name = f"{plan.operation} of account {plan.account_id!r}"
        self._operation = plan.operation
        self._workers: BulkWorkers[Any, K_co, V_co] = BulkWorkers(
            session,
            options.for_bulk(),
            plan,
            source,
            size=_checks.whole_number("max_concurrency", max_concurrency, minimum=1),
            deliver=self._deliver,
        )
        self._state: Literal["new", "running", "ended", "left"] = "new"
        self._kept: list[Outcome[K_co, V_co] | None] | None = None
        self._ready: deque[Outcome[K_co, V_co]] = deque()
        self._news = Notifier()
        self._cut_off = False
        self._tasks = BackgroundTasks()

    @property
    def stats(self) -> BulkStats:
        """What the run has done so far."""
        ledger = self._workers.ledger
        return BulkStats(ok=ledger.ok, failed=ledger.failed, not_started=ledger.not_started, calls=self._workers.calls)

    @property
    def collected(self) -> list[Outcome[K_co, V_co]]:
        """The outcomes that an ``await`` has so far, in the order asked for; those that it had, if it raised."""
        return [outcome for outcome in self._kept or () if outcome is not None]

    def cancel(self) -> None:
        """Send nothing more. Requests under way get their answers, and the rest of the input is ``"not_started"``.

        To be called on the event loop, by anybody, at any time.
        """
        self._workers.end(PyasError(f"{self._operation}: the run was cancelled before this was started"))

    async def collect(self) -> list[Outcome[K_co, V_co]]:
        """Do everything, and give the outcomes in the order of the input; ``await run`` does the same.

        Raises:
            RuntimeError: The second time.
            Exception: What the input raised; `collected` has the outcomes.
        """
        self._begin()
        self._kept = []
        try:
            await self._workers.work()
            self._raise_failure()
        except BaseException as error:
            self._emit_end(error)
            raise
        finally:
            self._state = "ended"
        self._emit_end(None)
        return self.collected

    def __await__(self) -> Generator[Any, Any, list[Outcome[K_co, V_co]]]:
        """Do everything, and give the outcomes in the order of the input."""
        return self.collect().__await__()

    async def __aenter__(self) -> AsyncIterator[Outcome[K_co, V_co]]:
        """Begin, and give what streams the outcomes as they come.

        Raises:
            RuntimeError: The second time.
        """
        self._begin()
        await self._tasks.open()
        self._tasks.start_soon(self._work)
        return _Outcomes(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the run; calls under way are cancelled."""
        early = self._state == "running" or bool(self._ready)
        try:
            await self._tasks.close(cancel=True)
        finally:
            self._state = "left" if early else "ended"
            self._ready.clear()
            self._news.notify()
            self._emit_end(error or self._workers.failure)
        # A reader that has left was not told. What ends the program comes out in any case.
        if isinstance(self._workers.failure, Exception):
            fields = {"pyas_event": "AlsoRaised", "pyas_operation": self._operation}
            said = "%s: this was raised when the block was left early"
            _log.error(said, self._operation, exc_info=self._workers.failure, extra=fields)
        elif error is None:
            self._raise_failure()

    if not TYPE_CHECKING:  # type checkers refuse the loop; at run time, it is explained

        def __aiter__(self) -> NoReturn:
            """Explain how it is iterated."""
            msg = (
                "a bulk run is no iterator, since it has calls under way that must be ended: write "
                "`async with run as outcomes:` and `async for outcome in outcomes:`, or `for outcome in await run:`"
            )
            raise TypeError(msg)

    def __repr__(self) -> str:
        """Show what it does, and how far it has come."""
        stats = self.stats
        return (
            f"<BulkRun {self._name}: {stats.ok} ok, {stats.failed} failed, {stats.not_started} not started, "
            f"{stats.calls} calls, {self._state}>"
        )

    def _begin(self) -> None:
        if self._state != "new":
            msg = f"this run has begun before; call {self._operation.rpartition('.')[2]}() again for another"
            raise RuntimeError(msg)
        self._state = "running"
        self._job = self._session.events.job(self._operation, self._account_id)
        self._workers.belongs_to(self._job.number)

    def _emit_end(self, error: BaseException | None) -> None:
        if self._job is not None:
            if self._state == "left":
                self._job.end("left")
            else:
                self._job.end_by(error)

    async def _work(self) -> None:
        self._cut_off = True
        try:
            await self._workers.work()
            self._cut_off = False
        finally:
            self._state = "ended"
            self._news.notify()

    def _deliver(self, position: int, outcome: Outcome[K_co, V_co]) -> None:
        if self._kept is not None:
            self._kept += [None] * (position + 1 - len(self._kept))
            self._kept[position] = outcome
            self._workers.taken()
        else:
            self._ready.append(outcome)
            self._news.notify()

    async def _next(self) -> Outcome[K_co, V_co]:
        while not self._ready:
            if self._state == "left":
                msg = "the block of this run was left before its end; read the outcomes inside of it"
                raise RuntimeError(msg)
            if self._state == "ended":
                self._raise_failure()
                if self._cut_off:
                    await anyio.lowlevel.checkpoint_if_cancelled()
                    msg = "the block of this run is being cancelled, and nothing more will come"
                    raise RuntimeError(msg)
                raise StopAsyncIteration
            await self._news.wait()
        self._workers.taken()
        return self._ready.popleft()

    def _raise_failure(self) -> None:
        failure, self._workers.failure = self._workers.failure, None
        if failure is not None:
            self._emit_end(failure)
            raise failure


class _Outcomes(AsyncIterator[Outcome[K_co, V_co]]):
    """The outcomes of a run under way. A cancelled step loses nothing: go on with the next."""

    def __init__(self, run: BulkRun[K_co, V_co]) -> None:
        self._run = run

    async def __anext__(self) -> Outcome[K_co, V_co]:
        return await self._run._next()  # noqa: SLF001  (two halves of one thing)
