"""The API key, in a type that cannot be shown by accident."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import NoReturn

from pyas_async._core.redact import redact
from pyas_async.errors import ConfigurationError


class ApiKey:
    """The API key, or what fetches it. Neither ``repr`` nor pickle nor a format string gives it away."""

    __slots__ = ("_fetch", "_value")

    def __init__(self, key: str | Callable[[], Awaitable[str]]) -> None:
        """Keep a key, or an async function that is asked before each request."""
        flaw = None if callable(key) else _flaw_of(key)
        self._value = key if isinstance(key, str) and not flaw else ""
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
            raise ConfigurationError(msg)
        self._value = await coming
        if flaw := _flaw_of(self._value):
            self._value = ""
            raise ConfigurationError(flaw)

    def reveal(self) -> str:
        """Give the key. Never keep it in a variable: tracebacks show those."""
        return self._value

    def mask(self, text: str) -> str:
        """Take the key, and everything else that looks like a secret, out of a text."""
        return redact(text, (self._value,))

    def __repr__(self) -> str:
        """Show that there is a key, and nothing of it."""
        return "ApiKey(***)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        msg = "an API key is not pickled; give it to each process by its environment"
        raise TypeError(msg)


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
