"""The line of the log that says why a program stands still."""

import logging
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["retry", "budget", "connection"]

_log = logging.getLogger("pyas_async")
_LONG = 5.0
"""Seconds from which on a wait is worth a line at INFO."""
_WORDS: dict[Reason, str] = {
    "retry": "%s waits %.1f s before the next attempt",
    "budget": "%s waits %.1f s for room in the key's rate limit",
    "connection": "%s waits for a connection to be free%.0s",  # nobody knows for how long
}


def log_wait(operation: str, seconds: float, reason: Reason) -> None:
    """Say that a call waits, for so many seconds at least."""
    level = logging.INFO if seconds >= _LONG else logging.DEBUG
    if _log.isEnabledFor(level):
        fields = {"pyas_operation": operation, "pyas_reason": reason, "pyas_seconds": seconds}
        _log.log(level, _WORDS[reason], operation, seconds, extra={"pyas_event": "Waiting", **fields})
