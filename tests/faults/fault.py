"""A fault of the table, and its server."""

from __future__ import annotations

import functools
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import attrs
import trustme

from faults.endings import Endings
from faults.server import Script, Step, closed_port, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from faults.server import Server


@attrs.frozen
class Fault:
    """A fault that happens every time.

    Attributes:
        name: Its name on the page.
        script: What the service does with a request.
        endings: How each of the five calls ends.
        greets: What the service does with a connection before it reads anything.
        address: What is at the address: the service; a closed port; a service with an untrusted certificate; or a
            service
            that speaks plain HTTP instead of TLS.
        takes_time: Whether the fault needs time. Where clocks cannot jump (`faults.jumping_clock`), `options` shorten
            it.
    """

    name: str
    script: Script
    endings: Endings
    greets: Step | None = attrs.field(default=None, kw_only=True)
    address: Literal["service", "closed_port", "untrusted", "plain"] = attrs.field(default="service", kw_only=True)
    takes_time: bool = attrs.field(default=False, kw_only=True)

    @property
    def options(self) -> Mapping[str, Any]:
        """Settings of a client that shall not wait for long."""
        return {"timeout": 0.5} if self.takes_time else {}


@functools.cache
def authority() -> trustme.CA:
    """Make the certificate authority of the tests, which no system trusts."""
    return trustme.CA()


@functools.cache
def certified() -> ssl.SSLContext:
    """Make the TLS context of a service with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(context)
    return context


@functools.cache
def usual() -> ssl.SSLContext:
    """Make the default TLS context of clients. It takes as long as ten requests, so all of them share it."""
    return ssl.create_default_context()


@functools.cache
def trusting() -> ssl.SSLContext:
    """Make the TLS context of a client that trusts that authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@asynccontextmanager
async def serving(fault: Fault, *, tls: bool = False) -> AsyncIterator[Server]:
    """Serve a fault, over TLS on request; the server's ``url`` is the address."""
    if fault.address == "closed_port":
        async with closed_port() as server:
            yield server
        return
    context = certified() if tls or fault.address == "untrusted" else None
    async with serve(fault.script, greets=fault.greets, context=context) as server:
        if fault.address == "plain":
            server.url = server.url.replace("http:", "https:")
        yield server
