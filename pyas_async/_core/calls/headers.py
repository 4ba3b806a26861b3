"""Reads the headers of a response that say how long to wait and what is left of a limit.

Services write a moment in many forms: as seconds from now, as seconds or milliseconds since 1970, as a date. Which one
it is follows from the text and from the size of the number. What cannot be read counts as missing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from pyas_async._core.dates import parse_header

_YEAR = 366 * 86_400.0
"""Seconds to the furthest moment that is no mistake, in either direction. Larger numbers count from 1970."""
_EPOCH = (1e9, 1e10)
"""Seconds since 1970 that count as a moment: those of the years 2001 to 2286."""
_LARGEST = 1e20
"""No unit since 1970 makes a larger number: today has 19 digits in nanoseconds."""
_WEEKDAYS = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
_MAX_CACHED = 100
"""Only texts that are no longer than this, in characters, are cached."""
_MAX_PARTS = 20
"""How many values of a repeated header are read, with two for a date: no request passes so many proxies."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``Retry-After``, in any form, as seconds to wait."""
    text = headers.get("retry-after")
    return None if text is None else seconds_until(text, headers, now)


def limit_resets_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``X-RateLimit-Reset``, in any form, as seconds until the key's window ends."""
    text = headers.get("x-ratelimit-reset")
    return None if text is None else seconds_until(text, headers, now)


def window_ends_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until the key's window ends: by its reset, and no later than ``Retry-After`` says.

    ``Retry-After`` names when a call will be served. That of a server that is out of order is about something else: see
    `without_outage`.
    """
    resets_in, requested = limit_resets_in(headers, now), retry_after(headers, now)
    if resets_in is None or requested is None:
        return requested if resets_in is None else resets_in
    return min(resets_in, requested)


def limit_ends_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a limit ends, by ``Retry-After`` or else by ``X-RateLimit-Reset``."""
    seconds = retry_after(headers, now)
    return limit_resets_in(headers, now) if seconds is None else seconds


def without_outage(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out ``Retry-After``: with a 5xx it says when the server has recovered, and nothing about a limit."""
    return {name: text for name, text in headers.items() if name != "retry-after"}


def seconds_until(text: str, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a moment in a header, from 0 to a year; ``None`` if it cannot be read.

    The clocks of both sides may differ, so the response's own ``Date`` is what the moment is compared with. If a proxy
    has added a header of its own, both arrive as one text; the longer wait satisfies both.
    """
    sent = parse_header(headers.get("date", "")) or now
    return _longest(text, sent) if len(text) <= _MAX_CACHED else _longest.__wrapped__(text, sent)


@lru_cache(maxsize=64)
def _longest(text: str, sent: datetime) -> float | None:
    # Cached, since many consecutive responses have the same text and were sent in the same second.
    waits = [_seconds(part, sent) for part in _parts(text) if part.strip()]
    known = [seconds for seconds in waits if seconds is not None]
    return max(known) if known and len(known) == len(waits) else None


def _parts(text: str) -> Iterator[str]:
    """Split the values of a repeated header, which a comma separates, as it separates a weekday from its date."""
    weekday = ""
    for part in text.split(",", _MAX_PARTS)[:_MAX_PARTS]:
        if part.strip()[:3].lower() in _WEEKDAYS and part.strip().isalpha():
            weekday = f"{part},"
        else:
            yield weekday + part
            weekday = ""


def _seconds(text: str, sent: datetime) -> float | None:
    """Return the seconds from a moment to another, which is given as a number or a date."""
    number = _number(text)
    if number is not None:
        if 0 <= number < _YEAR:
            return number
        if (since_1970 := _since_1970(number)) is None:
            return None
        seconds = since_1970 - sent.timestamp()
    elif (moment := parse_header(text)) is not None:
        seconds = (moment - sent).total_seconds()
    else:
        return None
    return max(0.0, seconds) if abs(seconds) < _YEAR else None


def _since_1970(number: float) -> float | None:
    """Return a moment in seconds since 1970, given in any unit down to nanoseconds; ``None`` if it is no moment."""
    lowest, highest = _EPOCH
    while highest <= number < _LARGEST:
        number /= 1_000
    return number if lowest <= number < highest else None


def _number(text: str) -> float | None:
    if "_" in text or not text.isascii():
        return None  # Python reads 1_000 and the digits of other scripts; no header has them
    try:
        return float(text)
    except ValueError:
        return None


def call_count(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header with a number of calls, as ``X-RateLimit-Remaining``; ``None`` if it is missing or not a number.

    Of a repeated header, the lowest number counts.
    """
    return min(_counts(headers, name), default=None)


def named_limit(headers: Mapping[str, str]) -> int | None:
    """Read ``X-RateLimit-Limit``, the calls of a window; ``None`` if it is missing, or not a number above 0.

    Of a repeated header, the highest number counts: one that is too high is corrected by the calls that remain and by
    refusals, and one that is too low by nothing.
    """
    return max(_counts(headers, "x-ratelimit-limit"), default=None) or None


def _counts(headers: Mapping[str, str], name: str) -> list[int]:
    parts = headers.get(name, "").split(",", _MAX_PARTS)
    return [number for part in parts if (number := whole_number(part)) is not None]


def whole_number(text: str) -> int | None:
    """Read a whole number of at most nine digits; ``None`` if it is not one."""
    if len(text) < 10 and text.isascii() and text.isdigit():
        return int(text)
    stripped = text.strip()
    return None if stripped == text else whole_number(stripped)
