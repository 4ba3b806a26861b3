"""Where each meeting of a week stands: on which day, in which rows, and beside which others. Nothing is drawn here."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

import attrs

from pyas_async import Meeting

DAYS: Final = 7
_DAY: Final = 24 * 60
_HOUR: Final = 60
_UNKNOWN: Final = 30
"""Minutes for which a meeting is drawn that does not say how long it lasts."""
_FOLDED: Final = 3
"""Hours without a meeting, all week long, from which on they are one row."""


@attrs.frozen(kw_only=True)
class Block:
    """A meeting on one day; one that goes on past midnight has a block on each of its days.

    Attributes:
        meeting: The meeting.
        day: The day's number in the week, from 0.
        begin: Minutes of the day, by its clock.
        end: Likewise, and later.
        first: The first row, counted from midnight.
        last: The row behind the last.
        on_row: Whether it begins at the very time for which its first row stands.
        began_before: Whether it began on a day before.
    """

    meeting: Meeting
    day: int
    begin: int
    end: int
    first: int
    last: int
    on_row: bool
    began_before: bool


@attrs.frozen
class Cluster:
    """Blocks of one day that overlap, directly or through others; in lanes, so that those of one lane do not.

    Attributes:
        lanes: The blocks, lane by lane.
    """

    lanes: tuple[tuple[Block, ...], ...]

    @property
    def blocks(self) -> list[Block]:
        """All of them, in the order of their starts."""
        return sorted((block for lane in self.lanes for block in lane), key=_order)

    @property
    def first(self) -> int:
        """The first row of any."""
        return min(block.first for block in self.blocks)

    @property
    def last(self) -> int:
        """The row behind the last of any."""
        return max(block.last for block in self.blocks)


@attrs.frozen(kw_only=True)
class Week:
    """A week of meetings.

    Attributes:
        monday: Its first day.
        lines: Rows of an hour.
        clusters: The meetings with a time, for each day from top to bottom.
        timeless: Those without one.
    """

    monday: date
    lines: int
    clusters: tuple[tuple[Cluster, ...], ...]
    timeless: tuple[Meeting, ...]

    @property
    def blocks(self) -> list[Block]:
        """All blocks, day by day, in the order of their starts."""
        return [block for day in self.clusters for cluster in day for block in cluster.blocks]

    def hours(self) -> Iterator[int | None]:
        """List the hours that are shown, from the first with a meeting to the last; ``None`` for hours left out."""
        busy = {row // self.lines for block in self.blocks for row in range(block.first, block.last)}
        before = None
        for hour in sorted(busy):
            if before is not None and hour - before > _FOLDED:
                yield None
            elif before is not None:
                yield from range(before + 1, hour)
            yield hour
            before = hour


def week_of(day: date) -> date:
    """Give the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def lay_out(meetings: Iterable[Meeting], monday: date, zone: tzinfo | None, *, lines: int = 2) -> Week:
    """Find the place of each meeting that takes place in a week.

    Args:
        meetings: The meetings; those of other days are left out.
        monday: The week's first day.
        zone: Whose clock and days count; ``None`` for this machine's.
        lines: Rows of an hour.
    """
    blocks, timeless = list[Block](), list[Meeting]()
    for meeting in meetings:
        if meeting.start_time is None:
            timeless.append(meeting)
        else:
            blocks += _blocks(meeting, meeting.start_time, monday, zone, lines)
    days = [sorted((block for block in blocks if block.day == day), key=_order) for day in range(DAYS)]
    clusters = tuple(tuple(_clusters(day)) for day in days)
    return Week(monday=monday, lines=lines, clusters=clusters, timeless=tuple(timeless))


def _order(block: Block) -> tuple[int, int, int]:
    # The longer ones first, so that those beside them are to the right.
    return block.first, -block.last, block.begin


def _blocks(meeting: Meeting, start: datetime, monday: date, zone: tzinfo | None, lines: int) -> Iterator[Block]:
    """Cut a meeting at midnight, and round its times to rows."""
    length = timedelta(minutes=_UNKNOWN if meeting.duration is None else max(meeting.duration, 1))
    begin, end = start.astimezone(zone), (start.astimezone(UTC) + length).astimezone(zone)
    rows = _HOUR / lines
    for day in range(DAYS):
        today = monday + timedelta(days=day)
        if not begin.date() <= today <= end.date():
            continue
        top = _minutes(begin) if begin.date() == today else 0
        bottom = _minutes(end) if end.date() == today else _DAY
        if begin.date() == end.date() and bottom <= top:
            # The clock was put back meanwhile.
            bottom = min(_DAY, top + max(1, int(length.total_seconds() / 60)))
        if bottom <= top:
            continue  # it ends at midnight
        first = math.floor(top / rows)
        yield Block(
            meeting=meeting,
            day=day,
            begin=top,
            end=bottom,
            first=first,
            last=max(first + 1, math.ceil(bottom / rows)),
            on_row=top % rows == 0,
            began_before=begin.date() < today,
        )


def _minutes(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def _clusters(blocks: Sequence[Block]) -> Iterator[Cluster]:
    """Put blocks that overlap into lanes, each into the first that is free."""
    lanes: list[list[Block]] = []
    ends = 0
    for block in blocks:
        if lanes and block.first >= ends:
            yield Cluster(tuple(map(tuple, lanes)))
            lanes = []
        ends = max(ends, block.last) if lanes else block.last
        lane = next((lane for lane in lanes if lane[-1].last <= block.first), None)
        if lane is None:
            lanes.append([block])
        else:
            lane.append(block)
    if lanes:
        yield Cluster(tuple(map(tuple, lanes)))


def clock(minutes: int) -> str:
    """Write minutes of a day as its clock shows them."""
    return time(minutes // 60 % 24, minutes % 60).strftime("%H:%M")
