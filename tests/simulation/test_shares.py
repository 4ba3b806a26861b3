"""Programs that share a key by agreement spend the whole limit together, in the first window as well."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

import inside
from pyas_async import PyasClient, RateBudget
from pyas_async._runtime.clock import Clock
from simulation.limits import FixedWindow, Limit, SlidingWindow
from simulation.service import EPOCH, wall

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW: Final = 300.0
LATENCY: Final = (0.1, 0.5)


class FirstCall(FixedWindow):
    """Windows that begin with the first call after the one before, as those of the usual limiters do."""

    def remaining(self, now: float) -> int:
        """Count the calls that remain."""
        if now >= self._phase + self._window:
            self._phase, self._number = now, -math.inf
        return super().remaining(now)


@attrs.define
class Key:
    """One key at the service, and the programs that use it."""

    count: Limit
    random: Random = attrs.field(factory=lambda: Random("shares"))
    served: list[float] = attrs.field(factory=list)
    refused: int = 0

    async def answer(self, _: httpx.Request) -> httpx.Response:
        """Respond to a call."""
        seconds = self.random.uniform(*LATENCY)
        await trio.sleep(seconds / 2)
        now = trio.current_time()
        within = self.count.try_acquire(now)
        headers = {
            "date": f"{wall():%a, %d %b %Y %H:%M:%S GMT}",
            "x-ratelimit-limit": "100",
            "x-ratelimit-remaining": str(self.count.remaining(now)),
            "x-ratelimit-reset": str(math.floor(EPOCH.timestamp() + self.count.resets_at(now))),
        }
        await trio.sleep(seconds / 2)
        if within:
            self.served.append(now)
            return httpx.Response(200, headers=headers, json={"success": True, "meeting": {"id": 1, "uuid": "u"}})
        self.refused += 1
        return httpx.Response(429, headers=headers, json={"error": "Rate limit exceeded"})

    async def spend(self, share: float, seconds: float, *, calls: int = 1_000) -> None:
        """Run a program with a share, which makes calls as fast as it can for some seconds."""
        budget = RateBudget(100, window=WINDOW, share=share)
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as http,
            PyasClient("key", account_id="a", base_url="http://localhost", http_client=http, budget=budget) as client,
        ):
            inside.set_clock(
                client, Clock(now=trio.current_time, wall=wall, sleep=trio.sleep, random=self.random.random)
            )
            patient = client.with_options(deadline=None)
            left = iter(range(calls))

            async def work() -> None:
                for _ in left:
                    await patient.meetings.get(1)

            with trio.move_on_after(seconds):
                async with trio.open_nursery() as nursery:
                    for _ in range(20):
                        nursery.start_soon(work)


COUNTS: Final[dict[str, Callable[[], Limit]]] = {
    "first call": lambda: FirstCall(100, WINDOW, -math.inf),
    "fixed": lambda: FixedWindow(100, WINDOW, 100.0),
    "sliding": lambda: SlidingWindow(100, WINDOW),
}


def together(key: Key, *programs: tuple[float, float], seconds: float = 90.0) -> None:
    """Run programs, each with its share and the time when it begins, until a number of seconds after that."""

    async def run(share: float, begins: float) -> None:
        await trio.sleep(begins)
        await key.spend(share, seconds)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for program in programs:
                nursery.start_soon(run, *program)

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("kind", COUNTS)
@pytest.mark.parametrize(
    "spread", [0.0, pytest.param(0.1, marks=pytest.mark.long), pytest.param(2.0, marks=pytest.mark.long), 8.0]
)
@pytest.mark.parametrize(
    ("programs", "share", "calls"), [(10, 0.1, 100), (14, 0.07, 98), (4, 0.25, 100), (2, 0.5, 100)]
)
def test_programs_that_begin_together(programs: int, share: float, calls: int, spread: float, kind: str) -> None:
    """Shares spend all that they have in the first window, at once or one after the other, and none is refused."""
    key = Key(COUNTS[kind]())
    together(key, *((share, spread * number) for number in range(programs)), seconds=20.0)

    assert (calls, 0) == (len(key.served), key.refused)


@pytest.mark.parametrize("kind", COUNTS)
def test_a_program_that_begins_later(kind: str) -> None:
    """A program that begins when another has spent its share has its own at once."""
    key = Key(COUNTS[kind]())
    together(key, (0.5, 0.0), (0.5, 40.0), seconds=20.0)

    assert (100, 0) == (len(key.served), key.refused)
    assert max(key.served) < 50.0


@pytest.mark.parametrize("kind", COUNTS)
def test_a_program_that_is_restarted(kind: str) -> None:
    """A program that is restarted leaves the others their part, once more is gone than these may have spent."""
    key = Key(COUNTS[kind]())
    together(key, (0.7, 0.0), (0.7, 10.0), (0.7, 20.0), seconds=5.0)

    # After each restart, a first call finds out.
    assert (72, 0) == (len(key.served), key.refused)


@pytest.mark.parametrize("kind", COUNTS)
def test_over_several_windows(kind: str) -> None:
    """In later windows, too, each program spends its share, and no call is refused."""
    key = Key(COUNTS[kind]())
    together(key, *((0.1, float(number)) for number in range(10)), seconds=4 * WINDOW + 60)

    assert 0 == key.refused
    assert len(key.served) >= 400
