"""The settings of a sandbox: attributes that may be changed at any time, and are checked when they are set."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from pyas_async.sandbox._responses import EXPIRED_ANSWERS

Plan = Literal["developer", "growth", "scale", "none"]
"""The vendor's plans, which differ in calls per window; ``none`` has no limit."""
UpdateAnswer = Literal["meeting", "success", "empty", "no_content"]
"""The response to an update, which is not documented."""
DeleteAnswer = Literal["success", "empty", "no_content"]
"""The response to a delete, which is not documented."""

PLAN_CALLS: Final[dict[str, int | None]] = {"developer": 100, "growth": 3000, "scale": 5000, "none": None}
"""Calls per window and key; None means no limit."""
LAST_PORT: Final = 65_535
"""The largest number of a TCP port."""


_Test = Callable[[object], bool]


class _Rule(NamedTuple):
    wanted: str
    holds: _Test


def _whole(least: int) -> _Test:
    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= least

    return holds


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_span(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_window(value: object) -> bool:
    return _is_span(value) and value != 0


def _is_port(value: object) -> bool:
    return _is_whole(value) and 0 <= cast("int", value) <= LAST_PORT


def _is_key(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count_or_none(value: object) -> bool:
    return value is None or _whole(0)(value)


def _is_date_format(value: object) -> bool:
    days = (date(2001, 2, 3), date(2001, 2, 4), date(2001, 3, 3), date(2002, 2, 3))
    try:
        return isinstance(value, str) and len({day.strftime(value) for day in days}) == len(days)
    except ValueError:
        return False


def _one_of(*words: str) -> _Rule:
    return _Rule("one of " + ", ".join(words), words.__contains__)


_COUNT: Final = _Rule("a whole number, 0 or more", _whole(0))
_SIZE: Final = _Rule("a whole number, 1 or more", _whole(1))
_SECONDS: Final = _Rule("a finite number of seconds, 0 or more", _is_span)
_RULES: Final[dict[str, _Rule]] = {
    "accounts": _COUNT,
    "meetings": _COUNT,
    "seed": _Rule("a whole number", _is_whole),
    "api_key": _Rule("text that is not empty", _is_key),
    "token_ttl": _SECONDS,
    "plan": _one_of(*PLAN_CALLS),
    "window": _Rule("a finite number of seconds above 0", _is_window),
    "latency": _SECONDS,
    "port": _Rule(f"a whole number from 0 to {LAST_PORT}", _is_port),
    "seconds": _SECONDS,
    "max_page_size": _SIZE,
    "oversize": _one_of("clamp", "refuse"),
    "page_numbers": _one_of("honour", "ignore"),
    "date_format": _Rule("a format of strftime that shows day, month and year", _is_date_format),
    "expired_answer": _one_of(*EXPIRED_ANSWERS),
    "update_answer": _one_of("meeting", "success", "empty", "no_content"),
    "delete_answer": _one_of("success", "empty", "no_content"),
    "daily_writes": _Rule("None or a whole number, 0 or more", _is_count_or_none),
    "keep_requests": _Rule("None or a whole number, 0 or more", _is_count_or_none),
    "clock": _Rule("a function that returns epoch seconds", callable),
    "sleep": _Rule("an async function that waits for a number of seconds", callable),
}


class Settings:
    """The settings of a sandbox. Every attribute may be set at any time, and takes effect with the next request.

    Attributes:
        api_key: The key that requests carry in ``x-api-key``.
        token_ttl: Seconds until a page token expires.
        plan: The plan whose rate limit holds.
        window: Seconds in a window of the rate limit.
        latency: Seconds before each response of the API.
        max_page_size: The largest ``maxResults`` that is served.
        oversize: Whether a larger one is reduced to it (``"clamp"``) or refused.
        page_numbers: Whether ``pageNumber`` is honoured (without returning tokens) or ignored.
        date_format: How ``startDate`` and ``endDate`` write a day, as for ``strftime``; any other text is refused.
        expired_answer: Which of :data:`EXPIRED_ANSWERS` answers an invalid page token.
        update_answer: The response to PATCH.
        delete_answer: The response to DELETE.
        daily_writes: Creates and updates per account and UTC day; None means no limit.
        keep_requests: How many of the newest requests ``Sandbox.requests`` keeps; None keeps all.
        clock: Returns the time, in epoch seconds.
        sleep: Waits for a number of seconds, for ``latency``.
    """

    api_key: str
    token_ttl: float
    plan: Plan
    window: float
    latency: float
    max_page_size: int
    oversize: Literal["clamp", "refuse"]
    page_numbers: Literal["honour", "ignore"]
    date_format: str
    expired_answer: str
    update_answer: UpdateAnswer
    delete_answer: DeleteAnswer
    daily_writes: int | None
    keep_requests: int | None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]]

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute. An invalid setting raises ``ValueError`` with the values that are allowed."""
        check_setting(name, value)
        super().__setattr__(name, value)


def check_setting(name: str, value: object) -> None:
    """Raise ``ValueError`` if ``value`` is not valid for the setting ``name``."""
    rule = _RULES.get(name)
    if rule is not None and not rule.holds(value):
        message = f"{name} must be {rule.wanted}; got {value!r}"
        raise ValueError(message)
