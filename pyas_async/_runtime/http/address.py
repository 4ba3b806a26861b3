"""Where requests go: one service, whose address is read once, and not again with each path."""

from functools import lru_cache

import httpx

_PROBE = "/some%2Fpath-~._1/2?name=a%3Db%20c&other=1"
_LONG = 60_000
"""Characters from which on httpx may have something to say about an address."""


class Address:
    """The address of a service, and of what is there.

    To read one takes httpx as long as a good part of the rest of a request does, and most of it never changes. It has
    no public way to put a path behind what was read before, so this looks where httpx 0.28 keeps the parts. Where what
    comes of that is not what httpx itself makes of the whole, it is left to httpx.
    """

    def __init__(self, base_url: str) -> None:
        """Read the service's address."""
        self._base_url = base_url
        self._base = httpx.URL(base_url)
        self._parts = getattr(self._base, "_uri_reference", None)
        self._prefix = self._base.raw_path.decode("ascii").removesuffix("/")
        self._is_quick = self._parts is not None and self._agrees()
        self.host: str = self._base.netloc.decode("ascii")
        """What the ``Host`` header says."""

    def of(self, target: str) -> httpx.URL:
        """Give the address of a path and query, in which everything is encoded that has to be."""
        # Nothing of ours has such a segment in its path, and httpx would take it out.
        if not self._is_quick or "/." in target or len(target) > _LONG:
            return httpx.URL(self._base_url + target)
        return self._quickly(target)

    def _quickly(self, target: str) -> httpx.URL:
        path, mark, query = target.partition("?")
        url = httpx.URL(self._base)
        parts = self._parts._replace(path=self._prefix + path, query=query if mark else None)  # type: ignore[union-attr]
        url._uri_reference = parts  # noqa: SLF001
        return url

    def _agrees(self) -> bool:
        try:
            quick, slow = self._quickly(_PROBE), httpx.URL(self._base_url + _PROBE)
        except (AttributeError, TypeError, ValueError):
            return False
        return quick == slow and quick.raw_path == slow.raw_path and quick.netloc == slow.netloc


@lru_cache(maxsize=16)
def address(base_url: str) -> Address:
    """Give the address of a service, which all clients of one read once."""
    return Address(base_url)
