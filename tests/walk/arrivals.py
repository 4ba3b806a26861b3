"""When the page tokens of a client arrived, and how old they are by its clocks.

The service can send a token again, with a page that leads back to its own beginning. Then the token has several
times of arrival. The client uses the one of the page that it processed last; a response that was lost in a cancelled
step was not processed. In the middle of a page, its checkpoint still has the arrival of the token that led to that
page. So the arrivals are kept for each client: another client, with another clock, has none of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from walk.listing import EPOCH

if TYPE_CHECKING:
    from walk.options import KeptCheckpoint
    from walk.service import Service

_ROUNDED: Final = 0.001
"""Seconds by which the text of a checkpoint and the microseconds of the clocks may differ from the exact time."""


class TokenArrivals:
    """The arrivals of one client's tokens; its wall clock is wrong by `skew` seconds."""

    def __init__(self, service: Service, start: KeptCheckpoint | None, *, skew: float) -> None:
        """Begin with the token of the checkpoint, if it has one."""
        self._service = service
        self._skew = skew
        self._moments: defaultdict[str, list[float]] = defaultdict(list)
        self._walls: defaultdict[str, set[float]] = defaultdict(set)
        if start is not None and start.token is not None:
            # The wall clock tells the age of a checkpoint's token; one from the future counts as new.
            age = max(0.0, self._wall() - start.arrived_wall)
            self._moments[start.token].append(service.time - age)
            self._walls[start.token].add(start.arrived_wall)

    def _wall(self) -> float:
        """Return the client's wall clock, in seconds since virtual time began."""
        return self._service.time + self._skew

    def arrived(self, token: str) -> None:
        """Note that a token arrives now."""
        self._moments[token].append(self._service.time)
        self._walls[token].add(self._wall())

    def processed(self, token: str) -> None:
        """Note that the client has processed the page with which a token arrived last."""
        del self._moments[token][:-1]

    def min_age(self, token: str) -> float:
        """Return the least age that the client may assume for a token."""
        return self._service.time - max(self._moments[token])

    def max_age(self, token: str) -> float:
        """Return the greatest age that the client may assume for a token."""
        return self._service.time - min(self._moments[token])

    def arrival(self, token: str, arrived_wall: float) -> float | None:
        """Return the arrival in a checkpoint, in seconds since virtual time began; ``None`` if there was none."""
        since = arrived_wall - EPOCH.timestamp()
        return next((wall for wall in self._walls[token] if abs(wall - since) <= _ROUNDED), None)
