"""What a process and a store exchange, if several processes use a key and the store counts the calls of all of them.

A process leases slots from the store, a few at a time, and spends them on its own calls. The next request reports what
the process has learned since: calls that were sent, how many the service said remain, a 429.
"""

from typing import Protocol, runtime_checkable

import attrs

from pyas_async._checks import as_int, as_number
from pyas_async._public import public

_LARGEST_SHOWN = 10**9
"""Whole numbers from here on are not written into messages."""


@public
@attrs.frozen(kw_only=True)
class BudgetReport:
    """What a process tells the store, and asks of it.

    Attributes:
        wanted: Slots that the process asks for; 0 if it only reports.
        interactive: How many of these are for interactive calls, which go before the bulk calls of other processes.
        sent: Calls with leased slots that have ended since the last report, with a response or without. Each holds its
            slot for a window from now.
        under_way: Calls that are in flight: each holds its slot until it has ended. The service may count it at any
            moment until then.
        unused: Leased slots that the process returns before they expire. A process that wants slots has no leased
            slot left.
        used: Calls of this process that hold a slot now: all that were sent in the last window, reported or not. A
            store that has lost its data learns from it what this process has spent, but not what others have, and those
            that have ended. So it should fail for a window after the loss: then each process counts alone.
        limit: Calls per window that all processes together may spend; ``None`` if the process does not know.
        window: Seconds, the guard included.
        remaining: How many calls of the key's limit remain, as the service last said; ``None`` if it said nothing new.
        resets_in: Seconds until the window that this number is about ends.
        paused_for: Seconds for which the service refuses calls of the key; 0 if it does not.
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
        places: Slots: calls that the process may send.
        expires_in: Seconds for which the slots can be used; those that are left then belong to other processes again.
        ask_again_in: Seconds to wait before asking again, if there is no slot. Less than 0.05 counts as 0.05, more than
            a window as a window.
        processes: How many processes spend the budget now. While the store cannot be reached, each process counts
            alone, and spends an equal part of the limit; for the first window no more than it used already, since
            others may have used more. ``None`` if the store does not know: then a process spends as if it were the
            only one. So it does if it is the only one.
    """

    places: int
    expires_in: float
    ask_again_in: float
    processes: int | None = None


@public
@runtime_checkable
class BudgetStore(Protocol):
    """Counts the calls of one key for several processes: ``RateBudget(..., store=...)``.

    A process asks with one call at a time, and only when it has no leased slot left or something urgent to report. The
    request may be cancelled at any moment. So the store must free leased slots that were not used, a window after the
    lease has expired. (A process that was killed may have sent calls that it never reported. One that is alive may
    report them late, while none of its calls waits.)

    The store fails if it raises, answers with something other than a `BudgetLease`, or takes more than five seconds in
    all, in one request or in several that were cut short. Then the process counts alone for a while, and tells the log
    and ``on_event``.
    """

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Count what a process reports, and lease it slots."""
        ...


def lease_fault(lease: object) -> str | None:
    """Return what is wrong with the answer of a store, which is the user's code; ``None`` if it is a valid lease."""
    if not isinstance(lease, BudgetLease):
        return f"answered with {type(lease).__name__}, not with a BudgetLease"
    for name, least in (("places", 0), ("processes", 1)):
        number: object = getattr(lease, name)
        if name == "processes" and number is None:
            continue
        if (plain := as_int(number)) is None or plain < least:
            return f"leased with {name}={_shown(number)}, where a whole number >= {least} was expected"
    for name in ("expires_in", "ask_again_in"):
        seconds: object = getattr(lease, name)
        if as_number(seconds) is None:
            return f"leased with {name}={_shown(seconds)}, where a finite number of seconds was expected"
    return None


def _shown(value: object) -> str:
    """Show a number of usual length; of anything else only the type, since the value may be confidential."""
    if isinstance(value, float) or value is None:
        return "None" if value is None else f"{value:.6g}"
    small = isinstance(value, int) and abs(value) < _LARGEST_SHOWN
    return str(value) if small else type(value).__name__
