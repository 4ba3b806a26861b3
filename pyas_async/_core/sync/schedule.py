"""Decides when a watch looks at which account. Times are monotonic seconds.

A pass goes through all accounts once. No account is looked at again sooner than `every` seconds after the last time,
counted from start to start. From the second pass on, the accounts of a pass are spread over that time. If the call
budget does not allow so many looks, each pass takes as long as it takes, and the accounts stay in turn.
"""

import hashlib
import math
from collections.abc import Set as AbstractSet

import attrs

MAX_BACKOFF = 3600.0
"""The longest time for which an account that fails is set aside."""


@attrs.define
class _Failing:
    """An account that is set aside."""

    until: float
    delay: float


class WatchSchedule:
    """The times at which accounts were looked at, and what follows for the next time."""

    def __init__(self, every: float, now: float) -> None:
        """Begin before the first pass; `every` is in seconds."""
        self._every = every
        self._began = now
        self._started: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._failing: dict[str, _Failing] = {}
        self._drawn: dict[str, None] = {}
        self._first_of_pass = math.nan
        self._starts = 0
        self._accounts = 0

    @property
    def accounts(self) -> int:
        """How many accounts the last whole pass had."""
        return self._accounts

    @property
    def drawn(self) -> AbstractSet[str]:
        """The accounts of the current pass."""
        return self._drawn.keys()

    def begin_pass(self) -> None:
        """Begin a pass."""
        self._drawn.clear()
        self._starts, self._first_of_pass = 0, math.nan

    def draw(self, account_id: str, now: float) -> bool:
        """Note an account of this pass; return whether it is to be looked at: once a pass, unless it is set aside."""
        if account_id in self._drawn:
            return False
        self._drawn[account_id] = None
        failing = self._failing.get(account_id)
        return failing is None or failing.until <= now

    def wait_time(self, account_id: str, now: float) -> float:
        """Return the seconds until an account of this pass may be looked at."""
        due = self._started.get(account_id, -math.inf) + self._every
        if self._starts and self._accounts:
            due = max(due, self._first_of_pass + self._starts * self._every / self._accounts)
        return max(0.0, due - now)

    def start(self, account_id: str, now: float) -> None:
        """Note that an account is looked at now."""
        self._started[account_id] = now
        if not self._starts:
            self._first_of_pass = now
        self._starts += 1

    def succeed(self, account_id: str) -> None:
        """Note that the look which was started last has come to its end."""
        self._looked[account_id] = self._started.get(account_id, self._began)
        self._failing.pop(account_id, None)

    def fail(self, account_id: str, now: float) -> None:
        """Set an account aside, for twice as long as the last time."""
        failing = self._failing.get(account_id)
        delay = self._every if failing is None else min(2 * failing.delay, max(MAX_BACKOFF, self._every))
        self._failing[account_id] = _Failing(now + delay, delay)

    def end_pass(self, now: float) -> float:
        """Forget the accounts that this pass did not have; return the seconds to wait if it has looked at none."""
        for known in (self._started, self._looked, self._failing):
            for account_id in known.keys() - self._drawn.keys():
                del known[account_id]
        self._accounts = len(self._drawn)
        if self._starts:
            return 0.0
        soonest = min((failing.until for failing in self._failing.values()), default=math.inf)
        return min(self._every, max(0.0, soonest - now))

    def lag(self, now: float) -> float:
        """Return the seconds since the account was looked at that has waited longest; failing ones do not count."""
        known = self._drawn.keys() | self._started.keys()
        moments = [self._looked.get(name, self._began) for name in known if name not in self._failing]
        return max(0.0, now - min(moments, default=now))


def shard_of(account_id: str, shards: int) -> int:
    """Return the shard of an account, from 0: the same in every process and on every machine."""
    digest = hashlib.blake2b(account_id.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards
