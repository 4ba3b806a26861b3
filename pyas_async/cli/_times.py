"""Days, times and time zones: parsed from options, and formatted for people."""

import re
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from pyas_async.cli._errors import CommandError

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS = range(1900, 3000)


def day_filter(option: str, text: str | None) -> date | str | None:
    """Parse a day for a filter: YYYY-MM-DD. The client checks other text, and writes the day as PYAS_DATE_FORMAT says.

    Raises:
        CommandError: If it has this form, but is not a day of the calendar.
    """
    return text if text is None or not _DAY.fullmatch(text) else parse_day(option, text)


def parse_day(option: str, text: str) -> date:
    """Parse a day.

    Raises:
        CommandError: If it is not a day between 1900 and 2999.
    """
    prefix = f"{option}: " if option else ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{prefix}expected a day such as 2026-01-31, got {text!r}") from None
    if day.year not in _YEARS:
        raise CommandError(f"{prefix}expected a day of the years 1900 to 2999, got {text!r}")
    return day


def parse_zone(name: str | None) -> tzinfo | None:
    """Return a time zone by its IANA name; without a name ``None``, which stands for this machine's zone.

    Raises:
        CommandError: If there is no such zone.
    """
    if name is None:
        return None
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CommandError(
            f"--time-zone: expected an IANA name such as Europe/Berlin, got {name!r}", hint="Or UTC."
        ) from None


def parse_moment(option: str, text: str, zone: str | None = None) -> datetime:
    """Parse a moment: ISO 8601, with an offset, or in the given zone.

    Raises:
        CommandError: If it is not valid, or has neither an offset nor a zone.
    """
    example = "2026-01-31T09:00"
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(f"{option}: expected a moment such as {example}+01:00, got {text!r}") from None
    if read.tzinfo is not None:
        return read
    if zone is None:
        raise CommandError(
            f"{option}: {text!r} is ambiguous, since it has no offset",
            hint=f"Write {example}Z or {example}+01:00, or give --time-zone.",
        )
    return read.replace(tzinfo=parse_zone(zone))


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """Return the moment at which a day begins."""
    begin = datetime.combine(day, time.min, zone)
    return begin if zone is not None else begin.astimezone()


def format_moment(moment: datetime | None, zone: tzinfo | None) -> str:
    """Format a moment: the day of the week, the day, the minute."""
    return "" if moment is None else moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


def zone_name(zone: tzinfo | None) -> str:
    """Return a zone's name for a heading: the one it was given by, or this machine's abbreviation for today."""
    return str(zone) if zone is not None else datetime.now(UTC).astimezone().tzname() or "local time"


def format_duration(seconds: float) -> str:
    """Format a duration as minutes and seconds, with hours if there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
