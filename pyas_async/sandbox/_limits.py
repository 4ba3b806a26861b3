"""The two rate limits: calls per API key and window, and Zoom's writes per account and day."""

from __future__ import annotations

import math
from typing import NamedTuple

from pyas_async.sandbox._times import javascript_date, utc_day

# The limit that a refusal reports if the settings have none: the vendor's largest.
_SHOWN_LIMIT = 5000


class Verdict(NamedTuple):
    """The rate limit's decision on one call.

    Attributes:
        allowed: Whether the call may be executed.
        headers: The headers of the response, in either case.
    """

    allowed: bool
    headers: dict[str, str]


class RateLimit:
    """A fixed window for each API key. It starts with the key's first call after the previous window."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}
        self._exhausted_until = 0.0

    def exhaust(self, until: float) -> None:
        """Refuse all calls until a time, as if other programs had used up the limit."""
        self._exhausted_until = until

    def count(self, key: str, limit: int | None, window: float, now: float) -> Verdict:
        """Count one call. ``limit`` calls in ``window`` seconds are allowed; any number if it is None."""
        if now < self._exhausted_until:
            # With a limit in the headers: the client must be able to see that other programs used it up.
            return _refusal(
                {"X-RateLimit-Limit": str(limit or _SHOWN_LIMIT), "X-RateLimit-Remaining": "0"},
                self._exhausted_until,
                now,
            )
        if limit is None:
            return Verdict(allowed=True, headers={})
        start, used = self._windows.get(key, (now, 0))
        if not start <= now < start + window:
            start, used = now, 0
        self._windows[key] = (start, used + 1)
        reset = start + window
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - used - 1, 0)),
        }
        if used >= limit:
            return _refusal(headers, reset, now)
        return Verdict(allowed=True, headers=headers | {"X-RateLimit-Reset": javascript_date(reset)})


def _refusal(headers: dict[str, str], reset: float, now: float) -> Verdict:
    # Rounded up, so that a caller who waits exactly this long is in the next window.
    wait = f"{math.ceil((reset - now) * 1000) / 1000:.3f}"
    return Verdict(allowed=False, headers=headers | {"X-RateLimit-Reset": javascript_date(reset), "Retry-After": wait})


class DailyWrites:
    """Creates and updates that reached Zoom, per account, on the current UTC day."""

    def __init__(self) -> None:
        self._day = 0
        self._used: dict[str, int] = {}

    def count(self, account_id: str, limit: int | None, now: float) -> bool:
        """Count one write and return whether it is allowed; a refused write does not count."""
        if utc_day(now) != self._day:
            self._day = utc_day(now)
            self._used.clear()
        used = self._used.get(account_id, 0)
        if limit is not None and used >= limit:
            return False
        self._used[account_id] = used + 1
        return True
