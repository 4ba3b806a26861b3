"""The address of the service, parsed once instead of with every path."""

from functools import lru_cache

import httpx

_PROBE = "/some%2Fpath-~._1/2?name=a%3Db%20c&other=1"
_LONG = 60_000
"""The number of characters from which httpx may reject an address."""


class Address:
    """The address of a service, and of its paths.

    httpx takes as long to parse an address as for a large part of the rest of a request, and most of the address never
    changes. httpx has no public way to append a path to a parsed address, so this uses the attributes in which httpx
    0.28
    keeps the parts. If the result differs from what httpx itself makes of the whole address, httpx parses each address.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._base = httpx.URL(base_url)
        self._parts = getattr(self._base, "_uri_reference", None)
        self._prefix = self._base.raw_path.decode("ascii").removesuffix("/")
        self._is_quick = self._parts is not None and self._agrees()
        self.host: str = self._base.netloc.decode("ascii")
        """The value of the ``Host`` header."""

    def of(self, target: str) -> httpx.URL:
        """Return the address of a path and query, which must already be encoded."""
        # Our paths have no such segment, and httpx would remove it.
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
    """Return the address of a service. All clients of one service share it."""
    return Address(base_url)
