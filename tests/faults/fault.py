"""A fault as the table holds it, and how it is served."""

from __future__ import annotations

import functools
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import attrs
import trustme

from faults.endings import Endings
from faults.server import Script, Step, nobody, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from faults.server import Server


@attrs.frozen
class Fault:
    """Something that goes wrong, every time.

    Attributes:
        name: What it is, as the page says it.
        script: What the service does to a request.
        endings: How each of the five calls ends.
        greets: What the service does with a connection before it reads anything.
        place: Who is at the address: the service; nobody; a stranger, whose certificate nobody vouches for; or a
            service that speaks plain HTTP where TLS is expected.
        takes_time: Whether it is made of time. Where clocks do not leap (`faults.leaping`), `options` make it short.
    """

    name: str
    script: Script
    endings: Endings
    greets: Step | None = attrs.field(default=None, kw_only=True)
    place: Literal["service", "nobody", "stranger", "plain"] = attrs.field(default="service", kw_only=True)
    takes_time: bool = attrs.field(default=False, kw_only=True)

    @property
    def options(self) -> Mapping[str, Any]:
        """Settings of a client that shall not wait for long."""
        return {"timeout": 0.5} if self.takes_time else {}


@functools.cache
def authority() -> trustme.CA:
    """Make an authority that vouches for the tests' certificates, and that nobody knows."""
    return trustme.CA()


@functools.cache
def certified() -> ssl.SSLContext:
    """Make the TLS of a service with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(context)
    return context


@functools.cache
def usual() -> ssl.SSLContext:
    """Make the TLS that clients usually have. It takes as long as ten requests: all share it."""
    return ssl.create_default_context()


@functools.cache
def trusting() -> ssl.SSLContext:
    """Make the TLS of a client that trusts that authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@asynccontextmanager
async def serving(fault: Fault, *, tls: bool = False) -> AsyncIterator[Server]:
    """Serve a fault, over TLS if asked to; the server's ``url`` is where."""
    if fault.place == "nobody":
        async with nobody() as server:
            yield server
        return
    context = certified() if tls or fault.place == "stranger" else None
    async with serve(fault.script, greets=fault.greets, context=context) as server:
        if fault.place == "plain":
            server.url = server.url.replace("http:", "https:")
        yield server
