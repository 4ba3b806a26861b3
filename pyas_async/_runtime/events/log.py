"""Writes events to the logger ``pyas_async``, with the fields of the event as fields of the record."""

import logging
from collections.abc import Callable
from typing import Any, Final

from pyas_async._base_errors import about
from pyas_async.events import (
    BudgetStoreFailed,
    Event,
    FieldsUnreadable,
    ListingDrifted,
    ListingRestarted,
    RowsSkipped,
    Waiting,
)

_log = logging.getLogger("pyas_async")
_LONG = 5.0
"""A wait of at least this many seconds is logged at INFO, a shorter one at DEBUG."""
_VERY_LONG = 10.0
"""A wait before a retry of at least this many seconds is a warning. The limiter warns of waits for the budget, once for
all calls that wait."""
_WAITS = {
    "retry": "%s waits %s before the next attempt",
    "budget": "%s waits %s for a slot in the call budget",
    "connection": "%s waits for a free connection%.0s",  # its length is not known
}


def _waiting(event: Waiting) -> None:
    level = logging.INFO if event.seconds >= _LONG else logging.DEBUG
    if event.reason == "retry" and event.seconds >= _VERY_LONG:
        level = logging.WARNING
    _write(
        level,
        event,
        _WAITS[event.reason],
        event.operation,
        about(event.seconds),
        operation=event.operation,
        reason=event.reason,
        seconds=event.seconds,
    )


def _restarted(event: ListingRestarted) -> None:
    why = "grew too old to be tried" if event.reason == "age" else "was refused by the service"
    message = "account %s: a page token %s after %d rows; restarting at the first page"
    _write(
        logging.INFO,
        event,
        message,
        event.account_id,
        why,
        event.yielded,
        reason=event.reason,
        yielded=event.yielded,
        account_id=event.account_id,
    )


def _drifted(event: ListingDrifted) -> None:
    message = (
        "account %s: the service last reported a total of %s, and %s rows were received: the listing changed while it "
        "was read, and rows may be missing"
    )
    _write(
        logging.WARNING,
        event,
        message,
        event.account_id,
        f"{event.reported:,}",
        f"{event.yielded:,}",
        reported=event.reported,
        yielded=event.yielded,
        account_id=event.account_id,
    )


def _store_failed(event: BudgetStoreFailed) -> None:
    message = "the store of the call budget %s; this process counts alone for %s"
    _write(logging.WARNING, event, message, event.fault, about(event.seconds), seconds=event.seconds)


def _fields_unreadable(event: FieldsUnreadable) -> None:
    message = "%s: the response has values that are not as documented, and these fields are empty: %s"
    fields = ", ".join(name if count == 1 else f"{name} ({count:,} times)" for name, count in event.fields)
    _write(
        logging.WARNING,
        event,
        message,
        event.operation,
        fields,
        operation=event.operation,
        account_id=event.account_id,
        fields=dict(event.fields),
    )


def _rows_skipped(event: RowsSkipped) -> None:
    message = "account %s: skipped %s of a page that cannot be read; the first at %s: %s"
    _write(
        logging.WARNING,
        event,
        message,
        event.account_id,
        "a row" if event.rows == 1 else f"{event.rows:,} rows",
        event.path,
        event.reason,
        rows=event.rows,
        path=event.path,
        account_id=event.account_id,
    )


LOGGED: Final[dict[Any, Callable[[Any], None]]] = {
    BudgetStoreFailed: _store_failed,
    FieldsUnreadable: _fields_unreadable,
    ListingDrifted: _drifted,
    ListingRestarted: _restarted,
    RowsSkipped: _rows_skipped,
    Waiting: _waiting,
}
"""The kinds of events that are logged, and the function that writes each."""


def log_event(event: Event) -> None:
    """Write an event to the log, if it is of a kind that is logged (`LOGGED`)."""
    if (write := LOGGED.get(type(event))) is not None:
        write(event)


def _write(level: int, event: Event, message: str, *values: object, **fields: object) -> None:
    if _log.isEnabledFor(level):
        extra = {f"pyas_{name}": value for name, value in fields.items()}
        _log.log(level, message, *values, extra={"pyas_event": type(event).__name__, **extra})
