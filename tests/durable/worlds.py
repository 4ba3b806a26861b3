"""The service of several keys, the workers that sync it, and their kills."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

import inside
from pyas_async.sandbox import Sandbox
from pyas_async.sandbox._server import serve
from pyas_async.sandbox._settings import PLAN_CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

PROGRAM = Path(__file__).with_name("local_only.py")
PAGE = 300


@attrs.frozen
class Key:
    """A key and its accounts: their number, and the number of meetings of each."""

    accounts: int
    meetings: int

    @property
    def least(self) -> int:
        """The least number of calls for its accounts."""
        return self.accounts * max(1, math.ceil(self.meetings / PAGE))


@attrs.define(eq=False)
class Service:
    """A sandbox for each key, behind one address.

    Attributes:
        keys: The keys by name; the name is the key.
        window: Seconds of their windows.
        calls: Calls by key, including refused ones.
        holds: Whether new requests wait for their response.
    """

    keys: dict[str, Key]
    window: float
    calls: Counter[str] = attrs.field(factory=Counter)
    sandboxes: dict[str, Sandbox] = attrs.field(factory=dict)
    holds: bool = False

    @property
    def least(self) -> int:
        """The least number of calls for all accounts."""
        return sum(key.least for key in self.keys.values())

    @property
    def refused(self) -> int:
        """The number of calls over the limit."""
        return sum(inside.calls_refused(sandbox) for sandbox in self.sandboxes.values())

    def truth(self) -> Iterator[tuple[str, str]]:
        """Yield each meeting with its account."""
        for sandbox in self.sandboxes.values():
            for account_id in sandbox.account_ids:
                for row in sandbox.rows(account_id):
                    yield account_id, json.dumps(row, sort_keys=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  (of ASGI)
        """Pass a request to the sandbox of its key."""
        name = dict(scope["headers"])[b"x-api-key"].decode()
        self.calls[name] += 1
        while self.holds:  # noqa: ASYNC110  (a test thread ends the wait)
            await asyncio.sleep(0.01)
        await self.sandboxes[name].app(scope, receive, send)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve it, and yield its address."""
        for seed, (name, key) in enumerate(self.keys.items()):
            self.sandboxes[name] = Sandbox(
                accounts=key.accounts,
                meetings=key.meetings,
                seed=seed,
                api_key=name,
                plan="developer",
                window=self.window,
                keep_requests=0,
            )
        try:
            with serve(self, "127.0.0.1", 0) as url:
                yield url
        finally:
            for sandbox in self.sandboxes.values():
                sandbox.close()


@attrs.define
class Workers:
    """Worker processes, each with a name, that are killed and restarted."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, folder: Path, service: Service, url: str, database: str, sizes: dict[str, int]) -> Workers:
        """Write the file of accounts; no worker runs yet."""
        accounts = {name: list(sandbox.account_ids) for name, sandbox in service.sandboxes.items()}
        (folder / "accounts.json").write_text(json.dumps(accounts), "utf-8")
        budget = {"limit": PLAN_CALLS["developer"], "window": service.window}
        keys = {name: {"api_key": name, "budget": budget} for name in service.sandboxes}
        # A process that is killed while it writes its coverage leaves an unreadable file.
        calm = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        settings = {"PYAS_BASE_URL": url, "PYAS_KEYS": json.dumps(keys), "SYNC_DATABASE_URL": database}
        return cls(folder, {**calm, **settings, "SYNC_SIZES": json.dumps(sizes)})

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the program; its stderr is kept."""
        with (self.folder / "errors").open("ab") as errors:
            command = [sys.executable, str(PROGRAM), *arguments]
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stderr=errors)

    def plan(self, kill_after: float | None = None) -> None:
        """Plan the run; kill it after `kill_after` seconds if it has not ended."""
        process = self.run("plan", "run", "accounts.json")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60.0 if kill_after is None else kill_after)
        process.kill()
        assert process.wait() == 0 or kill_after is not None, self.errors()

    def start(self, name: str) -> None:
        """Start a worker."""
        self.processes[name] = self.run("work", name)

    def kill(self, name: str) -> bool:
        """Kill a worker and start it again; return whether it was still working."""
        self.processes[name].kill()
        at_work = self.processes[name].wait() == -signal.SIGKILL
        self.start(name)
        return at_work

    def at_work(self) -> list[str]:
        """Return the names of the workers that have not ended."""
        return [name for name, process in self.processes.items() if process.poll() is None]

    def harass(self, chance: Random, kills: int, service: Service) -> int:
        """Kill workers one after another, each after a random number of calls; return how many were working.

        Counting calls instead of time hits the middle of the work on fast and on busy machines.
        """
        hit = 0
        for wanted in sorted(chance.uniform(0.02, 0.9) * service.least for _ in range(kills)):
            while service.calls.total() < wanted and self.at_work():
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.5))
            if names := self.at_work():
                hit += self.kill(chance.choice(names))
        return hit

    def wait(self, patience: float) -> None:
        """Wait until all end. A worker that fails because it started without the database is started again."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(process.poll() != 0 for process in self.processes.values()):
            for name, process in list(self.processes.items()):
                if process.poll():
                    self.start(name)
            time.sleep(0.2)

    def end(self) -> None:
        """Kill the remaining workers."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def errors(self) -> str:
        """Return the workers' stderr."""
        return (self.folder / "errors").read_text("utf-8")
