"""How far a request has come."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import attrs

from pyas_async.errors import ConfigurationError

THROUGH_PROXY = (
    "http_client: it sends plain http through a proxy, which would see the API key; pass a client without a proxy for "
    "this address (trust_env=False ignores HTTP_PROXY and ALL_PROXY), or use https"
)


@attrs.define(eq=False)
class Progress:
    """How far a request has come, as far as its transport reports it.

    Attributes:
        on_wire: Called when the request has been written.
        fresh: Whether to keep the request off connections that were used before, in a pool that is not ours.
        only_to: The host and port that are allowed to receive it; ``None`` if that need not be checked.
        reported: Whether the transport reports at all.
        begun: Whether the first byte may have been written.
        peer: The host and port to which the transport has opened a connection for the request, if it did: those of
            the service, or of a proxy.
        tunnel: Whether a proxy has opened a tunnel to the service.
    """

    on_wire: Callable[[], None] | None
    fresh: bool = False
    only_to: tuple[str, int] | None = None
    reported: bool = False
    begun: bool = False
    peer: tuple[str, int] | None = None
    tunnel: bool = False
    _connected: bool = False
    _socks: Any = None

    async def trace(self, name: str, info: object) -> None:
        """Receive a step of httpcore's trace. It has many steps, so this is used only where it is worth the cost."""
        self.reported = True
        details = info if isinstance(info, Mapping) else {}
        layer, _, step = name.partition(".")
        if step.endswith(".started"):
            self._start(layer, step, details)
        elif step == "send_request_headers.failed":
            error = details.get("exception")
            if type(error).__name__ == "LocalProtocolError" or is_h2s(error):
                self.begun = False  # refused before a byte was written: a header is not allowed, no stream is free
        elif layer == "socks" and step.endswith(".failed") and self._socks is not None:
            with anyio.CancelScope(shield=True):
                await self._socks.aclose()  # httpcore leaves it open

    def _start(self, layer: str, step: str, details: Mapping[str, Any]) -> None:
        if step == "connect_unix_socket.started":
            self._connected = True
        elif step == "connect_tcp.started":
            self._connected = True
            self.peer = (str(details.get("host", "")), int(details.get("port") or 0))
            self._check_receiver(self.peer)
        elif step == "send_request_headers.started":
            request = details.get("request")
            if getattr(request, "method", None) == b"CONNECT":
                return  # the request to the proxy; ours follows if the proxy accepts
            url = getattr(request, "url", None)
            if url is not None and (host := getattr(url, "host", None)):
                self._check_receiver((host.decode("ascii"), url.port or 80))
            if self.fresh and not self._connected and layer == "http11":
                package = sys.modules.get(type(request).__module__.partition(".")[0])  # httpcore, or httpx2's httpcore2
                if (unavailable := getattr(package, "ConnectionNotAvailable", None)) is not None:
                    raise unavailable  # the pool closes this connection and uses another one: nothing was written yet
            self.begun = True
        elif step == "setup_socks5_connection.started":
            self._socks = details.get("stream")
        elif step == "start_tls.started" and layer != "connection":
            self.tunnel = True  # "proxy.start_tls" and "socks.start_tls" follow the consent of the proxy

    def _check_receiver(self, receiver: tuple[str, int]) -> None:
        if self.only_to is not None and receiver != self.only_to:
            raise ConfigurationError(THROUGH_PROXY)

    def written(self) -> None:
        """Report that the request has been written."""
        if self.on_wire is not None:
            self.on_wire()


def is_h2s(error: object) -> bool:
    """Whether h2 has raised an error: it knows the state of a connection, and writes nothing itself."""
    return type(error).__module__.partition(".")[0] == "h2"
