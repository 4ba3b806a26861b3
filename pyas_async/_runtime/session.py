"""The only loop that sends: it asks the exchange what to do, does it, and reports back."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

import anyio.lowlevel
import attrs

from pyas_async._core.budget import RateBudget, RateLimitSnapshot
from pyas_async._core.exchange import Exchange, Fail, Limits, Return, Wait
from pyas_async._core.messages import Answer, Call, Fault
from pyas_async._core.retry import RetryQuota
from pyas_async._core.status import retry_after
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.key import ApiKey
from pyas_async._runtime.scheduler import Scheduler
from pyas_async._runtime.transport import Timeouts, Transport
from pyas_async._version import __version__
from pyas_async.errors import BudgetTimeoutError, ClientClosedError, PyasError, WrongEventLoopError
from pyas_async.events import AttemptEnded, AttemptStarted, Event, Waiting
from pyas_async.options import Priority, RetryPolicy

T = TypeVar("T")
_log = logging.getLogger("pyas_async")
_TOO_MANY = 429


@attrs.frozen(kw_only=True)
class CallOptions:
    """How calls are made; each view of a client has its own."""

    phases: Timeouts
    limits: Limits
    priority: Priority
    headers: Mapping[str, str]

    @classmethod
    def make(
        cls, *, phases: Timeouts, timeout: float | None, deadline: float | None, retry: RetryPolicy, priority: Priority
    ) -> "CallOptions":
        """Gather the options of a new client."""
        limits = Limits(timeout=timeout, deadline=deadline, retry=retry)
        return cls(phases=phases, limits=limits, priority=priority, headers={})

    def bulk(self) -> "CallOptions":
        """Give the same options for the calls of an iteration, which let single calls go first."""
        return attrs.evolve(self, priority="bulk")


@attrs.define
class Watch:
    """Watches the calls of an iteration.

    Attributes:
        requests: Requests sent so far.
        under_way: Told when a request is on the wire, or must wait: whoever waits for that need not wait any longer.
    """

    requests: int = 0
    under_way: Callable[[], None] | None = None

    def tell(self) -> None:
        """Say that the call is under way."""
        if self.under_way is not None:
            self.under_way()


class Session:
    """What all views of a client share: pool, key, budget, retry quota."""

    def __init__(
        self,
        transport: Transport,
        key: ApiKey,
        *,
        budget: RateBudget,
        clock: Clock,
        on_event: Callable[[Event], None] | None,
    ) -> None:
        """Put the parts together; nothing is opened yet."""
        self.clock = clock
        self._transport = transport
        self._key = key
        self._scheduler = Scheduler(budget, clock)
        self._quota = RetryQuota()
        self._on_event = on_event
        self._loop: object = None
        self._closed = False

    async def aclose(self) -> None:
        """Close the pool. Calls under way fail; calls to come are refused."""
        self._closed = True
        await self._transport.aclose()

    def rate_limit(self) -> RateLimitSnapshot:
        """Show the call budget."""
        return self._scheduler.budget.snapshot(self.clock.now(), self.clock.wall(), self._scheduler.waiting)

    def emit(self, event: Event) -> None:
        """Tell ``on_event``; what it raises is logged, never passed on."""
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001  (it is the user's code)
            _log.exception("on_event raised; the call goes on")

    async def run(self, call: Call[T], options: CallOptions, watch: Watch | None = None) -> T:
        """Make a call: the one way in which anything is sent."""
        watch = Watch() if watch is None else watch
        self._check_usable()
        exchange = Exchange(call, options.limits, self._quota, now=self.clock.now())
        while True:
            action = await self._step(exchange, options, watch)
            if isinstance(action, Return):
                return action.value
            if isinstance(action, Fail):
                raise action.error
            self.emit(Waiting(operation=call.operation, seconds=action.seconds, reason="retry"))
            watch.tell()
            await self.clock.sleep(action.seconds)

    async def _step(self, exchange: Exchange[T], options: CallOptions, watch: Watch) -> Wait | Return[T] | Fail:
        """Make one attempt, if there is to be one, and say what it led to."""
        if isinstance(action := exchange.next(self.clock.now()), Fail):
            return action
        await self._take_place(exchange, options, watch)
        # The wait for a place may have outlived the page token or the deadline.
        if isinstance(action := exchange.next(self.clock.now()), Fail):
            self._scheduler.give_back()
            return action
        return await self._attempt(exchange, options, watch, action.limit)

    async def _take_place(self, exchange: Exchange[T], options: CallOptions, watch: Watch) -> None:
        if self._scheduler.try_now():
            return
        began = self.clock.now()
        bulk = options.priority == "bulk"
        seconds = self._scheduler.expected_wait()
        self.emit(Waiting(operation=exchange.call.operation, seconds=seconds, reason="budget"))
        watch.tell()
        try:
            await self._scheduler.wait(bulk=bulk, left=None if bulk else exchange.remaining(began))
        except BudgetTimeoutError as error:
            if exchange.call.writes:
                error.write_state = "not_sent"
            raise
        if bulk:
            exchange.not_counted(self.clock.now() - began)

    async def _attempt(
        self, exchange: Exchange[T], options: CallOptions, watch: Watch, limit: float | None
    ) -> Wait | Return[T] | Fail:
        call, clock = exchange.call, self.clock
        try:
            headers = await self._headers(call, options)
        except BaseException:
            self._scheduler.give_back()
            raise
        exchange.sending(clock.wall())
        watch.requests += 1
        attempt = exchange.attempt
        self.emit(AttemptStarted(operation=call.operation, attempt=attempt))
        began = clock.now()
        try:
            outcome = await self._transport.send(
                call.method,
                _target(call),
                headers=headers,
                body=call.body,
                phases=options.phases,
                limit=limit,
                on_wire=watch.under_way,
            )
        except BaseException:
            self._settle(None)
            raise
        self._settle(outcome)
        now = clock.now()
        status, fault = (outcome.status, None) if isinstance(outcome, Answer) else (None, outcome.text)
        ended = AttemptEnded(operation=call.operation, attempt=attempt, seconds=now - began, status=status, fault=fault)
        self.emit(ended)
        if isinstance(outcome, Fault):
            if self._closed:
                return Fail(self._closed_under(call))
            return exchange.on_fault(outcome, now=now, chance=clock.chance())
        return exchange.on_answer(outcome, now=now, wall=clock.wall(), chance=clock.chance(), secrets=self._key.secrets)

    def _settle(self, outcome: Answer | Fault | None) -> None:
        """Book an attempt that is over: answered, failed or cancelled."""
        budget, now = self._scheduler.budget, self.clock.now()
        budget.spent(now)
        if isinstance(outcome, Answer):
            wall = self.clock.wall()
            budget.learn(outcome.headers, now, wall)
            if outcome.status == _TOO_MANY and "x-ratelimit-reset" in outcome.headers:
                budget.pause(retry_after(outcome.headers, wall) or 0.0, now)
        self._scheduler.moved()

    async def _headers(self, call: Call[T], options: CallOptions) -> dict[str, str]:
        headers = {"accept": "application/json", "user-agent": f"pyas_async/{__version__}", **options.headers}
        if call.body is not None:
            headers["content-type"] = "application/json"
        headers["x-api-key"] = await self._key.reveal()
        return headers

    def _closed_under(self, call: Call[T]) -> PyasError:
        error = ClientClosedError(f"{call.operation}: the client was closed while the call was under way")
        if call.writes:
            error.write_state = "unknown"
        return error

    def _check_usable(self) -> None:
        if self._closed:
            msg = "the client is closed; make one for the whole application, and close it when the application ends"
            raise ClientClosedError(msg)
        loop = anyio.lowlevel.current_token()
        if self._loop is None:
            self._loop = loop
        elif self._loop != loop:
            msg = (
                "the client was used in another event loop before, which its connections belong to; "
                "make one client in each loop, or run the program in one asyncio.run()"
            )
            raise WrongEventLoopError(msg)


def _target(call: Call[T]) -> str:
    if not call.query:
        return call.path
    pairs = (f"{name}={quote(value, safe='')}" for name, value in call.query)
    return f"{call.path}?{'&'.join(pairs)}"
