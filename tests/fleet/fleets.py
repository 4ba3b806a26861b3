"""A fleet: worker processes that share one key, the service that counts its calls, and the Redis between them."""

from __future__ import annotations

import bisect
import contextlib
import functools
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import attrs

from fleet.servers import PATIENCE, RedisServer
from fleet.worker import LIMIT
from pyas_async.sandbox import Sandbox, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKER = Path(__file__).with_name("worker.py")
TOO_MANY = 429
P = ParamSpec("P")


@attrs.frozen(kw_only=True)
class Pace:
    """How long a test takes.

    Attributes:
        window: Seconds of the service's window. The service's own has 300.
        lost: The part of a key's budget that may be lost besides, since the seconds that it takes to wake a process on
            a busy machine are as many in a short window as in a long one.
        whole: Whether a test is as long as it can be.
    """

    window: float
    lost: float
    whole: bool

    def windows(self, whole: float, short: float) -> float:
        """Choose for how many windows something is done."""
        return whole if self.whole else short


WHOLE = Pace(window=20.0, lost=0.0, whole=True)
SHORT = Pace(window=5.0, lost=0.3, whole=False)


@attrs.define
class Fleet:
    """The workers, the servers, and the requests that the service has seen."""

    pace: Pace

    url: str
    redis: RedisServer
    folder: Path
    sandbox: Sandbox
    seen: list[tuple[float, SeenRequest]] = attrs.field(factory=list)
    workers: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict)

    @property
    def account(self) -> str:
        """The account whose meetings are listed."""
        return self.sandbox.account_ids[0]

    def start(self, *names: str, kind: str = "bulk") -> None:
        """Start a worker, and wait until it is about to make its first call."""
        window = str(self.pace.window)
        for name in names:
            command = [sys.executable, str(WORKER), self.url, self.redis.url, name, self.account, window, kind]
            with (self.folder / name).open("wb") as output:
                self.workers[name] = subprocess.Popen(command, stdout=output)
            deadline = time.monotonic() + PATIENCE
            while "ready" not in self.output(name):
                assert self.workers[name].poll() is None, f"worker {name} did not start"
                assert time.monotonic() < deadline, f"worker {name} is not ready"
                time.sleep(0.02)

    def kill(self, name: str) -> None:
        """Kill a worker at any point of its work."""
        self.workers[name].send_signal(signal.SIGKILL)
        self.workers.pop(name).wait(PATIENCE)

    def output(self, name: str) -> list[str]:
        """Return the lines that a worker has printed."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / name).read_text("utf-8").splitlines()
        return []

    def answers(self, since: float = 0.0, until: float = float("inf")) -> Counter[str]:
        """Count the successful calls of each worker."""
        return Counter(seen.headers["x-worker"] for moment, seen in self.seen if since <= moment < until)

    def recent(self, seconds: float) -> int:
        """Count the calls that the service has answered in the last seconds."""
        return sum(self.answers(time.monotonic() - seconds).values())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, which is met once in a window."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the condition was never met"
            time.sleep(0.002)

    def refused(self) -> int:
        """Count the refused calls."""
        return sum(seen.status == TOO_MANY for _, seen in self.seen)

    def spent(self, since: float, until: float) -> tuple[float, float, int]:
        """Find how often the whole limit of the key was spent in a period.

        The count begins with the last call before the period, and covers as many whole limits as possible. Calls come
        in bursts, and a count from one moment of the clock to another would have a burst more or less by chance.

        Returns:
            When the first of these calls came and when the last did, and how many limits they are.
        """
        moments = [moment for moment, _ in self.seen]
        first = bisect.bisect_left(moments, since) - 1
        assert first >= 0, "no worker has called yet"
        times = (bisect.bisect_left(moments, until) - 1 - first) // LIMIT
        return moments[first], moments[first + times * LIMIT], times

    def check_used(self, since: float, until: float, *, least: float) -> None:
        """Check that this part of the key's limit was spent in a period."""
        first, last, times = self.spent(since, until)
        window, least = self.pace.window, least - self.pace.lost
        # It took so long to spend it so often; and until the end, it was not spent once more.
        used = min(times * window / max(last - first, window / LIMIT), (times + 1) * window / (until - first))
        if used < least:
            starts = [moment - first for moment, _ in self.seen if first < moment < until][::10]
            seconds = ", ".join(f"{start:.1f}" for start in starts)
            moments = f"every tenth call came after {seconds} s of {until - first:.1f}"
            raise TooLittleUsedError(f"{used:.2f}, where {least:.2f} is wanted; {moments}")


class TooLittleUsedError(AssertionError):
    """Workers have spent less than they may: they waited without need, or the machine was busy."""


def measured(test: Callable[P, None]) -> Callable[P, None]:
    """Run a test once more if too little was used and nothing else was wrong: twice in a row is no accident."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            test(*arguments, **named)
        except TooLittleUsedError as first:
            print(f"measured again: {first}")  # noqa: T201  (shown where it fails again)
            test(*arguments, **named)

    return run


@contextmanager
def fleet(pace: Pace) -> Iterator[Fleet]:
    """Start the servers, and stop everything at the end."""
    with tempfile.TemporaryDirectory(prefix="pyas_async-fleet-") as name:
        folder = Path(name)
        redis = RedisServer(folder)
        redis.start()
        sandbox = Sandbox(accounts=1, meetings=5, plan="developer", window=pace.window)
        try:
            with sandbox.serve() as url:
                found = Fleet(pace, url, redis, folder, sandbox)
                sandbox.on_request = lambda seen: found.seen.append((time.monotonic(), seen))
                try:
                    yield found
                finally:
                    for worker in list(found.workers):
                        found.kill(worker)
        finally:
            redis.stop(signal.SIGKILL)
