"""Passes the events of a client to its handlers and to the log.

An event is emitted in the task in which it happens, so that a handler can set context variables: the requests of a call
see what was set at its `CallStarted`. Only the end of a job whose iterator was dropped is emitted later: an iterator
can be garbage collected at any moment and in any thread.
"""

import itertools
import logging
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar

from pyas_async._core.calls.messages import Call
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.events.log import LOGGED, log_event
from pyas_async._runtime.events.trace import CallTrace
from pyas_async.events import CallEnded, CallStarted, Event, JobEnded, JobStarted

P = ParamSpec("P")
T = TypeVar("T")
JobOutcome = Literal["ok", "failed", "left"]
_log = logging.getLogger("pyas_async")


class EventEmitter:
    """Numbers the calls and jobs of one client, and passes its events to the handlers and to the log.

    The log gets only some kinds of events (`LOGGED`).

    Attributes:
        has_handlers: Whether a handler has subscribed. Code that runs for each call asks this before it emits.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.has_handlers: bool = False
        self._handlers: tuple[Callable[[Event], None], ...] = ()
        self._numbers = itertools.count(1)
        self._dropped: deque[tuple[Job, float]] = deque()

    def use_clock(self, clock: Clock) -> None:
        """Replace the clock, as tests do."""
        self._clock = clock

    def subscribe(self, handler: Callable[[Event], None]) -> Callable[[], None]:
        """Pass all events to one more handler; the returned function ends the subscription."""
        # Compared by identity: the same function may subscribe twice, and each subscription is ended separately.
        subscription = _Subscription(handler)
        self._handlers = (*self._handlers, subscription)
        self.has_handlers = True

        def unsubscribe() -> None:
            self._handlers = tuple(other for other in self._handlers if other is not subscription)
            self.has_handlers = bool(self._handlers)
            subscription.handler = None

        return unsubscribe

    def emit(self, kind: Callable[P, Event], *args: P.args, **values: P.kwargs) -> None:
        """Make an event of this kind with these fields, and pass it to the log and the handlers that want it."""
        if not self._handlers and kind not in LOGGED:
            return
        event = kind(*args, **values)
        log_event(event)
        for handler in self._handlers:
            try:
                handler(event)
            except (KeyboardInterrupt, SystemExit):  # Ctrl-C arrived meanwhile, or the handler ends the program
                raise
            except BaseException:  # noqa: BLE001 -- a fault in the user's code must not end the call
                # Not even a cancellation is one of the call's: the handler awaits nothing, so it can only have met that
                # of another task, or have made it.
                _log.exception("on_event raised; the call goes on", extra={"pyas_event": "HandlerFailed"})

    async def run_call(self, call: Call[T], trace: CallTrace, run: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a call, and emit an event before it and one after it."""
        self.flush()
        number = trace.call = next(self._numbers)
        before, began = trace.requests, self._clock.now()
        outcome: Literal["ok", "failed", "cancelled"] = "failed"
        error: str | None = None
        account_id = call.account or None
        self.emit(CallStarted, call=number, job=trace.job, operation=call.operation, account_id=account_id)
        try:
            value = await run()
            outcome = "ok"
        except BaseException as raised:
            if trace.cancelled or not isinstance(raised, Exception):
                outcome = "cancelled"
            else:
                error = type(raised).__name__
            raise
        else:
            return value
        finally:
            self.emit(
                CallEnded,
                call=number,
                operation=call.operation,
                seconds=self._clock.now() - began,
                attempts=trace.requests - before,
                outcome=outcome,
                error=error,
            )

    def job(self, operation: str, account_id: str | None, *, within: int | None = None, owner: object = None) -> "Job":
        """Begin a job. If it has an owner, the job ends at the latest when its owner is garbage collected."""
        self.flush()
        number = next(self._numbers) if self._handlers else None
        job = Job(self, number, operation, self._clock.now())
        if number is not None:
            if owner is not None:
                weakref.finalize(owner, self._drop, job).atexit = False
            self.emit(JobStarted, job=number, within=within, operation=operation, account_id=account_id)
        return job

    def end_job(self, job: "Job", outcome: JobOutcome, error: BaseException | None, ended: float | None = None) -> None:
        """Emit the end of a job."""
        if job.number is not None:
            seconds = (self._clock.now() if ended is None else ended) - job.began
            name = None if error is None else type(error).__name__
            self.emit(JobEnded, job=job.number, operation=job.operation, seconds=seconds, outcome=outcome, error=name)

    def flush(self) -> None:
        """Emit the ends of jobs whose owners were garbage collected."""
        while self._dropped:
            job, when = self._dropped.popleft()
            job.end("left", ended=when)

    def _drop(self, job: "Job") -> None:
        self._dropped.append((job, self._clock.now()))


class _Subscription:
    __slots__ = ("handler",)

    def __init__(self, handler: Callable[[Event], None]) -> None:
        self.handler: Callable[[Event], None] | None = handler

    def __call__(self, event: Event) -> None:
        if self.handler is not None:
            self.handler(event)


class Job:
    """An operation that makes many calls: a listing, the listings of many accounts, a bulk run, a search.

    As a context manager it ends with the block: ``"ok"``, ``"failed"`` by an exception, ``"left"`` by a cancellation or
    by an exception that ends the program.

    Attributes:
        number: Its number in events; ``None`` if no handler had subscribed when it began.
    """

    __slots__ = ("_emitter", "_ended", "began", "number", "operation")

    def __init__(self, emitter: EventEmitter, number: int | None, operation: str, began: float) -> None:
        self._emitter = emitter
        self._ended = False
        self.number: int | None = number
        self.operation: str = operation
        self.began: float = began

    def end(self, outcome: JobOutcome, error: BaseException | None = None, *, ended: float | None = None) -> None:
        """Emit the end of the job; only the first end counts."""
        if not self._ended:
            self._ended = True
            self._emitter.end_job(self, outcome, error, ended)

    def end_by(self, error: BaseException | None) -> None:
        """End the job with the outcome that an exception means; ``None`` for success."""
        if error is None or isinstance(error, Exception):
            self.end("ok" if error is None else "failed", error)
        else:
            self.end("left")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end_by(error)
