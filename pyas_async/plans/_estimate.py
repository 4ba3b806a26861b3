"""What a job takes on a plan: its calls, when it is done, how often it can be repeated, and whether it fits.

The model is that of `RateBudget`. A call keeps its place until a window and the guard after its answer, so calls go out
in bursts of a plan's limit, one such period after the other. Pages of a listing come one after the other, so the
longest one goes through as many bursts as it needs, and the last burst takes what is then left of it.
"""

import math
from typing import Final

import attrs

from pyas_async.errors import InvalidArgumentError
from pyas_async.limits import CONNECTIONS, GUARD, portion
from pyas_async.models._checks import whole_number
from pyas_async.options import is_number
from pyas_async.plans._plan import DAY, Plan

MONTH: Final = 30
"""Days of a month."""
_MOST: Final = 10**9
"""Accounts and single calls; more than a Scale key can make in a year."""
_MOST_PAGES: Final = 10**6
_NOISE: Final = 1e-6
"""Calls by which a product of floats may miss a whole number."""


@attrs.frozen(kw_only=True)
class Estimate:
    """What a job takes on a plan.

    Attributes:
        plan: The plan.
        calls: The least calls that one run takes.
        seconds: From its begin until its last answer, if no other call was made in the window before.
        windows: Windows whose calls it takes, in whole ones: 1 if one has room for all of them.
        used: Its calls, in windows' worth: 0.4 is two fifths of what a window has, 12.5 is twelve windows and a half.
        repeats: Runs a day that are possible at most, day after day: what the windows have room for, and the month.
            Below 1 where a day is too short: 0.5 is a run every other day.
        month_calls: Calls in 30 days, with so many runs a day as were asked for, or one run in all; single calls that
            arrive meanwhile are among them.
        month_share: These over what the plan sells in a month; ``None`` if it does not limit months.
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
        """Whether the plan has room for the job, as often as was asked for."""
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
    """Tell what a job takes on a plan: listings that are begun all at once, and single calls for what they list.

    Args:
        plan: One of `PLANS`, or your own.
        accounts: Accounts that are listed.
        pages: Pages of each listing, of at most 300 rows; a mean such as 2.5 will do.
        longest: Pages of the longest of these listings, if one is longer.
        details: Single calls in all, `get`, `create`, `update` and `delete` alike.
        latency: Seconds that an answer takes.
        per_day: Runs a day; ``None`` for one run in all.
        share: The part of the plan that the job may spend, of its windows and its month, as in `RateBudget`.
        interactive: The part of the plan that other single calls of the same program take, at any time of the day. They
            are taken to come evenly; calls that come by chance can make a job on the edge a window or two longer.
        connections: Calls that are under way at once, at most: the client's ``max_connections``.

    Returns:
        The estimate. It is for a client with a `RateBudget` of the plan, on a key that nobody else uses.

    Raises:
        InvalidArgumentError: If an argument is out of bounds.
    """
    if not isinstance(plan, Plan):
        raise InvalidArgumentError("plan", "a Plan, such as PLANS['growth']", plan)
    accounts = whole_number("accounts", accounts, minimum=1, maximum=_MOST)
    pages = _number("pages", pages, 1, _MOST_PAGES)
    if longest is None:
        listed, chain = accounts * pages, math.ceil(pages)
    else:
        chain = whole_number("longest", longest, minimum=math.ceil(pages), maximum=_MOST_PAGES)
        listed = (accounts - 1) * pages + chain
    details = whole_number("details", details, minimum=0, maximum=_MOST)
    latency = _number("latency", latency, 0, 900)
    if per_day is not None:
        per_day = _number("per_day", per_day, 0, DAY, above=True)
    share = _number("share", share, 0, 1, above=True)

    calls = math.ceil(listed - _NOISE) + details
    connections = whole_number("connections", connections, minimum=1, maximum=_MOST)
    pace = _pace(plan, interactive, share, latency)
    # What a page of the last listing has named can be asked for only then: one answer more.
    windows, seconds = pace.bursts(calls, chain + bool(details))
    # All at once is as many as there are connections: so it is for the last burst, and for all calls together.
    last = max(0.0, calls - (windows - 1) * pace.left)
    seconds = max(seconds, (windows - 1) * pace.period + last * latency / connections, calls * latency / connections)
    room = DAY / max(seconds, calls * pace.period / pace.left)
    cap = None if plan.monthly is None else portion(plan.monthly, share)
    others = pace.rate * DAY * MONTH
    month_calls = math.ceil(calls * (1 if per_day is None else per_day * MONTH) + others - _NOISE)
    reasons = []
    if per_day is not None and per_day > room:
        reasons.append(f"{few(per_day)} runs a day where the windows have room for {few(room)}")
    if cap is not None and month_calls > cap:
        reasons.append(f"{month_calls:,} calls a month where {cap:,} may be made")
    return Estimate(
        plan=plan,
        calls=calls,
        seconds=seconds,
        windows=windows,
        used=calls / pace.allowed,
        repeats=room if cap is None else min(room, max(0.0, cap - others) / MONTH / calls),
        month_calls=month_calls,
        month_share=None if cap is None else month_calls / cap,
        reasons=tuple(reasons),
    )


def few(number: float) -> str:
    """Write how often something is possible, never more than it is: whole from 10 on, hundredths below."""
    if number >= 10:
        return f"{math.floor(number):,}"
    return "<0.01" if 0 < number < 0.01 else f"{math.floor(number * 100 + _NOISE) / 100:g}"


@attrs.frozen(kw_only=True)
class _Pace:
    """How fast calls may go out.

    Attributes:
        allowed: Calls of a burst.
        period: Seconds from one burst to the next.
        latency: Seconds that an answer takes.
        rate: Other single calls per second that arrive meanwhile.
        left: Calls of a burst that these leave for the job.
    """

    allowed: int
    period: float
    latency: float
    rate: float
    left: float

    def bursts(self, calls: int, chain: int) -> tuple[int, float]:
        """Count the bursts for so many calls, of which a chain goes one by one, and the seconds until the last answer.

        The end is the later of two, that of the last burst and that of the chain. Both are linear in the number of
        bursts, so the least number with room for all calls until the end, others among them, needs no counting up.
        """
        # The chain advances by a burst's places in each period, or by as many answers as a period has time for.
        lost = self.period - min(self.left * self.latency, self.period)
        tail = chain * self.latency
        number = max(
            1,
            math.ceil((calls + self.rate * (self.latency - self.period)) / self.left),
            math.ceil((calls + self.rate * (tail - lost)) / (self.allowed - self.rate * lost)),
        )
        return number, max((number - 1) * self.period + self.latency, (number - 1) * lost + tail)


def _pace(plan: Plan, interactive: object, share: float, latency: float) -> _Pace:
    allowed, period = portion(plan.calls, share), plan.window + GUARD + latency
    bound = math.floor(10_000 * allowed * plan.window / (plan.calls * period)) / 10_000
    if not is_number(interactive) or interactive < 0 or (interactive != 0 and not interactive < bound):
        expected = f"a part of the plan, 0 or more and below {bound:g}, so that calls are left for the job"
        raise InvalidArgumentError("interactive", expected, interactive)
    rate = interactive * plan.calls / plan.window
    return _Pace(allowed=allowed, period=period, latency=latency, rate=rate, left=allowed - rate * period)


def _number(field: str, value: object, least: float, most: float, *, above: bool = False) -> float:
    """Take a number within bounds; above the lower one, if that is not among them."""
    expected = (
        f"a number above {least:g} and at most {most:,.10g}" if above else f"a number from {least:g} to {most:,.10g}"
    )
    if not is_number(value) or not least <= value <= most or (above and value == least):
        raise InvalidArgumentError(field, expected, value)
    return value
