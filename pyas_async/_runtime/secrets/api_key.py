"""The API key, in a type that cannot be shown by accident."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import NoReturn

from pyas_async._core.redact import redact
from pyas_async.errors import ConfigurationError

_NOT_PICKLED = "an API key is not pickled; give it to each process by its environment"
_KEPT = 8
"""Keys that were in use last, and are masked; a function may give a new one for each request."""


class ApiKey:
    """The API key, or what fetches it. Neither ``repr`` nor pickle nor a format string gives it away."""

    __slots__ = ("_fetch", "_new", "_recent", "_value")

    def __init__(self, key: str | Callable[[], Awaitable[str]]) -> None:
        """Keep a key, or an async function that is asked before each request."""
        flaw = None if callable(key) else _flaw_of(key)
        self._value = self._new = key if isinstance(key, str) and not flaw else ""
        self._recent: deque[str] = deque([self._value] if self._value else (), _KEPT)
        self._fetch = key if callable(key) else None
        if flaw:
            del key  # tracebacks show variables
            raise ConfigurationError(flaw)

    @property
    def fetched(self) -> bool:
        """Whether the key must be fetched before each request."""
        return self._fetch is not None

    async def fetch(self) -> None:
        """Ask for the key anew, if there is somebody to ask."""
        if self._fetch is None:
            return
        coming = self._fetch()
        if not isawaitable(coming):
            msg = f"api_key: expected an async function; what it gave cannot be awaited ({type(coming).__name__})"
            del coming  # it may be the key
            raise ConfigurationError(msg)
        self._new = await coming
        if flaw := _flaw_of(self._new):
            self._new = ""  # the one that another call has fetched stays what it is
            raise ConfigurationError(flaw)
        self._value = self._new
        if self._value not in self._recent:
            self._recent.append(self._value)

    def reveal(self) -> str:
        """Give the key. Never keep it in a variable: tracebacks show those."""
        return self._value

    def mask(self, also: Iterable[str] = ()) -> "Mask":
        """Give what takes the key, and other secrets, out of a text."""
        return Mask(self._recent, tuple(also))

    def __repr__(self) -> str:
        """Show that there is a key, and nothing of it."""
        return "ApiKey(***)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError(_NOT_PICKLED)


class Mask:
    """Takes the key, other secrets, and everything else that looks like one out of a text. It shows nothing itself."""

    __slots__ = ("_also", "_keys")

    def __init__(self, keys: Iterable[str], also: tuple[str, ...]) -> None:
        # What answers a request may speak of the key that it was sent with, when another call has fetched the next one.
        self._keys = keys
        self._also = also

    def __call__(self, text: str, *, limit: int | None = 500) -> str:
        """Give the text without them, and no longer than the limit; ``None``: as long as it is."""
        return redact(text, (*self._keys, *self._also), limit)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, as the key does."""
        raise TypeError(_NOT_PICKLED)


def _flaw_of(key: object) -> str | None:
    """Say what is wrong with a key, without echoing it; ``None`` if nothing is."""
    if not isinstance(key, str):
        return f"api_key: expected a string, or an async function that gives one, got {type(key).__name__}"
    if not key:
        return "api_key: it is empty. Set PYAS_API_KEY, or pass api_key="
    if all("!" <= character <= "~" for character in key):
        return None
    return (
        f"api_key: expected visible ASCII characters alone; among its {len(key)} is another one, such as a line end or "
        "a blank, as they come from reading a file. Strip it"
    )
