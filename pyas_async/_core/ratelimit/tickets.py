"""Calls that want a slot in the call budget, and a queue of them that is fair between accounts."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable

import msgspec


def _wake_none() -> None: ...


class Ticket(msgspec.Struct, eq=False):  # each call makes one, and a Struct is quick to make
    """A call that wants a slot.

    Attributes:
        bulk: Whether interactive calls go first.
        account: The account that the call is for; accounts take turns.
        expires_at: When the page token that the call carries is too old to be tried (monotonic); infinite without one.
        listing: The listing that the call belongs to, if any.
        token_life: Seconds for which a page token of that listing can be used.
        requested_at: When the call was requested.
        waits_since: When it began to wait for a slot; infinite before.
        wake: Called when the slot is granted, or the waiting call should check again.
        arrival: Its number in the order of arrival.
        granted: Whether it has its slot.
    """

    bulk: bool = False
    account: str = ""
    expires_at: float = math.inf
    listing: Hashable | None = None
    token_life: float = math.inf
    requested_at: float = -math.inf
    waits_since: float = math.inf
    wake: Callable[[], None] = _wake_none
    arrival: int = 0
    granted: bool = False

    @property
    def begins_listing(self) -> bool:
        """Whether the call asks for the first page of a listing."""
        return self.listing is not None and self.expires_at == math.inf


class FairQueue:
    """Tickets in order of arrival, with accounts taking turns."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, OrderedDict[Ticket, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, ticket: Ticket) -> None:
        """Add a ticket behind those of the same account."""
        self._accounts.setdefault(ticket.account, OrderedDict())[ticket] = None
        self._count += 1

    def first(self) -> Ticket | None:
        """Return the next ticket; ``None`` if the queue is empty."""
        for tickets in self._accounts.values():
            return next(iter(tickets))
        return None

    def remove(self, ticket: Ticket) -> None:
        """Remove a ticket. If it was granted, the next account has its turn; else the turn stays with this account."""
        tickets = self._accounts[ticket.account]
        del tickets[ticket]
        self._count -= 1
        if not tickets:
            del self._accounts[ticket.account]
        elif ticket.granted:
            self._accounts.move_to_end(ticket.account)

    def count_before(self, ticket: Ticket) -> int:
        """Count the tickets that are granted before this one, if no ticket is added or removed meanwhile."""
        own = next(at for at, other in enumerate(self._accounts[ticket.account]) if other is ticket)
        count, before = own, True
        for account, tickets in self._accounts.items():
            if account == ticket.account:
                before = False
            else:
                count += min(len(tickets), own + before)
        return count
