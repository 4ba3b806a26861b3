"""Looks at a socket without reading from it."""

import select
from typing import Any


def has_input(sock: Any) -> bool:  # noqa: ANN401  (a socket, or the object by which an event loop shows one)
    """Whether a read would return at once: there are bytes, the connection has ended, or the socket is closed."""
    if sock is None or (number := sock.fileno()) < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))
