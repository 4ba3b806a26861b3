"""A consumer of one iterator, with a client of its own whose clocks are the service's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

import inside
from pyas_async import Checkpoint, PyasClient, PyasError
from pyas_async._runtime.clock import Clock
from walk.invariants import NEAR, Monitor
from walk.listing import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    import httpx

    from pyas_async._core.ratelimit.tickets import Ticket
    from walk.options import IteratorOptions, KeptCheckpoint
    from walk.service import Service

QUIET = 10
"""Turns of the event loop without a change in the service after which background tasks count as finished."""
LONG = 1000
"""Turns within which every request is sent, and every response received."""


def client_of(service: Service, http_client: httpx.AsyncClient, *, skew: float, ttl: float) -> PyasClient:
    """Make a client, as another process would; its wall clock is wrong by `skew` seconds."""
    started = service.time
    clock = Clock(
        now=lambda: service.time - started,
        wall=lambda: EPOCH + timedelta(seconds=service.time + skew),
        sleep=service.sleep,
        random=lambda: 0.5,
    )
    client = PyasClient(
        "key", account_id="account", base_url="https://walk.test", http_client=http_client, page_token_ttl=ttl
    )
    inside.set_clock_of_calls(client, clock)
    inside.set_limiter(client, _Limiter(inside.budget(client), clock))
    return client


class _Limiter(inside.OpenLimiter):
    """A rate limiter that waits in virtual time: with one consumer, no other call has to be waited for."""

    async def sleep(self, ticket: Ticket, deadline: float, now: float) -> None:
        """Sleep until the next look."""
        look = self.budget.queue.recheck_at(self.budget, now)
        await self.clock.sleep(max(0.001, min(look, ticket.expires_at, deadline) - now))


class Step:
    """Runs a coroutine, and calls a function whenever it waits, and another whenever it continues."""

    def __init__(
        self, body: Coroutine[Any, Any, None], *, waits: Callable[[int], None], goes_on: Callable[[], None]
    ) -> None:
        self._body = body
        self._waits = waits
        self._goes_on = goes_on

    def __await__(self) -> Generator[Any, Any, None]:
        """Pass each wait on to the event loop, and its result back."""
        number = 0
        value: object = None
        error: BaseException | None = None
        while True:
            try:
                signal = self._body.send(value) if error is None else self._body.throw(error)
            except StopIteration:
                return
            value, error = None, None
            number += 1
            self._waits(number)
            try:
                value = yield signal
            except BaseException as raised:  # noqa: BLE001  (a cancellation, for the coroutine)
                error = raised
            self._goes_on()


class Consumer:
    """Takes rows and checkpoints, and is cancelled; the invariants are checked for each row.

    Attributes:
        monitor: Checks the invariants.
        at_end: Whether the end of the listing was reached.
        failure: The checkpoint of the error with which the last step ended, if it ended with one.
    """

    def __init__(
        self,
        service: Service,
        http_client: httpx.AsyncClient,
        options: IteratorOptions,
        start: KeptCheckpoint | None,
        *,
        skew: float,
    ) -> None:
        kept = None if start is None else start.checkpoint
        if isinstance(kept, str):
            assert kept == str(Checkpoint.parse(kept)), "a checkpoint changes on its way through text"
        # Filters may be left out if there is a checkpoint.
        filters = {} if start is not None and skew else dict(options.filters)
        self.monitor = service.observer = Monitor(service, options, start, skew=skew)
        self.at_end = False
        self.failure: KeptCheckpoint | None = None
        self._service = service
        self._iterator = client_of(service, http_client, skew=skew, ttl=options.ttl).meetings.iter_all(
            page_size=options.page_size,
            max_items=options.max_items,
            prefetch=bool(options.prefetch),
            on_expired=options.on_expired,
            verify_total=options.verify_total,
            resume=kept,
            type=filters.get("type"),
        )

    async def enter(self) -> None:
        """Open the iterator with ``async with``, if the options say so."""
        if self.monitor.options.prefetch is not None:
            await self._iterator.__aenter__()

    async def leave(self) -> None:
        """Close the iterator if it was opened with ``async with``; otherwise abandon it, as a bare loop does."""
        self.monitor.over = True
        if self.monitor.options.prefetch is not None:
            await self._iterator.__aexit__(None, None, None)
        self._service.release()

    def keep(self, *, text: bool) -> KeptCheckpoint:
        """Take a checkpoint."""
        self.monitor.counted(self._iterator.stats)
        return self.monitor.keep(self._iterator.checkpoint(), text=text)

    async def take(self, count: int, *, pages: bool = False, cancel_at: int = 0) -> None:
        """Take so many rows or pages, unless it waits `cancel_at` times: then it is cancelled."""
        monitor, service = self.monitor, self._service
        self.failure, service.background_active = None, False
        with anyio.CancelScope() as scope:

            def waits(number: int) -> None:
                if number == cancel_at:
                    service.stopped = True
                    scope.cancel()
                elif not service.stopped:
                    service.awaited = True
                    service.release()

            def goes_on() -> None:
                service.awaited = False

            try:
                await Step(self._take(count, pages=pages), waits=waits, goes_on=goes_on)
            except StopAsyncIteration:
                self.at_end = monitor.ended()
            except PyasError as error:
                self.failure = monitor.failed(error)
        if scope.cancel_called:
            monitor.interrupted()
        service.stopped = service.awaited = False
        if service.background_active or scope.cancel_called or self._in_transit():
            await self._settle()

    async def _take(self, count: int, *, pages: bool) -> None:
        cheap = self._is_cheap()
        for _ in range(count):
            if pages:
                for row in (await self._iterator.pages().__anext__()).meetings:
                    self.monitor.take(row)
            else:
                self.monitor.take(await self._iterator.__anext__())
            assert not cheap or self.monitor.calls - self.monitor.background == 1, (
                "the first row cost more than one call"
            )
            cheap = False

    def _is_cheap(self) -> bool:
        """Return whether the first row takes one call: no fault is planned, and it is on the page that is requested."""
        monitor, service = self.monitor, self._service
        if monitor.calls or service.plans or service.strict:
            return False
        token = None if monitor.start is None else monitor.start.token
        cursor = None if token is None else service.cursors[token]
        young = token is None or monitor.age(token) < NEAR * monitor.options.ttl
        if not young or not (cursor is None or service.alive(cursor)):
            return False
        return not set(service.peek(cursor, monitor.options.filters, monitor.options.page_size)) <= monitor.done

    def _in_transit(self) -> bool:
        """Return whether a prefetch request or its response is between the client and the service.

        The client reads its clock at one end and the monitor at the other, so no time may pass in between. The client
        does not always wait for that: if this process is held up for a tenth of a second, the consumer goes on before.
        """
        return inside.is_prefetching(self._iterator) and not self._service.holding

    async def _settle(self) -> None:
        """Wait until background tasks have ended, or wait themselves."""
        service, quiet = self._service, 0
        seen = (service.calls, service.time, len(service.cursors))
        for _ in range(LONG):
            if quiet >= QUIET and not self._in_transit():
                return
            await anyio.lowlevel.checkpoint()
            now = (service.calls, service.time, len(service.cursors))
            quiet, seen = (quiet + 1 if now == seen else 0), now
        raise AssertionError("background tasks do not end")
