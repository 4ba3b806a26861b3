"""Who may send next, when the call budget is short: the waiting in front of a budget's queue.

The queue (`_core/queue.py`) says who goes; it belongs to the budget, so that clients which share one stand in one line.
Nobody drives it in the background: one of the waiting calls watches the clock for all, and whoever leaves wakes the
next. No lock is held across a wait, and a waiter that is cancelled gives its place back.
"""

import math
import weakref
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from pyas_async._core.ratelimit.budget import RateBudget
from pyas_async._core.ratelimit.queue import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.loop_guard import is_abandoned
from pyas_async.errors import BudgetTimeoutError, ClientClosedError

if TYPE_CHECKING:
    from pyas_async._core.ratelimit.store_share import StoreShare
    from pyas_async._runtime.ratelimit.store_client import StoreClient

_TICK = 0.001
"""Seconds that the watcher sleeps at least: a moment that has come a hair too early must not become a busy loop."""


class RateLimiter:
    """A client's way into the queue of its budget."""

    def __init__(self, budget: RateBudget, clock: Clock, on_alone: Callable[[str, float], None] | None = None) -> None:
        """Stand in front of a budget.

        Args:
            budget: Whose queue it is.
            clock: Tells the time.
            on_alone: Is told what was wrong with the budget's store, and for how many seconds it is not asked.
        """
        self.budget = budget
        self._clock = clock
        self._waiting: set[Ticket] = set()
        self._asking = None if budget.sharing is None else _asking(budget.sharing, on_alone)
        self._closed = False

    def keep_time_by(self, clock: Clock) -> None:
        """Go by another clock."""
        self._clock = clock

    @property
    def waiting(self) -> int:
        """Calls that wait, those of other clients on the same budget included."""
        return len(self.budget.queue)

    def try_acquire(self, ticket: Ticket, now: float | None = None) -> bool:
        """Take a place at once, if the call may have one before all who wait; `now`, if somebody has just looked."""
        queue = self.budget.queue
        if is_abandoned(queue):
            self._forget()
        if queue.line:
            queue.join(ticket)
            self.moved()
            if not ticket.granted:
                queue.leave(ticket)
            return ticket.granted
        now = self._clock.now() if now is None else now
        if queue.may_go(ticket, self.budget, now):
            queue.served(ticket, self.budget, now, self._clock.chance())
        return ticket.granted

    def expected_wait(self) -> float:
        """Seconds that a call would wait at least."""
        return self.budget.earliest(self._clock.now(), len(self.budget.queue))

    async def wait(self, ticket: Ticket, left: float | None = None) -> None:
        """Wait for a place: the ticket is granted, or the page token that the call carries died meanwhile.

        Args:
            ticket: The call.
            left: Seconds until the call's deadline; ``None`` if the wait is not bounded.

        Raises:
            BudgetTimeoutError: If the place would come too late.
            ClientClosedError: If the client is closed meanwhile.
            WrongEventLoopError: If calls of another event loop wait for the same budget.
        """
        queue = self.budget.queue
        if is_abandoned(queue):
            self._forget()
        queue.loop = anyio.lowlevel.current_token()
        give_up = math.inf if left is None else self._clock.now() + left
        queue.join(ticket)
        self._waiting.add(ticket)
        try:
            while not self._over(ticket):
                # One moment for the whole look: a place that comes back after nobody was let out, and before the time
                # until the next look is reckoned, would be slept through.
                now = self._clock.now()
                self._look(now)
                if not ticket.granted:
                    self._check(ticket, give_up, now)
                    await self._sleep(ticket, give_up, now)
        except BaseException:
            self.withdraw(ticket)
            raise
        finally:
            self._waiting.discard(ticket)
            if ticket.wake is not _forgotten:
                if not ticket.granted:
                    queue.leave(ticket)
                if queue.watcher is ticket:
                    queue.watcher = None
                self.moved()

    def withdraw(self, ticket: Ticket) -> None:
        """Give back the place of a call that does not go out, if it has one."""
        if not ticket.granted:
            return
        self.budget.release(bulk=ticket.bulk)
        if ticket.begins:
            self.budget.queue.listings.ended(ticket.listing)
        self.moved()

    def stands(self, listing: Hashable, dies: float | None, *, pages: int = 1) -> None:
        """Take note of where a listing stands.

        Args:
            listing: Whichever it is.
            dies: When its token dies; ``None`` if it has none, and makes room for another.
            pages: Pages that are left, as far as anybody knows.
        """
        listings = self.budget.queue.listings
        if dies is not None:
            listings.stands(listing, dies, self._clock.now(), pages=pages)
        else:
            listings.ended(listing)
        self.moved()

    def ends_with(self, holder: object, listing: Hashable) -> None:
        """Let a listing end when whoever asks for its pages is garbage: a loop that was left needs no cleaning up.

        Garbage is found at any moment, in any thread, and when the program ends: nothing is done then but to note it.
        """
        weakref.finalize(holder, self.budget.queue.listings.abandoned.append, listing).atexit = False

    def moved(self) -> None:
        """Look at the queue again: a call came or ended, or the budget has learned something."""
        if self.budget.queue.line:
            self._look(self._clock.now())

    def _look(self, now: float) -> None:
        queue = self.budget.queue
        if not queue.line or queue.loop != anyio.lowlevel.current_token():  # nobody who can be woken from here
            return
        queue.serve(self.budget, now, self._clock.chance())
        if queue.watcher is None:
            for ticket in queue:
                ticket.wake()
                break
        elif self._asks(now) or queue.next_look(self.budget, now) < queue.watched_until:
            queue.watcher.wake()

    async def tell_store(self, left: float | None = None) -> None:
        """Tell the store that several processes share what cannot wait, if there is a store and such a thing.

        Args:
            left: Seconds until the deadline of the call that found it out, which does not wait for longer; ``None`` if
                it has none. What could not be told then is told with the next question.
        """
        if self._asking is not None and (left is None or left > 0) and self._asks(self._clock.now()):
            await self._asking.ask(math.inf if left is None else left, self._clock, self.moved)

    def close(self) -> None:
        """Send everybody home."""
        self._closed = True
        for ticket in self._waiting:
            ticket.wake()
        if self._asking is not None:
            self._asking.stop()

    def _forget(self) -> None:
        """Forget those who stood in line in an event loop that has ended: they cannot be woken, nor go home."""
        queue, sharing = self.budget.queue, self.budget.sharing
        for ticket in list(queue):
            queue.leave(ticket)
            ticket.wake = _forgotten
        queue.watcher = None
        if sharing is not None:
            sharing.leases.asking = False

    def _asks(self, now: float) -> bool:
        """Whether a store that others share is to be asked, or told something, now."""
        return self.budget.sharing is not None and self.budget.sharing.asks(now)

    def _over(self, ticket: Ticket) -> bool:
        """Whether a wait has come to its end; nobody is served after the client is closed."""
        if self._closed:
            msg = "the client was closed while the call waited for room in the call budget"
            raise ClientClosedError(msg)
        return ticket.granted or self._clock.now() >= ticket.dies

    def _check(self, ticket: Ticket, give_up: float, now: float) -> None:
        """Refuse to wait for what cannot come in time."""
        if give_up == math.inf:
            return
        budget = self.budget
        ahead = 0 if ticket.bulk else budget.queue.interactive
        seconds = budget.earliest(now, ahead)
        if ahead and now + seconds >= give_up:  # perhaps: who goes before it takes long to be counted
            seconds = budget.earliest(now, budget.queue.ahead(ticket))
        if now + seconds >= give_up:
            msg = (
                f"the key's rate limit is used up: there is room again in {seconds:.0f} s, which is after this call's "
                "deadline. Wait, raise deadline=, or use priority='bulk' with deadline=None"
            )
            raise BudgetTimeoutError(msg, retry_after=seconds)

    async def _sleep(self, ticket: Ticket, give_up: float, now: float) -> None:
        """Sleep until woken, or until there is something to do; one of all who wait watches the clock."""
        queue = self.budget.queue
        event = anyio.Event()
        ticket.wake = event.set
        until = min(give_up, ticket.dies)
        if queue.watcher is None or queue.watcher is ticket:
            queue.watcher = ticket
            if self._asking is not None and self._asks(now):
                await self._asking.ask(until - now, self._clock, self.moved)
                return
            sharing = self.budget.sharing
            tells_at = math.inf if sharing is None else sharing.leases.tells_at
            queue.watched_until = min(queue.next_look(self.budget, now), tells_at)
            until = min(until, max(queue.watched_until, now + _TICK))
        with self._clock.move_on_after(until - now):
            await event.wait()


def _asking(sharing: "StoreShare", on_alone: Callable[[str, float], None] | None) -> "StoreClient":
    from pyas_async._runtime.ratelimit.store_client import StoreClient  # noqa: PLC0415 -- most programs have no store

    return StoreClient(sharing, on_alone)


def _forgotten() -> None:
    """Wake nobody. It marks a call whose wait ends only as garbage, and must leave those who wait by then alone."""
