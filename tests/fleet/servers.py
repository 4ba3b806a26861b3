"""Third-party servers that a test starts, and stops gracefully or not."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import attrs

PATIENCE = 20.0
"""Seconds in which a server must answer, or stop."""


def free_port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@attrs.define
class RedisServer:
    """A Redis or Valkey on its own port, which saves its data in a folder when it is stopped gracefully."""

    folder: Path
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it responds."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program is not None, "neither redis-server nor valkey-server is installed"
        options = {"bind": "127.0.0.1", "port": str(self.port), "dir": str(self.folder), "save": "3600 1"}
        command = [program, *(part for name, value in options.items() for part in (f"--{name}", *value.split(" ", 0)))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as link:
                link.sendall(b"PING\r\n")
                if link.recv(16).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        msg = "the server did not respond"
        raise TimeoutError(msg)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it: with SIGTERM it saves its data, with SIGKILL it loses them."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs: it can be paused and continued."""
        if self._process is not None:
            self._process.send_signal(number)

    def forget(self) -> None:
        """Delete the data that it has saved."""
        for path in self.folder.glob("dump.rdb"):
            path.unlink()
