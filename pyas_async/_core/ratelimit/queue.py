"""The order in which calls that wait for the budget get their slots: values and rules, no clock and no task.

::

    1  a page token that would expire if it waited for the next slot
    2  one bulk call in every ten
    3  interactive calls, with accounts taking turns
    4  bulk: the page token that expires first
    5  bulk: other calls in order of arrival, with accounts taking turns; a new listing only if it can be finished

A listing must request each page before the token from the previous page expires. So the number of active listings
is limited: within a token's life, the budget must have a call for each of them. Another listing would spend calls, and
its token would expire nevertheless.
"""

import itertools
import math
from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from typing import Protocol

from pyas_async._core.ratelimit.listings import ActiveListings
from pyas_async._core.ratelimit.long_waits import LongWaits
from pyas_async._core.ratelimit.tickets import FairQueue, Ticket

_BULK_EVERY = 10
"""While bulk calls wait, one call in this many is a bulk call."""


class Budget(Protocol):
    """What the queue asks of the call budget."""

    def slots_until(self, now: float, until: float) -> float:
        """Count the slots that are free now or will be before a moment."""
        ...

    def max_listings(self, token_life: float) -> float:
        """Count the listings that can all get a call for their next page before its token expires."""
        ...

    def wait_time(self, now: float, *, bulk: bool) -> float | None:
        """Return the seconds until a call may be sent: 0 if one may; ``None`` if that depends on a call in flight.

        Bulk calls do not get the slots that interactive calls are about to need.
        """
        ...

    def bulk_slots(self, now: float) -> float:
        """Count the slots that bulk calls may take now."""
        ...

    def listing_reserve(self, pages: int, page_seconds: float) -> int:
        """Count the slots to reserve for a listing with `pages` pages left that takes `page_seconds` for each."""
        ...

    def acquire(self, now: float, *, bulk: bool) -> None:
        """Acquire a slot for a call that is sent now."""
        ...

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between this call and the next waiting call."""
        ...


class Queue:
    """The calls that wait for one budget. Several clients may share it."""

    def __init__(self) -> None:
        self.listings: ActiveListings = ActiveListings()
        self.long_waits: LongWaits = LongWaits()
        self.watcher: Ticket | None = None
        """The waiting call that watches the clock for all waiting calls."""
        self.watched_until: float = math.inf
        """When the watcher wakes and checks again."""
        self.loop: object = None
        """The event loop that the calls wait in."""
        self.process: int | None = None
        """The process that the budget was first used in. A forked process inherits the queue, but none of its calls."""
        self.tickets: dict[Ticket, None] = {}
        """The calls that wait, in order of arrival. Public for speed: each call checks twice whether there are any."""
        self._interactive = FairQueue()
        self._by_expiry: list[tuple[float, int, Ticket]] = []
        self._by_listing: dict[Hashable, Ticket] = {}
        self._bulk = FairQueue()
        self._new_listings = FairQueue()
        self._arrivals = itertools.count()
        self._interactive_in_a_row = 0
        self._next_release_at = -math.inf

    def __len__(self) -> int:
        return len(self.tickets)

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self.tickets)

    @property
    def interactive(self) -> int:
        """How many of the waiting calls are interactive."""
        return len(self._interactive)

    def add(self, ticket: Ticket) -> None:
        """Add a call that waits."""
        ticket.arrival = next(self._arrivals)
        self.tickets[ticket] = None
        if ticket.bulk and ticket.expires_at < math.inf:
            insort(self._by_expiry, (ticket.expires_at, ticket.arrival, ticket))
            self._by_listing[ticket.listing] = ticket
        else:
            self._queue_of(ticket).append(ticket)

    def remove(self, ticket: Ticket) -> None:
        """Remove a call that no longer waits: it has its slot, or its wait has ended without one."""
        del self.tickets[ticket]
        if ticket.bulk and ticket.expires_at < math.inf:
            del self._by_expiry[bisect_left(self._by_expiry, (ticket.expires_at, ticket.arrival))]
            self._by_listing.pop(ticket.listing, None)
        else:
            self._queue_of(ticket).remove(ticket)

    def can_grant(self, ticket: Ticket, budget: Budget, now: float) -> bool:
        """Return whether a call may be sent, provided that no other call waits."""
        if now < self._next_release_at or budget.wait_time(now, bulk=False) != 0:
            return False
        return not ticket.bulk or (self._admits(ticket, budget, now) and self._leaves_reserve(ticket, budget, now))

    def grant_waiting(self, budget: Budget, now: float, jitter: float) -> None:
        """Grant slots to all waiting calls that may be sent now, in order, and wake them."""
        while now >= self._next_release_at and (ticket := self.next_ticket(budget, now)) is not None:
            self.grant(ticket, budget, now, jitter)
            ticket.wake()

    def recheck_at(self, budget: Budget, now: float) -> float:
        """Return when to check the waiting calls again; infinite if none can be sent before a call in flight ends."""
        wait = budget.wait_time(now, bulk=False)
        if wait != 0:
            return math.inf if wait is None else now + wait
        if now < self._next_release_at:
            return self._next_release_at
        # A slot is free, but no waiting call may use it. Return when the first of the reasons for that may end.
        bulk_wait = budget.wait_time(now, bulk=True)
        longest = self.listings.longest(now)
        return min(
            _held_back_until(self._by_expiry[0][2]) if self._by_expiry else math.inf,
            self.listings.next_end(now),
            now + bulk_wait if bulk_wait else math.inf,
            math.inf if longest is None else longest.busy_until,
        )

    def next_ticket(self, budget: Budget, now: float) -> Ticket | None:
        """Return the call to send next; ``None`` if none may be sent now."""
        if not self.tickets or budget.wait_time(now, bulk=False) != 0:
            return None
        interactive = self._interactive.first()
        if self._by_expiry and self._token_at_risk(budget, now):
            return self._by_expiry[0][2]
        bulk = self._next_bulk(budget, now)
        if interactive is None:
            if bulk is None or self._leaves_reserve(bulk, budget, now) or now >= _held_back_until(bulk):
                return bulk
            return self._ticket_of_longest(budget, now)
        if bulk is not None and self._interactive_in_a_row >= _BULK_EVERY - 1:
            return bulk
        return interactive

    def grant(self, ticket: Ticket, budget: Budget, now: float, jitter: float) -> None:
        """Grant a call its slot, whether it has waited or not.

        Args:
            ticket: The call.
            budget: The budget that the slot is acquired from.
            now: The time.
            jitter: A random number from 0 to 1, by which the spacing after a pause varies.
        """
        ticket.granted = True
        if self.tickets and ticket in self.tickets:
            self.remove(ticket)
        budget.acquire(now, bulk=ticket.bulk)
        if spacing := budget.spacing(now):
            self._next_release_at = now + spacing * (1 + jitter)
        if ticket.bulk:
            self._interactive_in_a_row = 0
        elif self.tickets and (self._by_expiry or self._bulk or self._new_listings):
            self._interactive_in_a_row += 1
        if ticket.listing is not None:
            if ticket.begins_listing:
                self.listings.update(ticket.listing, now + ticket.token_life, now)
            self.listings.call_sent(ticket.listing, ticket.requested_at, now)

    def count_before(self, ticket: Ticket) -> int:
        """Count the interactive calls that would be sent before this interactive one if no other arrives."""
        return self._interactive.count_before(ticket)

    def _queue_of(self, ticket: Ticket) -> FairQueue:
        if not ticket.bulk:
            return self._interactive
        return self._new_listings if ticket.begins_listing else self._bulk

    def _next_bulk(self, budget: Budget, now: float) -> Ticket | None:
        if self._by_expiry:
            return self._by_expiry[0][2]
        other, new = self._bulk.first(), self._new_listings.first()
        if new is None or not self._admits(new, budget, now):
            return other
        return new if other is None or new.arrival < other.arrival else other

    def _admits(self, ticket: Ticket, budget: Budget, now: float) -> bool:
        """Whether the listing of a call may begin: only if it can be finished together with the active ones."""
        if not ticket.begins_listing:
            return True
        others = self.listings.count(now) - (ticket.listing in self.listings)
        return others < budget.max_listings(ticket.token_life)

    def _leaves_reserve(self, ticket: Ticket, budget: Budget, now: float) -> bool:
        """Whether enough slots are left for interactive calls to come, and for the longest listing."""
        free = budget.bulk_slots(now)
        if free < 1 or free == math.inf:
            return free >= 1
        longest = self.listings.longest(now)
        if longest is None or longest.listing is ticket.listing:
            return True
        return free > budget.listing_reserve(longest.pages, longest.page_seconds)

    def _ticket_of_longest(self, budget: Budget, now: float) -> Ticket | None:
        """Return the waiting call of the listing that slots are reserved for, if it may be sent."""
        longest = self.listings.longest(now)
        ticket = None if longest is None else self._by_listing.get(longest.listing)
        return ticket if ticket is not None and self._leaves_reserve(ticket, budget, now) else None

    def _token_at_risk(self, budget: Budget, now: float) -> bool:
        """Whether some token expires unless the slot that is free now goes to a call with a token.

        The k-th token to expire needs k slots before it does. Later tokens have more slots: once there are enough for
        all tokens, the rest need not be checked.
        """
        for rank, (expires_at, _, _) in enumerate(self._by_expiry, 1):
            slots = budget.slots_until(now, expires_at)
            if slots <= rank:
                return True
            if slots > len(self._by_expiry):
                return False
        return False


def _held_back_until(ticket: Ticket) -> float:
    """Return when a token has a tenth of its life left. Its call may then use reserved slots."""
    return ticket.expires_at - ticket.token_life / 10 if ticket.expires_at < math.inf else math.inf
