"""The order in which calls that wait for the budget are let out: values and rules, no clock and no task.

::

    1  a page token in its last safe slot
    2  of ten releases, one for bulk
    3  interactive calls, fair between accounts
    4  bulk: the page token that dies first
    5  bulk: whatever came first, fair between accounts; listings that have not begun only while there is room for them

A listing needs a call for each page before the token of the page before dies. So no more listings are under way than
the budget can give a call to within a token's life; a listing begun beyond that would spend calls and not end.
"""

import itertools
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from typing import Protocol

import msgspec

from pyas_async._core.ratelimit.fair_queue import FairQueue
from pyas_async._core.ratelimit.listings import ActiveListings

_BULK_EVERY = 10
"""Of so many releases, at least one is bulk while bulk calls wait."""


def _nobody() -> None: ...


class Ticket(msgspec.Struct, eq=False):  # each call makes one, and a Struct is made in no time
    """A call that wants a place.

    Attributes:
        bulk: Whether interactive calls go first.
        account: Whose call it is, for fairness.
        dies: When the page token that it carries is too old to be tried (monotonic); infinite if it carries none.
        listing: The listing that it belongs to, if to one.
        life: Seconds for which a page token of that listing can be used.
        asked: When it was asked for.
        wake: Told when it is granted, or should look again.
        arrival: Its number in the order of arrival.
        granted: Whether it has its place.
    """

    bulk: bool = False
    account: str = ""
    dies: float = math.inf
    listing: Hashable | None = None
    life: float = math.inf
    asked: float = -math.inf
    wake: Callable[[], None] = _nobody
    arrival: int = 0
    granted: bool = False

    @property
    def begins(self) -> bool:
        """Whether it begins a walk through a listing."""
        return self.listing is not None and self.dies == math.inf


class Room(Protocol):
    """What the queue asks of the budget."""

    def slots(self, now: float, until: float) -> float:
        """Count the places that are free now or will be until then."""
        ...

    def listings(self, life: float) -> float:
        """Count the listings whose tokens, living so long, can all be served in time."""
        ...

    def wait(self, now: float, *, bulk: bool) -> float | None:
        """Seconds until a call may go out: 0 if one may; ``None`` if that hangs on a call under way.

        Of bulk, what interactive calls are about to need is kept back.
        """
        ...

    def spare(self, now: float) -> float:
        """Count the places that are free for bulk calls."""
        ...

    def claim(self, pages: int, period: float) -> int:
        """Count the places that a listing with so many pages left, and seconds for each, may claim."""
        ...

    def took(self, now: float, *, bulk: bool) -> None:
        """Take note that a call goes out now."""
        ...

    def step(self, now: float) -> float:
        """Seconds to leave between this call and the next that has waited."""
        ...


class Queue:
    """The calls that wait for one budget, of however many clients."""

    def __init__(self) -> None:
        """Start empty."""
        self.listings: ActiveListings = ActiveListings()
        self.watcher: Ticket | None = None
        """The waiting call that watches the clock, for all of them."""
        self.watched_until: float = math.inf
        """The moment at which it will look again."""
        self.loop: object = None
        """The event loop that they wait in."""
        self.process: int | None = None
        """The process whose calls these are: one that was forked off has them as well, and none of them is its own."""
        self.line: dict[Ticket, None] = {}
        """Those who wait, in order of arrival: whether there are any is asked twice a call."""
        self._interactive = FairQueue()
        self._tokens: list[tuple[float, int, Ticket]] = []
        self._of_listing: dict[Hashable, Ticket] = {}
        self._bulk = FairQueue()
        self._beginners = FairQueue()
        self._arrivals = itertools.count()
        self._interactive_in_a_row = 0
        self._paced_until = -math.inf

    def __len__(self) -> int:
        """Count those who wait."""
        return len(self.line)

    @property
    def interactive(self) -> int:
        """Count the interactive calls among them."""
        return len(self._interactive)

    def __iter__(self) -> Iterator[Ticket]:
        """Go through those who wait, in order of arrival."""
        return iter(self.line)

    def join(self, ticket: Ticket) -> None:
        """Stand in line."""
        ticket.arrival = next(self._arrivals)
        self.line[ticket] = None
        if ticket.bulk and ticket.dies < math.inf:
            insort(self._tokens, (ticket.dies, ticket.arrival, ticket))
            self._of_listing[ticket.listing] = ticket
        else:
            self._lane(ticket).push(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Go home: served, cancelled, or tired of waiting."""
        del self.line[ticket]
        if ticket.bulk and ticket.dies < math.inf:
            del self._tokens[bisect_left(self._tokens, (ticket.dies, ticket.arrival))]
            self._of_listing.pop(ticket.listing, None)
        else:
            self._lane(ticket).remove(ticket)

    def may_go(self, ticket: Ticket, room: Room, now: float) -> bool:
        """Whether a call may go out if nobody else waits."""
        if now < self._paced_until or room.wait(now, bulk=False) != 0:
            return False
        return not ticket.bulk or (self._admits(ticket, room, now) and self._leaves_enough(ticket, room, now))

    def serve(self, room: Room, now: float, chance: float) -> None:
        """Let out whoever may go now, in order."""
        while now >= self._paced_until and (ticket := self.next(room, now)) is not None:
            self.served(ticket, room, now, chance)
            ticket.wake()

    def next_look(self, room: Room, now: float) -> float:
        """Give the moment at which time alone may let somebody out; infinite if only a call under way can."""
        wait = room.wait(now, bulk=False)
        if wait != 0:
            return math.inf if wait is None else now + wait
        if now < self._paced_until:
            return self._paced_until
        # There is a place, and those who wait may not have it: one of the reasons must come to its end.
        kept_back = room.wait(now, bulk=True)
        claim = self.listings.claim(now)
        return min(
            _last_call(self._tokens[0][2]) if self._tokens else math.inf,
            self.listings.next_death(now),
            now + kept_back if kept_back else math.inf,
            math.inf if claim is None else claim[3],
        )

    def next(self, room: Room, now: float) -> Ticket | None:
        """Give the call that goes out now; ``None`` if none may."""
        if not self.line or room.wait(now, bulk=False) != 0:
            return None
        interactive = self._interactive.head()
        if self._tokens and self._urgent(room, now):
            return self._tokens[0][2]
        bulk = self._next_bulk(room, now)
        if interactive is None:
            if bulk is None or self._leaves_enough(bulk, room, now) or now >= _last_call(bulk):
                return bulk
            return self._claimant(room, now)
        if bulk is not None and self._interactive_in_a_row >= _BULK_EVERY - 1:
            return bulk
        return interactive

    def served(self, ticket: Ticket, room: Room, now: float, chance: float) -> None:
        """Give a call its place."""
        ticket.granted = True
        if self.line and ticket in self.line:
            self.leave(ticket)
        room.took(now, bulk=ticket.bulk)
        if step := room.step(now):
            self._paced_until = now + step * (1 + chance)
        if ticket.bulk:
            self._interactive_in_a_row = 0
        elif self.line and (self._tokens or self._bulk or self._beginners):
            self._interactive_in_a_row += 1
        if ticket.listing is not None:
            if ticket.begins:
                self.listings.stands(ticket.listing, now + ticket.life, now)
            self.listings.sends(ticket.listing, ticket.asked, now)

    def ahead(self, ticket: Ticket) -> int:
        """Count the interactive calls that go before this interactive one, as things stand."""
        return self._interactive.ahead(ticket)

    def _lane(self, ticket: Ticket) -> FairQueue:
        if not ticket.bulk:
            return self._interactive
        return self._beginners if ticket.begins else self._bulk

    def _next_bulk(self, room: Room, now: float) -> Ticket | None:
        if self._tokens:
            return self._tokens[0][2]
        other, beginner = self._bulk.head(), self._beginners.head()
        if beginner is None or not self._admits(beginner, room, now):
            return other
        return beginner if other is None or beginner.arrival < other.arrival else other

    def _admits(self, ticket: Ticket, room: Room, now: float) -> bool:
        """Whether a call may go out as far as listings are concerned: one that begins needs room for its whole walk."""
        if not ticket.begins:
            return True
        others = self.listings.count(now) - (ticket.listing in self.listings)
        return others < room.listings(ticket.life)

    def _leaves_enough(self, ticket: Ticket, room: Room, now: float) -> bool:
        """Whether enough places are left for the interactive calls to come, and for the longest listing."""
        spare = room.spare(now)
        if spare < 1 or spare == math.inf:
            return spare >= 1
        claim = self.listings.claim(now)
        if claim is None or claim[0] is ticket.listing:
            return True
        _, pages, period, _ = claim
        return spare > room.claim(pages, period)

    def _claimant(self, room: Room, now: float) -> Ticket | None:
        """Give the waiting call of the listing for which places are kept, if it may go."""
        claim = self.listings.claim(now)
        ticket = None if claim is None else self._of_listing.get(claim[0])
        return ticket if ticket is not None and self._leaves_enough(ticket, room, now) else None

    def _urgent(self, room: Room, now: float) -> bool:
        """Whether some token dies if the place that is free now goes to anybody else.

        The k-th token to die needs k places before it does. The more time, the more places: past the first token that
        has enough of them for all, nobody needs to be asked.
        """
        for rank, (dies, _, _) in enumerate(self._tokens, 1):
            slots = room.slots(now, dies)
            if slots <= rank:
                return True
            if slots > len(self._tokens):
                return False
        return False


def _last_call(ticket: Ticket) -> float:
    """Give the moment from which on a token is not held back for anybody's sake: it has a tenth of its life left."""
    return ticket.dies - ticket.life / 10 if ticket.dies < math.inf else math.inf
