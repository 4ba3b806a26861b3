"""The two limits: calls for each API key and window, and Zoom's writes for each account and day."""

from __future__ import annotations

import math
from typing import NamedTuple

from pyas_async.sandbox._times import javascript_date, utc_day

# What a limit is said to be where the settings have none: the vendor's largest.
_SOME = 5000


class Verdict(NamedTuple):
    """What the rate limit says to one call.

    Attributes:
        allowed: Whether the call may be executed.
        headers: What the answer carries, whether it is allowed or not.
    """

    allowed: bool
    headers: dict[str, str]


class RateLimit:
    """A fixed window for each API key, which begins with the key's first call after the last window ended."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}
        self._used_up = 0.0

    def use_up(self, until: float) -> None:
        """Let nobody have a call until then, as if others had taken all."""
        self._used_up = until

    def take(self, key: str, limit: int | None, window: float, now: float) -> Verdict:
        """Count one call; ``limit`` calls in ``window`` seconds are allowed, any number without one."""
        if now < self._used_up:
            # With the limit in it: who has used it up are others, and that has to show.
            return _refusal(
                {"X-RateLimit-Limit": str(limit or _SOME), "X-RateLimit-Remaining": "0"}, self._used_up, now
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
    # Rounded up, so that whoever waits exactly this long finds the next window open.
    wait = f"{math.ceil((reset - now) * 1000) / 1000:.3f}"
    return Verdict(allowed=False, headers=headers | {"X-RateLimit-Reset": javascript_date(reset), "Retry-After": wait})


class DailyWrites:
    """Creates and updates that reached Zoom, for each account, on the current UTC day."""

    def __init__(self) -> None:
        self._day = 0
        self._used: dict[str, int] = {}

    def take(self, account_id: str, limit: int | None, now: float) -> bool:
        """Count one write, and say whether it is within the limit; one that is not is not counted."""
        if utc_day(now) != self._day:
            self._day = utc_day(now)
            self._used.clear()
        used = self._used.get(account_id, 0)
        if limit is not None and used >= limit:
            return False
        self._used[account_id] = used + 1
        return True
