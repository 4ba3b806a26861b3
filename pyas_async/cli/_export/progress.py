"""How far an export is, for people: a bar, the time to go, rows, accounts, calls, and what is left of the limit."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pyas_async import AccountsStats, AttemptStarted, Event, PageReceived, RateLimitSnapshot, Waiting
from pyas_async.cli._output import many, moving
from pyas_async.cli._times import lasting
from pyas_async.plans import DEVELOPER

_TICK: Final = 0.25
_BAR: Final = 30
_WINDOW: Final = DEVELOPER.window
"""Seconds of the limit's window; all plans have the same."""
Source = Callable[[], tuple[AccountsStats, RateLimitSnapshot]]


class Progress:
    """What is known of an export under way.

    Attributes:
        rows: Rows so far, earlier runs included.
        calls: Calls so far, likewise.
        source: Asked for the state of the listings and of the limit.
    """

    def __init__(
        self,
        accounts: int,
        *,
        rows: int = 0,
        calls: int = 0,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Stand where an export begins, or goes on."""
        self.rows = rows
        self.calls = calls
        self.source: Source | None = None
        self._accounts = accounts
        self._rows_before = rows
        self._done_before = done
        self._clock = clock
        self._wall = wall
        self._looked = clock()
        self._active = 0.0
        self._tries_again: float | None = None
        self._stats: AccountsStats | None = None
        self._limit: RateLimitSnapshot | None = None
        self._heard_of: set[str] = set()
        self._page = 1
        self._timer: asyncio.TimerHandle

    @property
    def done(self) -> int:
        """Accounts that are through, earlier runs included."""
        return self._done_before + (0 if self._stats is None else self._stats.done)

    def heard(self, event: Event) -> None:
        """Take note of what the client does."""
        if isinstance(event, AttemptStarted):
            self.calls += 1
            self._tries_again = None
        elif isinstance(event, Waiting) and event.reason == "retry":
            self._tries_again = self._clock() + event.seconds
        elif isinstance(event, PageReceived):
            self._heard_of.add(event.account_id)
            self._page = max(self._page, event.rows)

    def look(self) -> None:
        """Take note of how far the listings are, and what is left of the limit."""
        now = self._clock()
        if self.waits is None:
            self._active += now - self._looked
        self._looked = now
        if self.source is not None:
            self._stats, self._limit = self.source()

    @property
    def waits(self) -> float | None:
        """Seconds until the limit lets calls out again; ``None`` if it does now."""
        limit = self._limit
        if limit is None or limit.remaining != 0 or not limit.waiting or limit.resets_at is None:
            return None
        return max(0.0, limit.resets_at.timestamp() - self._wall())

    @property
    def total(self) -> int | None:
        """Rows that there will be, by the service's totals; accounts to come are taken to be like those heard of."""
        stats = self._stats
        if stats is None or not stats.total_reported or not self._heard_of:
            return None
        return max(self.rows, round(stats.total_reported / len(self._heard_of) * self._accounts))

    @property
    def _measure(self) -> tuple[int, int, int]:
        """What is done is measured by: before this run, so far, in all. Rows; where no account has any, accounts."""
        total = self.total
        return (self._rows_before, self.rows, total) if total else (self._done_before, self.done, self._accounts)

    @property
    def share(self) -> float | None:
        """The part that is done; ``None`` if nothing is, as far as one can tell."""
        _, so_far, in_all = self._measure
        return so_far / in_all if so_far or self.total else None

    @property
    def to_go(self) -> float | None:
        """Seconds that are left, at this run's pace and by the limit; ``None`` if there is no telling yet."""
        before, so_far, in_all = self._measure
        if so_far <= before:
            return None
        left, total = in_all - so_far, self.total
        pages = math.ceil(total / self._accounts / self._page) if total else 1
        seconds = self._active * left / (so_far - before)
        return self._by_the_limit(seconds, math.ceil(self._accounts * pages * left / in_all))

    def _by_the_limit(self, seconds: float, calls: int) -> float:
        """Add the waits to what so many calls take by themselves."""
        limit = self._limit
        if limit is None or limit.remaining is None or not limit.limit or calls <= limit.remaining:
            return seconds
        bursts, last = divmod(calls - limit.remaining - 1, limit.limit)
        next_one = _WINDOW if limit.resets_at is None else limit.resets_at.timestamp() - self._wall()
        return max(0.0, next_one) + bursts * _WINDOW + seconds * (last + 1) / calls

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it in a terminal, as long as the context lasts."""
        # Drawn from the event loop rather than from a thread, which would read what the loop is about to change; by a
        # timer of asyncio, which the command runs on, rather than by a task, whose group would wrap what is raised.
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self.look()
            live.refresh()
            self._timer = loop.call_later(_TICK, tick)

        options: dict[str, Any] = {"auto_refresh": False, "transient": True}
        with moving() as console, Live(get_renderable=self.draw, console=console, **options) as live:
            tick()
            try:
                yield
            finally:
                self._timer.cancel()

    def draw(self) -> RenderableType:
        """Draw it: a bar with the time to go, and two lines of numbers."""
        share, to_go, line = self.share, self.to_go, Table.grid(padding=(0, 2))
        bar = ProgressBar(total=1.0, completed=share or 0.0, width=_BAR, pulse=share is None)
        percent = "" if share is None else f"{math.floor(share * 100)}%"
        line.add_row(bar, percent, "" if to_go is None else f"about {lasting(to_go)} to go")
        return Group(line, *(Text(" · ".join(numbers), style="dim") for numbers in (self._got(), self._spent())))

    def _got(self) -> list[str]:
        numbers = [many(self.rows, "row"), f"{self.done:,} of {many(self._accounts, 'account')}"]
        if self._stats is not None and self._stats.failed:
            numbers.append(f"{self._stats.failed:,} failed")
        return numbers

    def _spent(self) -> list[str]:
        numbers, limit = [many(self.calls, "call")], self._limit
        if limit is not None and limit.remaining is not None:
            of = "" if limit.limit is None else f" of {limit.limit:,}"
            until = "" if limit.resets_at is None else f" until {limit.resets_at.astimezone():%H:%M:%S}"
            numbers.append(f"{limit.remaining:,} left{of}{until}")
        if (wait := self.waits) is not None:
            numbers.append(f"waiting {lasting(wait)}")
        elif self._tries_again is not None and (pause := self._tries_again - self._clock()) >= 1:
            numbers.append(f"trying again in {lasting(pause)}")
        return numbers


def now() -> str:
    """Give the moment, to the second, as text."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
