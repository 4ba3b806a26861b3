"""Settings: where they come from, and what they must be. Each refusal names the setting and what it may be."""

import math
import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from pyas_async._core.exchange import Limits
from pyas_async._runtime.session import CallOptions
from pyas_async._runtime.transport import Timeouts
from pyas_async.errors import ConfigurationError
from pyas_async.options import UNSET, Priority, RetryPolicy, Unset

if TYPE_CHECKING:
    import httpx

BASE_URL = "https://api.pyas.io"
TIMEOUT = 30.0
DEADLINE = 90.0
MAX_CONNECTIONS = 100
PAGE_TOKEN_TTL = 900.0
# What the client writes itself: a second value would break the request, or take the key somewhere else.
_RESERVED = {"x-api-key", "host", "content-length", "content-type", "transfer-encoding", "connection"}


def default_options() -> CallOptions:
    """Give the options of a client that was told nothing."""
    phases, whole = Timeouts.of(TIMEOUT)
    limits = Limits(timeout=whole, deadline=DEADLINE, retry=RetryPolicy())
    return CallOptions(phases=phases, limits=limits, priority="interactive", headers={})


def change_options(
    options: CallOptions,
    *,
    timeout: "float | httpx.Timeout | Unset | None" = UNSET,
    deadline: float | Unset | None = UNSET,
    retry: RetryPolicy | Unset | None = UNSET,
    priority: Priority | Unset = UNSET,
    headers: Mapping[str, str] | Unset | None = UNSET,
) -> CallOptions:
    """Give the options with what is set changed; ``None`` switches off.

    Raises:
        ConfigurationError: If a value cannot be.
    """
    limits = options.limits
    if timeout is not UNSET:
        if timeout is None or isinstance(timeout, (int, float)):
            timeout = None if timeout is None else seconds("timeout", timeout)
        elif not all(hasattr(timeout, phase) for phase in ("connect", "read", "write", "pool")):
            msg = f"timeout: expected seconds, an httpx.Timeout or None, got {timeout!r}"
            raise ConfigurationError(msg)
        phases, whole = Timeouts.of(timeout)
        options, limits = attrs.evolve(options, phases=phases), attrs.evolve(limits, timeout=whole)
    if deadline is not UNSET:
        limits = attrs.evolve(limits, deadline=None if deadline is None else seconds("deadline", deadline))
    if retry is not UNSET:
        if retry is not None and not isinstance(retry, RetryPolicy):
            msg = f"retry: expected a RetryPolicy, or None to try once, got {retry!r}"
            raise ConfigurationError(msg)
        limits = attrs.evolve(limits, retry=RetryPolicy.none() if retry is None else retry)
    if priority is not UNSET:
        if priority not in ("interactive", "bulk"):
            msg = f"priority: expected 'interactive' or 'bulk', got {priority!r}"
            raise ConfigurationError(msg)
        options = attrs.evolve(options, priority=priority)
    if headers is not UNSET:
        options = attrs.evolve(options, headers=_headers(headers or {}))
    return attrs.evolve(options, limits=limits)


def seconds(name: str, value: object) -> float:
    """Take a duration above zero."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        msg = f"{name}: expected seconds above 0, got {value!r}"
        raise ConfigurationError(msg)
    return float(value)


def connections(value: object) -> int:
    """Take a number of connections."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        msg = f"max_connections: expected a whole number >= 1, got {value!r}"
        raise ConfigurationError(msg)
    return value


def from_environment(name: str, variable: str, given: str | None) -> str | None:
    """Take a setting from the argument, else from the environment; empty is a mistake, not a wish for the default."""
    value = os.environ.get(variable) if given is None else given
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        source = f"the environment variable {variable}" if given is None else f"{name}="
        got = "it is empty" if isinstance(value, str) else f"got {type(value).__name__}"
        msg = f"{name}: expected text in {source}, {got}. Leave it out to do without"
        raise ConfigurationError(msg)
    return value


def base_url(given: str | None) -> str:
    """Take the service's address. Plain http is for this machine alone, since the key travels in a header."""
    value = from_environment("base_url", "PYAS_BASE_URL", given) or BASE_URL
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        msg = "base_url: expected an address such as https://api.pyas.io, without user, query and fragment"
        raise ConfigurationError(msg)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        msg = f"base_url: plain http would show the API key to everybody on the way to {parts.hostname}; use https"
        raise ConfigurationError(msg)
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    checked = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            msg = f"headers: {name!r} is no name of a header"
            raise ConfigurationError(msg)
        if name.lower() in _RESERVED:
            msg = f"headers: {name!r} is written by the client itself"
            raise ConfigurationError(msg)
        if not isinstance(value, str) or not value.isascii() or any(character < " " for character in value):
            msg = f"headers: expected printable ASCII for {name!r}"
            raise ConfigurationError(msg)
        checked[name.lower()] = value
    return checked
