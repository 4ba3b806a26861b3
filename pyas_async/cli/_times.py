"""Days, moments and time zones, as options say them and as people read them."""

import os
import re
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from pyas_async.cli._failing import CommandError

DATE_FORMAT = "PYAS_DATE_FORMAT"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS = range(1900, 3000)


def day_filter(option: str, text: str | None) -> date | str | None:
    """Read a day for a filter: YYYY-MM-DD, in whatever form the service wants it; all else goes out as it is.

    The service's page does not say in which order its dates are. The library writes MM-DD-YYYY; where that is wrong,
    PYAS_DATE_FORMAT says what is right.

    Raises:
        CommandError: If it is written like that, and no day of the calendar.
    """
    return text if text is None or not _DAY.fullmatch(text) else written(day_of(option, text))


def day_of(option: str, text: str) -> date:
    """Read a day.

    Raises:
        CommandError: If it is none that a meeting may be on.
    """
    prefix = f"{option}: " if option else ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{prefix}expected a day such as 2026-01-31, got {text!r}") from None
    if day.year not in _YEARS:
        raise CommandError(f"{prefix}expected a day of the years 1900 to 2999, got {text!r}")
    return day


def written(day: date) -> date | str:
    """Write a day as PYAS_DATE_FORMAT says, if it says anything."""
    form = os.environ.get(DATE_FORMAT)
    return day.strftime(form) if form else day


def zone_named(name: str | None) -> tzinfo | None:
    """Give a time zone by its IANA name; ``None``, the one of this machine, without a name.

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


def moment(option: str, text: str, zone: str | None = None) -> datetime:
    """Read a moment: ISO 8601, with an offset, or in the given zone.

    Raises:
        CommandError: If it is none, or says neither an offset nor a zone.
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
            f"{option}: {text!r} names no moment, since it says no offset",
            hint=f"Write {example}Z or {example}+01:00, or give --time-zone.",
        )
    return read.replace(tzinfo=zone_named(zone))


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """Give the moment at which a day begins."""
    begin = datetime.combine(day, time.min, zone)
    return begin if zone is not None else begin.astimezone()


def shown(moment: datetime | None, zone: tzinfo | None) -> str:
    """Write a moment for people: the day of the week, the day, the minute."""
    return "" if moment is None else moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


def zone_name(zone: tzinfo | None) -> str:
    """Name a zone for a heading: the name it was given by, or what this machine calls its own today."""
    return str(zone) if zone is not None else datetime.now(UTC).astimezone().tzname() or "local time"


def lasting(seconds: float) -> str:
    """Write how long something takes: minutes and seconds, and hours if there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
