"""The meetings that this client has created, or may have created.

Of two creates of equal meetings, one must not get the meeting of the other.
"""

from collections import deque
from collections.abc import Hashable

import attrs

REMEMBERED_FOR = 900.0
"""Seconds for which a create is remembered after its end: longer than a lost request can still be carried out."""


@attrs.define(eq=False, repr=False)
class Creation:
    """One create.

    Attributes:
        match_key: Equal for meetings that could be mistaken for one another (`WantedMeeting.match_key`).
        id: The meeting that it made; ``None`` if that is not known.
        ended: When it ended (monotonic); ``None`` before.
    """

    match_key: Hashable = attrs.field(repr=False)
    id: int | None = None
    ended: float | None = None


class Creations:
    """The creates that are in flight, and those that ended not long ago."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, list[Creation]] = {}
        self._ended: deque[Creation] = deque()

    def begin(self, match_key: Hashable, now: float) -> Creation:
        """Remember a create that begins; forget those that ended long ago."""
        while self._ended and (self._ended[0].ended or 0.0) + REMEMBERED_FOR <= now:
            self._forget(self._ended.popleft())
        creation = Creation(match_key)
        self._by_key.setdefault(match_key, []).append(creation)
        return creation

    def end(self, creation: Creation, now: float, *, in_doubt: bool) -> None:
        """Note that a create has ended. One that certainly made no meeting is forgotten."""
        if creation.id is None and not in_doubt:
            self._forget(creation)
            return
        creation.ended = now
        self._ended.append(creation)

    def claimed_ids(self, creation: Creation) -> frozenset[int]:
        """Return the meetings that other creates of an equal meeting have made."""
        return frozenset(other.id for other in self._others(creation) if other.id is not None)

    def has_rival(self, creation: Creation) -> bool:
        """Whether another create of an equal meeting may have made one whose id is not known."""
        return any(other.id is None for other in self._others(creation))

    def has_pending_rival(self, creation: Creation) -> bool:
        """Whether another create of an equal meeting is still in flight."""
        return any(other.id is None and other.ended is None for other in self._others(creation))

    def _others(self, creation: Creation) -> list[Creation]:
        return [other for other in self._by_key[creation.match_key] if other is not creation]

    def _forget(self, creation: Creation) -> None:
        creations = self._by_key[creation.match_key]
        creations.remove(creation)
        if not creations:
            del self._by_key[creation.match_key]
