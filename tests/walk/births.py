"""When a client had its page tokens, and how old they are by its clocks.

A service can hand out a token again, with a page that leads back to where it began. Then the token has several births.
The client goes by the page that it has looked at last, and an answer that was lost when a step was cancelled it has not
looked at; in the middle of a page, its checkpoint still has the birth that led to that page. So births are kept by whom
they happened to: another client, with another clock, has none of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from walk.listing import EPOCH

if TYPE_CHECKING:
    from walk.journey import Mark
    from walk.service import Service

_ROUNDED: Final = 0.001
"""Seconds by which a checkpoint's text and the clocks' microseconds may be beside the moment itself."""


class Births:
    """The births of one client's tokens, whose wall clock is wrong by `skew` seconds."""

    def __init__(self, service: Service, start: Mark | None, *, skew: float) -> None:
        """Begin with the token of the checkpoint, if there is one."""
        self._service = service
        self._skew = skew
        self._moments: defaultdict[str, list[float]] = defaultdict(list)
        self._walls: defaultdict[str, set[float]] = defaultdict(set)
        if start is not None and start.token is not None:
            # A token from a checkpoint is as old as the wall clock says; one from the future was not born before now.
            age = max(0.0, self._wall() - start.born)
            self._moments[start.token].append(service.time - age)
            self._walls[start.token].add(start.born)

    def _wall(self) -> float:
        """Tell the client's wall clock, in seconds since virtual time began."""
        return self._service.time + self._skew

    def came(self, token: str) -> None:
        """Take note that a token came now."""
        self._moments[token].append(self._service.time)
        self._walls[token].add(self._wall())

    def seen(self, token: str) -> None:
        """Take note that the client has looked at the page that a token came with last."""
        del self._moments[token][:-1]

    def age(self, token: str) -> float:
        """Tell the least age that the client may take a token to have."""
        return self._service.time - max(self._moments[token])

    def most(self, token: str) -> float:
        """Tell the greatest age that the client may take a token to have."""
        return self._service.time - min(self._moments[token])

    def told(self, token: str, born: float) -> float | None:
        """Tell which birth a checkpoint speaks of, in seconds since virtual time began; ``None`` if there was none."""
        since = born - EPOCH.timestamp()
        return next((wall for wall in self._walls[token] if abs(wall - since) <= _ROUNDED), None)
