"""The work of an export: it appends rows to the part file, and regularly saves a checkpoint that counts them."""

import time
from contextlib import AsyncExitStack, nullcontext
from typing import IO, Final, Protocol

import attrs

from pyas_async import AccountsIterator, Checkpoint, ListType, PyasError
from pyas_async.cli._client import client_for
from pyas_async.cli._export.files import ExportState, Files, sync_to_disk, with_path
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.rows import Writer, writer
from pyas_async.cli._output import stderr
from pyas_async.cli._times import day_filter

_MAX_PART_OF_TIME: Final = 20
"""A checkpoint with many rows takes long to save. So the next one comes after at least this many times that time."""


@attrs.frozen
class ExportResult:
    """The result of an export that was not interrupted.

    Attributes:
        state: The progress of the export.
        failures: The error of each account whose listing failed; these can be tried again.
    """

    state: ExportState
    failures: dict[str, PyasError]


class Sink(Protocol):
    """The destination of rows.

    Attributes:
        state: The progress of the export at the last `save`.
    """

    state: ExportState

    @property
    def due(self) -> bool:
        """Whether it is time to call `save`."""
        raise NotImplementedError

    def write(self, line: bytes) -> None:
        """Write a row; it may be buffered until `save`."""

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Flush the rows, and save the checkpoint, if there is one."""


class Part:
    """The open part file of an export, which grows until the output can be made, with its checkpoint."""

    def __init__(self, files: Files, file: IO[bytes], state: ExportState, progress: Progress, *, every: float) -> None:
        """Continue an export.

        Args:
            files: The export's files.
            file: The part file, positioned at its end.
            state: The progress of the export.
            progress: Counts rows and calls.
            every: Minimum seconds between two checkpoints; 0 for one after every row.
        """
        self.state = state
        self._files = files
        self._file = file
        self._progress = progress
        self._every = every
        self._began = self._saved = time.monotonic()
        self._seconds_before = state.seconds
        self._pause = every

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() - self._saved >= self._pause

    def write(self, line: bytes) -> None:
        """Append a row to the part file. The next `save` counts it."""
        with with_path(self._files.part):
            self._file.write(line)

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Sync the rows to disk, and then save a checkpoint that counts them.

        If a row was yielded but not written, which a second Ctrl-C can cause, nothing is saved: the previous checkpoint
        stays valid.
        """
        if listings is not None and listings.items != self._progress.rows:
            return
        began = time.monotonic()
        self._progress.refresh()
        with with_path(self._files.part):
            sync_to_disk(self._file)
        self.state = attrs.evolve(
            self.state,
            offset=self._file.tell(),
            rows=self._progress.rows,
            calls=self._progress.calls,
            accounts_done=self._progress.done,
            seconds=round(self._seconds_before + began - self._began, 3),
            whole=whole,
            listings=None if listings is None else str(listings),
        )
        self._files.save(self.state)
        self._saved = time.monotonic()
        self._pause = max(self._every, (self._saved - began) * _MAX_PART_OF_TIME) if self._every else 0.0


async def export(files: Files, state: ExportState, *, at_once: int, every: float) -> ExportResult:
    """Append the missing rows to the part file. However this ends, the export can be continued.

    Args:
        files: The export's files.
        state: The progress of the export.
        at_once: How many accounts are listed at a time.
        every: Minimum seconds between two checkpoints.
    """
    job = state.job
    progress = Progress(len(job.accounts), rows=state.rows, calls=state.calls, done=state.accounts_done)
    with files.open_part(state) as file:
        part = Part(files, file, state, progress, every=every)
        if state.listings is None:
            part.write(writer(job.format, safe_cells=job.safe_cells)[0])
            part.save(None)
        return await list_into(part, progress, at_once=at_once, bar=stderr().is_terminal)


async def list_into(sink: Sink, progress: Progress, *, at_once: int, bar: bool) -> ExportResult:
    """List the missing rows into a sink.

    Args:
        sink: The destination.
        progress: Counts rows and calls.
        at_once: How many accounts are listed at a time.
        bar: Whether to show a progress bar, instead of messages about long waits.
    """
    state = sink.state
    job = state.job
    async with AsyncExitStack() as stack:
        client = client_for(plan=job.plan, on_event=progress.on_event, show_waits=not bar)
        await stack.enter_async_context(client)
        pairs = client.meetings.iter_accounts(
            job.accounts,
            start_date=day_filter("--start", job.start),
            end_date=day_filter("--end", job.end),
            type=None if job.type is None else ListType(job.type),
            page_size=job.page_size,
            max_concurrency=at_once,
            verify_total="repair" if job.repair else "warn",
            on_unreadable="skip",  # the library warns of it
            resume=state.listings,
        )
        progress.source = lambda: (pairs.stats, client.rate_limit)
        with progress.shown() if bar else nullcontext():
            async with pairs:
                await _append(pairs, sink, writer(job.format, safe_cells=job.safe_cells)[1], progress)
    return ExportResult(sink.state, pairs.failures)


async def _append(pairs: AccountsIterator, sink: Sink, write: Writer, progress: Progress) -> None:
    try:
        async for account_id, meeting in pairs:
            sink.write(write(account_id, meeting))
            progress.rows += 1
            if sink.due:
                sink.save(pairs.checkpoint())
    finally:
        # This runs after the end, an error or a cancellation. It awaits nothing, so a cancellation cannot interrupt it.
        checkpoint = pairs.checkpoint()
        sink.save(checkpoint, whole=checkpoint.done and not pairs.failures)
