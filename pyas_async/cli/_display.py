"""Meetings as text: a table of rows, and one meeting with its details."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Final

from rich.text import Text

from pyas_async import Meeting, MeetingDetail, MeetingType, Occurrence, ZoomRecurrence
from pyas_async._masking import is_secret_name, mask_secrets
from pyas_async.cli._output import clean, stdout
from pyas_async.cli._tables import GAP, width_of, write_table
from pyas_async.cli._times import format_moment, zone_name

TYPE_WORDS: Final = {
    MeetingType.INSTANT: "instant",
    MeetingType.SCHEDULED: "scheduled",
    MeetingType.RECURRING: "no fixed time",
    MeetingType.PERSONAL_ROOM: "own room",
    MeetingType.RECURRING_FIXED: "recurring",
    MeetingType.SCREEN_SHARE: "screen share",
}
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_UNITS: Final = {1: "day", 2: "week", 3: "month"}
_WEEKS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_MASK: Final = "*** (get --secrets shows it)"
_MOST_OCCURRENCES: Final = 12
_TITLE: Final = 24
"""Columns for the title below which the column of types is left out instead."""


def type_words(kind: MeetingType | None) -> str:
    """Name a kind of meeting; an unknown one by its number."""
    return "" if kind is None else TYPE_WORDS.get(kind, f"type {kind.value}")


def show_rows(meetings: Iterable[Meeting], zone: tzinfo | None) -> None:
    """Print a table of meetings, one per line. If the titles would become too short, the types are left out."""
    rows: list[tuple[str, ...]] = [
        (
            format_moment(meeting.start_time, zone) or "-",
            "" if meeting.duration is None else str(meeting.duration),
            mask_secrets(meeting.topic or ""),
            str(meeting.id),
            type_words(meeting.type),
        )
        for meeting in meetings
    ]
    heads: tuple[str, ...] = (f"start ({zone_name(zone)})", "min", "title", "id", "type")
    widths = width_of(heads, rows)
    titles = widths[heads.index("title")]
    if stdout().width < sum(widths) + GAP * (len(widths) - 1) - titles + min(titles, _TITLE):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    write_table(heads, rows, numbers=("min",), cut="title")


def show_detail(meeting: MeetingDetail, zone: tzinfo | None, *, secrets: bool = False, first: bool = True) -> None:
    """Print one meeting.

    Passcodes, also those in links and texts, and the link that lets its holder in as the host are masked unless
    `secrets`.
    """
    if not first:
        stdout().print()
    show_fields(_fields(meeting, zone, secrets=secrets))


def show_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print named texts, one per line; empty ones are left out."""
    console = stdout()
    lines = [(name, clean(text)) for name, text in fields if text]
    indent = max(len(name) for name, _ in lines) + 2
    for name, text in lines:
        told = Text(text, style="bold" if name == "title" else "")
        # A text without spaces, such as a URL, is wrapped by the terminal, so that it can be copied.
        rows = told.wrap(console, console.width - indent) if console.is_terminal and " " in text else [told]
        for number, row in enumerate(rows):
            row.rstrip()
            head = "" if number else name.rjust(indent - 2) + "  "
            console.print(Text.assemble((head.ljust(indent), "dim"), row), soft_wrap=True)


def _fields(meeting: MeetingDetail, zone: tzinfo | None, *, secrets: bool) -> Iterator[tuple[str, str]]:
    def secret(value: str | None) -> str:
        return (value if secrets else _MASK) if value else ""

    def text(value: str | None) -> str:
        return (value if secrets else mask_secrets(value)) if value else ""

    yield "title", text(meeting.topic) or "(none)"
    yield "id", str(meeting.id)
    yield "uuid", meeting.uuid
    yield "type", type_words(meeting.type)
    yield "status", meeting.status or ""
    yield "start", f"{format_moment(meeting.start_time, zone)} ({zone_name(zone)})" if meeting.start_time else ""
    yield "duration", "" if meeting.duration is None else f"{meeting.duration} min"
    yield "time zone", meeting.timezone or ""
    yield "recurs", "" if meeting.recurrence is None else recurrence_words(meeting.recurrence, zone)
    yield "dates", _dates(meeting.occurrences, zone)
    yield "description", text(meeting.agenda)
    yield "host", meeting.host_email or meeting.host_id or ""
    yield "created", format_moment(meeting.created_at, zone)
    yield "join", text(meeting.join_url)
    yield "start as host", secret(meeting.start_url)
    yield "passcode", secret(meeting.password)
    for field in meeting.tracking_fields:
        name = field.field or "tracking field"
        yield name, secret(field.value) if is_secret_name(name) else text(field.value)


def _dates(occurrences: tuple[Occurrence, ...], zone: tzinfo | None) -> str:
    given = [one for one in occurrences if one.status != "deleted"]
    texts = [format_moment(one.start_time, zone) for one in given[:_MOST_OCCURRENCES]]
    if len(given) > _MOST_OCCURRENCES:
        texts.append(f"and {len(given) - _MOST_OCCURRENCES} more")
    return ", ".join(texts)


def recurrence_words(recurrence: ZoomRecurrence, zone: tzinfo | None) -> str:
    """Describe in words how a meeting recurs."""
    unit, every = _UNITS.get(recurrence.type or 0, "?"), recurrence.repeat_interval or 1
    words = f"every {unit}" if every == 1 else f"every {every} {unit}s"
    if recurrence.type == 2 and recurrence.weekly_days:
        words += " on " + ", ".join(_day(number) for number in recurrence.weekly_days.split(","))
    elif recurrence.type == 3 and recurrence.monthly_week_day:
        week = _WEEKS.get(recurrence.monthly_week or 0, "?")
        words += f" on the {week} {_day(str(recurrence.monthly_week_day))}"
    elif recurrence.type == 3 and recurrence.monthly_day:
        words += f" on day {recurrence.monthly_day}"
    if recurrence.end_times:
        words += f", {recurrence.end_times} times"
    elif recurrence.end_date_time:
        words += f", until {format_moment(recurrence.end_date_time, zone)}"
    return words


def _day(number: str) -> str:
    digits = number.strip()
    return _DAYS[int(digits) - 1] if digits in {"1", "2", "3", "4", "5", "6", "7"} else digits
