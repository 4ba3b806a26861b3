"""A week in words: the heading, a list of the meetings, and the texts for the grid."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from rich.text import Text

from pyas_async import Meeting
from pyas_async._masking import mask_secrets
from pyas_async._moments import plus_days
from pyas_async.cli._display import type_words
from pyas_async.cli._output import clean, plural
from pyas_async.cli._week.layout import DAYS, Block, Week, clock

# Light enough for black text, and distinguishable on most screens.
_COLOURS: Final = ("#8ecae6", "#ffd166", "#95d5b2", "#f4acb7", "#cdb4db", "#ffb703")
_MOST_TIMELESS: Final = 10


def agenda(week: Week, now: datetime, zone_name: str) -> Iterator[Text]:
    """Write a week as a list, day by day, without cutting anything."""
    yield heading(week, zone_name)
    for day, clusters in enumerate(week.clusters):
        blocks = [block for cluster in clusters for block in cluster.blocks]
        if not blocks:
            continue
        today = plus_days(week.monday, day)
        yield Text()
        yield Text(today.strftime("%A, %d %B"), style="bold reverse" if today == now.date() else "bold")
        for block in sorted(blocks, key=lambda one: (one.begin, one.end)):
            yield Text.assemble(f"  {times(block)}  ", (title(block.meeting), style(block.meeting)))


def timeless(week: Week) -> Iterator[Text]:
    """List the meetings without a time; only the first few."""
    if not week.timeless:
        return
    yield Text()
    yield Text("Without a time", style="bold")
    for meeting in week.timeless[:_MOST_TIMELESS]:
        yield Text.assemble(f"  {title(meeting)}  ", (type_words(meeting.type), "dim"))
    if (more := len(week.timeless) - _MOST_TIMELESS) > 0:
        yield Text(f"  and {more:,} more", style="dim")


def heading(week: Week, zone_name: str) -> Text:
    """Return the heading of a week: its number, its days, and the time zone."""
    monday, sunday = week.monday, plus_days(week.monday, DAYS - 1)
    days = f"{_date(monday)} to {_date(sunday)} {sunday.year}"
    return Text.assemble((f"Week {monday.isocalendar().week}", "bold"), f" · {days} · {zone_name}")


def _date(day: date) -> str:
    return f"{day.day} {day:%b}"


def times(block: Block) -> str:
    """Format a block's times: dots if it began on an earlier day, a question mark if its duration is unknown."""
    begin = "...  " if block.began_before else clock(block.begin)
    return f"{begin}-{'?    ' if block.meeting.duration is None else clock(block.end)}"


def title(meeting: Meeting) -> str:
    """Return a meeting's title, safe for a terminal, without secrets."""
    return clean(mask_secrets(meeting.topic or "(no title)")).strip()


def style(meeting: Meeting) -> str:
    """Return a meeting's colours; they are the same for all dates of a series."""
    return f"black on {_COLOURS[meeting.id % len(_COLOURS)]}"


def summary(week: Week) -> str:
    """Return the number of meetings, as text."""
    return plural(len({id(block.meeting) for block in week.blocks}) + len(week.timeless), "meeting")
