"""Who may send next, when the call budget is short.

Calls wait in a queue: interactive before bulk, then the call whose page token dies first, then in order of arrival.
Nobody drives the queue in the background: the call at its head watches the clock, and whoever leaves wakes the next.
No lock is held across a wait, and a waiter that is cancelled gives its place back.
"""

import heapq
import itertools
import math

import anyio
import attrs

from pyas_async._core.budget import RateBudget
from pyas_async._runtime.clock import Clock
from pyas_async.errors import BudgetTimeoutError, ClientClosedError

# Room that hangs on a call under way is announced by that call; calls of other clients on the same budget are not, so
# look again now and then.
_LOOK_AGAIN = 0.25


@attrs.define(order=True)
class _Ticket:
    bulk: bool
    dies: float
    arrival: int
    event: anyio.Event = attrs.field(factory=anyio.Event, order=False)
    granted: bool = attrs.field(default=False, order=False)
    gone: bool = attrs.field(default=False, order=False)


class Scheduler:
    """The queue in front of one budget."""

    def __init__(self, budget: RateBudget, clock: Clock) -> None:
        """Guard a budget."""
        self.budget = budget
        self._clock = clock
        self._queue: list[_Ticket] = []
        self._arrivals = itertools.count()
        self._closed = False

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return sum(not ticket.gone for ticket in self._queue)

    def try_now(self) -> bool:
        """Take a place at once, if there is one and nobody waits for it."""
        return not self._queue and self.budget.take(self._clock.now())

    def expected_wait(self) -> float:
        """Seconds that a call would wait at least."""
        return self.budget.wait(self._clock.now()) or 0.0

    async def wait(self, *, bulk: bool, dies: float | None = None, left: float | None = None) -> None:
        """Wait for a place.

        Args:
            bulk: Whether to let interactive calls go first.
            dies: When the call's page token is too old to be tried; ``None`` if it has none.
            left: Seconds until the call's deadline; ``None`` if the wait is not bounded.

        Raises:
            BudgetTimeoutError: If the place would come too late.
            ClientClosedError: If the client is closed meanwhile.
        """
        give_up = math.inf if left is None else self._clock.now() + left
        ticket = _Ticket(bulk, math.inf if dies is None else dies, next(self._arrivals))
        heapq.heappush(self._queue, ticket)
        try:
            while not ticket.granted:
                self._grant()
                if not ticket.granted:
                    await self._pause(ticket, give_up)
        except BaseException:
            if ticket.granted:
                self.budget.give_back()
            ticket.gone = True
            self._grant()
            raise

    def give_back(self) -> None:
        """Give back a place whose call never went out."""
        self.budget.give_back()
        self.moved()

    def moved(self) -> None:
        """Look at the queue again: a call ended, or the budget has learned something."""
        if self._queue:
            self._grant()

    def close(self) -> None:
        """Send everybody home."""
        self._closed = True
        for ticket in self._queue:
            ticket.event.set()

    async def _pause(self, ticket: _Ticket, give_up: float) -> None:
        if self._closed:
            msg = "the client was closed while the call waited for room in the call budget"
            raise ClientClosedError(msg)
        now = self._clock.now()
        expected = self.budget.wait(now)
        if now >= give_up or (expected is not None and now + expected >= give_up):
            seconds = expected or 0.0
            msg = (
                f"the key's rate limit is used up: there is room again in {seconds:.0f} s, which is after this call's "
                "deadline. Wait, raise deadline=, or use priority='bulk' with deadline=None"
            )
            raise BudgetTimeoutError(msg, retry_after=seconds)
        delay = give_up - now
        if self._queue[0] is ticket:
            delay = min(delay, _LOOK_AGAIN if expected is None or self.budget.in_flight else expected)
        ticket.event = anyio.Event()
        with anyio.move_on_after(delay):
            await ticket.event.wait()

    def _grant(self) -> None:
        queue = self._queue
        while queue:
            head = queue[0]
            if not head.gone:
                if self._closed or not self.budget.take(self._clock.now()):
                    head.event.set()  # it may have become the head just now, and must watch the clock
                    return
                head.granted = True
                head.event.set()
            heapq.heappop(queue)
