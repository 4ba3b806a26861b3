"""A Postgres of the test's own, on loopback, with its data in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

import attrs

from fleet.servers import PATIENCE, free_port


def program(name: str) -> str | None:
    """Return the path of a Postgres program, also in Debian's folder, which is not in PATH."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else shutil.which(name)


@attrs.define
class PostgresServer:
    """A Postgres on its own port."""

    folder: Path
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address in SQLAlchemy's format."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it accepts connections; the first time, initialise its data."""
        if not (self.folder / "PG_VERSION").exists():
            self.folder.mkdir(exist_ok=True)
            if not os.geteuid():
                shutil.chown(self.folder, *_USER)
            # Durability is not under test: the tests kill workers, not Postgres.
            options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"]
            self._run("initdb", *options, f"--pgdata={self.folder}").wait(PATIENCE)
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        self._process = self._run("postgres", "-D", str(self.folder), *arguments)
        deadline = time.monotonic() + PATIENCE
        asks = [str(program("pg_isready")), "--host=127.0.0.1", f"--port={self.port}", "--quiet"]
        while subprocess.run(asks, check=False).returncode:
            if time.monotonic() > deadline:
                msg = "Postgres does not accept connections"
                raise TimeoutError(msg)
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            # The program that changes the user becomes Postgres itself, so the signal reaches Postgres.
            self._process.terminate() if os.geteuid() else os.kill(self._process.pid, 3)  # SIGQUIT: at once
            self._process.wait(PATIENCE)
            self._process = None

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        found = program(name)
        assert found is not None, f"{name} is not installed"
        command = [found, *arguments]
        if not os.geteuid():
            # Postgres refuses to run as root.
            user = pwd.getpwnam(_USER[0])
            groups = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            command = ["setpriv", *groups, "--", *command]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd="/", stdout=quiet, stderr=quiet)


def _unprivileged() -> tuple[str, str]:
    """Return a user other than root, and its group."""
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    import grp  # noqa: PLC0415  (only here)

    return user.pw_name, grp.getgrgid(user.pw_gid).gr_name


_USER = _unprivileged()
