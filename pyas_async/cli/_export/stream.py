"""An export to standard output: rows as they come, and nothing that could be gone on with."""

import sys
import time
from pathlib import Path
from typing import Final

import anyio
import attrs

from pyas_async import Checkpoint
from pyas_async.cli._export.files import Place
from pyas_async.cli._export.job import Format, Job
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.rows import writer
from pyas_async.cli._export.run import Ended, list_into
from pyas_async.cli._failing import CommandError
from pyas_async.cli._output import many, stderr

STDOUT: Final = Path("-")
_FLUSH_EVERY: Final = 1.0


def stream_format(given: Format | None) -> Format:
    """Tell the format of what goes to standard output: lines of JSON unless it was given.

    Raises:
        CommandError: If the format is that of a file, which is made in the end.
    """
    if given not in (None, "jsonl", "csv"):
        hint = "Name a file with --output; or give --format jsonl or csv."
        raise CommandError(f"--output -: {given} cannot be written row by row to standard output", hint=hint)
    return given or "jsonl"


class Stream:
    """Standard output, where rows go as they are."""

    def __init__(self, job: Job, progress: Progress) -> None:
        """Begin.

        Args:
            job: What is exported.
            progress: Counts what was.
        """
        self.place = Place(job=job)
        self._progress = progress
        self._began = self._flushed = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether whoever reads has waited for long enough."""
        return time.monotonic() - self._flushed >= _FLUSH_EVERY

    def write(self, line: bytes) -> None:
        """Write a row; it may stay in a buffer for a while."""
        # In UTF-8 and with these ends of lines, whatever the text's would be: it is what the file would hold.
        sys.stdout.buffer.write(line)

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Have the rows go out that are in the buffer."""
        del listings  # nobody goes on with it
        self._progress.look()
        sys.stdout.buffer.flush()
        self._flushed = time.monotonic()
        seconds = round(self._flushed - self._began, 3)
        rows, calls = self._progress.rows, self._progress.calls
        self.place = attrs.evolve(self.place, rows=rows, calls=calls, seconds=seconds, whole=whole)


def export_to_stdout(job: Job, *, at_once: int) -> Ended:
    """Write rows to standard output as they come.

    Args:
        job: What is exported.
        at_once: Accounts under way at a time.
    """
    progress = Progress(len(job.accounts))
    stream = Stream(job, progress)
    stream.write(writer(job.format)[0])

    async def run() -> Ended:
        # Where the rows go to the same terminal, a bar would be in their way.
        bar = stderr().is_terminal and not sys.stdout.isatty()
        return await list_into(stream, progress, at_once=at_once, bar=bar)

    try:
        return anyio.run(run)
    except KeyboardInterrupt as error:
        error.add_note("interrupted")
        error.add_note(f"{many(progress.rows, 'row')} went to standard output; only an export to a file can go on.")
        raise
