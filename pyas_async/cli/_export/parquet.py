"""Rows as a Parquet file. Only this module imports pyarrow."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pyas_async import Meeting
from pyas_async._moments import in_utc
from pyas_async.cli._export.lost import LostValues
from pyas_async.cli._export.rows import extra_cell

_MOMENT: Final = pa.timestamp("us", tz="UTC")
_SCHEMA: Final = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        # An id has up to 64 bits. It is missing only if a service sent a number that is none.
        ("id", pa.uint64()),
        pa.field("uuid", pa.string(), nullable=False),
        ("topic", pa.string()),
        ("type", pa.int64()),
        ("start_time", _MOMENT),
        ("duration", pa.int64()),
        ("timezone", pa.string()),
        ("agenda", pa.string()),
        ("host_id", pa.string()),
        ("created_at", _MOMENT),
        ("join_url", pa.string()),
        ("extra", pa.string()),
    ]
)
_GROUP: Final = 20_000
"""Rows that are held in memory and written as one row group."""
_REFUSED: Final = (OverflowError, ValueError, TypeError)
"""What pyarrow raises for a value that a column cannot hold; its own errors are subclasses."""
Cells = dict[str, Any]


def write_parquet(rows: Iterable[tuple[str, Meeting]], file: IO[bytes]) -> str:
    """Write rows as a Parquet file, with times as timestamps, and unknown fields as JSON.

    A value that its column cannot hold is left out. Returns a note about such values, which is empty if there are none.
    """
    coming, lost = iter(rows), LostValues("a Parquet file")
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as out:
        while group := [_cells(*row, lost) for row in islice(coming, _GROUP)]:
            out.write_table(pa.table([_column(field, group, lost) for field in _SCHEMA], schema=_SCHEMA))
    return lost.note


def _cells(account_id: str, meeting: Meeting, lost: LostValues) -> Cells:
    cells = {name: getattr(meeting, name) for name in _SCHEMA.names if name not in ("account_id", "extra")}
    for name, value in cells.items():
        # In another offset, pyarrow would write a moment before the year 1, which Python cannot read.
        if isinstance(value, datetime) and (moment := in_utc(value)) != value:
            cells[name] = moment
            lost.add(name, meeting.id)
    return {**cells, "account_id": account_id, "extra": extra_cell(meeting)}


def _column(field: "pa.Field[Any]", group: Sequence[Cells], lost: LostValues) -> "pa.Array[Any]":
    """Make a column of a group; only if pyarrow refuses it, look for the values that it cannot hold."""
    values = [cells[field.name] for cells in group]
    try:
        return pa.array(values, field.type)
    except _REFUSED:
        for index, (cells, value) in enumerate(zip(group, values, strict=True)):
            try:
                pa.scalar(value, field.type)
            except _REFUSED:
                lost.add(field.name, cells["id"])
                values[index] = None
        return pa.array(values, field.type)
