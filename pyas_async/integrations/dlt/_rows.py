"""The tables of the warehouse, and their rows."""

import hashlib
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pyas_async import DecodeError, Meeting, PyasError, to_dict
from pyas_async._moments import in_utc

Row = dict[str, Any]

MEETINGS: Final = "meetings"
ACCOUNTS: Final = "accounts"
FAILURES: Final = "failures"

MEETING_COLUMNS: Final[dict[str, str]] = {
    "row_key": "text",
    "account_id": "text",
    "id": "bigint",
    "uuid": "text",
    "topic": "text",
    "type": "bigint",
    "start_time": "timestamp",
    "duration": "bigint",
    "timezone": "text",
    "agenda": "text",
    "host_id": "text",
    "created_at": "timestamp",
    "join_url": "text",
    # Text instead of JSON, since warehouses sort, round and refuse JSON in different ways.
    "document": "text",
    "round": "bigint",
}
ACCOUNT_COLUMNS: Final[dict[str, str]] = {"account_id": "text", "round": "bigint", "listed_at": "timestamp"}
FAILURE_COLUMNS: Final[dict[str, str]] = {
    "account_id": "text",
    "round": "bigint",
    "failed_at": "timestamp",
    "error": "text",
    "message": "text",
}
_LARGEST: Final = 2**63 - 1
_BOUNDED: Final = ("id", "type", "start_time", "duration", "created_at")
_NAMED: Final = 3
_log = logging.getLogger("pyas_async")


def meeting_row(account_id: str, meeting: Meeting, number: int) -> Row:
    """Return the row of a meeting, as seen by the round of that number."""
    start = None if meeting.start_time is None else in_utc(meeting.start_time)
    identity = start or meeting.start_time
    return {
        "row_key": _key(account_id, str(meeting.id), meeting.uuid, "" if identity is None else identity.isoformat()),
        "account_id": _text(account_id),
        "id": _whole(meeting.id),
        "uuid": _text(meeting.uuid),
        "topic": _text(meeting.topic),
        "type": None if meeting.type is None else _whole(int(meeting.type)),
        "start_time": start,
        "duration": _whole(meeting.duration),
        "timezone": _text(meeting.timezone),
        "agenda": _text(meeting.agenda),
        "host_id": _text(meeting.host_id),
        "created_at": None if meeting.created_at is None else in_utc(meeting.created_at),
        "join_url": _text(meeting.join_url),
        "document": _document(meeting),
        "round": number,
    }


def _document(meeting: Meeting) -> str | None:
    try:
        return json.dumps(to_dict(meeting), ensure_ascii=False)
    except DecodeError as error:
        _log.warning("the document of meeting %d is null: %s", meeting.id, error.reason)
        return None


def warn_of_lost_values(meetings: Sequence[Meeting], rows: Sequence[Row]) -> None:
    """Log a warning that names the values which the columns of a warehouse cannot hold; the document keeps them."""
    lost = [
        f"{name} of meeting {meeting.id}"
        for meeting, row in zip(meetings, rows, strict=True)
        for name in _BOUNDED
        if row[name] is None and getattr(meeting, name) is not None
    ]
    if lost:
        named = ", ".join(lost[:_NAMED]) + (f", and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else "")
        log = "%d values are null, since their columns cannot hold them (`document` has them): %s"
        _log.warning(log, len(lost), named)


def account_row(account_id: str, number: int) -> Row:
    """Return the row of an account whose listing was completed."""
    return {"account_id": _text(account_id), "round": number, "listed_at": datetime.now(UTC)}


def failure_row(account_id: str, error: PyasError, number: int) -> Row:
    """Return the row of an account whose listing failed."""
    return {
        "account_id": _text(account_id),
        "round": number,
        "failed_at": datetime.now(UTC),
        "error": type(error).__name__,
        "message": _text(str(error)),
    }


def _key(*parts: str) -> str:
    # The fields that identify a row become one text, since no warehouse allows a null (a missing start) in a key.
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _text(text: str | None) -> str | None:
    # Some warehouses accept no NUL. The document keeps it, as a JSON escape.
    return None if text is None else text.replace("\0", "\ufffd")


def _whole(number: int | None) -> int | None:
    # A single number that is too large would stop every load. The document keeps it.
    return None if number is None or abs(number) > _LARGEST else number
