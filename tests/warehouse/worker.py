"""The process that is killed: it loads from the service into DuckDB."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import dlt

from pyas_async import PyasClient
from pyas_async.integrations.dlt import Loaded, load_meetings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dlt import Pipeline

PAGE: Final = 50
CALLS: Final = 8
"""Calls of a slice."""
AT_ONCE: Final = 2


def pipeline_in(folder: Path) -> Pipeline:
    """Open the pipeline with its warehouse and working folder in a folder."""
    destination: Any = dlt.destinations.duckdb(str(folder / "warehouse.duckdb"))
    return dlt.pipeline("pyas", destination=destination, dataset_name="zoom", pipelines_dir=str(folder / "pipelines"))


def load(folder: Path, url: str, account_ids: Iterable[str], **options: Any) -> Loaded:  # noqa: ANN401  (load_meetings' own)
    """Load a round, or the rest of it."""
    client = partial(PyasClient, "sandbox-key", base_url=url)
    slices = {"page_size": PAGE, "slice_calls": CALLS, "max_concurrency": AT_ONCE, **options}
    return load_meetings(pipeline_in(folder), account_ids, client=client, **slices)


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query the warehouse."""
    with pipeline_in(folder).sql_client() as client:
        return [tuple(row) for row in client.execute_sql(sql) or ()]
