"""`load_meetings`: a whole round, slice after slice, each in its own load package."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import dlt
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from pyas_async import InvalidArgumentError, ListType, PyasClient, PyasError
from pyas_async.integrations.dlt._reader import AccountIds, Reader, Size, Slice
from pyas_async.integrations.dlt._source import PAGE_SIZE, OnUnreadable, Options, Round, VerifyTotal, items, source_of


@attrs.frozen(kw_only=True)
class Loaded:
    """What a call of `load_meetings` has done; earlier calls for the same round are not counted.

    Attributes:
        round: The number of the round, from 1.
        rows: The number of meetings that were loaded.
        accounts: The number of accounts whose listing was completed.
        calls: The number of calls that were made.
        slices: The number of load packages.
        failures: The error of each account whose listing failed. To try these again, run ``load_meetings(pipeline,
            loaded.failures)``, which is a round for these accounts only.
    """

    round: int
    rows: int
    accounts: int
    calls: int
    slices: int
    failures: dict[str, PyasError]


def load_meetings(
    pipeline: dlt.Pipeline,
    account_ids: AccountIds,
    *,
    client: Callable[[], PyasClient] = PyasClient,
    start_date: date | str | None = None,
    end_date: date | str | None = None,
    type: ListType | str | None = None,
    page_size: int = PAGE_SIZE,
    max_concurrency: int = 16,
    verify_total: VerifyTotal = "warn",
    on_unreadable: OnUnreadable = "raise",
    anew: bool = False,
    slice_rows: int = 20_000,
    slice_calls: int = 100,
    slice_seconds: float = 60.0,
) -> Loaded:
    """Load the meetings of many accounts through a dlt pipeline, each exactly once.

    ::

        pipeline = dlt.pipeline("pyas", destination="duckdb", dataset_name="zoom")
        print(load_meetings(pipeline, account_ids))

    It continues a round that was not finished. Otherwise it begins the next round, which brings the rows up to date. A
    round is loaded in slices. Each slice is a load package that contains a checkpoint of the listing next to its rows.
    If the process ends at any point, the next call continues after the last slice in the warehouse. Only the calls of
    one slice, and the pages that were being fetched, are repeated. This also works without the pipeline's folder, as on
    another machine, since dlt reads its state from the warehouse. Only one process at a time may use a pipeline's name.

    After Ctrl-C, and after an error that ends the listings, the rows so far are loaded before the exception is raised.
    The function blocks, so call it from a thread if there is an event loop; the client runs in a separate thread.

    Args:
        pipeline: The pipeline. Its name and dataset identify the rounds, so use another name for other filters.
        account_ids: The accounts to list, from any iterable, asynchronous or not. Until a round is finished, they must
            be the same in the same order; new ones may be appended.
        client: Makes the client, in the thread that uses and closes it. `PyasClient` itself reads its settings from the
            environment. Do not pass a key in another way: dlt's error reports may show the arguments of this function.
        start_date: The first day; see `Meetings.list`.
        end_date: The last day; see `Meetings.list`.
        type: Which meetings to list; the service's default is ``"scheduled"``.
        page_size: Rows to request for a page.
        max_concurrency: How many accounts are listed at a time.
        verify_total: What to do if the service's total does not match the rows.
        on_unreadable: What to do about a row without a usable `id`; see `Meetings.iter_accounts`.
        anew: Begin the next round even if the last one is not finished.
        slice_rows: The maximum number of meetings in a slice. While one is loaded, up to as many more wait in memory.
        slice_calls: The approximate maximum number of calls for a slice.
        slice_seconds: Seconds after which a slice is loaded, however small.

    Raises:
        InvalidArgumentError: Immediately, if a limit of slices is not valid.
        PyasError: If an error ends the listings that every account would meet.
        CheckpointError: If a round is not finished, and it was begun with other accounts, filters or
            page size.
        PipelineStepFailed: If dlt cannot load.
    """
    for name, value in (("slice_rows", slice_rows), ("slice_calls", slice_calls), ("slice_seconds", slice_seconds)):
        if not value > 0:  # also refuses NaN
            raise InvalidArgumentError(name, "a number above 0", value)
    options = Options(
        start_date=start_date,
        end_date=end_date,
        type=type,
        page_size=page_size,
        max_concurrency=max_concurrency,
        verify_total=verify_total,
        on_unreadable=on_unreadable,
    )
    _load_pending(pipeline)
    with Reader(account_ids, client, options, Size(slice_rows, slice_calls, slice_seconds)) as reader:
        slices = _Slices(reader, anew=anew)
        while not slices.done:
            _run(pipeline, slices.source())
        return slices.loaded


class _Slices:
    """The slices of a round, one for each run of the pipeline, and their totals."""

    def __init__(self, reader: Reader, *, anew: bool) -> None:
        self._reader = reader
        self._anew = anew
        self._interrupt: BaseException | None = None
        self._slice: Slice | None = None
        self.loaded = Loaded(round=0, rows=0, accounts=0, calls=0, slices=0, failures={})

    @property
    def done(self) -> bool:
        """Whether the last slice was the last of the round. To be read after the slice is loaded.

        Raises:
            BaseException: If the listings ended with an error, or with Ctrl-C.
        """
        if self._slice is None:
            return False
        if (error := self._interrupt or self._slice.error) is not None:
            raise error
        return self._slice.last

    def source(self) -> DltSource:
        """Return the source of the next slice."""
        return source_of(self._meetings)

    def _meetings(self) -> Iterator[Any]:
        begun = self._reader.started
        round_ = Round(dlt.current.resource_state(), anew=self._anew and not begun)
        if not begun:
            self._reader.start(round_.checkpoint)
        try:
            slice_ = self._reader.next_slice()
        except KeyboardInterrupt as interrupt:
            self._interrupt = interrupt
            slice_ = self._reader.current_slice()
            self._reader.stop()
        yield from items(slice_, round_.number)
        round_.save(slice_)
        self._slice = slice_
        self._count(slice_, round_.number)

    def _count(self, slice_: Slice, number: int) -> None:
        before = self.loaded
        self.loaded = Loaded(
            round=number,
            rows=before.rows + len(slice_.pairs),
            accounts=before.accounts + len(slice_.listed),
            calls=before.calls + slice_.calls,
            slices=before.slices + 1,
            failures={**before.failures, **slice_.failures},
        )


def _load_pending(pipeline: dlt.Pipeline) -> None:
    """Load what an earlier process has extracted but not loaded."""
    # dlt removes an extracted package, file by file, once it is normalized. If a process was killed meanwhile, dlt
    # cannot read the rest, and would try to for ever.
    for load_id in {*pipeline.list_extracted_load_packages()}.intersection(pipeline.list_normalized_load_packages()):
        shutil.rmtree(Path(pipeline.working_dir, "normalize", "extracted", load_id))
    # Without data, a run restores the state from the warehouse if that is newer, and loads the pending packages.
    pipeline.run()
    if pipeline.config.restore_from_destination:
        # A process that was killed after it committed a package, but before it saved its state locally, has left the
        # state of the slice before. Now that the package is loaded, the warehouse has the newer state.
        pipeline.sync_destination()


def _run(pipeline: dlt.Pipeline, source: DltSource) -> None:
    try:
        info = pipeline.run(source)
    except PipelineStepFailed as error:
        # dlt wraps every exception that is raised inside of it, KeyboardInterrupt as well.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__
        if cause is None:
            raise
        raise KeyboardInterrupt from error
    # If dlt is configured not to raise, it would continue past rows that it has rejected.
    info.raise_on_failed_jobs()
