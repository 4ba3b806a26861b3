"""From a complete part to the output file."""

import json
from importlib import import_module
from typing import Final

from pyas_async import Meeting, from_dict
from pyas_async._extras import how_to_install
from pyas_async.cli._errors import CommandError
from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.job import Format
from pyas_async.cli._export.rows import writer

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


def finish(files: Files, state: ExportState, form: Format, *, safe_cells: bool) -> str:
    """Make the output from the part, which then no longer exists; return a note for the user, which may be empty.

    Args:
        files: The export's files.
        state: The progress of the export.
        form: The format of the output.
        safe_cells: Whether its cells are written for a spreadsheet program, if it is made of lines of JSON.
    """
    if form != state.job.part_format:
        note = make(files, state, files, form, safe_cells=safe_cells)
        files.remove_part()
        return note
    if form == "duckdb":
        from pyas_async.cli._export.warehouse import checkpoint_database  # noqa: PLC0415  (it imports an extra)

        checkpoint_database(files)
    files.promote()
    return ""


def make(source: Files, state: ExportState, target: Files, form: Format, *, safe_cells: bool) -> str:
    """Make a file from a part, which stays; return a note for the user, which may be empty.

    Args:
        source: The files of the export whose part it is.
        state: The progress of that export.
        target: The files with the output.
        form: The format of the output.
        safe_cells: Whether its cells are written for a spreadsheet program, if it is made of lines of JSON.
    """
    with target.make() as file:
        if form == state.job.part_format:
            file.writelines(source.lines(state))
            return ""
        rows = map(_row, source.lines(state))
        if form == "csv":
            head, write = writer(form, safe_cells=safe_cells)
            file.write(head)
            file.writelines(write(*row) for row in rows)
            return ""
        if form == "parquet":
            from pyas_async.cli._export.parquet import write_parquet  # noqa: PLC0415  (it imports an extra)

            return write_parquet(rows, file)
        from pyas_async.cli._export.ical import write_calendar  # noqa: PLC0415  (it imports an extra)

        return write_calendar(rows, file, state.job.begun)


def _row(line: bytes) -> Row:
    document = json.loads(line)
    account_id = document.pop("account_id")
    return account_id, from_dict(Meeting, document)
