"""When calls are held back although slots are free: in a pause, and until the response to a probe.

Times are monotonic seconds.
"""

import math

from pyas_async._core.ratelimit.counters import ServiceCounter

SPREAD = 0.05
"""The part of a window over which calls are spread after a pause. After a shorter pause, they are spread over as long
as it took."""
_PROBE_TIME = 1.0
"""Seconds from the first probe for which other calls wait for its response. A slow response must not hold them up for
longer, nor a service that never answers."""


class Gate:
    """The pauses of one budget, and its probes.

    A probe is one call that is sent ahead of all others, to find out how many calls remain.
    """

    def __init__(self, service: ServiceCounter, *, given_limit: int | None, window: float) -> None:
        self.paused_until: float = -math.inf
        self._service = service
        self._given_limit = given_limit
        self._window = window
        self._spread = 0.0
        self.ever_answered: bool = False
        """Whether any response has come."""
        self._answered_at = -math.inf
        # When the last probe was sent. If it fails without a response, further ones are sent within its time.
        self._probed_at: float | None = None

    def call_sent(self, now: float) -> None:
        """Note that a call is sent, which is a probe if the number of remaining calls is unknown."""
        if (since := self._unknown_since(now)) is not None and (self._probed_at is None or self._probed_at < since):
            self._probed_at = now

    def answered(self, now: float) -> None:
        """Note that a response has come, which ends a probe."""
        self._answered_at, self.ever_answered = now, True

    def pause(self, seconds: float, now: float) -> None:
        """Hold all calls back for some seconds, or until the end of a longer pause; a probe follows."""
        self.paused_until = max(self.paused_until, now + seconds)
        self._spread = min(self.paused_until - now, self._window * SPREAD)
        self._answered_at, self.ever_answered = -math.inf, True

    def wait_time(self, now: float, *, in_flight: int) -> float:
        """Return the seconds until calls may be sent again; 0 if they may be sent now.

        Args:
            now: The time.
            in_flight: Calls in flight, of which one may be a probe.
        """
        closed_until = self.paused_until
        if in_flight and self._probed_at is not None and now < self._probed_at + _PROBE_TIME:
            closed_until = max(closed_until, self._probing_until(now))
        return closed_until - now if closed_until > now else 0.0

    def awaits_response(self, now: float) -> bool:
        """Return whether a call that waits now waits for a response, which would tell how many calls remain."""
        return not self.ever_answered or now < self._probing_until(now)

    def spread(self, now: float) -> float:
        """Return the seconds over which a window's calls are spread: above 0 only for a while after a pause."""
        return 0.0 if now >= self.paused_until + self._spread else self._spread

    def _probing_until(self, now: float) -> float:
        """Return until when other calls wait for the response to a probe: a second from when the first was sent."""
        if self._probed_at is None or now >= self._probed_at + _PROBE_TIME:
            return -math.inf
        since = self._unknown_since(now)
        return -math.inf if since is None or self._probed_at < since else self._probed_at + _PROBE_TIME

    def _unknown_since(self, now: float) -> float | None:
        """Return since when the number of remaining calls is unknown; ``None`` if it is known.

        It is unknown before the first response, since others may have used the key; after a pause; and, if no limit was
        given or the service has named a lower one, in a window that the service has not reported yet.
        """
        if self._answered_at == -math.inf:
            return self.paused_until
        limit = self._service.limit
        sure = self._given_limit is not None and (limit is None or limit >= self._given_limit)
        return self._service.resets_at if not sure and self._answered_at < self._service.resets_at <= now else None
