"""The only loop that sends: it asks the exchange what to do, does it, and reports back."""

import contextlib
import math
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel

from pyas_async._core.calls.exchange import Exchange, Fail, Return, Send, Wait
from pyas_async._core.calls.messages import Call, Outcome, Response
from pyas_async._core.calls.retry import RetryQuota
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._core.reconcile.creations import Creations
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.single_flight import SingleFlight
from pyas_async._runtime.calls.waits import Reason, log_wait
from pyas_async._runtime.calls.watch import Watch
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.http import Transport
from pyas_async._runtime.loop_guard import LoopGuard
from pyas_async._runtime.ratelimit.limiter import RateLimiter
from pyas_async._runtime.secrets.api_key import ApiKey, Mask
from pyas_async._runtime.secrets.log_filter import install_log_filter, masking_logs
from pyas_async.errors import ClientClosedError, PyasError

if TYPE_CHECKING:
    from pyas_async._runtime.events import EventEmitter
    from pyas_async.events import Event

T = TypeVar("T")
_SECRET_HEADER = 8


class Session:
    """What all views of a client share: pool, key, budget, retry quota.

    Attributes:
        telling: What tells those who listen; ``None`` as long as nobody does.
    """

    def __init__(
        self,
        transport: Transport,
        key: ApiKey,
        *,
        budget: RateBudget,
        clock: Clock,
        on_event: "Callable[[Event], None] | None",
    ) -> None:
        """Put the parts together; nothing is opened yet."""
        self.clock: Clock = clock
        self._transport = transport
        self._key = key
        self._connections = transport.places
        self._limiter = RateLimiter(budget, clock, self._counts_alone)
        self._quota = RetryQuota()
        self._single_flight = SingleFlight(self._make)
        self.creations: Creations = Creations()
        self.events: EventEmitter | None = None
        if on_event is not None:
            self.listen(on_event)
        self._pauses: set[anyio.CancelScope] = set()
        self._loop_guard = LoopGuard()
        self._closed = False
        install_log_filter()

    async def aclose(self) -> None:
        """Close the pool. Calls under way fail; calls to come are refused."""
        self._loop_guard.check()
        self._closed = True
        for scope in self._pauses:
            scope.cancel()
        self._limiter.close()
        await self._transport.aclose()
        await self._single_flight.ended()
        if self.events is not None:
            self.events.flush()

    def rate_limit(self) -> RateLimitSnapshot:
        """Show the call budget."""
        return self._limiter.budget.snapshot(self.clock.now(), self.clock.wall())

    def keep_time_by(self, clock: Clock) -> None:
        """Go by another clock, that of a test; before the first call, for what went before went by the first one."""
        self.clock = clock
        self._limiter.use_clock(clock)
        self._transport.keep_time_by(clock)

    def stands(self, listing: Watch, dies: float | None, *, pages: int = 1) -> None:
        """Take note of where a listing stands: when its token dies (``None``: it has none), and the pages left."""
        self._limiter.update_listing(listing, dies, pages=pages)

    def ends_with(self, holder: object, listing: Watch) -> None:
        """Let a listing end when whoever asks for its pages is garbage."""
        self._limiter.end_listing_with(holder, listing)

    def listen(self, handler: "Callable[[Event], None]") -> Callable[[], None]:
        """Tell one more of everything; what is returned ends that."""
        if self.events is None:
            from pyas_async._runtime.events import EventEmitter  # noqa: PLC0415 -- loaded for those who listen

            self.events = EventEmitter(self.clock)
        return self.events.add(handler)

    def _counts_alone(self, fault: str, seconds: float) -> None:
        if self.events is not None:
            self.events.store_failed(fault, seconds)

    def _wait_begins(self, call: Call[T], watch: Watch, seconds: float, reason: Reason) -> None:
        if self.events is not None:
            self.events.waits(watch, call.operation, seconds, reason)
        log_wait(call.operation, seconds, reason)

    def run(self, call: Call[T], options: CallOptions, watch: Watch | None = None) -> Coroutine[Any, Any, T]:
        """Make a call: the one way in which anything is sent."""
        watch = Watch() if watch is None else watch
        if self.events is None:
            return self._run(call, options, watch)
        return self.events.around(call, watch, partial(self._run, call, options, watch))

    async def _run(self, call: Call[T], options: CallOptions, watch: Watch) -> T:
        if options.single_flight and call.meeting_id is not None and not call.writes:
            self._check_usable()
            return await self._single_flight.share(call, options, watch, now=self.clock.now())
        if not call.writes:
            return await self._make(call, options, watch)
        # What was asked for before a write began, or before it ended, is no answer for who asks afterwards.
        self._single_flight.part(call.path)
        try:
            return await self._make(call, options, watch)
        finally:
            self._single_flight.part(call.path)

    async def pause(self, seconds: float) -> None:
        """Wait; closing the client ends it."""
        with anyio.CancelScope() as scope, self._ended_by_closing(scope):
            await self.clock.sleep(seconds)

    def _mask_of(self, call: Call[T], options: CallOptions) -> Mask:
        """Give what takes everything secret of a call out of a text: an answer may say again what it was asked."""
        # A header of the user's may be a secret, too; one of a few letters is more likely a word that others use.
        headers = (value for value in options.headers.values() if len(value) >= _SECRET_HEADER)
        return self._key.mask((*call.secrets, *headers))

    async def _make(self, call: Call[T], options: CallOptions, watch: Watch) -> T:
        mask = self._mask_of(call, options)
        exchange = Exchange(call, options.limits, self._quota, self.clock.now(), mask)
        while True:
            action = await self._step(exchange, options, watch)
            if exchange.pauses_key is not None:
                # Processes that share the key need not find out by a refusal of their own. There is no answer to lose.
                await self._limiter.report_to_store(exchange.remaining(self.clock.now()))
            if isinstance(action, Return):
                return action.value
            if isinstance(action, Fail):
                # Without the frames in which it was found: their variables hold what the service said.
                raise action.error.with_traceback(None)
            self._wait_begins(call, watch, action.seconds, "retry")
            watch.tell()
            await self.pause(action.seconds)

    @contextlib.contextmanager
    def _ended_by_closing(self, scope: anyio.CancelScope) -> Iterator[None]:
        self._pauses.add(scope)
        try:
            yield
        finally:
            self._pauses.discard(scope)

    async def _step(self, exchange: Exchange[T], options: CallOptions, watch: Watch) -> Wait | Return[T] | Fail:
        """Make one attempt, if there is to be one, and say what it led to."""
        try:
            self._check_usable()
            if self._key.fetched:
                await self._fetch_key(exchange)
                self._check_usable()
            now = self.clock.now()
            if isinstance(action := exchange.next(now), Fail):
                return action
            ticket = _ticket(exchange.call, options, watch, now)
            if self._limiter.try_acquire(ticket, now):
                return await self._go(ticket, exchange, options, watch, action)
            await self._wait_for_slot(ticket, exchange, options, watch)
            return await self._go(ticket, exchange, options, watch, None)
        except PyasError as error:
            found = error
        return Fail(exchange.failed(found))

    async def _go(
        self, ticket: Ticket, exchange: Exchange[T], options: CallOptions, watch: Watch, action: Send | Fail | None
    ) -> Wait | Return[T] | Fail:
        """Make an attempt, for which there is room in the budget, once a connection is free.

        `action` says how, unless there was a wait for that room.
        """
        sent, placed = False, False
        try:
            if not (placed := self._connections.try_acquire()):
                action, placed = None, await self._wait_for_connection(exchange, options, watch)
            if action is None:
                # The waits may have outlived the client, the deadline, or the page token.
                self._check_usable()
                action = exchange.next(self.clock.now())
            watch.check()
            if isinstance(action, Fail):
                return action
            if not placed:
                return exchange.no_connection(now=self.clock.now(), chance=self.clock.chance())
            sent = True
            return await self._attempt(exchange, options, watch, action)
        finally:
            if placed:
                self._connections.release()
            if not sent:
                self._limiter.cancel(ticket)

    async def _fetch_key(self, exchange: Exchange[T]) -> None:
        with self.clock.move_on_after(exchange.remaining(self.clock.now())) as scope, self._ended_by_closing(scope):
            await self._key.fetch()
        if scope.cancelled_caught and not self._closed:
            raise exchange.out_of_time()

    async def _wait_for_connection(self, exchange: Exchange[T], options: CallOptions, watch: Watch) -> bool:
        began = self.clock.now()
        self._wait_begins(exchange.call, watch, 0.0, "connection")
        watch.tell()
        taken = False
        with anyio.CancelScope() as watch.wait:
            taken = await self._connections.take(exchange.patience(began, options.phases.place))
        watch.wait = None
        exchange.waited(self.clock.now() - began)
        return taken

    async def _wait_for_slot(self, ticket: Ticket, exchange: Exchange[T], options: CallOptions, watch: Watch) -> None:
        began = self.clock.now()
        self._wait_begins(exchange.call, watch, self._limiter.expected_wait(), "budget")
        watch.tell()
        watch.check()
        with anyio.CancelScope() as watch.wait:
            await self._limiter.acquire(ticket, None if options.limits.patient else exchange.remaining(began))
        withdrawn, watch.wait = watch.wait.cancelled_caught, None
        if withdrawn:
            watch.check()
        exchange.waited(self.clock.now() - began)

    async def _attempt(
        self, exchange: Exchange[T], options: CallOptions, watch: Watch, send: Send
    ) -> Wait | Return[T] | Fail:
        call, clock = exchange.call, self.clock
        watch.sent_at = clock.wall()
        exchange.sending(watch.sent_at)
        watch.requests += 1
        began = clock.now()
        outcome: Outcome | None = None
        wall = watch.sent_at
        try:
            if self.events is not None:
                self.events.attempt_started(watch, call.operation, exchange.attempt)
            with masking_logs(exchange.mask):
                outcome = await self._transport.send(
                    call,
                    headers=options.headers,
                    phases=options.phases.starting_within(send.start),
                    limit=send.limit,
                    fresh=send.fresh,
                    on_wire=watch.under_way,
                )
            if self.events is not None:
                at, seconds = exchange.attempt, clock.now() - began
                self.events.attempt_ended(
                    watch, call.operation, at, seconds=seconds, outcome=outcome, mask=exchange.mask
                )
            wall = clock.wall()
            if isinstance(outcome, Response):
                for _ in exchange.reading(outcome):
                    await anyio.lowlevel.checkpoint()
            return self._decide(exchange, outcome, wall)
        finally:
            self._settle(exchange, outcome, wall)

    def _decide(self, exchange: Exchange[T], outcome: Outcome, wall: datetime) -> Wait | Return[T] | Fail:
        clock = self.clock
        if isinstance(outcome, Response):
            return exchange.on_answer(outcome, now=clock.now(), wall=wall, chance=clock.chance())
        if self._closed:
            return exchange.on_closed(outcome)
        return exchange.on_fault(outcome, now=clock.now(), chance=clock.chance())

    def _settle(self, exchange: Exchange[T], outcome: Outcome | None, wall: datetime) -> None:
        """Book an attempt that is over: answered, failed, or cancelled (``None``)."""
        budget, now = self._limiter.budget, self.clock.now()
        if isinstance(outcome, Response):
            # What a limit of Zoom's says of itself is nothing that is left of the key's.
            zooms = outcome.status == 429 and exchange.pauses_key is None
            budget.settle(now, reported=budget.learn({} if zooms else outcome.headers, now, wall))
            if exchange.pauses_key is not None:
                # Others may have been told the same moment: the jitter keeps them from coming back as one.
                jitter = min(1.0, exchange.pauses_key / 10) * self.clock.chance()
                budget.pause(exchange.pauses_key + jitter, now)
        elif outcome is None or outcome.sent:
            budget.settle(now)
        else:
            budget.cancel()
        self._limiter.grant_waiting()

    def _check_usable(self) -> None:
        if self._closed:
            msg = "the client is closed; make one for the whole application, and close it when the application ends"
            raise ClientClosedError(msg)
        self._loop_guard.check()


def _ticket(call: Call[T], options: CallOptions, watch: Watch, now: float) -> Ticket:
    bulk, dies = options.priority == "bulk", math.inf if call.not_after is None else call.not_after
    if watch.life is None:
        return Ticket(bulk, call.account, dies, None, math.inf, now)
    return Ticket(bulk, call.account, dies, watch, watch.life, now)
