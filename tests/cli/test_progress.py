"""What an export's bar shows, at moments that are made up."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import attrs
from rich.console import Console

from pyas_async import AccountsStats, AttemptEnded, AttemptStarted, PageReceived, RateLimitSnapshot, Waiting
from pyas_async.cli._export.progress import Progress

NOTHING = AccountsStats(
    begun=0, done=0, failed=0, pages=0, items=0, calls=0, restarts=0, duplicates_skipped=0, total_reported=0, missing=0
)
LIMIT = RateLimitSnapshot(limit=100, remaining=None, resets_at=None, waiting=0)


class World:
    """A progress at a time of the test's own, and what it is told."""

    def __init__(self, accounts: int, **earlier: int) -> None:
        self.now = 50.0
        self.stats, self.limit = NOTHING, LIMIT
        self.progress = Progress(accounts, clock=lambda: self.now, **earlier)
        self.progress.source = lambda: (self.stats, self.limit)

    def page(self, account: str, **stats: int) -> None:
        """Let a page come."""
        self.stats = attrs.evolve(self.stats, **stats)
        self.progress.heard(AttemptStarted(call=1, operation="meetings.list", attempt=1))
        self.progress.heard(AttemptEnded(call=1, operation="meetings.list", attempt=1, seconds=0.1, status=200))
        self.progress.heard(PageReceived(job=2, account_id=account, rows=300, new=300))

    def shown(self) -> list[str]:
        """Draw it, without colours; the bar itself is left out."""
        console = Console(file=io.StringIO(), width=80, legacy_windows=False)
        with console.capture() as captured:
            console.print(self.progress.draw())
        return [line.strip(" ━╺╸") for line in captured.get().splitlines()]


def test_before_the_first_page() -> None:
    """Where nothing is known, nothing is made up."""
    assert ["", "0 rows · 0 of 40 accounts · 0 calls"] == World(40).shown()


def test_under_way() -> None:
    """Rows to come are reckoned from the totals of the accounts heard of, and the time to go from this run's pace."""
    world = World(4)
    world.page("a", begun=2, total_reported=600)
    world.progress.rows, world.now = 300, 80.0
    world.page("b", begun=2, done=1, total_reported=1000)
    resets = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    world.limit = RateLimitSnapshot(limit=100, remaining=98, resets_at=resets, waiting=0)
    world.progress.look()

    # 2 accounts have 1,000 rows, so 4 have 2,000; 300 took 30 s, so 1,700 take 170 s.
    assert (2000, 170.0) == (world.progress.total, world.progress.to_go)
    until = f"{resets.astimezone():%H:%M:%S}"
    assert [
        "15%  about 2:50 to go",
        f"300 rows · 1 of 4 accounts · 2 calls · 98 left of 100 until {until}",
    ] == world.shown()


def test_waiting_and_failing() -> None:
    """While the limit is waited for, it says how long; what failed is counted; without a limit's size, none is told."""
    world = World(2)
    world.page("a", begun=2, failed=1, total_reported=300)
    world.limit = RateLimitSnapshot(limit=None, remaining=0, resets_at=None, waiting=1)
    world.progress.heard(Waiting(call=1, operation="meetings.list", seconds=3700.0, reason="budget"))
    world.now += 40

    assert [
        "0%  waiting for the limit: 1:01:00",
        "0 rows · 0 of 2 accounts · 1 failed · 1 call · 0 left",
    ] == world.shown()
    world.progress.heard(AttemptStarted(call=1, operation="meetings.list", attempt=2))
    assert "waiting" not in world.shown()[0]


def test_gone_on_with() -> None:
    """A run that goes on counts what was before it, but not into its pace."""
    world = World(2, rows=500, calls=7, done=1)
    world.page("b", begun=1, done=0, total_reported=600)
    world.progress.rows, world.now = 700, 60.0

    assert (1200, 25.0) == (world.progress.total, world.progress.to_go)
    assert "700 rows · 1 of 2 accounts · 8 calls" == world.shown()[1]


def test_more_than_was_reported() -> None:
    """Totals may lag: there are never fewer rows than came."""
    world = World(1)
    world.page("a", begun=1, total_reported=300)
    world.progress.rows, world.now = 301, 60.0

    assert (301, 0.0) == (world.progress.total, world.progress.to_go)
