"""An export into a DuckDB database: dlt loads it slice by slice, and the place is in the database itself.

The part is the database. So whatever strikes, what is in it and how far it has come agree; of the checkpoint file, only
the job counts, and which accounts failed. Beside it, ``FILE.dlt`` is dlt's working folder.
"""

import json
import os
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import dlt
import duckdb
from dlt.pipeline.exceptions import PipelineStepFailed

from pyas_async.cli._export.files import Files, Place
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.run import Ended
from pyas_async.cli._failing import CommandError, Exit
from pyas_async.cli._service import client_for
from pyas_async.cli._times import day_filter
from pyas_async.integrations.dlt import load_meetings

_DATASET: Final = "zoom_meetings"
_SETTINGS: Final = {
    # Nobody asked the command to tell others of its runs, nor to keep what is in the database already.
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    # Ctrl-C is ours to tell of, and may strike at any point.
    "RUNTIME__INTERCEPT_SIGNALS": "false",
}


def export_to_database(files: Files, place: Place, *, at_once: int, every: float) -> Ended:
    """Load what is missing into the part. Whatever ends it leaves a place to go on from.

    Args:
        files: The export's files.
        place: How far the export has come.
        at_once: Accounts under way at a time.
        every: Seconds after which what has come is loaded, if they are more than a minute.
    """
    if files.place() != place:
        files.restart(_empty_database())
        files.save(place)
    job = place.job
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    progress = Progress(len(job.accounts), calls=place.calls)
    client = client_for(plan=job.plan, on_event=progress.heard)
    destination: Any = dlt.destinations.duckdb(str(files.part))
    pipeline = dlt.pipeline("pyas", destination=destination, dataset_name=_DATASET, pipelines_dir=str(files.folder))
    failed: list[str] | None = None if place.listings is None else json.loads(place.listings)
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
            slice_seconds=max(60.0, every),
        )
        failed, whole = list(loaded.failures) or None, not loaded.failures
    except PipelineStepFailed as error:
        said = str(error.exception).strip().partition("\n")[0]
        raise CommandError(f"{files.part}: dlt could not load: {said}", code=Exit.FAILED) from error
    finally:
        rows, done = counts(files)
        place = attrs.evolve(
            place,
            rows=rows,
            accounts_done=done,
            calls=progress.calls,
            whole=whole,
            listings=json.dumps(failed) if failed else None,
        )
        files.save(place)
    return Ended(place, loaded.failures)


def counts(files: Files) -> tuple[int, int]:
    """Count the meetings in the part, and the accounts that are through.

    Raises:
        CommandError: If another process has it.
    """
    if not files.part.exists() or not files.part.stat().st_size:
        return 0, 0
    try:
        opened = duckdb.connect(str(files.part))
    except duckdb.IOException:
        raise CommandError(f"{files.output}: another process is exporting to it") from None
    with closing(opened) as database:
        numbers = []
        for table in ("meetings", "accounts"):
            try:
                found = database.execute(f"SELECT count(*) FROM {_DATASET}.{table}").fetchone()  # noqa: S608  (ours)
            except duckdb.CatalogException:  # nothing has been loaded yet
                found = None
            numbers.append(found[0] if found else 0)
    return numbers[0], numbers[1]


def _empty_database() -> bytes:
    # DuckDB takes no empty file for a database.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        duckdb.connect(str(file)).close()
        return file.read_bytes()


def settle(files: Files) -> None:
    """Have all that was written in the file itself, so that it can be moved."""
    with closing(duckdb.connect(str(files.part))) as database:
        database.execute("CHECKPOINT")
