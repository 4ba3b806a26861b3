"""Page tokens: opaque, bound to one query, and valid for a limited time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable
    from random import Random

# A server that runs for weeks must not keep every token. A token this far back expired long ago in any realistic use.
_KEEP: Final = 50_000


class _Grant(NamedTuple):
    issued: float
    query: Hashable
    offset: int


class PageTokens:
    """The page tokens that were issued.

    A token stands for one query (account, filters, page size) and the offset of its next page. It can be used any
    number of times until it expires.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._grants: dict[str, _Grant] = {}

    def issue(self, query: Hashable, offset: int, now: float) -> str:
        """Issue a token for the page of ``query`` that begins at ``offset``."""
        token = f"{self._random.getrandbits(160):040x}"
        self._grants[token] = _Grant(now, query, offset)
        if len(self._grants) > _KEEP:
            del self._grants[next(iter(self._grants))]
        return token

    def offset(self, token: str, query: Hashable, now: float, ttl: float) -> int | None:
        """Return the offset of a token's page; None if the token is unknown, expired, or of another query."""
        grant = self._grants.get(token)
        if grant is None or grant.query != query or now - grant.issued >= ttl:
            return None
        return grant.offset

    def expire(self, now: float, ttl: float) -> int:
        """Expire all tokens issued so far; return how many of them were still valid."""
        living = sum(now - grant.issued < ttl for grant in self._grants.values())
        self._grants.clear()
        return living
