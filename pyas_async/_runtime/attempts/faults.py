"""Maps exceptions of httpx to faults, with whether the request may have reached the service."""

import re
import ssl
from collections.abc import Iterator

import anyio
import attrs

from pyas_async._core.calls.messages import Fault
from pyas_async._runtime.attempts.private_names import PACKAGES
from pyas_async._runtime.attempts.progress import Progress, is_h2s

_NETWORK = {"TransportError", "DecodingError", "StreamError", "InvalidURL"}
_NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",  # the proxy refused the request
    "UnsupportedProtocol",
    "LocalProtocolError",
    "InvalidURL",
}
_HOPELESS = {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}
# httpx-aiohttp raises ConnectTimeout for a lost response. Only aiohttp's own exception tells the two apart.
_AIOHTTP_NOT_SENT = {"ClientConnectorError", "ConnectionTimeoutError", "ClientHttpProxyError"}
_AIOHTTP_PROXY = {"ClientProxyConnectionError", "ClientHttpProxyError"}
# aiohttp itself sends other methods again, once, if a connection was closed during the request.
_SENT_ONCE = {"POST", "PATCH"}
# Exceptions that a transport may raise without mapping them.
_BARE = (anyio.ClosedResourceError, anyio.BrokenResourceError, ConnectionError, ssl.SSLError)
_USER = re.compile(r"//[^/\s]*@")

_TIMED_OUT = {
    "ConnectTimeout": "no connection in the time for it (timeout=, or its connect)",
    "ReadTimeout": "no part of the answer in the time for it (the read of timeout=)",
    "WriteTimeout": "the request was not written in the time for it (the write of timeout=)",
    "PoolTimeout": "no connection of the pool was free in the time for it (timeout=, or its pool)",
}
"""What the timeouts of httpx mean, which have no text of their own."""
# The refusals of a proxy that last: statuses but 408, 425 and 429, and texts of httpcore about a SOCKS proxy.
_LASTING = re.compile(r"4(?!08|25|29)\d\d|Invalid username/password|Requested |.* not (allowed by ruleset|supported)")


@attrs.frozen
class Service:
    """The service that requests are meant for.

    Attributes:
        origin: Its address, as texts show it.
        peer: The host and port to which a direct connection goes.
    """

    origin: str
    peer: tuple[str, int]


def fault_of(error: BaseException, progress: Progress, *, method: str, service: Service, trusted: bool) -> Fault | None:
    """Return the fault that an exception means; ``None`` if it is neither httpx's nor the network's.

    Args:
        error: The exception.
        method: The request's method.
        progress: How far the request has come, if that is known.
        service: The service.
        trusted: Whether the names of exceptions are reliable: other transports map theirs as they like.
    """
    # By name, since a passed client may be httpx2's.
    names = _names(error, PACKAGES)
    if not (names & _NETWORK or isinstance(error, _BARE) or _names(error, {"socksio"})):
        return None
    aiohttps = _names(error.__cause__, {"aiohttp"})
    if aiohttps & _AIOHTTP_PROXY:
        names.add("ProxyError")
    said = _USER.sub("//", " ".join(str(error).split())) or _TIMED_OUT.get(type(error).__name__, "no details")
    text = f"{_place(names, progress, service)}: {type(error).__name__}: {said[:300]}"
    not_sent = (trusted and names & _NOT_SENT) or (method in _SENT_ONCE and aiohttps & _AIOHTTP_NOT_SENT)
    reasons = list(_reasons(error))
    untrusted = any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons)
    if untrusted:
        text += " (the certificate does not fit: the service is not who it says, or a proxy stands between)"
    passing = any(is_h2s(reason) for reason in reasons)  # a stream becomes free, or another connection is used
    refused = "ProxyError" in names and _LASTING.match(said) is not None
    return Fault(
        "timeout" if "TimeoutException" in names else "network",
        text,
        sent=progress.begun or not (progress.reported or not_sent),
        permanent=untrusted or refused or (bool(names & _HOPELESS) and not passing),
    )


def _place(names: set[str], progress: Progress, service: Service) -> str:
    """Say where an exception was raised: at the service, or at a proxy before it."""
    peer = progress.peer
    if peer is None or peer == service.peer:
        return f"the proxy before {service.origin}" if "ProxyError" in names else service.origin
    host = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
    if "ProxyError" in names or not (progress.tunnel or progress.begun):
        return f"the proxy {host}:{peer[1]} before {service.origin}"
    return f"{service.origin}, through the proxy {host}:{peer[1]}"


def _names(error: BaseException | None, packages: set[str]) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__ if cls.__module__.partition(".")[0] in packages}


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
