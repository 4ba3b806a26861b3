"""Checks of the rate limit: which headers report it, in which form, and what they say about the plan."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pyas_async.cli._doctor.calls import CallResult, Calls
from pyas_async.cli._doctor.findings import Finding
from pyas_async.cli._output import plural
from pyas_async.plans import PLANS

_ASSUMED: Final = "X-RateLimit-Remaining says how many calls are left, and X-RateLimit-Reset when the limit is reset"
_OF_LIMITS: Final = re.compile(r"^(x-)?rate-?limit|^retry-after$|^x-rate")
_JAVASCRIPT: Final = re.compile(r"^[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{4} \d\d:\d\d:\d\d (GMT|UTC)[+-]\d{4}")
_BUDGET: Final = "Give the plan: budget=RateBudget.growth() or another one, in pyas meetings export --plan."
_GREATEST_SKEW: Final = 10.0
_DIGITS: Final = 10
"""A number of calls has fewer digits than this."""


def limit_headers(calls: Calls) -> list[Finding]:
    """Report what the responses so far say about the limit."""
    results = [result for result in calls.results if result.value is not None]
    names = sorted({name for result in results for name in result.headers if _OF_LIMITS.match(name)})
    if not names:
        seen = "no response has a header about a limit"
        change = f"The library cannot see what is left, and would learn of the limit by being refused. {_BUDGET}"
        return [Finding(check="limit-headers", state="differs", assumed=_ASSUMED, seen=seen, change=change)]
    newest = next(result for result in reversed(results) if any(map(_OF_LIMITS.match, result.headers)))
    last = newest.headers
    forms = ", ".join(f"{name} ({form_of(last.get(name, ''))})" for name in names)
    if newest.limit.remaining is None:
        change = f"The library does not read these. {_BUDGET} Please report it."
        return [Finding(check="limit-headers", state="differs", assumed=_ASSUMED, seen=forms, change=change)]
    return [_window(forms, last, newest), *_plan(last), _others(results)]


def form_of(text: str) -> str:
    """Describe the form of a header's value, without the value."""
    text = text.strip()
    if not text:
        return "empty"
    if re.fullmatch(r"\d+", text):
        return "a whole number" if len(text) < 9 else "a moment, as a number of seconds"
    if re.fullmatch(r"\d+\.\d+", text):
        return "a number with a fraction"
    if _JAVASCRIPT.match(text):
        return "a date as JavaScript writes it"
    if _moment(text) is not None:
        return "an HTTP date" if "," in text[:4] else "an ISO date"
    return "text of another form"


def _moment(text: str) -> datetime | None:
    if found := _JAVASCRIPT.match(text):
        text = found[0][4:]
    for read in (_javascript_date, datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _javascript_date(text: str) -> datetime:
    return datetime.strptime(text, "%b %d %Y %H:%M:%S GMT%z")


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header with a number of calls; ``None`` if it is missing or not a number."""
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def _window(forms: str, headers: Mapping[str, str], result: CallResult[Any]) -> Finding:
    """Check the end of the window."""
    ends = _moment(headers.get("x-ratelimit-reset", ""))
    service_time = _moment(headers.get("date", "")) or datetime.fromtimestamp(result.at, UTC)
    if ends is None:
        change = f"The client follows the remaining count, and expects the next window after 5 minutes. {_BUDGET}"
        return Finding(check="limit-headers", state="differs", assumed=_ASSUMED, seen=forms, change=change)
    seconds = (ends - service_time).total_seconds()
    if seconds > 302:
        change = f"Windows are longer than 5 minutes: RateBudget(…, window={round(seconds)}). Please report it."
        seen = f"{forms}; the window ends in {seconds:.0f} s"
        return Finding(check="limit-headers", state="differs", assumed=_ASSUMED, seen=seen, change=change)
    return Finding(check="limit-headers", state="holds", assumed=_ASSUMED, seen=forms)


def _plan(headers: Mapping[str, str]) -> list[Finding]:
    """Name the plan of the key, if its limit is that of a plan."""
    limit = _count(headers, "x-ratelimit-limit")
    if limit is None:
        return []
    plan = next((plan.name for plan in PLANS.values() if plan.calls == limit), None)
    if plan is not None:
        seen = f"{limit:,} calls a window: the {plan} plan"
        change = f"PyasClient(budget=RateBudget.{plan}()) keeps to it from the first call on."
        return [Finding(check="plan", state="noted", seen=seen, change=change)]
    change = f"RateBudget({limit}) keeps to it; RateBudget.developer() and the like do not match."
    known = ", ".join(f"{plan.calls:,}" for plan in PLANS.values())
    return [
        Finding(
            check="plan",
            state="differs",
            assumed=f"plans have {known} calls a window",
            seen=f"this key has {limit:,}",
            change=change,
        )
    ]


def _others(results: Sequence[CallResult[Any]]) -> Finding:
    """Report whether other programs use the key: if not, the remaining calls go down by one for each of our calls."""
    counts = [
        (remaining, result.sent)
        for result in results
        if (remaining := _count(result.headers, "x-ratelimit-remaining")) is not None
    ]
    if not counts:
        return Finding(check="other-users", state="unclear", seen="no response said how many calls are left")
    (left, sent), (left_last, sent_last) = counts[0], counts[-1]
    # Failed requests count, too: those of calls without a result, and those that were retried.
    used, own_calls = left - left_last, sent_last - sent
    if used < 0:
        return Finding(check="other-users", state="unclear", seen="a new window began meanwhile")
    if used > own_calls:
        seen = f"other programs made {plural(used - own_calls, 'call')} with this key, while we made {own_calls}"
        change = "Divide the limit with RateBudget(…, share=0.5), or share one budget through a BudgetStore."
        return Finding(check="other-users", state="noted", seen=seen, change=change)
    return Finding(check="other-users", state="noted", seen="no other program used this key meanwhile")


def clock(calls: Calls) -> Finding:
    """Compare this machine's clock with the service's."""
    assumed = f"this clock and the service's agree to {_GREATEST_SKEW:.0f} s"
    skews = [
        result.at - moment.timestamp()
        for result in calls.results
        if result.value is not None and (moment := _moment(result.headers.get("date", "")))
    ]
    if not skews:
        return Finding(check="clock", state="unclear", assumed=assumed, seen="responses have no Date")
    # A response's Date is older than its arrival, and rounded to seconds: the smallest difference is the best estimate.
    skew = min(skews, key=abs)
    if abs(skew) <= _GREATEST_SKEW:
        return Finding(check="clock", state="holds", assumed=assumed, seen=f"they differ by {abs(skew):.0f} s")
    seen = f"this clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    change = "Set this machine's clock: the client recognises a create without a response by the time it was sent."
    return Finding(check="clock", state="differs", assumed=assumed, seen=seen, change=change)
