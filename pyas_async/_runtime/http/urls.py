"""Checks that httpx can use an address, before a request is made with it."""

import httpx

# The most characters of a host name between two dots, and as a whole (RFC 1035). For others, `socket.getaddrinfo`
# raises UnicodeError.
_MAX_LABEL, _MAX_HOST = 63, 253


def flaw_of(url: str) -> str:
    """Return why httpx, or the resolver below it, cannot use an address; empty if they can."""
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
        parsed.host  # noqa: B018  (decodes an international name, which raises if it is none)
    except (httpx.InvalidURL, ValueError) as error:
        return str(error)
    if ":" in host:  # an IPv6 address
        return ""
    host = host.removesuffix(".")
    if len(host) > _MAX_HOST:
        return f"the host has more than {_MAX_HOST} characters"
    if not all(0 < len(label) <= _MAX_LABEL for label in host.split(".")):
        return f"between two dots, the host has no characters, or more than {_MAX_LABEL}"
    return ""
