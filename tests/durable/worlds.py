"""The service of several keys, the workers that sync it, and what kills them."""

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

PROGRAM = Path(__file__).with_name("watched.py")
PAGE = 300


@attrs.frozen
class Key:
    """A key and its accounts: how many, and how many meetings each has."""

    accounts: int
    meetings: int

    @property
    def least(self) -> int:
        """Calls that its accounts take at least."""
        return self.accounts * max(1, math.ceil(self.meetings / PAGE))


@attrs.define(eq=False)
class Service:
    """A sandbox for each key, behind one address.

    Attributes:
        keys: The keys by name; the name is the key.
        window: Seconds of their windows.
        calls: Calls by key, those that were refused among them.
        holds: Whether requests that come wait for their answer.
    """

    keys: dict[str, Key]
    window: float
    calls: Counter[str] = attrs.field(factory=Counter)
    sandboxes: dict[str, Sandbox] = attrs.field(factory=dict)
    holds: bool = False

    @property
    def least(self) -> int:
        """Calls that all accounts take at least."""
        return sum(key.least for key in self.keys.values())

    @property
    def refused(self) -> int:
        """Calls that were one too many."""
        return sum(inside.calls_refused(sandbox) for sandbox in self.sandboxes.values())

    def truth(self) -> Iterator[tuple[str, str]]:
        """Tell each meeting with its account."""
        for sandbox in self.sandboxes.values():
            for account_id in sandbox.account_ids:
                for row in sandbox.rows(account_id):
                    yield account_id, json.dumps(row, sort_keys=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  (of ASGI)
        """Let the sandbox of the request's key answer."""
        name = dict(scope["headers"])[b"x-api-key"].decode()
        self.calls[name] += 1
        while self.holds:  # noqa: ASYNC110  (a test thread lets go)
            await asyncio.sleep(0.01)
        await self.sandboxes[name].app(scope, receive, send)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve it, and give its address."""
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
    """Processes that work, each under its name, and are killed and started again."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, folder: Path, service: Service, url: str, database: str, sizes: dict[str, int]) -> Workers:
        """Have none yet, and write down the accounts."""
        accounts = {name: list(sandbox.account_ids) for name, sandbox in service.sandboxes.items()}
        (folder / "accounts.json").write_text(json.dumps(accounts), "utf-8")
        budget = {"limit": PLAN_CALLS["developer"], "window": service.window}
        keys = {name: {"api_key": name, "budget": budget} for name in service.sandboxes}
        # Who is killed while it writes its coverage leaves a file that cannot be read.
        calm = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        settings = {"PYAS_BASE_URL": url, "PYAS_KEYS": json.dumps(keys), "SYNC_DATABASE_URL": database}
        return cls(folder, {**calm, **settings, "SYNC_SIZES": json.dumps(sizes)})

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the program; what it says of errors is kept."""
        with (self.folder / "errors").open("ab") as errors:
            command = [sys.executable, str(PROGRAM), *arguments]
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stderr=errors)

    def plan(self, kill_after: float | None = None) -> None:
        """Plan the run; killed after so many seconds, if it has not ended."""
        process = self.run("plan", "run", "accounts.json")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60.0 if kill_after is None else kill_after)
        process.kill()
        assert process.wait() == 0 or kill_after is not None, self.errors()

    def start(self, name: str) -> None:
        """Start a worker."""
        self.processes[name] = self.run("work", name)

    def kill(self, name: str) -> bool:
        """Kill a worker in the middle of whatever it does, and start it again; say whether it was still at work."""
        self.processes[name].kill()
        at_work = self.processes[name].wait() == -signal.SIGKILL
        self.start(name)
        return at_work

    def at_work(self) -> list[str]:
        """Name those that have not ended."""
        return [name for name, process in self.processes.items() if process.poll() is None]

    def harass(self, chance: Random, kills: int, service: Service) -> int:
        """Kill one after the other, when the service has had as many calls as chance says; count those hit at work.

        By calls, not by time: so it strikes in the middle on a fast machine and on a busy one.
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
        """Let them come to their end; one that fails, having started without the database, is started again."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(process.poll() != 0 for process in self.processes.values()):
            for name, process in list(self.processes.items()):
                if process.poll():
                    self.start(name)
            time.sleep(0.2)

    def end(self) -> None:
        """End what is left."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def errors(self) -> str:
        """Give what was said of errors."""
        return (self.folder / "errors").read_text("utf-8")
