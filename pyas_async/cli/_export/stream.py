"""An export to standard output: rows are written as they come, and it cannot be continued."""

import sys
import time
from pathlib import Path
from typing import Final

import anyio
import attrs

from pyas_async import Checkpoint
from pyas_async.cli._errors import CommandError
from pyas_async.cli._export.files import ExportState
from pyas_async.cli._export.job import Format, Job
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.rows import writer
from pyas_async.cli._export.run import ExportResult, list_into
from pyas_async.cli._output import plural, stderr

STDOUT: Final = Path("-")
_FLUSH_EVERY: Final = 1.0


def stream_format(given: Format | None) -> Format:
    """Return the format of an export to standard output: JSON lines unless given.

    Raises:
        CommandError: If the format can only be written as a whole file.
    """
    if given not in (None, "jsonl", "csv"):
        hint = "Name a file with --output; or give --format jsonl or csv."
        raise CommandError(f"--output -: {given} cannot be written row by row to standard output", hint=hint)
    return given or "jsonl"


class Stream:
    """Standard output as a sink."""

    def __init__(self, job: Job, progress: Progress) -> None:
        """Begin an export.

        Args:
            job: The export's settings.
            progress: Counts rows and calls.
        """
        self.state = ExportState(job=job)
        self._progress = progress
        self._began = self._flushed = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether rows have been buffered for long enough."""
        return time.monotonic() - self._flushed >= _FLUSH_EVERY

    def write(self, line: bytes) -> None:
        """Write a row, which may be buffered."""
        # As bytes, in UTF-8 and with these line ends on every platform: exactly what a file would contain.
        sys.stdout.buffer.write(line)

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Flush the buffered rows."""
        del listings  # the export cannot be continued
        self._progress.refresh()
        sys.stdout.buffer.flush()
        self._flushed = time.monotonic()
        seconds = round(self._flushed - self._began, 3)
        rows, calls = self._progress.rows, self._progress.calls
        self.state = attrs.evolve(self.state, rows=rows, calls=calls, seconds=seconds, whole=whole)


def export_to_stdout(job: Job, *, at_once: int) -> ExportResult:
    """Write rows to standard output as they come.

    Args:
        job: The export's settings.
        at_once: How many accounts are listed at a time.
    """
    progress = Progress(len(job.accounts))
    stream = Stream(job, progress)
    stream.write(writer(job.format, safe_cells=job.safe_cells)[0])

    async def run() -> ExportResult:
        # A bar would disturb the rows if they go to the same terminal.
        bar = stderr().is_terminal and not sys.stdout.isatty()
        return await list_into(stream, progress, at_once=at_once, bar=bar)

    try:
        return anyio.run(run)
    except KeyboardInterrupt as error:
        error.add_note("interrupted")
        error.add_note(
            f"{plural(progress.rows, 'row')} went to standard output; only an export to a file can continue."
        )
        raise
