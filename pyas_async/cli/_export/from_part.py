"""A file from the part of another export, without a call."""

from pathlib import Path

import attrs

from pyas_async.cli._errors import CommandError, Exit
from pyas_async.cli._export.convert import check_extra, make
from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.job import Format, format_of
from pyas_async.cli._export.stream import STDOUT
from pyas_async.cli._output import plural, say, write_json


@attrs.frozen(kw_only=True)
class MakeFromPart:
    """The options of the command.

    Attributes:
        output: The file to make.
        format: Its format, if the suffix does not name it.
        safe_cells: Whether CSV is written for a spreadsheet program.
        partial: Whether the part may lack accounts.
        force: Whether the file may exist.
        json: Whether the summary is JSON.
    """

    output: Path
    format: Format | None
    safe_cells: bool
    partial: bool
    force: bool
    json: bool


def make_from_part(part: Path, asked: MakeFromPart) -> int:
    """Make a file from a part, which stays, and print a summary.

    Raises:
        CommandError: If the part or the options do not allow it.
    """
    source, state = _source(part)
    if asked.output == STDOUT:
        raise CommandError("--output -: not with --from-part, which writes a file")
    files = Files(asked.output)
    files.check(force=asked.force)
    form = format_of(files.output, asked.format)
    state.job.check_makes(form)
    if form == "duckdb":
        raise CommandError("--from-part: a database cannot be copied", hint=f"{source.resume_command} makes it.")
    if asked.safe_cells and (form != "csv" or state.job.format == "csv"):
        raise CommandError("--safe-cells: only for CSV that is made from an export in another format")
    if not state.whole and not asked.partial:
        hint = f"{source.resume_command} completes it, --partial makes a file of the rows so far."
        raise CommandError(f"--from-part: the export to {source.output} was not completed", hint=hint)
    if files.output.exists() and not asked.force:
        raise CommandError(f"{files.output}: it exists already", hint="--force replaces it.")
    check_extra(form)
    files.remove_links()
    with source.lock():
        if note := make(source, state, files, form, safe_cells=asked.safe_cells):
            say(note)
    if asked.json:
        write_json({"file": str(files.output), "format": form, "rows": state.rows, "calls": 0})
    else:
        say(f"{files.output}: {plural(state.rows, 'meeting')} from {part}, no call")
    return Exit.OK


def _source(part: Path) -> tuple[Files, ExportState]:
    source = Files.of_part(part)
    if not part.is_file():
        raise CommandError(f"--from-part: there is no file {part}")
    state = source.load()
    if state is None:
        raise CommandError(f"--from-part: there is no {source.checkpoint}, which says how many rows of {part} count")
    return source, state
