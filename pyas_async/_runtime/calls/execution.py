"""Makes one call, from its beginning to its end: the only loop that sends requests.

The exchange (`_core/calls/exchange.py`) decides what to do next; an execution does it, and reports the result.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Generic, Literal, TypeVar

import anyio
import anyio.lowlevel

from pyas_async._core.calls.exchange import Exchange
from pyas_async._core.calls.messages import Call, Fail, Fault, Response, ResponseOrFault, Return, Send, Wait
from pyas_async._core.codec import unreadable_names
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.resources import CallResources
from pyas_async._runtime.calls.unsent import UnsentCall
from pyas_async._runtime.events import CallTrace
from pyas_async._runtime.exits import bare_exits
from pyas_async._runtime.secrets.api_key import MaskedHeaders
from pyas_async._runtime.secrets.log_filter import masking_logs
from pyas_async.errors import ConfigurationError, PyasError
from pyas_async.events import AttemptEnded, AttemptStarted, FieldsUnreadable, Waiting

T = TypeVar("T")


class Listing:
    """Identifies a listing in the queue of the call budget.

    Attributes:
        token_life: Seconds for which one of its page tokens can be used.
    """

    __slots__ = ("__weakref__", "token_life")

    def __init__(self, token_life: float) -> None:
        self.token_life: float = token_life


class Execution(Generic[T]):
    """Makes one call: waits, attempts and retries, until the exchange returns a value or fails."""

    __slots__ = ("_call", "_exchange", "_listing", "_on_wire", "_options", "_resources", "_trace", "_unsent")

    def __init__(
        self,
        resources: CallResources,
        call: Call[T],
        options: CallOptions,
        trace: CallTrace,
        *,
        listing: Listing | None = None,
        on_wire: Callable[[], None] | None = None,
        unsent: UnsentCall | None = None,
    ) -> None:
        """Prepare a call; nothing is sent yet.

        Args:
            resources: What all calls of the client share.
            call: What to send.
            options: How to send it.
            trace: The record of the call, which the execution updates.
            listing: The listing that the call requests a page of, if it does.
            on_wire: Called when a request has been written to the network, and also when the call has to wait.
            unsent: Can cancel the call before its request is sent.
        """
        self._resources = resources
        self._call = call
        self._options = options
        self._trace = trace
        self._listing = listing
        self._on_wire = on_wire
        self._unsent = unsent
        # A service may repeat what it was sent, so the secrets of the request are masked in its response.
        mask = resources.key.mask((*call.secrets, *options.secrets))
        self._exchange = Exchange(call, options.limits, resources.quota, resources.clock.now(), mask)

    async def run(self) -> T:
        """Make the call and return its value.

        Raises:
            PyasError: If the call fails.
        """
        resources, exchange = self._resources, self._exchange
        while True:
            try:
                action = await self._step()
            except BaseExceptionGroup:
                with bare_exits:
                    raise
            if exchange.key_pause is not None:
                # Tell the other processes that share the key, so that their calls are not rejected as well. Cancelling
                # this wait loses no value: after a 429 there is none.
                await resources.limiter.report_to_store(exchange.remaining(resources.clock.now()))
            if isinstance(action, Return):
                if names := unreadable_names(action.value):
                    self._report_unreadable(names)
                return action.value
            if isinstance(action, Fail):
                try:
                    # The traceback is dropped: the variables in its frames hold the text of the response.
                    raise action.error.with_traceback(None)
                finally:
                    del action  # the new traceback leads to this frame, and must not come back to the error
            self._announce_wait(action.seconds, "retry")
            await resources.pause(action.seconds)

    def _report_unreadable(self, names: Sequence[str]) -> None:
        """Report fields of the response that could not be read: the models have their defaults."""
        self._resources.events.emit(
            FieldsUnreadable,
            call=self._trace.call,
            operation=self._call.operation,
            account_id=self._call.account or None,
            fields=tuple(sorted(Counter(names).items())),
        )

    async def _step(self) -> Wait | Return[T] | Fail:
        """Make an attempt unless the exchange decides to fail; return the decision of the exchange."""
        resources, exchange = self._resources, self._exchange
        try:
            resources.check_usable()
            if resources.key.fetched:
                await self._fetch_key()
                resources.check_usable()
            now = resources.clock.now()
            if isinstance(action := exchange.next(now), Fail):
                return action
            ticket = self._ticket(now)
            if resources.limiter.try_acquire(ticket, now):
                return await self._connect_and_attempt(ticket, action)
            await self._wait_for_slot(ticket)
            return await self._connect_and_attempt(ticket, None)
        except PyasError as error:
            found = error
        return Fail(exchange.with_write_state(found))

    def _cancellable(self) -> AbstractContextManager[None]:
        """Mark the block as a wait that `UnsentCall` may cancel."""
        return nullcontext() if self._unsent is None else self._unsent.waiting()

    def _ticket(self, now: float) -> Ticket:
        call, listing = self._call, self._listing
        expires = math.inf if call.not_after is None else call.not_after
        token_life = math.inf if listing is None else listing.token_life
        return Ticket(self._options.priority == "bulk", call.account, expires, listing, token_life, now)

    async def _fetch_key(self) -> None:
        resources, exchange = self._resources, self._exchange
        left = exchange.remaining(resources.clock.now())
        with resources.clock.move_on_after(left) as scope, resources.ended_by_closing(scope):
            await resources.key.fetch()
        if scope.cancelled_caught and not resources.closed:
            raise exchange.deadline_error()

    async def _wait_for_slot(self, ticket: Ticket) -> None:
        resources, exchange = self._resources, self._exchange
        began = resources.clock.now()
        left = None if self._options.limits.waits_excluded else exchange.remaining(began)
        with self._cancellable():
            await resources.limiter.acquire(
                ticket, left, self._options.limits, on_wait=lambda seconds: self._announce_wait(seconds, "budget")
            )
        exchange.on_wait(resources.clock.now() - began)

    async def _connect_and_attempt(self, ticket: Ticket, action: Send | Fail | None) -> Wait | Return[T] | Fail:
        """Wait for a free connection, and make an attempt. The attempt has its slot in the budget already.

        `action` is the decision of the exchange; ``None`` after a wait, when the exchange must be asked again.
        """
        resources, exchange = self._resources, self._exchange
        sent, connected = False, False
        try:
            if not (connected := resources.connections.try_acquire()):
                action, connected = None, await self._wait_for_connection()
            if action is None:
                # The client may have been closed during the wait, or the deadline or the page token may have expired.
                resources.check_usable()
                action = exchange.next(resources.clock.now())
            if self._unsent is not None:
                self._unsent.check()
            if isinstance(action, Fail):
                return action
            if not connected:
                return exchange.on_no_connection(now=resources.clock.now(), jitter=resources.clock.random())
            sent = True
            return await self._attempt(action)
        finally:
            if connected:
                resources.connections.release()
            if not sent:
                resources.limiter.cancel(ticket)

    async def _wait_for_connection(self) -> bool:
        resources, exchange = self._resources, self._exchange
        began = resources.clock.now()
        self._announce_wait(0.0, "connection")
        acquired = False
        # Another client may use the slots, and not release them soon.
        with self._cancellable(), anyio.CancelScope() as scope, resources.ended_by_closing(scope):
            limit = exchange.max_connection_wait(began, self._options.phases.slot)
            acquired = await resources.connections.acquire(limit)
        exchange.on_wait(resources.clock.now() - began)
        return acquired

    async def _attempt(self, send: Send) -> Wait | Return[T] | Fail:
        """Send one request, read the response, and let the exchange decide."""
        resources, exchange, call, trace = self._resources, self._exchange, self._call, self._trace
        clock, events = resources.clock, resources.events
        wall = trace.sent_at = clock.wall()
        exchange.on_send(wall)
        trace.requests += 1
        began = clock.now()
        outcome: ResponseOrFault | None = None
        try:
            if events.has_handlers:
                events.emit(AttemptStarted, call=trace.call, operation=call.operation, attempt=exchange.attempt)
            with masking_logs(exchange.mask):
                outcome = await resources.sender.send(
                    call,
                    headers=self._options.headers,
                    phases=self._options.phases.starting_within(send.connect_within),
                    limit=send.timeout,
                    fresh=send.fresh,
                    on_wire=self._on_wire,
                )
            if events.has_handlers:
                events.emit(
                    AttemptEnded,
                    call=trace.call,
                    operation=call.operation,
                    attempt=exchange.attempt,
                    seconds=clock.now() - began,
                    status=outcome.status if isinstance(outcome, Response) else None,
                    fault=None if isinstance(outcome, Response) else exchange.describe(outcome),
                    headers=MaskedHeaders(outcome.headers, exchange.mask) if isinstance(outcome, Response) else {},
                )
            wall = clock.wall()
            if isinstance(outcome, Response):
                for _ in exchange.read_in_steps(outcome):
                    await anyio.lowlevel.checkpoint()
            return self._decide(outcome, wall)
        except ConfigurationError as error:  # raised instead of sending
            outcome = Fault("network", str(error), sent=False)
            raise
        finally:
            self._settle(outcome, wall)

    def _decide(self, outcome: ResponseOrFault, wall: datetime) -> Wait | Return[T] | Fail:
        exchange, clock = self._exchange, self._resources.clock
        if isinstance(outcome, Response):
            return exchange.on_response(outcome, now=clock.now(), wall=wall, jitter=clock.random())
        if self._resources.closed:
            return exchange.on_closed(outcome)
        return exchange.on_fault(outcome, now=clock.now(), jitter=clock.random())

    def _settle(self, outcome: ResponseOrFault | None, wall: datetime) -> None:
        """Settle the slot of an attempt that has ended: with a response, with a fault, or cancelled (``None``)."""
        exchange, clock, limiter = self._exchange, self._resources.clock, self._resources.limiter
        budget, now = limiter.budget, clock.now()
        if isinstance(outcome, Response):
            headers = outcome.headers if outcome.status < 300 else exchange.limit_headers(outcome)
            budget.settle(now, reported=budget.learn(headers, now, wall))
            if exchange.key_pause is not None:
                # Other processes may have been told the same time: the jitter makes them retry at different times.
                jitter = min(1.0, exchange.key_pause / 10) * clock.random()
                budget.pause(exchange.key_pause + jitter, now)
        elif outcome is None or outcome.sent:
            budget.settle(now)
        else:
            budget.cancel()
        limiter.grant_waiting()

    def _announce_wait(self, seconds: float, reason: Literal["retry", "budget", "connection"]) -> None:
        self._resources.events.emit(
            Waiting, call=self._trace.call, operation=self._call.operation, seconds=seconds, reason=reason
        )
        if self._on_wire is not None:
            # The consumer gets its page now: it must not wait for a request that is not sent yet.
            self._on_wire()
