"""One iterator in the hands of a reader, with a client of its own whose clocks are the service's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

import inside
from pyas_async import Checkpoint, PyasClient, PyasError
from pyas_async._runtime.clock import Clock
from walk.laws import NEAR, Leg
from walk.listing import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    import httpx

    from pyas_async._core.ratelimit.queue import Ticket
    from walk.journey import Mark, Wishes
    from walk.service import Service

QUIET = 10
"""Turns of the event loop without a word from the service, after which nothing is to be expected of the background."""
LONG = 1000
"""Turns in which every request gets to the wire, or back from it."""


def client_of(service: Service, http_client: httpx.AsyncClient, *, skew: float, ttl: float) -> PyasClient:
    """Make a client as another process would; its wall clock is wrong by `skew` seconds."""
    started = service.time
    clock = Clock(
        now=lambda: service.time - started,
        wall=lambda: EPOCH + timedelta(seconds=service.time + skew),
        sleep=service.sleep,
        chance=lambda: 0.5,
    )
    client = PyasClient(
        "key", account_id="account", base_url="https://walk.test", http_client=http_client, page_token_ttl=ttl
    )
    inside.set_clock_of_calls(client, clock)
    inside.set_limiter(client, _Scheduler(inside.budget(client), clock))
    return client


class _Scheduler(inside.OpenLimiter):
    """A scheduler that waits in virtual time: where one reader calls, there is nobody else to wait for."""

    async def sleep(self, ticket: Ticket, give_up: float, now: float) -> None:
        """Sleep until the next look."""
        look = self.budget.queue.next_look(self.budget, now)
        await self.clock.sleep(max(0.001, min(look, ticket.dies, give_up) - now))


class Step:
    """Runs a coroutine, and tells whenever it has to wait, and whenever it goes on."""

    def __init__(
        self, body: Coroutine[Any, Any, None], *, waits: Callable[[int], None], goes_on: Callable[[], None]
    ) -> None:
        self._body = body
        self._waits = waits
        self._goes_on = goes_on

    def __await__(self) -> Generator[Any, Any, None]:
        """Hand every wait on to the event loop, and the event loop's word back."""
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


class Reader:
    """Reads, is cancelled, takes checkpoints; every row goes before the laws.

    Attributes:
        leg: The laws.
        at_end: Whether the listing's end was reached.
        failure: The checkpoint of the error that the last step ended with, if it did.
    """

    def __init__(
        self, service: Service, http_client: httpx.AsyncClient, wishes: Wishes, start: Mark | None, *, skew: float
    ) -> None:
        kept = None if start is None else start.checkpoint
        if isinstance(kept, str):
            assert kept == str(Checkpoint.parse(kept)), "a checkpoint changes on its way through text"
        # What a checkpoint says need not be said again.
        filters = {} if start is not None and skew else dict(wishes.filters)
        self.leg = service.observer = Leg(service, wishes, start, skew=skew)
        self.at_end = False
        self.failure: Mark | None = None
        self._service = service
        self._iterator = client_of(service, http_client, skew=skew, ttl=wishes.ttl).meetings.iter_all(
            page_size=wishes.page_size,
            max_items=wishes.max_items,
            prefetch=bool(wishes.prefetch),
            on_expired=wishes.on_expired,
            verify_total=wishes.verify_total,
            resume=kept,
            type=filters.get("type"),
        )

    async def enter(self) -> None:
        """Open the iterator with ``async with``, if it is wished so."""
        if self.leg.wishes.prefetch is not None:
            await self._iterator.__aenter__()

    async def leave(self) -> None:
        """Close the iterator; one that was not opened so is left alone, as a bare loop does."""
        self.leg.over = True
        if self.leg.wishes.prefetch is not None:
            await self._iterator.__aexit__(None, None, None)
        self._service.release()

    def mark(self, *, text: bool) -> Mark:
        """Take a checkpoint."""
        self.leg.counted(self._iterator.stats)
        return self.leg.mark(self._iterator.checkpoint(), text=text)

    async def read(self, count: int, *, pages: bool = False, cancel_at: int = 0) -> None:
        """Take so many rows or pages, unless cancelled when it waits for the so-manieth time."""
        leg, service = self.leg, self._service
        self.failure, service.stirred = None, False
        with anyio.CancelScope() as scope:

            def waits(number: int) -> None:
                if number == cancel_at:
                    service.stopped = True
                    scope.cancel()
                elif not service.stopped:
                    service.wanted = True
                    service.release()

            def goes_on() -> None:
                service.wanted = False

            try:
                await Step(self._take(count, pages=pages), waits=waits, goes_on=goes_on)
            except StopAsyncIteration:
                self.at_end = leg.ended()
            except PyasError as error:
                self.failure = leg.failed(error)
        if scope.cancel_called:
            leg.interrupted()
        service.stopped = service.wanted = False
        if service.stirred or scope.cancel_called or self._in_transit():
            await self._settle()

    async def _take(self, count: int, *, pages: bool) -> None:
        cheap = self._is_cheap()
        for _ in range(count):
            if pages:
                for row in (await self._iterator.pages().__anext__()).meetings:
                    self.leg.take(row)
            else:
                self.leg.take(await self._iterator.__anext__())
            assert not cheap or self.leg.calls - self.leg.background == 1, "the first row cost more than one call"
            cheap = False

    def _is_cheap(self) -> bool:
        """Tell whether the first row can be had with one call: nothing is in the way, and it is on the page asked."""
        leg, service = self.leg, self._service
        if leg.calls or service.plans or service.strict:
            return False
        token = None if leg.start is None else leg.start.token
        cursor = None if token is None else service.cursors[token]
        young = token is None or leg.age(token) < NEAR * leg.wishes.ttl
        if not young or not (cursor is None or service.alive(cursor)):
            return False
        return not set(service.peek(cursor, leg.wishes.filters, leg.wishes.page_size)) <= leg.done

    def _in_transit(self) -> bool:
        """Tell whether a request in the background is between the client and the service, or its answer.

        The client reads its clock at one end and the laws at the other, so no time may pass there. The client does not
        always wait for that: where this machine stands still for a tenth of a second, the reader goes on before.
        """
        return inside.asks_ahead(self._iterator) and not self._service.holding

    async def _settle(self) -> None:
        """Wait until what goes on in the background has come to its end, or to a halt."""
        service, quiet = self._service, 0
        seen = (service.calls, service.time, len(service.cursors))
        for _ in range(LONG):
            if quiet >= QUIET and not self._in_transit():
                return
            await anyio.lowlevel.checkpoint()
            now = (service.calls, service.time, len(service.cursors))
            quiet, seen = (quiet + 1 if now == seen else 0), now
        raise AssertionError("what goes on in the background comes to no end")
