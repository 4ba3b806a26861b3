"""Runs the recipe as users do, but exits on a connection beyond this machine, and can use smaller sizes.

    python local_only.py plan RUN FILE | work NAME

Such a connection ends the process with the exit code `CALLED`. ``SYNC_SIZES`` is JSON, as in ``{"BATCH": 50}``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

CALLED = 97
_HERE = ("127.0.0.1", "::1", "localhost", "", None)


def elsewhere(event: str, arguments: tuple[object, ...]) -> str | None:
    """Return the address of a connection beyond this machine; ``None`` for other events."""
    if event not in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        return None
    address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
    host = address[0] if isinstance(address, tuple) else address
    host = host.decode() if isinstance(host, bytes) else host
    local = host in _HERE or (isinstance(host, str) and host.startswith("/"))
    return None if local else str(host)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if (host := elsewhere(event, arguments)) is not None:
        os.write(2, f"{event}: {host}\n".encode())
        os._exit(CALLED)


if __name__ == "__main__":
    sys.addaudithook(_watch)
    sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))
    recipe = importlib.import_module("durable_sync")
    for name, size in json.loads(os.environ.get("SYNC_SIZES", "{}")).items():
        assert isinstance(getattr(recipe, name), int)
        setattr(recipe, name, size)
    recipe.main(*sys.argv[1:])
