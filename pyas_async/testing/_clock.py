"""The clock of a test: it goes where the test, or somebody's waiting, moves it, and never of itself."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Where clocks of tests begin, unless told otherwise: a Monday morning."""
# How often the event loop goes round without the clock being asked before time jumps. Whatever can go on without time
# passing has gone on by then: a call in process takes less than ten rounds.
_ROUNDS: Final = 50


class Clock:
    """A clock that stands still until a test moves it, and that client and sandbox share.

    When one of those waits (a pause before a retry, room in the call budget, the sandbox's latency), nobody waits for
    real: once nothing else goes on in the event loop, the clock jumps to the end of the shortest wait. With
    ``jumps = False`` it does not, and only `advance` ends a wait.
    """

    def __init__(self, start: datetime = START) -> None:
        """Set the clock.

        Args:
            start: The time that it shows at first; aware.

        Raises:
            ValueError: If it is naive.
        """
        if start.utcoffset() is None:
            msg = f"start must be an aware datetime; got {start!r}"
            raise ValueError(msg)
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0
        self._jumps = True
        self._timers: set[_Timer] = set()
        self._driven: set[Any] = set()
        self._quiet = 0
        self._waits_for_real = 0

    @property
    def now(self) -> datetime:
        """What time it is; aware, UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def time(self) -> float:
        """Tell the time in seconds since the epoch, as `time.time` does."""
        self._quiet = 0
        return self._start.timestamp() + self._elapsed

    @property
    def jumps(self) -> bool:
        """Whether the clock jumps to the end of a wait when nothing else goes on. May be set at any time."""
        return self._jumps

    @jumps.setter
    def jumps(self, value: bool) -> None:
        self._jumps = value
        if value:
            self._drive_all()

    def advance(self, seconds: float | timedelta) -> None:
        """Let time pass: who waits for no longer than that goes on when the test next awaits something.

        Args:
            seconds: How much, 0 or more.

        Raises:
            ValueError: If it is less than 0, or no finite number.
        """
        step = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        if not 0 <= step < math.inf:
            msg = f"a clock goes forward, by seconds of 0 or more; got {seconds!r}"
            raise ValueError(msg)
        self._go_to(self._elapsed + step)

    async def settle(self) -> None:
        """Let every task go on as far as it can without time passing."""
        for _ in range(_ROUNDS):
            self._quiet = 0
            await anyio.lowlevel.checkpoint()

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time has passed on this clock."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        over = anyio.Event()
        with self._timer(seconds, over.set, bounds=False):
            await over.wait()

    @contextmanager
    def move_on_after(self, seconds: float | None) -> Iterator[anyio.CancelScope]:
        """Open a scope that is cancelled when so much time has passed on this clock; ``None``: never."""
        with anyio.CancelScope() as scope:
            if seconds is not None and seconds <= 0:
                scope.cancel()
            with self._timer(math.inf if seconds is None else seconds, scope.cancel, bounds=True):
                yield scope

    @contextmanager
    def waiting_for_real(self) -> Iterator[None]:
        """While something of the test's own may wait for real: let no bound of time strike that nobody else reaches.

        A pause on this clock still ends by a jump.
        """
        self._waits_for_real += 1
        try:
            yield
        finally:
            self._waits_for_real -= 1
            self._drive_all()

    @contextmanager
    def _timer(self, seconds: float, wake: Callable[[], None], *, bounds: bool) -> Iterator[None]:
        timer = _Timer(self._elapsed + seconds, wake, anyio.lowlevel.current_token(), bounds)
        self._timers.add(timer)
        self._drive(timer.token)
        self._quiet = 0
        try:
            yield
        finally:
            self._quiet = 0
            self._timers.discard(timer)

    def _go_to(self, elapsed: float) -> None:
        self._elapsed = elapsed
        due = sorted((timer for timer in tuple(self._timers) if timer.due <= elapsed), key=lambda timer: timer.due)
        self._timers.difference_update(due)
        here = _here()
        for timer in due:
            if timer.token == here:
                timer.wake()
            else:
                _tell(timer.token, timer.wake)

    def _drive_all(self) -> None:
        for token in {timer.token for timer in tuple(self._timers)}:
            _tell(token, partial(self._drive, token))

    def _drive(self, token: Any) -> None:  # noqa: ANN401  (of whichever event loop)
        """Begin to count the rounds of an event loop, unless that was begun."""
        if token not in self._driven:
            self._driven.add(token)
            _soon(token.native_token, partial(self._round, token))

    def _round(self, token: Any) -> None:  # noqa: ANN401
        self._quiet += 1
        if self._quiet > _ROUNDS:
            self._quiet = 0
            due = (timer.due for timer in tuple(self._timers) if not (timer.bounds and self._waits_for_real))
            shortest = min(due, default=math.inf)
            if shortest == math.inf or not self._jumps:
                self._driven.discard(token)
                return
            self._go_to(shortest)
        _soon(token.native_token, partial(self._round, token))


@dataclass(eq=False, frozen=True, slots=True)
class _Timer:
    """Who is to be woken, when, and in which event loop; and whether it bounds what others do, or is a pause."""

    due: float
    wake: Callable[[], None]
    token: Any
    bounds: bool


def _here() -> Any:  # noqa: ANN401
    """Name the event loop that runs in this thread; ``None`` if none does."""
    try:
        return anyio.lowlevel.current_token()
    except RuntimeError:
        return None


def _soon(loop: Any, act: Callable[[], object]) -> None:  # noqa: ANN401
    """Let the event loop that runs here do something in its next round.

    A callback rather than a task: it belongs to nobody's nursery, and is gone with its loop.
    """
    if (call_soon := getattr(loop, "call_soon", None)) is not None:
        call_soon(act)
    else:
        with suppress(RuntimeError):  # trio's last round is after the end of its run
            loop.run_sync_soon(act)


def _tell(token: Any, act: Callable[[], object]) -> None:  # noqa: ANN401
    """Let an event loop do something, from any thread: a synchronous test client runs its application in another."""
    loop = token.native_token
    tell = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
    with suppress(RuntimeError):  # it has ended, and nobody waits in it any more; trio's error is one, too
        tell(act)
