"""The rows of a part: lines of JSON or of CSV."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pyas_async import Meeting
from pyas_async._moments import in_utc
from pyas_async.cli._documents import document_of, unknown_fields
from pyas_async.cli._export.job import Format

COLUMNS: Final = (
    "account_id",
    "id",
    "uuid",
    "topic",
    "type",
    "start_time",
    "duration",
    "timezone",
    "agenda",
    "host_id",
    "created_at",
    "join_url",
    "extra",
)
"""The columns of CSV and Parquet; ``extra`` holds what no other column can, see `extra_cell`."""

_BLANKS: Final = r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*"
# OWASP, "CSV Injection": the characters with which formulas begin, also in full width. A program may drop blanks before
# them. If its separator is a semicolon or a tab, it splits cells there, too, and at the ends of lines.
_FORMULA: Final = re.compile(rf"(^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?={_BLANKS}[=+\-@\uff1d\uff0b\uff0d\uff20]))")

Writer = Callable[[str, Meeting], bytes]


def writer(form: Format, *, safe_cells: bool = False) -> tuple[bytes, Writer]:
    """Return the first bytes of a file in a format, and the function that encodes a row.

    Args:
        form: The format.
        safe_cells: Whether CSV is written so that no spreadsheet program takes a text for a formula.
    """
    if form != "csv":
        # Parquet and iCalendar files are made from lines of JSON at the end.
        return b"", _json_line
    line = io.StringIO()
    write = csv.writer(line).writerow

    def csv_line(account_id: str, meeting: Meeting) -> bytes:
        line.seek(0)
        line.truncate()
        row = cells(account_id, meeting)
        write([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] if safe_cells else row)
        return line.getvalue().encode()

    write(COLUMNS)
    return line.getvalue().encode(), csv_line


def safe_cell(text: str) -> str:
    """Put an apostrophe before each place of a text where a spreadsheet program might find a formula."""
    return _FORMULA.sub("'", text)


def _json_line(account_id: str, meeting: Meeting) -> bytes:
    # The row as the service sent it, preceded by its account.
    document = {"account_id": account_id, **document_of(meeting)}
    document["account_id"] = account_id
    return (json.dumps(document, ensure_ascii=False) + "\n").encode()


def cells(account_id: str, meeting: Meeting) -> list[object]:
    """Return the cells of a row; ``None`` for fields that the service left out."""
    return [
        account_id,
        meeting.id,
        meeting.uuid,
        meeting.topic,
        None if meeting.type is None else int(meeting.type),
        utc(meeting.start_time),
        meeting.duration,
        meeting.timezone,
        meeting.agenda,
        meeting.host_id,
        utc(meeting.created_at),
        meeting.join_url,
        extra_cell(meeting),
    ]


def extra_cell(meeting: Meeting) -> str | None:
    """Return the fields that this version does not know, and values that are not as documented, as JSON."""
    extra = {**unknown_fields(meeting), **meeting.unreadable}
    return json.dumps(extra, ensure_ascii=False) if extra else None


def utc(moment: datetime | None) -> str | None:
    """Format a moment as ISO 8601: in UTC, or with its own offset where UTC's calendar lacks it."""
    if moment is None:
        return None
    text = (in_utc(moment) or moment).isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
