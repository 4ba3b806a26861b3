"""Resolves host names to addresses of a test's choice, through public seams of each event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import trio

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def resolving(*addresses: str, loop: object) -> Iterator[list[str]]:
    """Resolve each name to these addresses, in this order, in the running event loop; yield the names."""
    names: list[str] = []

    async def resolve(host: bytes | str | None, port: Any, **_: object) -> list[Any]:  # noqa: ANN401  (a number)
        name = host.decode() if isinstance(host, bytes) else str(host)
        found = addresses
        try:
            ip_address(name)
        except ValueError:
            names.append(name)
        else:
            found = (name,)  # uvloop resolves addresses, too
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in found
        ]

    if loop == "trio":

        class Resolver(trio.abc.HostnameResolver):
            async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:  # noqa: ANN401
                return await resolve(host, port)

            async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:  # noqa: ANN401
                raise NotImplementedError

        before = trio.socket.set_custom_hostname_resolver(Resolver())
        try:
            yield names
        finally:
            trio.socket.set_custom_hostname_resolver(before)
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
            yield names
