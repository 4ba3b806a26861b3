"""Tells from a 429 which limit was reached, and when that limit ends.

Pyas limits the calls of a key. Zoom has limits of its own, per second and per day, and Pyas passes those refusals on,
with Zoom's headers or without any.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pyas_async._core.calls.headers import call_count, limit_ends_in, retry_after
from pyas_async.errors import RateLimitScope

# `re` compiles the pattern when it is first used, which in many programs is never.
_PER_SECOND = r"\bper[-_\s]*sec|\b(?:each|every) second\b|(?:requests?|calls?|\d)\s*/\s*s(?:ec(?:ond)?)?\b|\b[qr]ps\b"
_SECOND = 1.0
"""Seconds until a limit per second has ended."""


class Limit(NamedTuple):
    """The limit that was reached.

    Attributes:
        scope: Whose calls it counts.
        ends_in: Seconds until it ends; ``None`` if that is unknown.
    """

    scope: RateLimitScope
    ends_in: float | None


def reached_limit(headers: Mapping[str, str], message: str, now: datetime) -> Limit:
    """Tell which limit a 429 is about.

    Args:
        headers: Its headers.
        message: The text of its error.
        now: The wall clock, for dates in headers (aware).
    """
    zooms = "x-ratelimit-type" in headers or "x-ratelimit-category" in headers
    words = f"{message} {headers.get('x-ratelimit-type', '')}".lower()
    ends_in = limit_ends_in(headers, now)
    if "daily" in words or "per day" in words:
        return Limit("host_day", ends_in)
    if "month" in words:
        return Limit("month", ends_in)
    if words.startswith(("rate limit exceeded", "too many requests")):
        # While the key has calls left, this is another limit.
        scope: RateLimitScope = "unknown" if call_count(headers, "x-ratelimit-remaining") else "key"
        return Limit(scope, _SECOND if ends_in is None and _names_seconds(words) else ends_in)
    keys = not zooms and ("x-ratelimit-remaining" in headers or "x-ratelimit-reset" in headers)
    if _names_seconds(words):
        # The headers of the key's limit tell when the key's window ends, and nothing about this limit.
        return Limit("unknown", (None if keys else retry_after(headers, now)) or _SECOND)
    return Limit("key" if keys and not call_count(headers, "x-ratelimit-remaining") else "unknown", ends_in)


def _names_seconds(words: str) -> bool:
    return re.search(_PER_SECOND, words) is not None
