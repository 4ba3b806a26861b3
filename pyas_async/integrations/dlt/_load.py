"""A whole round, slice after slice, each in a load package of its own."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import attrs
import dlt
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from pyas_async import InvalidArgumentError, ListType, PyasClient, PyasError
from pyas_async.integrations.dlt._reader import AccountIds, Reader, Size, Slice
from pyas_async.integrations.dlt._source import PAGE_SIZE, Options, Round, VerifyTotal, items, source_of


@attrs.frozen(kw_only=True)
class Loaded:
    """What a call of `load_meetings` has done; what earlier calls did for the same round is not counted.

    Attributes:
        round: Which round it was, from 1.
        rows: Meetings that were loaded.
        accounts: Accounts whose listing came to its end.
        calls: Calls that were made.
        slices: Load packages that this took.
        failures: What ended a listing before its end, by account. To try these again: ``load_meetings(pipeline,
            loaded.failures)``, which is a round for them alone.
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
    anew: bool = False,
    slice_rows: int = 20_000,
    slice_calls: int = 100,
    slice_seconds: float = 60.0,
) -> Loaded:
    """Load the meetings of many accounts through a pipeline of dlt's, each exactly once.

    ::

        pipeline = dlt.pipeline("pyas", destination="duckdb", dataset_name="zoom")
        print(load_meetings(pipeline, account_ids))

    It goes on with a round that was not finished, and else begins the next, which brings the rows up to date. A round
    is loaded in slices, each in a load package with the place behind its rows. Whatever ends the process, the next call
    goes on from the last slice that is in the warehouse: what it costs are the calls of one slice, and the pages that
    were on their way. That holds without the pipeline's folder as well, as on another machine, since dlt reads its
    state from the warehouse. One process at a time may use a pipeline's name.

    Ctrl-C and an error that ends the listings let what has come be loaded first, and then come out. It blocks, so call
    it from a thread where there is an event loop; the client lives in a thread of its own.

    Args:
        pipeline: Where to; its name and dataset say whose rounds these are, so give other filters another name.
        account_ids: Whose meetings; from anything that gives ids one by one, asynchronous or not. As long as a round is
            not finished, the same in the same order; new ones may stand behind them.
        client: Makes the client, in the thread that uses and closes it; `PyasClient` itself takes its settings from the
            environment. A key among the arguments of this function could be seen in what dlt writes about errors.
        start_date: From this day on; as for `list`.
        end_date: Up to this day; as for `list`.
        type: Which meetings; the service's default is ``"scheduled"``.
        page_size: Rows a page that are asked for.
        max_concurrency: Accounts under way at a time.
        verify_total: What to do if the service's total does not fit the rows that came.
        anew: Begin the next round even if the last is not finished.
        slice_rows: Meetings of a slice at most; so many wait in memory, too, while a slice is loaded.
        slice_calls: Calls of a slice, about.
        slice_seconds: Seconds after which a slice is loaded, whatever is in it.

    Raises:
        InvalidArgumentError: At once, if a bound of slices is none.
        PyasError: What ended the listings, since no other account would be spared.
        CheckpointError: If a round is not finished, and the accounts, the filters or the page size are others than it
            was begun with.
        PipelineStepFailed: dlt's, if it could not load.
    """
    for name, value in (("slice_rows", slice_rows), ("slice_calls", slice_calls), ("slice_seconds", slice_seconds)):
        if not value > 0:  # not a number is not, either
            raise InvalidArgumentError(name, "a number above 0", value)
    options = Options(
        start_date=start_date,
        end_date=end_date,
        type=type,
        page_size=page_size,
        max_concurrency=max_concurrency,
        verify_total=verify_total,
    )
    _load_what_is_left(pipeline)
    with Reader(account_ids, client, options, Size(slice_rows, slice_calls, slice_seconds)) as reader:
        work = _Work(reader, anew=anew)
        while not work.over:
            _run(pipeline, work.source())
        return work.loaded


class _Work:
    """Slices, one for each run of the pipeline, and what they come to."""

    def __init__(self, reader: Reader, *, anew: bool) -> None:
        self._reader = reader
        self._anew = anew
        self._struck: BaseException | None = None
        self._slice: Slice | None = None
        self.loaded = Loaded(round=0, rows=0, accounts=0, calls=0, slices=0, failures={})

    @property
    def over(self) -> bool:
        """Whether the last slice was the last of the round; to be asked when it is loaded.

        Raises:
            BaseException: What ended the listings before that.
        """
        if self._slice is None:
            return False
        if (error := self._struck or self._slice.error) is not None:
            raise error
        return self._slice.over

    def source(self) -> DltSource:
        """Make the source of the next slice."""
        return source_of(self._meetings)

    def _meetings(self) -> Iterator[Any]:
        begun = self._reader.started
        round_ = Round(dlt.current.resource_state(), anew=self._anew and not begun)
        if not begun:
            self._reader.start(round_.place)
        try:
            slice_ = self._reader.take()
        except KeyboardInterrupt as struck:
            self._struck = struck
            slice_ = self._reader.cut()
            self._reader.halt()
        yield from items(slice_, round_.number)
        round_.note(slice_)
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


def _load_what_is_left(pipeline: dlt.Pipeline) -> None:
    """Load what a process before this one had extracted; it is in the state already, or is about to be."""
    # Without data, a run takes the state from the warehouse if that is ahead, and loads the packages that are there.
    pipeline.run()
    if pipeline.config.restore_from_destination:
        # Whoever was killed between committing a package and writing its state down locally has left the state of the
        # slice before. Now that the package is loaded, the warehouse knows better.
        pipeline.sync_destination()


def _run(pipeline: dlt.Pipeline, source: DltSource) -> None:
    try:
        info = pipeline.run(source)
    except PipelineStepFailed as error:
        # dlt wraps what strikes in it, Ctrl-C as well.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__
        if cause is None:
            raise
        raise KeyboardInterrupt from error
    # Where dlt is set up not to raise by itself, it would go on beyond rows that it has put aside.
    info.raise_on_failed_jobs()
