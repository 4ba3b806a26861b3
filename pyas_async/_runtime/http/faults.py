"""Maps exceptions of httpx to faults, with whether the request may have reached the service."""

import ssl
from collections.abc import Iterator

import anyio
import httpx

from pyas_async._core.calls.messages import Fault
from pyas_async._runtime.http.wire import Wire

PACKAGES = {"httpx", "httpx2"}
"""The packages whose exceptions are known by name: httpx2 has the same classes as httpx."""
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
_AIOHTTP_NOT_SENT = {"ClientConnectorError", "ConnectionTimeoutError"}
# aiohttp itself sends other methods again, once, if a connection was closed during the request.
_SENT_ONCE = {"POST", "PATCH"}
# Exceptions that a transport may raise without mapping them.
_BARE = (anyio.ClosedResourceError, anyio.BrokenResourceError, ConnectionError, ssl.SSLError)


def fault_of(error: BaseException, wire: Wire, *, method: str, origin: str, trusted: bool) -> Fault | None:
    """Return the fault that an exception means; ``None`` if it is neither httpx's nor the network's.

    Args:
        error: The exception.
        method: The request's method.
        wire: How far the request has come, if that is known.
        origin: The address of the service.
        trusted: Whether the names of exceptions are reliable: other transports map theirs as they like.
    """
    # By name, since an injected client may be httpx2's.
    names = {cls.__name__ for cls in type(error).__mro__ if cls.__module__.partition(".")[0] in PACKAGES}
    if not (names & _NETWORK or isinstance(error, _BARE)):
        return None
    said = " ".join(str(error).split()) or "no details"
    text = f"{origin}: {type(error).__name__}: {said[:300]}"
    not_sent = bool(trusted and names & _NOT_SENT) or (method in _SENT_ONCE and _is_aiohttps_not_sent(error.__cause__))
    untrusted = any(isinstance(reason, ssl.SSLCertVerificationError) for reason in _reasons(error))
    if untrusted:
        text += " (the certificate does not fit: the service is not who it says, or a proxy stands between)"
    return Fault(
        "timeout" if "TimeoutException" in names else "network",
        text,
        sent=wire.begun or not (wire.heard or not_sent),
        permanent=untrusted or bool(names & _HOPELESS),
    )


def transport_of(client: object, url: str) -> object:
    """Return the transport that a client uses for a URL if it is httpx's own; otherwise ``None``."""
    find = getattr(client, "_transport_for_url", None)
    transport = find(httpx.URL(url)) if find is not None else None
    return transport if type(transport).__module__.partition(".")[0] in PACKAGES else None


def _is_aiohttps_not_sent(error: BaseException | None) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__ if cls.__module__.partition(".")[0] == "aiohttp"}
    return bool(names & _AIOHTTP_NOT_SENT)


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
