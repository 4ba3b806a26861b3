"""Rows as a Parquet file. Only this module imports pyarrow."""

from collections.abc import Iterable
from itertools import islice
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pyas_async import Meeting
from pyas_async.cli._export.rows import extra_cell

_MOMENT: Final = pa.timestamp("us", tz="UTC")
_SCHEMA: Final = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("id", pa.int64(), nullable=False),
        pa.field("uuid", pa.string(), nullable=False),
        ("topic", pa.string()),
        ("type", pa.int32()),
        ("start_time", _MOMENT),
        ("duration", pa.int32()),
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


def write_parquet(rows: Iterable[tuple[str, Meeting]], file: IO[bytes]) -> None:
    """Write rows as a Parquet file, with times as timestamps, and unknown fields as JSON."""
    coming = iter(rows)
    with pq.ParquetWriter(file, _SCHEMA, compression="zstd") as out:
        while group := [_cells(*row) for row in islice(coming, _GROUP)]:
            out.write_table(pa.Table.from_pylist(group, _SCHEMA))


def _cells(account_id: str, meeting: Meeting) -> dict[str, Any]:
    cells = {name: getattr(meeting, name) for name in _SCHEMA.names if name not in ("account_id", "extra")}
    return {**cells, "account_id": account_id, "extra": extra_cell(meeting)}
