"""The API key, in a type that cannot be shown by accident, and the mask that removes it from texts and headers."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from inspect import isawaitable
from typing import NoReturn

from pyas_async._core.redact import redact
from pyas_async.errors import ConfigurationError

_NOT_PICKLED = "an API key is not pickled; pass it to each process through its environment"
_RECENT_KEYS = 8
"""How many of the latest keys are masked; a key function may return a new one for each request."""


class ApiKey:
    """The API key, or the function that fetches it. ``repr``, format strings and pickle do not reveal it."""

    __slots__ = ("_fetch", "_new", "_recent", "_value")

    def __init__(self, key: str | Callable[[], Awaitable[str]]) -> None:
        """Check and keep a key, or an async function that is called before each request."""
        problem = None if callable(key) else _problem_of(key)
        self._value = self._new = key if isinstance(key, str) and not problem else ""
        self._recent: deque[str] = deque([self._value] if self._value else (), _RECENT_KEYS)
        self._fetch = key if callable(key) else None
        if problem:
            del key  # tracebacks show variables
            raise ConfigurationError(problem)

    @property
    def fetched(self) -> bool:
        """Whether the key must be fetched before each request."""
        return self._fetch is not None

    async def fetch(self) -> None:
        """Call the key function, if there is one, and keep the key that it returns."""
        if self._fetch is None:
            return
        awaitable = self._fetch()
        if not isawaitable(awaitable):
            msg = f"api_key: expected an async function; its result cannot be awaited ({type(awaitable).__name__})"
            del awaitable  # it may be the key
            raise ConfigurationError(msg)
        self._new = await awaitable
        if problem := _problem_of(self._new):
            self._new = ""  # the key that another call has fetched stays in use
            raise ConfigurationError(problem)
        self._value = self._new
        if self._value not in self._recent:
            self._recent.append(self._value)

    def reveal(self) -> str:
        """Return the key. Do not assign it to a variable: tracebacks show those."""
        return self._value

    def mask(self, also: Iterable[str] = ()) -> "Mask":
        """Make a mask for the key and other secrets."""
        return Mask(self._recent, tuple(also))

    def __repr__(self) -> str:
        return "ApiKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(_NOT_PICKLED)


class Mask:
    """Removes the key, other secrets, and whatever looks like a secret from a text. Its ``repr`` shows none of them."""

    __slots__ = ("_also", "_keys")

    def __init__(self, keys: Iterable[str], also: tuple[str, ...]) -> None:
        # Not a copy: a response may repeat the key of its request after another call has fetched the next one.
        self._keys = keys
        self._also = also

    def __call__(self, text: str, *, limit: int | None = 500) -> str:
        """Return the text without them, cut after `limit` characters unless that is ``None``."""
        return redact(text, (*self._keys, *self._also), limit)

    def __reduce__(self) -> NoReturn:
        raise TypeError(_NOT_PICKLED)


class MaskedHeaders(Mapping[str, str]):
    """The headers of a response. A value is masked when it is read, since that takes long and is seldom needed."""

    __slots__ = ("_headers", "_mask")

    def __init__(self, headers: Mapping[str, str], mask: Callable[..., str]) -> None:
        self._headers = headers
        self._mask = mask

    def __getitem__(self, name: str) -> str:
        return self._mask(self._headers[name], limit=None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __reduce__(self) -> tuple[type[dict[str, str]], tuple[dict[str, str]]]:
        return dict, (dict(self),)


def _problem_of(key: object) -> str | None:
    """Describe what is wrong with a key without showing it; ``None`` if it is valid."""
    if not isinstance(key, str):
        return f"api_key: expected a string, or an async function that returns one, got {type(key).__name__}"
    if not key:
        return "api_key: it is empty. Set PYAS_API_KEY, or pass api_key="
    if all("!" <= character <= "~" for character in key):
        return None
    return (
        f"api_key: expected visible ASCII characters only; among its {len(key)} is another one, such as a line end or "
        "a blank, which reading a file often adds. Strip it"
    )
