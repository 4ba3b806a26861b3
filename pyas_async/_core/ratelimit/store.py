"""Where the calls of a key are counted if several processes use it: the words that a process and a store exchange.

A process leases places from the store, a few at a time, and lets its own calls out against them. What it has learned
since (calls that went out, what the service said is left, a 429) travels with the next request.
"""

from typing import Protocol, runtime_checkable

import attrs

from pyas_async._checks import is_number
from pyas_async._public import public

_LONGEST = 10**9


@public
@attrs.frozen(kw_only=True)
class BudgetReport:
    """What a process tells the store, and asks of it.

    Attributes:
        wanted: Places that it asks for; 0 if it only has something to tell.
        interactive: How many of these are for interactive calls, which go before the bulk calls of other processes.
        sent: Calls against places leased before that are over since the last report, answered or not. Each keeps its
            place for a window.
        under_way: Calls that are out now: each keeps its place until it is over. The service may count them at any
            moment until then.
        unused: Leased places that it gives back before they expire. A process that wants places has none left of those
            that it had.
        used: Calls of this process that take up a place now: all that went out in the last window, reported or not. A
            store that has lost its memory learns from it what was spent.
        limit: Calls per window that all processes together may spend; ``None`` if it does not know.
        window: Seconds, the guard included.
        remaining: What the service last said is left of the key's limit; ``None`` if it said nothing new.
        resets_in: Seconds until that ends.
        paused_for: Seconds for which the service has turned the key away; 0 if it has not.
    """

    wanted: int
    interactive: int
    sent: int
    under_way: int
    unused: int
    used: int
    limit: int | None
    window: float
    remaining: int | None
    resets_in: float
    paused_for: float


@public
@attrs.frozen(kw_only=True)
class BudgetLease:
    """What the store gives.

    Attributes:
        places: Calls that the process may let out.
        expires_in: Seconds in which it must; what is left then belongs to others again.
        ask_again_in: Seconds to wait before asking again, if there is no place; taken for 0.05 at least, and for a
            window at most.
        processes: How many processes spend the budget now. While the store cannot be reached, each counts alone, and
            spends the part of the limit that is one of so many; at first no more than it had, since others may have had
            more. ``None`` if the store does not know: then a process spends as if it were the only one.
    """

    places: int
    expires_in: float
    ask_again_in: float
    processes: int | None = None


@public
@runtime_checkable
class BudgetStore(Protocol):
    """Counts the calls of one key for several processes: ``RateBudget(..., store=...)``.

    It is asked by one call at a time, and only when a process has no leased place left or something urgent to tell. The
    question may be cancelled at any moment: what was leased in vain must come back by itself, a window after it has
    expired. (A process that was killed may have sent calls that it never reported; one that lives may report them late,
    since nobody of it waits.) If the store raises,
    answers with what is no lease, or has not answered after five seconds of being asked, in one question or in several
    that were cut short, the process counts alone for a while, and says so in the log and to ``on_event``.
    """

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Take what a process has to tell, and lease it places."""
        ...


def lease_fault(lease: object) -> str | None:
    """Say what is wrong with a store's answer, which is the user's code; ``None`` if it is a lease."""
    if not isinstance(lease, BudgetLease):
        return f"answered with {type(lease).__name__}, not with a BudgetLease"
    for name, least in (("places", 0), ("processes", 1)):
        number: object = getattr(lease, name)
        if name == "processes" and number is None:
            continue
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            return f"leased with {name}={_shown(number)}, where a whole number >= {least} was expected"
    for name in ("expires_in", "ask_again_in"):
        seconds: object = getattr(lease, name)
        if not is_number(seconds):
            return f"leased with {name}={_shown(seconds)}, where a finite number of seconds was expected"
    return None


def _shown(value: object) -> str:
    """Show a number of a usual length; of anything else its type alone, since it may hold what is nobody's business."""
    if isinstance(value, float) or value is None:
        return "None" if value is None else f"{value:.6g}"
    small = isinstance(value, int) and abs(value) < _LONGEST
    return str(value) if small else type(value).__name__
