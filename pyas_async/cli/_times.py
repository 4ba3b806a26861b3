"""Days, times and time zones: parsed from options, and formatted for people."""

import os
import re
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from pyas_async._moments import exists, in_utc, in_zone, is_ambiguous
from pyas_async.cli._errors import CommandError
from pyas_async.cli._output import say

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
    """Return a time zone by its IANA name; without a name, `local_zone`.

    Raises:
        CommandError: If there is no such zone.
    """
    if name is None:
        return local_zone()
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CommandError(
            f"--time-zone: expected an IANA name such as Europe/Berlin, got {name!r}", hint="Or UTC."
        ) from None


def parse_moment(option: str, text: str, zone: str | None = None) -> datetime:
    """Parse a moment: ISO 8601, with an offset, or in the given zone.

    Raises:
        CommandError: If it is not valid, has neither an offset nor a zone, or if clocks in the zone show it never or
            twice.
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
    moment = read.replace(tzinfo=parse_zone(zone))
    if not exists(moment):
        later = in_utc(moment)
        shown = None if later is None else in_zone(later, moment.tzinfo)
        hint = "" if shown is None else f"Perhaps {shown.isoformat()} was meant."
        raise CommandError(f"{option}: {text!r} does not exist in {zone}: clocks are set forward over it", hint=hint)
    if is_ambiguous(moment):
        both = " or ".join(moment.replace(fold=fold).isoformat() for fold in (0, 1))
        said = f"{option}: {text!r} comes twice in {zone}, since clocks are set back"
        raise CommandError(said, hint=f"Write {both}.")
    return moment


def parse_moment_or_day(option: str, text: str, zone: str | None = None) -> datetime | date:
    """Parse a day, as in 2026-01-31, or else a moment; see `parse_moment`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return parse_moment(option, text, zone)


def local_zone() -> tzinfo | None:
    """Return ``None``, which stands for this machine's zone; or UTC, with a message, if Python cannot use that."""
    if in_zone(datetime.now(UTC), None) is not None:
        return None
    say(f"pyas: warning: this machine's time zone cannot be used (TZ={os.environ.get('TZ')!r}); times are in UTC")
    return UTC


def format_moment(moment: datetime | None, zone: tzinfo | None) -> str:
    """Format a moment: the day of the week, the day, the minute.

    At the ends of the calendar, a zone may lack the moment, which is then written with its own offset.
    """
    if moment is None:
        return ""
    shown = in_zone(moment, zone)
    own = "" if shown else f" {moment.tzname()}"
    shown = shown or moment
    # Not %Y, which writes years before 1000 with fewer digits on some systems.
    return f"{shown:%a} {shown.date().isoformat()} {shown:%H:%M}{own}"


def zone_name(zone: tzinfo | None) -> str:
    """Return a zone's name for a heading: the one it was given by, or this machine's abbreviation for today."""
    here = in_zone(datetime.now(UTC), zone)
    return str(zone) if zone is not None else (here and here.tzname()) or "local time"


def format_duration(seconds: float) -> str:
    """Format a duration as minutes and seconds, with hours if there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
