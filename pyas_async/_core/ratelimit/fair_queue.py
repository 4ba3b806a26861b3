"""Calls that wait for the same reason, in order of arrival, one account after the other in turn."""

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyas_async._core.ratelimit.queue import Ticket


class FairQueue:
    """Calls in order of arrival, one account after the other in turn."""

    def __init__(self) -> None:
        """Start empty."""
        self._accounts: OrderedDict[str, OrderedDict[Ticket, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """Count those who wait here."""
        return self._count

    def push(self, ticket: "Ticket") -> None:
        """Stand in line, behind those of the same account."""
        self._accounts.setdefault(ticket.account, OrderedDict())[ticket] = None
        self._count += 1

    def head(self) -> "Ticket | None":
        """Give the next; ``None`` if there is none."""
        for line in self._accounts.values():
            return next(iter(line))
        return None

    def remove(self, ticket: "Ticket") -> None:
        """Go home. If it was served, it is the next account's turn now; else the turn stays with its account."""
        line = self._accounts[ticket.account]
        del line[ticket]
        self._count -= 1
        if not line:
            del self._accounts[ticket.account]
        elif ticket.granted:
            self._accounts.move_to_end(ticket.account)

    def ahead(self, ticket: "Ticket") -> int:
        """Count those who go before it, if nobody leaves and nobody comes."""
        own = next(place for place, other in enumerate(self._accounts[ticket.account]) if other is ticket)
        count, before = own, True
        for account, line in self._accounts.items():
            if account == ticket.account:
                before = False
            else:
                count += min(len(line), own + before)
        return count
