"""The clock of a test: it moves only when the test, or a wait, moves it."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

from pyas_async._moments import LAST, in_utc, plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""The default start of a clock: a Monday morning."""
# Rounds of the event loop without a use of the clock before time jumps. Everything that can run without time passing
# has run by then: a call in process takes less than ten rounds.
_ROUNDS: Final = 50


class Clock:
    """A clock that stands still until a test moves it. A client and a sandbox share it.

    When the client or the sandbox waits (a pause before a retry, a free slot in the call budget, the sandbox's
    latency), no real time passes: once nothing else runs in the event loop, the clock jumps to the end of the shortest
    wait. With ``jumps = False`` it does not, and only `advance` ends a wait.
    """

    def __init__(self, start: datetime = START) -> None:
        """Set the clock.

        Args:
            start: The time at the start; aware.

        Raises:
            ValueError: If it is naive.
        """
        if start.utcoffset() is None:
            msg = f"start must be an aware datetime; got {start!r}"
            raise ValueError(msg)
        self._start = in_utc(start) or LAST
        self._elapsed = 0.0
        self._jumps = True
        self._timers: set[_Timer] = set()
        self._watched: set[Any] = set()
        self._idle_rounds = 0
        self._real_waits = 0

    @property
    def now(self) -> datetime:
        """The time; aware, UTC."""
        return plus(self._start, seconds=self._elapsed) or LAST

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def time(self) -> float:
        """Return the time in seconds since the epoch, as `time.time` does."""
        self._idle_rounds = 0
        return self._start.timestamp() + self._elapsed

    @property
    def jumps(self) -> bool:
        """Whether the clock jumps to the end of a wait when nothing else runs. It may be set at any time."""
        return self._jumps

    @jumps.setter
    def jumps(self, value: bool) -> None:
        self._jumps = value
        if value:
            self._watch_all()

    def advance(self, seconds: float | timedelta) -> None:
        """Let time pass. Waits that end by then end when the test next awaits something.

        Args:
            seconds: How much time, 0 or more.

        Raises:
            ValueError: If it is negative or not finite.
        """
        step = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        if not 0 <= step < math.inf:
            msg = f"a clock goes forward, by seconds of 0 or more; got {seconds!r}"
            raise ValueError(msg)
        self._go_to(self._elapsed + step)

    async def settle(self) -> None:
        """Let all tasks run as far as they can without time passing."""
        for _ in range(_ROUNDS):
            self._idle_rounds = 0
            await anyio.lowlevel.checkpoint()

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds on this clock."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        ended = anyio.Event()
        with self._timer(seconds, ended.set, bounds=False):
            await ended.wait()

    @contextmanager
    def move_on_after(self, seconds: float | None) -> Iterator[anyio.CancelScope]:
        """Open a cancel scope that is cancelled after a number of seconds on this clock; ``None``: never."""
        with anyio.CancelScope() as scope:
            if seconds is not None and seconds <= 0:
                scope.cancel()
            with self._timer(math.inf if seconds is None else seconds, scope.cancel, bounds=True):
                yield scope

    @contextmanager
    def waiting_for_real(self) -> Iterator[None]:
        """Suspend the jumps to deadlines while the test itself waits in real time, which the clock cannot see.

        Pauses on this clock still end by a jump, and `advance` still reaches deadlines.
        """
        self._real_waits += 1
        try:
            yield
        finally:
            self._real_waits -= 1
            self._watch_all()

    @contextmanager
    def _timer(self, seconds: float, wake: Callable[[], None], *, bounds: bool) -> Iterator[None]:
        timer = _Timer(self._elapsed + seconds, wake, anyio.lowlevel.current_token(), bounds)
        self._timers.add(timer)
        self._watch(timer.token)
        self._idle_rounds = 0
        try:
            yield
        finally:
            self._idle_rounds = 0
            self._timers.discard(timer)

    def _go_to(self, elapsed: float) -> None:
        self._elapsed = elapsed
        due = sorted((timer for timer in tuple(self._timers) if timer.due <= elapsed), key=lambda timer: timer.due)
        self._timers.difference_update(due)
        current = _current_loop()
        for timer in due:
            if timer.token == current:
                timer.wake()
            else:
                _call_in(timer.token, timer.wake)

    def _watch_all(self) -> None:
        for token in {timer.token for timer in tuple(self._timers)}:
            _call_in(token, partial(self._watch, token))

    def _watch(self, token: Any) -> None:  # noqa: ANN401  (of whichever event loop)
        """Start to count the rounds of an event loop, unless that has been started."""
        if token not in self._watched:
            self._watched.add(token)
            _call_soon(token.native_token, partial(self._round, token))

    def _round(self, token: Any) -> None:  # noqa: ANN401
        self._idle_rounds += 1
        if self._idle_rounds > _ROUNDS:
            self._idle_rounds = 0
            due = (timer.due for timer in tuple(self._timers) if not (timer.bounds and self._real_waits))
            shortest = min(due, default=math.inf)
            if shortest == math.inf or not self._jumps:
                self._watched.discard(token)
                return
            self._go_to(shortest)
        _call_soon(token.native_token, partial(self._round, token))


@dataclass(eq=False, frozen=True, slots=True)
class _Timer:
    """A wait: when it ends, how to end it, and its event loop; `bounds` is true for a deadline, false for a pause."""

    due: float
    wake: Callable[[], None]
    token: Any
    bounds: bool


def _current_loop() -> Any:  # noqa: ANN401
    """Return the token of this thread's running event loop; ``None`` if there is none."""
    try:
        return anyio.lowlevel.current_token()
    except RuntimeError:
        return None


def _call_soon(loop: Any, act: Callable[[], object]) -> None:  # noqa: ANN401
    """Call a function in the next round of the running event loop.

    A callback instead of a task: it needs no nursery, and disappears with its loop.
    """
    if (call_soon := getattr(loop, "call_soon", None)) is not None:
        call_soon(act)
    else:
        with suppress(RuntimeError):  # trio runs its last round after the end of its run
            loop.run_sync_soon(act)


def _call_in(token: Any, act: Callable[[], object]) -> None:  # noqa: ANN401
    """Call a function in an event loop, from any thread: a synchronous test client runs its application in another."""
    loop = token.native_token
    call = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
    with suppress(RuntimeError):  # the loop has ended, so nothing waits in it; trio's error is a RuntimeError, too
        call(act)
