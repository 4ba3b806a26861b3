"""From a complete part to the output file."""

import json
from importlib import import_module
from typing import Final

from pyas_async import Meeting, from_dict
from pyas_async._extras import how_to_install
from pyas_async.cli._errors import CommandError
from pyas_async.cli._export.files import Files
from pyas_async.cli._export.job import Format, Job

_NEEDS: Final[dict[Format, tuple[str, str]]] = {
    "parquet": ("pyarrow.parquet", "parquet"),
    "ical": ("icalendar", "ical"),
    "duckdb": ("dlt", "dlt"),
}
Row = tuple[str, Meeting]


def check_extra(form: Format) -> None:
    """Check, before any call is made, that the package that a format needs is installed.

    Raises:
        CommandError: If it is not.
    """
    module, extra = _NEEDS.get(form, ("json", ""))
    try:
        import_module(module)
    except ModuleNotFoundError:
        name = module.partition(".")[0]
        raise CommandError(
            f"--format {form} needs {name}, which is not installed", hint=how_to_install(extra)
        ) from None


def finish(files: Files, job: Job) -> str:
    """Make the output from a complete part; return a note for the user, which may be empty."""
    if job.format in ("jsonl", "csv"):
        files.promote()
        return ""
    if job.format == "duckdb":
        from pyas_async.cli._export.warehouse import checkpoint_database  # noqa: PLC0415  (it imports an extra)

        checkpoint_database(files)
        files.promote()
        return ""
    with files.part.open("rb") as part, files.make() as file:
        rows = map(_row, part)
        if job.format == "parquet":
            from pyas_async.cli._export.parquet import write_parquet  # noqa: PLC0415  (it imports an extra)

            write_parquet(rows, file)
            return ""
        from pyas_async.cli._export.ical import write_calendar  # noqa: PLC0415  (it imports an extra)

        return write_calendar(rows, file, job.begun)


def _row(line: bytes) -> Row:
    document = json.loads(line)
    account_id = document.pop("account_id")
    return account_id, from_dict(Meeting, document)
