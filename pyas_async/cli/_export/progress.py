"""How far an export is, for people: a bar, rows, accounts, calls, what is left of the limit, and the time to go."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pyas_async import AccountsStats, AttemptEnded, AttemptStarted, Event, PageReceived, RateLimitSnapshot, Waiting
from pyas_async.cli._output import many, stderr

_REFRESH: Final = 4
_BAR: Final = 30
Source = Callable[[], tuple[AccountsStats, RateLimitSnapshot]]


class Progress:
    """What is known of an export under way.

    The event loop's thread tells it, and another one draws it: that one reads what is here, and asks nobody.

    Attributes:
        rows: Rows so far, earlier runs included.
        calls: Calls so far, likewise.
        done: Accounts that are through, likewise.
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
    ) -> None:
        """Stand where an export begins, or goes on."""
        self.rows = rows
        self.calls = calls
        self.source: Source | None = None
        self._accounts = accounts
        self._rows_before = rows
        self._done_before = done
        self._clock = clock
        self._began = clock()
        self._waits_until: float | None = None
        self._stats: AccountsStats | None = None
        self._limit: RateLimitSnapshot | None = None
        self._heard_of: set[str] = set()

    @property
    def done(self) -> int:
        """Accounts that are through, earlier runs included."""
        return self._done_before + (0 if self._stats is None else self._stats.done)

    def heard(self, event: Event) -> None:
        """Take note of what the client does."""
        if isinstance(event, AttemptStarted):
            self.calls += 1
            self._waits_until = None
        elif isinstance(event, Waiting):
            self._waits_until = self._clock() + event.seconds
        elif isinstance(event, PageReceived):
            self._heard_of.add(event.account_id)
        if isinstance(event, (AttemptEnded, PageReceived, Waiting)):
            self.look()

    def look(self) -> None:
        """Take note of how far the listings are."""
        if self.source is not None:
            self._stats, self._limit = self.source()

    @property
    def total(self) -> int | None:
        """Rows that there will be, by the service's totals; accounts to come are taken to be like those heard of."""
        stats = self._stats
        if stats is None or not stats.total_reported or not self._heard_of:
            return None
        return max(self.rows, round(stats.total_reported / len(self._heard_of) * self._accounts))

    @property
    def to_go(self) -> float | None:
        """Seconds that are left, at the pace of this run; ``None`` if there is no telling yet."""
        total, taken = self.total, self.rows - self._rows_before
        if not total or not taken:
            return None
        return (self._clock() - self._began) * (total - self.rows) / taken

    def live(self) -> Live:
        """Give what shows it in a terminal, as long as it lasts."""
        return Live(get_renderable=self.draw, console=stderr(), refresh_per_second=_REFRESH, transient=True)

    def draw(self) -> RenderableType:
        """Draw it: a bar with the time to go, and a line of numbers."""
        total, line = self.total, Table.grid(padding=(0, 2))
        bar = ProgressBar(total=total, completed=self.rows, width=_BAR, pulse=total is None)
        share = "" if not total else f"{self.rows / total:.0%}"
        line.add_row(bar, share, self._pace())
        numbers = [many(self.rows, "row"), f"{self.done:,} of {many(self._accounts, 'account')}"]
        if self._stats is not None and self._stats.failed:
            numbers.append(f"{self._stats.failed:,} failed")
        numbers += [many(self.calls, "call"), *self._budget()]
        return Group(line, Text(" · ".join(numbers), style="dim"))

    def _pace(self) -> str:
        if self._waits_until is not None and (wait := self._waits_until - self._clock()) >= 1:
            return f"waiting for the limit: {_clock_time(wait)}"
        to_go = self.to_go
        return "" if to_go is None else f"about {_clock_time(to_go)} to go"

    def _budget(self) -> list[str]:
        limit = self._limit
        if limit is None or limit.remaining is None:
            return []
        of = "" if limit.limit is None else f" of {limit.limit:,}"
        until = "" if limit.resets_at is None else f" until {limit.resets_at.astimezone():%H:%M:%S}"
        return [f"{limit.remaining:,} left{of}{until}"]


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def now() -> str:
    """Give the moment, to the second, as text."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
