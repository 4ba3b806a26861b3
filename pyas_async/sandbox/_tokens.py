"""Page tokens: opaque, bound to one query, and dead after a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable
    from random import Random

# A server that runs for weeks must not keep every token; a token this far back is long dead in any honest use.
_KEEP: Final = 50_000


class _Grant(NamedTuple):
    issued: float
    query: Hashable
    offset: int


class PageTokens:
    """The page tokens that were given out.

    A token stands for one query (account, filters, page size) and the offset of its next page. It may be used again and
    again while it lives.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._grants: dict[str, _Grant] = {}

    def issue(self, query: Hashable, offset: int, now: float) -> str:
        """Give out a token for the page of ``query`` that begins at ``offset``."""
        token = f"{self._random.getrandbits(160):040x}"
        self._grants[token] = _Grant(now, query, offset)
        if len(self._grants) > _KEEP:
            del self._grants[next(iter(self._grants))]
        return token

    def offset(self, token: str, query: Hashable, now: float, ttl: float) -> int | None:
        """Look up where the token's page begins; None if it is unknown, dead, or another query's."""
        grant = self._grants.get(token)
        if grant is None or grant.query != query or now - grant.issued >= ttl:
            return None
        return grant.offset

    def expire(self, now: float, ttl: float) -> int:
        """Kill every token given out so far; return how many of them still lived."""
        living = sum(now - grant.issued < ttl for grant in self._grants.values())
        self._grants.clear()
        return living
