"""The API key, in a type that cannot be shown by accident."""

from collections.abc import Awaitable, Callable

from pyas_async.errors import ConfigurationError


class ApiKey:
    """The API key, or what fetches it. Neither ``repr`` nor pickle nor a format string gives it away."""

    __slots__ = ("_fetch", "_value")

    def __init__(self, key: str | Callable[[], Awaitable[str]]) -> None:
        """Keep a key, or a coroutine function that is asked before each request."""
        self._fetch = None if isinstance(key, str) else key
        self._value = checked(key) if isinstance(key, str) else ""
        if self._fetch is not None and not callable(self._fetch):
            msg = f"api_key: expected a string, or an async function without arguments, got {type(key).__name__}"
            raise ConfigurationError(msg)

    async def reveal(self) -> str:
        """Give the key for one request."""
        if self._fetch is not None:
            self._value = checked(await self._fetch())
        return self._value

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show anywhere."""
        return (self._value,)

    def __repr__(self) -> str:
        """Show that there is a key, and nothing of it."""
        return "ApiKey(***)"

    def __reduce__(self) -> str:
        """Refuse to be pickled."""
        msg = "an API key is not pickled; give it to each process by its environment"
        raise TypeError(msg)


def checked(key: object) -> str:
    """Check a key without echoing it."""
    if not isinstance(key, str):
        msg = f"api_key: expected a string, got {type(key).__name__}"
        raise ConfigurationError(msg)
    if not key:
        msg = "api_key: it is empty. Set PYAS_API_KEY, or pass api_key="
        raise ConfigurationError(msg)
    if not all("!" <= character <= "~" for character in key):
        msg = (
            f"api_key: expected visible ASCII characters alone; among its {len(key)} is another one, such as a line "
            "end or a blank, as they come from reading a file. Strip it"
        )
        raise ConfigurationError(msg)
    return key
