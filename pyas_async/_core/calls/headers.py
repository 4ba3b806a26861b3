"""Reads the headers of a response that say how long to wait and what is left of a limit."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from pyas_async._core.dates import parse_header

_YEAR = 366 * 86_400.0
_MAX_CACHED = 200
"""Only pairs of dates that are no longer than this together, in characters, are cached."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``Retry-After``, a number of seconds or a date in any form, as seconds to wait.

    If a proxy has added its own number, both arrive as one text; the longer wait satisfies both.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    numbers = [_seconds(part) for part in text.split(",")]
    seconds = None if None in numbers else max(number for number in numbers if number is not None)
    return seconds_until(text, headers, now) if seconds is None else seconds


def seconds_until(text: str, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a date in a header; ``None`` if the text is not a date.

    The clocks of both sides may differ, so the response's own ``Date`` is what the date is compared with.
    """
    date = headers.get("date", "")
    if len(text) + len(date) <= _MAX_CACHED and (seconds := _seconds_between(text, date)) is not None:
        return seconds
    moment = parse_header(text)
    return None if moment is None else _seconds_after(moment, parse_header(date) or now)


@lru_cache(maxsize=64)
def _seconds_between(text: str, date: str) -> float | None:
    """Return the seconds from one header's date to the other's; ``None`` if one of them is not a date."""
    # Cached, since many consecutive responses have the same two dates.
    moment, sent = parse_header(text), parse_header(date)
    return None if moment is None or sent is None else _seconds_after(moment, sent)


def _seconds_after(moment: datetime, sent: datetime) -> float | None:
    seconds = max(0.0, (moment - sent).total_seconds())
    return seconds if seconds < _YEAR else None


def limit_resets_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``X-RateLimit-Reset`` as seconds until the key's window ends."""
    text = headers.get("x-ratelimit-reset")
    return None if text is None else seconds_until(text, headers, now)


def call_count(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header with a number of calls, as ``X-RateLimit-Remaining``; ``None`` if it is missing or not a number."""
    text = headers.get(name)
    return None if text is None else whole_number(text)


def whole_number(text: str) -> int | None:
    """Read a whole number of at most nine digits; ``None`` if it is not one."""
    if len(text) < 10 and text.isascii() and text.isdigit():
        return int(text)
    stripped = text.strip()
    return None if stripped == text else whole_number(stripped)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    # "nan" compares false with everything, so it is not returned. A wait of a year is a mistake of the service.
    return seconds if 0 <= seconds < _YEAR else None


def limit_ends_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a limit ends, by ``Retry-After`` or else by ``X-RateLimit-Reset``."""
    seconds = retry_after(headers, now)
    return limit_resets_in(headers, now) if seconds is None else seconds
