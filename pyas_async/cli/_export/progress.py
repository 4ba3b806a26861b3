"""The progress display of an export: a bar, the remaining time, rows, accounts, calls, and the rest of the limit."""

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
from pyas_async._moments import in_zone
from pyas_async.cli._output import live_console, plural
from pyas_async.cli._times import format_duration
from pyas_async.plans import DEVELOPER

_TICK: Final = 0.25
_BAR: Final = 30
_WINDOW: Final = DEVELOPER.window
"""Seconds in a window of the limit; all plans have the same."""
Source = Callable[[], tuple[AccountsStats, RateLimitSnapshot]]


class Progress:
    """The progress of a running export.

    Attributes:
        rows: Rows so far, including earlier runs.
        calls: Calls so far, likewise.
        source: Returns the current state of the listings and of the limit.
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
        self.rows = rows
        self.calls = calls
        self.source: Source | None = None
        self._accounts = accounts
        self._rows_before = rows
        self._done_before = done
        self._clock = clock
        self._wall = wall
        self._refreshed = clock()
        self._active = 0.0
        self._retry_at: float | None = None
        self._stats: AccountsStats | None = None
        self._limit: RateLimitSnapshot | None = None
        self._accounts_seen: set[str] = set()
        self._page = 1
        self._timer: asyncio.TimerHandle

    @property
    def done(self) -> int:
        """Accounts that are done, including earlier runs."""
        return self._done_before + (0 if self._stats is None else self._stats.done)

    def on_event(self, event: Event) -> None:
        """Count an event of the client."""
        if isinstance(event, AttemptStarted):
            self.calls += 1
            self._retry_at = None
        elif isinstance(event, Waiting) and event.reason == "retry":
            self._retry_at = self._clock() + event.seconds
        elif isinstance(event, PageReceived):
            self._accounts_seen.add(event.account_id)
            self._page = max(self._page, event.rows)

    def refresh(self) -> None:
        """Read the state of the listings and of the limit."""
        now = self._clock()
        if self.waits is None:
            self._active += now - self._refreshed
        self._refreshed = now
        if self.source is not None:
            self._stats, self._limit = self.source()

    @property
    def waits(self) -> float | None:
        """Seconds until the limit allows calls again; ``None`` if it does now."""
        limit = self._limit
        if limit is None or limit.remaining != 0 or not limit.waiting or limit.resets_at is None:
            return None
        return max(0.0, limit.resets_at.timestamp() - self._wall())

    @property
    def total(self) -> int | None:
        """The expected number of rows, by the service's totals; accounts without a total count as the average."""
        stats = self._stats
        if stats is None or not stats.total_reported or not self._accounts_seen:
            return None
        return max(self.rows, round(stats.total_reported / len(self._accounts_seen) * self._accounts))

    @property
    def _measure(self) -> tuple[int, int, int]:
        """What was done before this run, what is done now, and all there is: in rows, or else in accounts."""
        total = self.total
        return (self._rows_before, self.rows, total) if total else (self._done_before, self.done, self._accounts)

    @property
    def share(self) -> float | None:
        """The part that is done; ``None`` if it cannot be estimated."""
        _, so_far, in_all = self._measure
        return so_far / in_all if so_far or self.total else None

    @property
    def remaining(self) -> float | None:
        """The remaining seconds, by this run's pace and the limit; ``None`` if they cannot be estimated yet."""
        before, so_far, in_all = self._measure
        if so_far <= before:
            return None
        left, total = in_all - so_far, self.total
        pages = math.ceil(total / self._accounts / self._page) if total else 1
        seconds = self._active * left / (so_far - before)
        return self._with_limit_waits(seconds, math.ceil(self._accounts * pages * left / in_all))

    def _with_limit_waits(self, seconds: float, calls: int) -> float:
        """Add the waits for the limit to the time that this number of calls takes without them."""
        limit = self._limit
        if limit is None or limit.remaining is None or not limit.limit or calls <= limit.remaining:
            return seconds
        bursts, last = divmod(calls - limit.remaining - 1, limit.limit)
        next_one = _WINDOW if limit.resets_at is None else limit.resets_at.timestamp() - self._wall()
        return max(0.0, next_one) + bursts * _WINDOW + seconds * (last + 1) / calls

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the progress in a terminal, as long as the context lasts."""
        # It is drawn from the event loop, since a thread would read data that the loop changes at the same time. A
        # timer of asyncio, on which the command runs, draws it: a task's group would wrap exceptions.
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self.refresh()
            live.refresh()
            self._timer = loop.call_later(_TICK, tick)

        options: dict[str, Any] = {"auto_refresh": False, "transient": True}
        with live_console() as console, Live(get_renderable=self.draw, console=console, **options) as live:
            tick()
            try:
                yield
            finally:
                self._timer.cancel()

    def draw(self) -> RenderableType:
        """Return what to draw: a bar with the remaining time, and two lines of numbers."""
        share, remaining, line = self.share, self.remaining, Table.grid(padding=(0, 2))
        bar = ProgressBar(total=1.0, completed=share or 0.0, width=_BAR, pulse=share is None)
        percent = "" if share is None else f"{math.floor(share * 100)}%"
        line.add_row(bar, percent, "" if remaining is None else f"about {format_duration(remaining)} to go")
        return Group(
            line, *(Text(" · ".join(numbers), style="dim") for numbers in (self._row_texts(), self._call_texts()))
        )

    def _row_texts(self) -> list[str]:
        numbers = [plural(self.rows, "row"), f"{self.done:,} of {plural(self._accounts, 'account')}"]
        if self._stats is not None and self._stats.failed:
            numbers.append(f"{self._stats.failed:,} failed")
        return numbers

    def _call_texts(self) -> list[str]:
        numbers, limit = [plural(self.calls, "call")], self._limit
        if limit is not None and limit.remaining is not None:
            of = "" if limit.limit is None else f" of {limit.limit:,}"
            until = (
                ""
                if limit.resets_at is None
                else f" until {in_zone(limit.resets_at, None) or limit.resets_at:%H:%M:%S}"
            )
            numbers.append(f"{limit.remaining:,} left{of}{until}")
        if (wait := self.waits) is not None:
            numbers.append(f"waiting {format_duration(wait)}")
        elif self._retry_at is not None and (pause := self._retry_at - self._clock()) >= 1:
            numbers.append(f"trying again in {format_duration(pause)}")
        return numbers


def now() -> str:
    """Return the current time as text, to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
