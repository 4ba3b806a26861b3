"""The layout of a week: the day, the rows and the lane of each meeting. Nothing is drawn here."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Final

import attrs

from pyas_async import Meeting
from pyas_async._moments import LAST, in_zone, plus, plus_days

DAYS: Final = 7
_DAY: Final = 24 * 60
_HOUR: Final = 60
_UNKNOWN: Final = 30
"""Minutes for a meeting without a duration."""
_FOLDED: Final = 3
"""Hours without a meeting in the whole week; if there are more consecutive ones, they become one row."""


@attrs.frozen(kw_only=True)
class Block:
    """A meeting on one day; a meeting past midnight has a block on each of its days.

    Attributes:
        meeting: The meeting.
        day: The day's number in the week, from 0.
        begin: The start, in minutes of the day.
        end: The end, in minutes of the day.
        first: The first row, counted from midnight.
        last: The row after the last.
        on_row: Whether it begins exactly at the time of its first row.
        began_before: Whether it began on an earlier day.
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
    """Blocks of one day that overlap, directly or through others. Blocks in the same lane do not overlap.

    Attributes:
        lanes: The blocks of each lane.
    """

    lanes: tuple[tuple[Block, ...], ...]

    @property
    def blocks(self) -> list[Block]:
        """All blocks, ordered by their starts."""
        return sorted((block for lane in self.lanes for block in lane), key=_order)

    @property
    def first(self) -> int:
        """The first row of all blocks."""
        return min(block.first for block in self.blocks)

    @property
    def last(self) -> int:
        """The row after the last of all blocks."""
        return max(block.last for block in self.blocks)


@attrs.frozen(kw_only=True)
class Week:
    """A week of meetings.

    Attributes:
        monday: The first day.
        lines: Rows per hour.
        clusters: The meetings with a time, from top to bottom, for each day.
        timeless: The meetings without a time.
    """

    monday: date
    lines: int
    clusters: tuple[tuple[Cluster, ...], ...]
    timeless: tuple[Meeting, ...]

    @property
    def blocks(self) -> list[Block]:
        """All blocks, by day, and ordered by their starts."""
        return [block for day in self.clusters for cluster in day for block in cluster.blocks]

    def hours(self) -> Iterator[int | None]:
        """Yield the hours to show, from the first with a meeting to the last; ``None`` stands for omitted hours."""
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
    """Return the Monday of a day's week."""
    return plus_days(day, -day.weekday())


def lay_out(meetings: Iterable[Meeting], monday: date, zone: tzinfo | None, *, lines: int = 2) -> Week:
    """Find the position of each meeting of a week.

    Args:
        meetings: The meetings; those of other weeks are left out.
        monday: The week's first day.
        zone: The time zone of days and times; ``None`` for this machine's.
        lines: Rows per hour.
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
    # Longer blocks come first, so that shorter ones are to the right of them.
    return block.first, -block.last, block.begin


def _blocks(meeting: Meeting, start: datetime, monday: date, zone: tzinfo | None, lines: int) -> Iterator[Block]:
    """Split a meeting at midnight, and round its times to rows."""
    minutes = _UNKNOWN if meeting.duration is None else max(meeting.duration, 1)
    begin, end = _in_zone(start, zone), _in_zone(plus(start, minutes=minutes) or LAST, zone)
    rows = _HOUR / lines
    for day in range(DAYS):
        today = plus_days(monday, day)
        if not begin.date() <= today <= end.date():
            continue
        top = _minutes(begin) if begin.date() == today else 0
        bottom = _minutes(end) if end.date() == today else _DAY
        if begin.date() == end.date() and bottom <= top:
            # The clock was set back during the meeting.
            bottom = min(_DAY, top + minutes)
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


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    # The ends of the calendar are centuries away from any week that is shown, so there, another offset does no harm.
    return in_zone(moment, zone) or moment


def _minutes(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def _clusters(blocks: Sequence[Block]) -> Iterator[Cluster]:
    """Put overlapping blocks into lanes, each into the first free one."""
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
    """Format minutes of a day as hours and minutes."""
    return time(minutes // 60 % 24, minutes % 60).strftime("%H:%M")
