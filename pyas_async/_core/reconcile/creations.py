"""What this client has created, and may have created: of two creates that look alike, one must not get the other's."""

from collections import deque
from collections.abc import Hashable

import attrs

MEMORY = 900.0
"""Seconds for which an ended create is remembered: longer than a lost request can still be carried out."""


@attrs.define(eq=False, repr=False)
class Creation:
    """One create.

    Attributes:
        looks: What it has in common with those whose meetings could be taken for its own.
        id: The meeting that it made; ``None`` as long as that is not known, or if it never became known.
        ended: When it ended (monotonic); ``None`` before.
    """

    looks: Hashable = attrs.field(repr=False)
    id: int | None = None
    ended: float | None = None


class Creations:
    """The creates under way, and those that ended not long ago."""

    def __init__(self) -> None:
        """Know of none."""
        self._alike: dict[Hashable, list[Creation]] = {}
        self._ended: deque[Creation] = deque()

    def begin(self, looks: Hashable, now: float) -> Creation:
        """Take note of a create that begins."""
        while self._ended and (self._ended[0].ended or 0.0) + MEMORY <= now:
            self._drop(self._ended.popleft())
        creation = Creation(looks)
        self._alike.setdefault(looks, []).append(creation)
        return creation

    def end(self, creation: Creation, now: float, *, in_doubt: bool) -> None:
        """Take note that a create ended: with a meeting, in doubt, or with nothing at all, which is forgotten."""
        if creation.id is None and not in_doubt:
            self._drop(creation)
            return
        creation.ended = now
        self._ended.append(creation)

    def taken(self, creation: Creation) -> frozenset[int]:
        """Give the meetings that others made which look like this one."""
        return frozenset(other.id for other in self._others(creation) if other.id is not None)

    def contested(self, creation: Creation) -> bool:
        """Whether another create that looks like this one may have made a meeting which is not known to be its own."""
        return any(other.id is None for other in self._others(creation))

    def pending(self, creation: Creation) -> bool:
        """Whether another create that looks like this one is still under way."""
        return any(other.id is None and other.ended is None for other in self._others(creation))

    def _others(self, creation: Creation) -> list[Creation]:
        return [other for other in self._alike[creation.looks] if other is not creation]

    def _drop(self, creation: Creation) -> None:
        alike = self._alike[creation.looks]
        alike.remove(creation)
        if not alike:
            del self._alike[creation.looks]
