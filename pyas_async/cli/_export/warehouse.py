"""An export into a DuckDB database: dlt loads it slice by slice, and keeps its checkpoint in the database itself.

The part is the database, so its rows and its checkpoint always match. Of the checkpoint file, only the job and the
failed accounts are used. Next to it, ``FILE.dlt`` is dlt's working folder.
"""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import dlt
import duckdb
from dlt.pipeline.exceptions import PipelineStepFailed

from pyas_async.cli._client import client_for
from pyas_async.cli._errors import CommandError, Exit
from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.run import ExportResult
from pyas_async.cli._times import day_filter
from pyas_async.integrations.dlt import load_meetings

_DATASET: Final = "zoom_meetings"
_SETTINGS: Final = {
    # The user of the command has not agreed to telemetry; and files of completed loads would repeat the database.
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # dlt logs an error with its traceback at each of its attempts; the last one is raised.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    # The command handles Ctrl-C itself.
    "RUNTIME__INTERCEPT_SIGNALS": "false",
}


def export_to_database(files: Files, state: ExportState, *, at_once: int, every: float) -> ExportResult:
    """Load what is missing into the part. However it ends, the export can be continued.

    Args:
        files: The export's files.
        state: The progress of the export.
        at_once: How many accounts are listed at a time.
        every: Seconds after which a slice is loaded; at least 60 are used.
    """
    if files.load() != state or not files.part.stat().st_size:
        with naming(files.part):
            files.restart(_empty_database())
        files.save(state)
    job = state.job
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    progress = Progress(len(job.accounts), calls=state.calls)
    client = client_for(plan=job.plan, on_event=progress.on_event)
    destination: Any = dlt.destinations.duckdb(str(files.part))
    pipeline = dlt.pipeline("pyas", destination=destination, dataset_name=_DATASET, pipelines_dir=str(files.folder))
    failed: list[str] | None = None if state.listings is None else json.loads(state.listings)
    whole = False
    try:
        loaded = load_meetings(
            pipeline,
            job.accounts if failed is None else failed,
            client=lambda: client,
            start_date=day_filter("--start", job.start),
            end_date=day_filter("--end", job.end),
            type=job.type,
            page_size=job.page_size,
            max_concurrency=at_once,
            verify_total="repair" if job.repair else "warn",
            on_unreadable="skip",
            slice_seconds=max(60.0, every),
        )
        failed, whole = list(loaded.failures) or None, not loaded.failures
    except PipelineStepFailed as error:
        said = str(error.exception).strip().partition("\n")[0]
        raise CommandError(f"{files.part}: dlt could not load: {said}", code=Exit.FAILED) from error
    finally:
        rows, done = counts(files)
        state = attrs.evolve(
            state,
            rows=rows,
            accounts_done=done,
            calls=progress.calls,
            whole=whole,
            listings=json.dumps(failed) if failed else None,
        )
        files.save(state)
    return ExportResult(state, loaded.failures)


def counts(files: Files) -> tuple[int, int]:
    """Count the meetings in the part, and the accounts that are done.

    Raises:
        CommandError: If another process has opened it.
    """
    if not files.part.exists() or not files.part.stat().st_size:
        return 0, 0
    with naming(files.part), closing(duckdb.connect(str(files.part))) as database:
        numbers = []
        for table in ("meetings", "accounts"):
            try:
                found = database.execute(f"SELECT count(*) FROM {_DATASET}.{table}").fetchone()  # noqa: S608  (ours)
            except duckdb.CatalogException:  # nothing has been loaded yet
                found = None
            numbers.append(found[0] if found else 0)
    return numbers[0], numbers[1]


def _empty_database() -> bytes:
    # DuckDB does not accept an empty file as a database.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        duckdb.connect(str(file)).close()
        return file.read_bytes()


def checkpoint_database(files: Files) -> None:
    """Move the write-ahead log into the database file, so that the file can be renamed."""
    with naming(files.part), closing(duckdb.connect(str(files.part))) as database:
        database.execute("CHECKPOINT")


@contextmanager
def naming(part: Path) -> Iterator[None]:
    """Turn an error of DuckDB into one that names the database.

    Raises:
        CommandError: If another process has the database open, or it cannot be read or written.
    """
    try:
        yield
    except duckdb.Error as error:
        said = str(error).strip().partition("\n")[0]
        if isinstance(error, duckdb.IOException) and "lock" in said:
            raise CommandError(f"{part.with_suffix('')}: another process is exporting to it") from None
        raise CommandError(f"{part}: {said}", code=Exit.FAILED) from error
