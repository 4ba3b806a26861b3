"""The work of an export: rows into the part, and now and then a checkpoint that is true of it."""

import time
from contextlib import AsyncExitStack, nullcontext
from typing import IO, Final, Protocol

import attrs

from pyas_async import AccountsIterator, Checkpoint, ListType, PyasError
from pyas_async.cli._export.files import Files, Place, naming, see_off
from pyas_async.cli._export.progress import Progress
from pyas_async.cli._export.rows import Writer, writer
from pyas_async.cli._output import stderr
from pyas_async.cli._service import client_for
from pyas_async.cli._times import day_filter

_PART_OF_TIME: Final = 20
"""Of the time of an export, saving may take one in so many: with many rows to remember, a checkpoint takes a while."""


@attrs.frozen
class Ended:
    """How a run ended that nothing interrupted.

    Attributes:
        place: Where the export stands.
        failures: What ended a listing, by account; these can be tried again.
    """

    place: Place
    failures: dict[str, PyasError]


class Sink(Protocol):
    """Where rows go.

    Attributes:
        place: How far the export has come, as of the last `save`.
    """

    place: Place

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        raise NotImplementedError

    def write(self, line: bytes) -> None:
        """Take a row."""

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Have the rows where they go."""


class Part:
    """The part of an export that is open, and the checkpoint that goes with it."""

    def __init__(self, files: Files, file: IO[bytes], place: Place, progress: Progress, *, every: float) -> None:
        """Stand where the export stands.

        Args:
            files: The export's files.
            file: The part, open at its end.
            place: How far the export has come.
            progress: Counts what it does.
            every: Seconds between two checkpoints at least; 0 for one after every row.
        """
        self.place = place
        self._files = files
        self._file = file
        self._progress = progress
        self._every = every
        self._began = self._saved = time.monotonic()
        self._seconds_before = place.seconds
        self._pause = every

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() - self._saved >= self._pause

    def write(self, line: bytes) -> None:
        """Append to the part; it counts when it is saved."""
        with naming(self._files.part):
            self._file.write(line)

    def save(self, listings: Checkpoint | None, *, whole: bool = False) -> None:
        """Have the rows on the disk, and then say that they count.

        If a row was handed out and not written, as when Ctrl-C strikes a second time, the checkpoint before stays true.
        """
        if listings is not None and listings.items != self._progress.rows:
            return
        began = time.monotonic()
        self._progress.look()
        with naming(self._files.part):
            see_off(self._file)
        self.place = attrs.evolve(
            self.place,
            offset=self._file.tell(),
            rows=self._progress.rows,
            calls=self._progress.calls,
            accounts_done=self._progress.done,
            seconds=round(self._seconds_before + began - self._began, 3),
            whole=whole,
            listings=None if listings is None else str(listings),
        )
        self._files.save(self.place)
        self._saved = time.monotonic()
        self._pause = max(self._every, (self._saved - began) * _PART_OF_TIME) if self._every else 0.0


async def export(files: Files, place: Place, *, at_once: int, every: float) -> Ended:
    """Append the rows that are missing to the part. Whatever ends it leaves a place to go on from.

    Args:
        files: The export's files.
        place: How far the export has come.
        at_once: Accounts under way at a time.
        every: Seconds between two checkpoints at least.
    """
    job = place.job
    progress = Progress(len(job.accounts), rows=place.rows, calls=place.calls, done=place.accounts_done)
    with files.open_part(place) as file:
        part = Part(files, file, place, progress, every=every)
        if place.listings is None:
            part.write(writer(job.format)[0])
            part.save(None)
        return await list_into(part, progress, at_once=at_once, bar=stderr().is_terminal)


async def list_into(sink: Sink, progress: Progress, *, at_once: int, bar: bool) -> Ended:
    """Bring the rows that are missing to where they go.

    Args:
        sink: Takes them.
        progress: Counts them.
        at_once: Accounts under way at a time.
        bar: Whether to show how far it has come, rather than tell of long waits.
    """
    place = sink.place
    job = place.job
    async with AsyncExitStack() as stack:
        client = client_for(plan=job.plan, on_event=progress.heard, tell_waits=not bar)
        await stack.enter_async_context(client)
        pairs = client.meetings.iter_accounts(
            job.accounts,
            start_date=day_filter("--start", job.start),
            end_date=day_filter("--end", job.end),
            type=None if job.type is None else ListType(job.type),
            page_size=job.page_size,
            max_concurrency=at_once,
            verify_total="repair" if job.repair else "warn",
            resume=place.listings,
        )
        progress.source = lambda: (pairs.stats, client.rate_limit)
        with progress.shown() if bar else nullcontext():
            async with pairs:
                await _append(pairs, sink, writer(job.format)[1], progress)
    return Ended(sink.place, pairs.failures)


async def _append(pairs: AccountsIterator, sink: Sink, write: Writer, progress: Progress) -> None:
    try:
        async for account_id, meeting in pairs:
            sink.write(write(account_id, meeting))
            progress.rows += 1
            if sink.due:
                sink.save(pairs.checkpoint())
    finally:
        # Whether it came to its end, failed, or was cancelled: nothing here waits for anybody.
        place = pairs.checkpoint()
        sink.save(place, whole=place.done and not pairs.failures)
