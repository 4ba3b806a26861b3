"""Estimates of what a job needs on a plan: calls, duration, how often it can be repeated, and whether it fits.

The model is that of `RateBudget`. A call holds its slot until one window and a guard time after its response, so calls
are sent in bursts of the plan's limit, one burst per period. The pages of a listing are fetched one after the other, so
the longest listing takes as many bursts as it needs, and the rest of it fits into the last burst.
"""

import math
from typing import Final

import attrs

from pyas_async._checks import as_number, number, whole_number
from pyas_async.errors import InvalidArgumentError
from pyas_async.limits import CONNECTIONS, guard_of, portion
from pyas_async.plans._plan import DAY, Plan

MONTH: Final = 30
"""Days in a month."""
_MOST: Final = 10**9
"""Upper bound of accounts and single calls; more than a Scale key can make in a year."""
_MOST_PAGES: Final = 10**6
_NOISE: Final = 1e-6
"""Tolerance in calls: a product of floats may miss a whole number by this much."""


@attrs.frozen(kw_only=True)
class Estimate:
    """What a job needs on a plan.

    Attributes:
        plan: The plan.
        calls: The minimum number of calls for one run.
        seconds: From its start until its last response, if no other call was made in the window before.
        windows: The number of windows that its calls need, rounded up: 1 if they all fit into one.
        used: Its calls in windows' worth: 0.4 is two fifths of a window's calls, 12.5 is twelve and a half windows.
        repeats: The maximum number of runs a day, day after day, that the windows and the month allow. Below 1 if a day
            is too short: 0.5 is a run every other day.
        month_calls: Calls in 30 days, with the requested runs a day, or with one run in all. Other single calls during
            that time (``interactive``) are included.
        month_share: `month_calls` divided by the plan's calls a month; ``None`` if the plan has no monthly limit.
        reasons: Why it does not fit the plan, in words; empty if it does.
    """

    plan: Plan
    calls: int
    seconds: float
    windows: int
    used: float
    repeats: float
    month_calls: int
    month_share: float | None
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the job fits the plan, as often as requested."""
        return not self.reasons


def estimate(
    plan: Plan,
    *,
    accounts: int,
    pages: float = 1,
    longest: int | None = None,
    details: int = 0,
    latency: float = 0.3,
    per_day: float | None = None,
    share: float = 1.0,
    interactive: float = 0.0,
    connections: int = CONNECTIONS,
) -> Estimate:
    """Estimate what a job needs on a plan: listings that all start at once, and single calls for what they list.

    Args:
        plan: One of `PLANS`, or your own.
        accounts: The number of accounts to list.
        pages: Pages of each listing, of at most 300 rows; a mean such as 2.5 will do.
        longest: Pages of the longest of these listings, if one is longer.
        details: Single calls in all: `get`, `create`, `update` and `delete`.
        latency: Seconds until a response comes.
        per_day: Runs a day; ``None`` for one run in all.
        share: The part of the plan that the job may spend, of its windows and its month, as in `RateBudget`.
        interactive: The part of the plan that other single calls of the same program take, at any time of the day. The
            model spreads them evenly; calls at random times can make a job that barely fits a window or two longer.
        connections: The maximum number of calls at a time: the client's ``max_connections``.

    Returns:
        The estimate. It holds for a client with a `RateBudget` of the plan, on a key that no other program uses.

    Raises:
        InvalidArgumentError: If an argument is out of bounds.
    """
    if not isinstance(plan, Plan):
        raise InvalidArgumentError("plan", "a Plan, such as PLANS['growth']", plan)
    accounts = whole_number("accounts", accounts, minimum=1, maximum=_MOST)
    pages = number("pages", pages, minimum=1, maximum=_MOST_PAGES)
    if longest is None:
        listed, chain = accounts * pages, math.ceil(pages)
    else:
        chain = whole_number("longest", longest, minimum=math.ceil(pages), maximum=_MOST_PAGES)
        listed = (accounts - 1) * pages + chain
    details = whole_number("details", details, minimum=0, maximum=_MOST)
    latency = number("latency", latency, maximum=900)
    if per_day is not None:
        per_day = number("per_day", per_day, above=True, maximum=DAY)
    share = number("share", share, above=True, maximum=1)

    calls = math.ceil(listed - _NOISE) + details
    connections = whole_number("connections", connections, minimum=1, maximum=_MOST)
    pace = _pace(plan, interactive, share, latency)
    # A single call for a row of the last page can start only after that page's response: one response more.
    windows, seconds = pace.bursts(calls, chain + bool(details))
    # Only as many calls run at once as there are connections, in the last burst as well as over all calls.
    last = max(0.0, calls - (windows - 1) * pace.left)
    seconds = max(seconds, (windows - 1) * pace.period + last * latency / connections, calls * latency / connections)
    most_per_day = DAY / max(seconds, calls * pace.period / pace.left)
    cap = None if plan.monthly is None else portion(plan.monthly, share)
    others = pace.rate * DAY * MONTH
    month_calls = math.ceil(calls * (1 if per_day is None else per_day * MONTH) + others - _NOISE)
    reasons = []
    if per_day is not None and per_day > most_per_day:
        reasons.append(f"{format_repeats(per_day)} runs a day where the windows allow {format_repeats(most_per_day)}")
    if cap is not None and month_calls > cap:
        reasons.append(f"{month_calls:,} calls a month where {cap:,} may be made")
    return Estimate(
        plan=plan,
        calls=calls,
        seconds=seconds,
        windows=windows,
        used=calls / pace.allowed,
        repeats=most_per_day if cap is None else min(most_per_day, max(0.0, cap - others) / MONTH / calls),
        month_calls=month_calls,
        month_share=None if cap is None else month_calls / cap,
        reasons=tuple(reasons),
    )


def format_repeats(number: float) -> str:
    """Format how often something is possible, rounded down: whole numbers from 10, hundredths below."""
    if number >= 10:
        return f"{math.floor(number):,}"
    return "<0.01" if 0 < number < 0.01 else f"{math.floor(number * 100 + _NOISE) / 100:g}"


@attrs.frozen(kw_only=True)
class _Pace:
    """How fast calls can be sent.

    Attributes:
        allowed: Calls in a burst.
        period: Seconds from one burst to the next.
        latency: Seconds until a response comes.
        rate: Other single calls per second.
        left: Calls of a burst that remain for the job after these.
    """

    allowed: int
    period: float
    latency: float
    rate: float
    left: float

    def bursts(self, calls: int, chain: int) -> tuple[int, float]:
        """Return the number of bursts, and the seconds until the last response.

        Of the calls, a chain of `chain` calls has to be sent one by one. The end is the later of two: the end of the
        last burst, and the end of the chain. Both are linear in the number of bursts, so the smallest number of bursts
        into which all calls until the end fit, including the other single calls, can be computed directly.
        """
        # In each period, the chain advances by the slots of a burst, or by as many responses as fit into the period.
        lost = self.period - min(self.left * self.latency, self.period)
        tail = chain * self.latency
        bursts = max(
            1,
            math.ceil((calls + self.rate * (self.latency - self.period)) / self.left),
            math.ceil((calls + self.rate * (tail - lost)) / (self.allowed - self.rate * lost)),
        )
        return bursts, max((bursts - 1) * self.period + self.latency, (bursts - 1) * lost + tail)


def _pace(plan: Plan, interactive: object, share: float, latency: float) -> _Pace:
    allowed, period = portion(plan.calls, share), plan.window + guard_of(plan.window) + latency
    bound = math.floor(10_000 * allowed * plan.window / (plan.calls * period)) / 10_000
    part = as_number(interactive)
    if part is None or part < 0 or (part != 0 and not part < bound):
        expected = f"a part of the plan, 0 or more and below {bound:g}, so that calls are left for the job"
        raise InvalidArgumentError("interactive", expected, interactive)
    rate = part * plan.calls / plan.window
    return _Pace(allowed=allowed, period=period, latency=latency, rate=rate, left=allowed - rate * period)
