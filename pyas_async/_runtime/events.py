"""Tells handlers what the client does. It is loaded, and works, for those alone who listen.

Everything is told in the task that does it, so that a handler can set context variables for what comes below: the
requests of a call see what was set when the call was told of. Only the end of a job that nobody ended, because its loop
was left and its iterator became garbage, is told later: garbage is found at any moment, and in any thread.
"""

import itertools
import logging
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from pyas_async._core.calls.messages import Call, Fault, Response
from pyas_async._runtime.calls.watch import Watch, WithdrawnError
from pyas_async._runtime.clock import Clock
from pyas_async.events import (
    AttemptEnded,
    AttemptStarted,
    BudgetStoreFailed,
    CallEnded,
    CallStarted,
    Event,
    JobEnded,
    JobStarted,
    ListingDrifted,
    ListingRestarted,
    PageReceived,
    Waiting,
)

T = TypeVar("T")
_log = logging.getLogger("pyas_async")


class EventEmitter:
    """Makes the events of one client, and numbers what they are about."""

    def __init__(self, clock: Clock) -> None:
        """Have nobody to tell."""
        self._clock = clock
        self._handlers: tuple[Callable[[Event], None], ...] = ()
        self._numbers = itertools.count(1)
        self._jobs: dict[int, tuple[str, float]] = {}
        self._lost: deque[tuple[int, float]] = deque()

    def add(self, handler: Callable[[Event], None]) -> Callable[[], None]:
        """Tell one more; what is returned ends that."""
        self._handlers = (*self._handlers, handler)

        def remove() -> None:
            nonlocal handler
            # By identity, and one of them alone: the same function may have been given twice.
            kept = list(self._handlers)
            for at, other in enumerate(kept):
                if other is handler:
                    del kept[at]
                    break
            self._handlers = tuple(kept)
            handler = _nobody

        return remove

    def emit(self, event: Event) -> None:
        """Tell everybody; what they raise is logged, never passed on."""
        for handler in self._handlers:
            try:
                handler(event)
            except Exception:  # noqa: BLE001 -- the user's code, whose faults are nobody else's
                _log.exception("on_event raised; the call goes on", extra={"pyas_event": "HandlerFailed"})

    async def around(self, call: Call[T], watch: Watch, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and tell of its beginning and its end."""
        self.flush()
        number = watch.call = next(self._numbers)
        operation, account_id = call.operation, call.account or None
        before, began = watch.requests, self._clock.now()
        outcome: Literal["ok", "failed", "cancelled"] = "failed"
        error: str | None = None
        self.emit(CallStarted(call=number, job=watch.job, operation=operation, account_id=account_id))
        try:
            value = await make()
            outcome = "ok"
        except BaseException as raised:
            if isinstance(raised, WithdrawnError) or not isinstance(raised, Exception):
                outcome = "cancelled"
            else:
                error = type(raised).__name__
            raise
        else:
            return value
        finally:
            ended = CallEnded(
                call=number,
                operation=operation,
                seconds=self._clock.now() - began,
                attempts=watch.requests - before,
                outcome=outcome,
                error=error,
            )
            self.emit(ended)

    def attempt_started(self, watch: Watch, operation: str, attempt: int) -> None:
        """Tell that a request goes out."""
        self.emit(AttemptStarted(call=watch.call, operation=operation, attempt=attempt))

    def attempt_ended(
        self,
        watch: Watch,
        operation: str,
        attempt: int,
        *,
        seconds: float,
        outcome: Response | Fault,
        mask: Callable[[str], str],
    ) -> None:
        """Tell what became of a request; what the network said goes through the mask."""
        status, fault = None, None
        if isinstance(outcome, Response):
            status = outcome.status
        else:
            fault = mask(outcome.text)
        ended = AttemptEnded(
            call=watch.call, operation=operation, attempt=attempt, seconds=seconds, status=status, fault=fault
        )
        self.emit(ended)

    def waits(
        self, watch: Watch, operation: str, seconds: float, reason: Literal["retry", "budget", "connection"]
    ) -> None:
        """Tell that a call waits."""
        self.emit(Waiting(call=watch.call, operation=operation, seconds=seconds, reason=reason))

    def page(self, job: int, account_id: str, rows: int, new: int) -> None:
        """Tell of a page."""
        self.emit(PageReceived(job=job, account_id=account_id, rows=rows, new=new))

    def restarted(self, job: int, account_id: str, reason: Literal["age", "answer"], yielded: int) -> None:
        """Tell that a listing is walked afresh."""
        self.emit(ListingRestarted(job=job, account_id=account_id, reason=reason, yielded=yielded))

    def drifted(self, job: int, account_id: str, reported: int, yielded: int) -> None:
        """Tell that a listing changed while it was walked."""
        self.emit(ListingDrifted(job=job, account_id=account_id, reported=reported, yielded=yielded))

    def store_failed(self, fault: str, seconds: float) -> None:
        """Tell that the store of a shared budget could not be asked."""
        self.emit(BudgetStoreFailed(fault=fault, seconds=seconds))

    def begin(self, operation: str, account_id: str | None, within: int | None, holder: object = None) -> int:
        """Tell that a job begins, and give its number; it ends when its holder is garbage at the latest."""
        self.flush()
        number = next(self._numbers)
        began = self._clock.now()
        self._jobs[number] = operation, began
        if holder is not None:
            weakref.finalize(holder, _note, self._lost, number, self._clock).atexit = False
        self.emit(JobStarted(job=number, within=within, operation=operation, account_id=account_id))
        return number

    def end(
        self, job: int | None, outcome: Literal["ok", "failed", "left"], error: BaseException | None = None
    ) -> None:
        """Tell that a job ended; only the first end counts."""
        self._end(job, outcome, error, self._clock.now())

    def flush(self) -> None:
        """Tell of the jobs that ended because nobody wanted more of them."""
        while self._lost:
            job, when = self._lost.popleft()
            self._end(job, "left", None, when)

    def _end(
        self, job: int | None, outcome: Literal["ok", "failed", "left"], error: BaseException | None, when: float
    ) -> None:
        if job is None or (known := self._jobs.pop(job, None)) is None:
            return
        operation, began = known
        name = None if error is None else type(error).__name__
        self.emit(JobEnded(job=job, operation=operation, seconds=when - began, outcome=outcome, error=name))


def _note(lost: deque[tuple[int, float]], job: int, clock: Clock) -> None:
    lost.append((job, clock.now()))


def _nobody(event: Event) -> None:
    """Stand for a handler that was removed."""
