"""How a client's calls wait for a slot in the call budget.

`Queue` decides which call is sent next. It belongs to the budget, so clients that share a budget share the queue. No
background task runs it: one of the waiting calls watches the clock for all of them, and each call that leaves the queue
wakes the next. No lock is held across a wait, and a waiting call that is cancelled frees its slot.
"""

import logging
import math
import weakref
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from pyas_async._base_errors import about
from pyas_async._core.calls.retry import Limits
from pyas_async._core.ratelimit.budget import RateBudget
from pyas_async._core.ratelimit.long_waits import warning
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.loop_guard import is_abandoned
from pyas_async.errors import BudgetTimeoutError, ClientClosedError, PyasError, RequestTimeoutError

if TYPE_CHECKING:
    from pyas_async._core.ratelimit.leases import StoreShare
    from pyas_async._runtime.ratelimit.store_client import StoreClient

_log = logging.getLogger("pyas_async")
_MIN_SLEEP = 0.001
"""The watcher's minimum sleep in seconds: clocks that differ by a little must not make it a busy loop."""


class RateLimiter:
    """Gives a client's calls their slots, and lets them wait until a slot is free."""

    def __init__(self, budget: RateBudget, clock: Clock, on_alone: Callable[[str, float], None] | None = None) -> None:
        """Limit calls by a budget.

        Args:
            budget: The budget, whose queue the calls wait in.
            clock: Tells the time.
            on_alone: Called when the budget's store fails, with the fault and the seconds until it is asked again.
        """
        self.budget = budget
        self._clock = clock
        self._waiting: set[Ticket] = set()
        self._store_client = None if budget.store_share is None else _store_client(budget.store_share, on_alone)
        self._closed = False

    def use_clock(self, clock: Clock) -> None:
        """Tell the time by another clock."""
        self._clock = clock

    @property
    def waiting(self) -> int:
        """How many calls wait, including those of other clients with the same budget."""
        return len(self.budget.queue)

    def try_acquire(self, ticket: Ticket, now: float | None = None) -> bool:
        """Acquire a slot without waiting; ``False`` if none is free for this call, or other calls go first.

        Args:
            ticket: The call.
            now: The time, if the caller has just asked the clock.

        Raises:
            WrongEventLoopError: If calls of another event loop wait for the same budget.
        """
        queue = self.budget.queue
        if is_abandoned(queue):
            self._clear_queue()
        if queue.tickets:
            queue.add(ticket)
            self.grant_waiting()
            if not ticket.granted:
                queue.remove(ticket)
            return ticket.granted
        now = self._clock.now() if now is None else now
        if queue.can_grant(ticket, self.budget, now):
            queue.grant(ticket, self.budget, now, self._clock.random())
        return ticket.granted

    async def acquire(
        self,
        ticket: Ticket,
        timeout: float | None = None,  # noqa: ASYNC109 -- a call's deadline
        limits: Limits | None = None,
        *,
        on_wait: Callable[[float], None] | None = None,
    ) -> None:
        """Wait for a slot, until it is granted or the page token that the call carries expires.

        Args:
            ticket: The call. Its `granted` says whether it has a slot.
            timeout: Seconds until the call's deadline; ``None`` for no limit.
            limits: The call's limits, which have the whole deadline for the error.
            on_wait: Called with the seconds to wait at least, before the call begins to wait: not if it need not, or
                may not since the slot would come too late.

        Raises:
            BudgetTimeoutError: If the slot would come too late.
            RequestTimeoutError: If it would, and no response has said yet how many calls remain.
            ClientClosedError: If the client is closed meanwhile.
            WrongEventLoopError: If calls of another event loop wait for the same budget.
        """
        queue = self.budget.queue
        if is_abandoned(queue):
            self._clear_queue()
        queue.loop = anyio.lowlevel.current_token()
        began = self._clock.now()
        deadline = math.inf if timeout is None else began + timeout
        if not ticket.bulk:
            self.budget.wait_begins(began)
        ticket.waits_since = self._clock.now()
        queue.add(ticket)
        self._waiting.add(ticket)
        try:
            while not self._is_done(ticket):
                # One reading of the clock serves the whole check. Otherwise a slot that becomes free after the slots
                # were granted, but before the next check is scheduled, would go unnoticed.
                now = self._clock.now()
                self._grant_waiting(now)
                if not ticket.granted:
                    self._check_deadline(ticket, deadline, now, limits)
                    self._warn_of_long_wait(now)
                    if on_wait is not None:
                        on_wait(self.budget.min_wait(now, len(queue) - 1))
                        on_wait = None
                        continue  # a handler of the user's may have taken time
                    await self._sleep(ticket, deadline, now)
        except BaseException:
            self.cancel(ticket)
            raise
        finally:
            self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        """End the wait of a call, whether it has a slot or not."""
        queue = self.budget.queue
        self._waiting.discard(ticket)
        if ticket.wake is _loop_has_ended:
            return
        if not ticket.bulk:
            self.budget.wait_ends(self._clock.now())
        if not ticket.granted:
            queue.remove(ticket)
        if queue.watcher is ticket:
            queue.watcher = None
        if not queue.tickets:
            queue.long_waits.end()
        self.grant_waiting()

    def cancel(self, ticket: Ticket) -> None:
        """Free the slot of a call that is not sent, if it has one."""
        if not ticket.granted:
            return
        self.budget.cancel(bulk=ticket.bulk)
        if ticket.begins_listing:
            self.budget.queue.listings.end(ticket.listing)
        self.grant_waiting()

    def update_listing(self, listing: Hashable, expires_at: float | None, *, pages: int = 1) -> None:
        """Note the progress of a listing.

        Args:
            listing: The listing.
            expires_at: When its page token expires; ``None`` if it has none, so that another listing may begin.
            pages: Pages that are known to be left.
        """
        listings = self.budget.queue.listings
        if expires_at is not None:
            listings.update(listing, expires_at, self._clock.now(), pages=pages)
        else:
            listings.end(listing)
        self.grant_waiting()

    def end_listing_with(self, owner: object, listing: Hashable) -> None:
        """End a listing when its owner is garbage-collected, so that a user may leave a loop without closing it.

        The collection can happen at any moment, in any thread, and when the program ends. So it only notes the listing,
        which is ended later.
        """
        weakref.finalize(owner, self.budget.queue.listings.abandoned.append, listing).atexit = False

    def grant_waiting(self) -> None:
        """Grant slots to waiting calls. Call it when a call has ended, or the budget has learned something."""
        if self.budget.queue.tickets:
            self._grant_waiting(self._clock.now())

    def _grant_waiting(self, now: float) -> None:
        queue = self.budget.queue
        if not queue.tickets or queue.loop != anyio.lowlevel.current_token():  # no call that can be woken from here
            return
        queue.grant_waiting(self.budget, now, self._clock.random())
        if queue.watcher is None:
            for ticket in queue:
                ticket.wake()
                break
        elif self._store_is_due(now) or queue.recheck_at(self.budget, now) < queue.watched_until:
            queue.watcher.wake()

    async def report_to_store(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- a call's deadline
        """Report to the store that several processes share, if there is a store and a report is due.

        Args:
            timeout: Seconds until the deadline of the call that reports, which does not wait longer than that;
                ``None`` if it has none. What could not be reported is in the next report.
        """
        seconds = math.inf if timeout is None else timeout
        if self._store_client is not None and seconds > 0 and self._store_is_due(self._clock.now()):
            await self._store_client.ask(seconds, self._clock, self.grant_waiting)

    def close(self) -> None:
        """End all waits of this client with `ClientClosedError`, and its requests to the store."""
        self._closed = True
        for ticket in self._waiting:
            ticket.wake()
        if self._store_client is not None:
            self._store_client.close()

    def _clear_queue(self) -> None:
        """Remove calls that waited in an event loop which has ended: they cannot be woken, nor leave the queue."""
        queue, share = self.budget.queue, self.budget.store_share
        for ticket in list(queue):
            queue.remove(ticket)
            if not ticket.bulk:
                self.budget.wait_ends(self._clock.now())
            ticket.wake = _loop_has_ended
        queue.watcher = None
        if share is not None:
            share.leases.asking = False

    def _store_is_due(self, now: float) -> bool:
        return self.budget.store_share is not None and self.budget.store_share.due(now)

    def _is_done(self, ticket: Ticket) -> bool:
        """Whether a wait has ended. A closed client's calls get no slot even if one is free."""
        if self._closed:
            msg = "the client was closed while the call waited for a slot in the call budget"
            raise ClientClosedError(msg)
        return ticket.granted or self._clock.now() >= ticket.expires_at

    def _check_deadline(self, ticket: Ticket, deadline: float, now: float, limits: Limits | None) -> None:
        """Refuse to wait for a slot that cannot come in time."""
        if deadline == math.inf:
            return
        budget = self.budget
        before = 0 if ticket.bulk else budget.queue.interactive
        seconds = budget.min_wait(now, before)
        if before and now + seconds >= deadline:  # counting the calls that go first is slow, so only if it matters
            seconds = budget.min_wait(now, budget.queue.count_before(ticket))
        if now + seconds >= deadline:
            raise _too_late(seconds, limits, awaits_response=budget.awaits_response(now))

    def _warn_of_long_wait(self, now: float) -> None:
        """Warn if calls wait long: a program that says nothing for minutes looks as if it hung."""
        budget, queue = self.budget, self.budget.queue
        if now < queue.long_waits.again_at:
            return
        since, waiting = next(iter(queue)).waits_since, len(queue)
        last = budget.min_wait(now, waiting - 1)
        if queue.long_waits.is_due(now, since=since, left=last):
            waits = {"first": budget.min_wait(now), "last": last, "waited": now - since}
            text = warning(budget.shortage(now), waiting=waiting, **waits)
            fields = {"pyas_event": "LongWait", "pyas_seconds": last, "pyas_waiting": waiting}
            _log.warning("%s", text, extra=fields)

    async def _sleep(self, ticket: Ticket, deadline: float, now: float) -> None:
        """Sleep until woken or until the deadline. The watcher asks the store, or sleeps until the next check."""
        queue = self.budget.queue
        event = anyio.Event()
        ticket.wake = event.set
        until = min(deadline, ticket.expires_at)
        if queue.watcher is None or queue.watcher is ticket:
            queue.watcher = ticket
            if self._store_client is not None and self._store_is_due(now):
                await self._store_client.ask(until - now, self._clock, self.grant_waiting)
                return
            share = self.budget.store_share
            report_at = math.inf if share is None else share.leases.report_at
            queue.watched_until = min(queue.recheck_at(self.budget, now), report_at)
            until = min(until, max(queue.watched_until, now + _MIN_SLEEP))
        while True:
            wake_at = until
            if queue.watcher is ticket:
                warn_at = queue.long_waits.check_at(next(iter(queue)).waits_since)
                wake_at = min(until, max(warn_at, now + _MIN_SLEEP))
            with self._clock.move_on_after(wake_at - now):
                await event.wait()
            if event.is_set() or wake_at == until:
                return
            now = self._clock.now()
            self._warn_of_long_wait(now)


def _store_client(share: "StoreShare", on_alone: Callable[[str, float], None] | None) -> "StoreClient":
    from pyas_async._runtime.ratelimit.store_client import StoreClient  # noqa: PLC0415 -- most programs have no store

    return StoreClient(share, on_alone)


def _too_late(seconds: float, limits: Limits | None, *, awaits_response: bool) -> PyasError:
    """Make the error of a call whose slot would come after its deadline.

    Args:
        seconds: The minimum time until the slot becomes free; 0 if that depends on calls in flight.
        limits: The call's limits.
        awaits_response: Whether the service has not said yet how many calls remain.
    """
    bound = "the seconds of the call's deadline" if limits is None else limits.deadline_text
    if awaits_response:
        return RequestTimeoutError(
            f"the service has not responded to the calls before this one, and no slot becomes free within {bound}; "
            "this call was not sent"
        )
    free = f"no slot became free within {bound}"
    if seconds > 0:
        free = f"a slot becomes free in {about(seconds)}, after {bound} are over"
    return BudgetTimeoutError(
        f"the key's rate limit is used up: {free}. Wait, raise deadline=, or use priority='bulk' with deadline=None",
        retry_after=seconds,
    )


def _loop_has_ended() -> None:
    """Mark a call whose event loop has ended: when its coroutine is garbage-collected, it must not change the queue."""
