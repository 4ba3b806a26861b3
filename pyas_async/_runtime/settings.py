"""The client's settings: their defaults, and their checks. Each error names the setting and what it may be."""

import inspect
import logging
import os
import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import attrs

from pyas_async import _checks
from pyas_async._base_errors import shorten
from pyas_async._core.calls import endpoints
from pyas_async._core.calls.retry import Limits
from pyas_async._core.dates import DATE_FORMAT, filter_date
from pyas_async._core.ratelimit.budget import RateBudget
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.http.urls import flaw_of
from pyas_async._runtime.timeouts import HttpTimeout, Timeouts
from pyas_async.errors import ConfigurationError, InvalidArgumentError
from pyas_async.limits import CONNECTIONS
from pyas_async.options import UNSET, Priority, RetryPolicy, Unset

_log = logging.getLogger("pyas_async")

BASE_URL = "https://api.pyas.io"
_INSECURE_HTTP = "PYAS_INSECURE_HTTP"
TIMEOUT = 30.0
DEADLINE = 90.0
MAX_CONNECTIONS = CONNECTIONS
_MAX_BASE_URL = 2_000
_SHOWN_ADDRESS = re.compile(r"(\w+:/*)?(…@)?[\w.-]*(:\w*)?(/[\w./~-]*)?")
_MAX_FORMAT = 100
_OTHER_DAYS = (date(2001, 2, 4), date(2001, 3, 3), date(2002, 2, 3))
"""Days of which each differs from 2001-02-03 in its day, its month or its year."""
"""httpx refuses URLs of more than 65,536 characters; `endpoints.MAX_IN_URL` leaves this many for the address."""
PAGE_TOKEN_TTL = 900.0
# Only what every parser of URLs reads in the same way: no user, no escapes, nothing before or after host and port.
_HOST_AND_PORT = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::[0-9]+)?")
# A second value would break the request, send the key to another host, or turn the request into another call.
_RESERVED_HEADERS = {
    "x-api-key",
    "host",
    # How the request and its connection end (RFC 9110, sections 7.6, 7.8 and 10.1; RFC 9112, sections 6 and 9).
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    # Some servers take the method or the path from these. The client would retry a call that it takes for a GET.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
}
_RESERVED_PREFIXES = "content-", "proxy-"
_refusal = partial(_checks.refusal, ConfigurationError)


def default_options() -> CallOptions:
    """Make the options of a client without any arguments."""
    phases, whole = Timeouts.of(TIMEOUT)
    limits = Limits(timeout=whole, deadline=DEADLINE, retry=RetryPolicy())
    return CallOptions(phases=phases, limits=limits, priority="interactive", headers={})


def change_options(
    options: CallOptions,
    *,
    timeout: float | HttpTimeout | Unset | None = UNSET,
    deadline: float | Unset | None = UNSET,
    retry: RetryPolicy | Unset | None = UNSET,
    priority: Priority | Unset = UNSET,
    single_flight: bool | Unset | None = UNSET,
    headers: Mapping[str, str] | Unset | None = UNSET,
) -> CallOptions:
    """Return the options with the given ones changed; ``None`` switches an option off.

    Raises:
        ConfigurationError: If a value is not valid.
    """
    limits = options.limits
    if timeout is not UNSET:
        options, whole = _with_timeout(options, timeout)
        setting = "the phases of timeout=" if hasattr(timeout, "connect") else "timeout="
        limits = attrs.evolve(limits, timeout=whole, timeout_setting=setting)
    if deadline is not UNSET:
        limits = attrs.evolve(limits, deadline=None if deadline is None else seconds("deadline", deadline))
    if retry is not UNSET:
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise _refusal("retry", "a RetryPolicy, or None to try once", retry)
        limits = attrs.evolve(limits, retry=RetryPolicy.none() if retry is None else retry)
    if priority is not UNSET:
        if not isinstance(priority, str) or priority not in ("interactive", "bulk"):
            raise _refusal("priority", "'interactive' or 'bulk'", priority)
        options = attrs.evolve(options, priority=priority)
        # The page of a listing that waits for the budget does not fail for it, and neither does another bulk call.
        limits = attrs.evolve(limits, waits_excluded=priority == "bulk")
    if single_flight is not UNSET:
        if single_flight is not None and not isinstance(single_flight, bool):
            raise _refusal("single_flight", "True or False", single_flight)
        options = attrs.evolve(options, single_flight=bool(single_flight))
    if headers is not UNSET:
        options = attrs.evolve(options, headers=_headers({} if headers is None else headers))
    return attrs.evolve(options, limits=limits)


def _with_timeout(options: CallOptions, timeout: float | HttpTimeout | None) -> tuple[CallOptions, float | None]:
    if isinstance(timeout, (int, float)) or _checks.as_int(timeout) is not None:
        timeout = seconds("timeout", timeout)
    elif timeout is not None:
        for phase in ("connect", "read", "write", "pool"):
            if not hasattr(timeout, phase):
                raise _refusal("timeout", "seconds, an httpx.Timeout or None", timeout)
            if (value := getattr(timeout, phase)) is not None:
                seconds(f"timeout.{phase}", value)
    phases, whole = Timeouts.of(timeout)
    return attrs.evolve(options, phases=phases), whole


def seconds(name: str, value: object) -> float:
    """Check that a setting is a duration above zero."""
    return float(_checks.number(name, value, above=True, unit="seconds", error=ConfigurationError))


def connections(value: object) -> int:
    """Check that ``max_connections`` is a whole number from 1."""
    return _checks.whole_number("max_connections", value, minimum=1, digits=False, error=ConfigurationError)


def check_parts(budget: object, http_client: object, on_event: object) -> None:
    """Check the objects that a client is given, so that a wrong one fails at once and not at the first call."""
    if budget is not None and not isinstance(budget, RateBudget):
        msg = f"budget: expected a RateBudget, got {type(budget).__name__}"
        raise ConfigurationError(msg)
    if http_client is not None and not hasattr(http_client, "aclose"):
        msg = f"http_client: expected an httpx.AsyncClient, got {type(http_client).__name__}"
        raise ConfigurationError(msg)
    if on_event is not None:
        check_handler(on_event)


def check_handler(on_event: object) -> None:
    """Check that events can be passed to a handler: it must be a function, and not an async one."""
    if not callable(on_event) or inspect.iscoroutinefunction(on_event):
        msg = "on_event: expected an ordinary function of one argument; nothing waits for an async one"
        raise ConfigurationError(msg)


def from_environment(name: str, variable: str, given: str | None) -> str | None:
    """Read a setting from the argument, else from the environment; an empty value is an error, not the default."""
    value = os.environ.get(variable) if given is None else given
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        source = f"the environment variable {variable}" if given is None else f"{name}="
        got = "it is empty" if isinstance(value, str) else f"got {type(value).__name__}"
        msg = f"{name}: expected text in {source}, {got}"
        raise ConfigurationError(msg)
    return value


def account_id(given: str | None) -> str | None:
    """Check the account of a client's calls; ``None`` if the client is bound to none."""
    value = from_environment("account_id", "PYAS_ACCOUNT_ID", given)
    try:
        return None if value is None else endpoints.account(value)
    except InvalidArgumentError as error:
        msg = str(error)
    raise ConfigurationError(msg)


def date_format(given: str | None) -> str:
    """Check how filters write a day: the day, the month and the year must show."""
    form = from_environment("date_format", "PYAS_DATE_FORMAT", given)
    if form is None:
        return DATE_FORMAT
    try:
        written = {filter_date(date(2001, 2, 3), form), *(filter_date(other, form) for other in _OTHER_DAYS)}
    except ValueError:
        written = set()
    if len(written) <= len(_OTHER_DAYS) or not form.isprintable() or len(form) > _MAX_FORMAT:
        expected = "a format of strftime that shows day, month and year, such as '%d-%m-%Y'"
        raise _refusal("date_format", expected, form)
    return form


def allow_insecure_http(given: object) -> bool:
    """Read whether plain http may be used for other hosts: from the argument, else from the environment."""
    if not isinstance(given, bool):
        raise _refusal("insecure_http", "True or False", given)
    value = from_environment("insecure_http", _INSECURE_HTTP, None)
    if value not in (None, "0", "1"):
        msg = f"insecure_http: expected 1, 0 or nothing in the environment variable {_INSECURE_HTTP}, got other text"
        raise ConfigurationError(msg)
    return given or value == "1"


def base_url(given: str | None, *, insecure_http: bool = False) -> str:
    """Check the address of the service.

    Plain http is only for this machine, since the key is sent in a header, unless `insecure_http` says otherwise.
    """
    value = from_environment("base_url", "PYAS_BASE_URL", given) or BASE_URL
    try:
        # urlsplit drops line ends silently.
        parts = urlsplit(value if value.isprintable() and " " not in value else "")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not _HOST_AND_PORT.fullmatch(parts.netloc)
        or "\\" in parts.path
        or "?" in value
        or "#" in value
        or port == 0
    ):
        expected = "an address such as https://api.pyas.io, without user, query and fragment"
        raise _refusal("base_url", expected, _without_secrets(value))
    if len(value) > _MAX_BASE_URL:
        msg = f"base_url: expected at most {_MAX_BASE_URL:,} characters, got {len(value):,}"
        raise ConfigurationError(msg)
    if flaw := flaw_of(value):
        msg = f"base_url: expected an address such as https://api.pyas.io, got one that cannot be used: {shorten(flaw)}"
        raise ConfigurationError(msg)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        if not insecure_http:
            msg = (
                f"base_url: plain http would show the API key to every machine on the way to {parts.hostname}; use "
                f"https, or insecure_http=True ({_INSECURE_HTTP}=1) for a sandbox in a network of your own"
            )
            raise ConfigurationError(msg)
        text = "insecure_http: every machine on the way to %s can read the API key and all meetings"
        _log.warning(text, parts.hostname)
    # Later checks for plain http compare the text with lower case, which urlsplit has made of the scheme.
    return f"{parts.scheme}{value[len(parts.scheme) :]}".rstrip("/")


def _without_secrets(address: str) -> str:
    """Show an address that is refused: without user, query and fragment, and not at all if it may be a key."""
    shown = re.split("[?#]", address, maxsplit=1)
    host = re.sub(r"^(\w+:/*)?.*@", r"\1…@", shown[0], flags=re.DOTALL)
    if not re.search(r"[./:]|^localhost$", host) or not _SHOWN_ADDRESS.fullmatch(host):
        return "<text that is no address>"
    return host + "…" * (len(shown) > 1)


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine without asking a resolver, which names below ``localhost`` would need."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(headers, Mapping):
        msg = f"headers: expected a mapping of names to values, got {type(headers).__name__}"
        raise ConfigurationError(msg)
    checked = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            msg = f"headers: {name!r} is not a valid header name"
            raise ConfigurationError(msg)
        plain = name.lower().replace("_", "-")  # many servers do not distinguish them
        if plain in _RESERVED_HEADERS or plain.startswith(_RESERVED_PREFIXES):
            msg = (
                f"headers: {name!r} cannot be set: the client itself decides about the key, the address, the body and "
                "the connection of a request. Leave it out"
            )
            raise ConfigurationError(msg)
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
            msg = f"headers: expected printable ASCII without blanks at either end for {name!r}"
            raise ConfigurationError(msg)
        checked[name.lower()] = value
    return checked
