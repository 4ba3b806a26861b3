"""The states of this machine's connections to a port, as Linux lists them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

LISTS: Final = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
NAMES: Final = {"01": "ESTABLISHED", "02": "SYN_SENT", "08": "CLOSE_WAIT"}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists its sockets in files")


def states(port: int) -> Counter[str]:
    """Return how many connections to a port of this machine are in each of the states in which they hold a socket.

    CLOSE_WAIT means that the service has closed the connection, and that the client has not.
    """
    found: Counter[str] = Counter()
    for path in LISTS:
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            _, _, remote, state = line.split()[:4]
            if int(remote.rpartition(":")[2], 16) == port and state in NAMES:
                found[NAMES[state]] += 1
    return found
