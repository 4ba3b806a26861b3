"""The text of an export's progress bar, at chosen moments."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest
from rich.console import Console

import inside
from pyas_async import AccountsStats, AttemptStarted, PageReceived, RateLimitSnapshot, Waiting
from pyas_async.cli._export.progress import Progress

if TYPE_CHECKING:
    from typing import Any

NOTHING = AccountsStats(
    begun=0, done=0, failed=0, pages=0, items=0, calls=0, restarts=0, duplicates_skipped=0, total_reported=0, missing=0
)
UNKNOWN = RateLimitSnapshot(limit=None, remaining=None, resets_at=None, waiting=0)
PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
BEGIN = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


class World:
    """A progress display with a clock of the test, and its inputs."""

    def __init__(self, accounts: int, **earlier: int) -> None:
        self.now = 50.0
        self.stats, self.limit = NOTHING, UNKNOWN
        clocks = {"clock": lambda: self.now, "wall": lambda: BEGIN.timestamp() + self.now}
        options: dict[str, Any] = {**earlier, **clocks}
        self.progress = Progress(accounts, **options)
        self.progress.source = lambda: (self.stats, self.limit)

    def page(self, account: str, rows: int = 300, **stats: int) -> None:
        """Record a page."""
        self.stats = attrs.evolve(self.stats, **stats)
        self.progress.on_event(AttemptStarted(call=1, operation="meetings.list", attempt=1))
        self.progress.on_event(PageReceived(job=2, account_id=account, rows=rows, new=rows))
        self.progress.rows += rows

    def passes(self, seconds: float, **limit: Any) -> None:  # noqa: ANN401  (fields of a snapshot)
        """Let time pass; `limit` changes the snapshot of the limit."""
        self.now += seconds
        self.progress.refresh()
        self.limit = attrs.evolve(self.limit, **limit)
        self.progress.refresh()

    def after(self, seconds: float) -> datetime:
        """Return the time in `seconds`."""
        return BEGIN + timedelta(seconds=self.now + seconds)

    def shown(self) -> list[str]:
        """Return the display without colours and without the bar."""
        return [line.strip(" ━╺╸") for line in self.drawn()]

    def drawn(self) -> list[str]:
        """Return the display; with colours, the remaining part of the bar is drawn as well."""
        options: dict[str, Any] = {"force_terminal": True, "color_system": "truecolor", "no_color": False}
        console = Console(file=io.StringIO(), width=80, legacy_windows=False, **options)
        with console.capture() as captured:
            console.print(self.progress.draw())
        return [line.rstrip() for line in re.sub("\x1b\\[[0-9;]*m", "", captured.get()).splitlines()]


def test_before_the_first_page() -> None:
    """Before the first page, nothing is estimated."""
    assert ["", "0 rows · 0 of 40 accounts", "0 calls"] == World(40).shown()


def test_estimates() -> None:
    """The totals of the listed accounts give an estimate of the rows, and this run's pace one of the time."""
    world = World(4)
    world.page("a", begun=2, total_reported=600)
    world.page("b", rows=100, begun=2, done=1, total_reported=1000)
    resets = world.after(270)
    world.passes(30, limit=100, remaining=98, resets_at=resets)

    # 2 accounts have 1,000 rows, so 4 have 2,000; 400 took 30 s, so 1,600 take 120 s.
    assert (2000, 120.0) == (world.progress.total, world.progress.remaining)
    assert [
        "20%  about 2:00 to go",
        "400 rows · 1 of 4 accounts",
        f"2 calls · 98 left of 100 until {resets.astimezone():%H:%M:%S}",
    ] == world.shown()


def test_the_limit_takes_longer_than_the_calls() -> None:
    """If the limit is too small for the remaining calls, the remaining time includes the windows to wait for."""
    world = World(1000)
    for account in range(100):
        world.page(f"{account}", rows=300, begun=100, done=100, total_reported=100 * 300)
    resets = world.after(240)
    world.passes(10)
    assert 90.0 == world.progress.remaining
    world.passes(0, limit=100, remaining=0, resets_at=resets, waiting=16)

    # 900 calls: 100 in each of 9 windows. The first begins in 230 s, and the last takes 10 s.
    assert 230 + 8 * 300 + 10 == world.progress.remaining
    world.passes(230 - 42)
    assert "10%  about 40:52 to go" == world.shown()[0]
    assert f"100 calls · 0 left of 100 until {resets.astimezone():%H:%M:%S} · waiting 0:42" == world.shown()[2]
    # Waiting does not reduce the pace of the calls.
    world.passes(42, remaining=100, resets_at=None, waiting=0)
    assert 8 * 300 + 10 == world.progress.remaining


def test_waiting_and_failing() -> None:
    """Failures are counted, and the pause before a retry is shown until it ends."""
    world = World(2)
    world.page("a", rows=0, begun=2, failed=1, total_reported=300)
    world.passes(0, remaining=7)
    world.progress.on_event(Waiting(call=1, operation="meetings.list", seconds=25.0, reason="retry"))
    world.passes(5)

    assert ["0%", "0 rows · 0 of 2 accounts · 1 failed", "1 call · 7 left · trying again in 0:20"] == world.shown()
    world.progress.on_event(AttemptStarted(call=1, operation="meetings.list", attempt=2))
    assert "2 calls · 7 left" == world.shown()[2]


def test_accounts_without_meetings() -> None:
    """If no account has any meeting, the progress counts accounts."""
    world = World(40)
    world.page("a", rows=0, begun=16, done=10)
    world.passes(20)

    assert ["25%  about 1:00 to go", "0 rows · 10 of 40 accounts", "1 call"] == world.shown()


def test_resumed_run() -> None:
    """A resumed run shows the earlier rows, and leaves them out of its pace."""
    world = World(2, rows=500, calls=7, done=1)
    world.page("b", rows=200, begun=1, total_reported=600)
    world.passes(10)

    assert (1200, 25.0) == (world.progress.total, world.progress.remaining)
    assert ["700 rows · 1 of 2 accounts", "8 calls"] == world.shown()[1:]


def test_more_than_was_reported() -> None:
    """Totals may be too low: the progress never shows fewer rows than were read."""
    world = World(1)
    world.page("a", rows=301, begun=1, total_reported=300)
    world.passes(10)

    assert (301, 0.0) == (world.progress.total, world.progress.remaining)


def test_as_the_page_shows_it() -> None:
    """The page on the command line shows the real bar."""
    world = World(150)
    for number in range(49):
        rows = 300 if number < 46 else 0
        world.page(f"{number}", rows=rows, begun=49, done=32, failed=1, total_reported=49 * 700)
    world.progress.rows, world.progress.calls = 23_600, 100
    world.passes(10.3)
    resets = world.after(290)
    world.passes(0, limit=100, remaining=0, resets_at=resets, waiting=16)

    shown = "\n".join(world.drawn()).replace(f"{resets.astimezone():%H:%M:%S}", "21:30:33")
    assert f"--accounts-from ids.txt\n{shown}\n```" in PAGE, shown


def test_redrawn_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar is redrawn by the event loop's clock, and is removed at the end, also after an error."""
    screen, looks = io.StringIO(), list[float]()
    console = Console(file=screen, force_terminal=True, width=80, legacy_windows=False)
    monkeypatch.setattr(inside.CLI_LIVE_CONSOLES, [console])
    monkeypatch.setattr(inside.CLI_TICK, 0.001)
    world = World(3)

    async def export() -> None:
        with world.progress.shown():
            while len(looks) < 3:
                looks.append(world.now)
                world.now += 5
                await anyio.sleep(0.002)
                world.progress.rows += 1
            msg = "the end"
            raise LookupError(msg)

    with pytest.raises(LookupError, match="the end"):
        anyio.run(export)

    drawn = screen.getvalue()
    assert "1 row " in drawn
    assert "2 rows " in drawn
    assert drawn.rstrip().endswith("\x1b[2K")
