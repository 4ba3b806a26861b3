"""The source: rows, and in dlt's state the checkpoint after them.

dlt loads its state in the same package as the rows that were extracted with it. So the two are always consistent.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from math import inf
from typing import Any, Final, Literal, TypedDict

import dlt
from dlt.extract import DltResource, DltSource

from pyas_async import ListType, Meetings, PyasClient
from pyas_async.integrations.dlt import _rows as tables
from pyas_async.integrations.dlt._reader import AccountIds, Reader, Size, Slice

VerifyTotal = Literal["off", "warn", "raise", "repair"]
OnUnreadable = Literal["raise", "skip"]
_SOURCE: Final = "pyas"
_CHUNK: Final = 2_000
"""Rows that are passed to dlt at a time."""


PAGE_SIZE: Final[int] = inspect.signature(Meetings.iter_accounts).parameters["page_size"].default
"""300: the default of `iter_accounts` itself, by which that knows that a round continues with the page size it has."""


class Options(TypedDict):
    """The arguments of `iter_accounts` other than the accounts and the checkpoint."""

    start_date: date | str | None
    end_date: date | str | None
    type: ListType | str | None
    page_size: int
    max_concurrency: int
    verify_total: VerifyTotal
    on_unreadable: OnUnreadable


class Round:
    """A round over all accounts, as the state of the resource describes it.

    Attributes:
        number: The number of the round, from 1.
        checkpoint: The checkpoint to continue from, as text; ``None`` at the beginning.
    """

    def __init__(self, state: dict[str, Any], *, anew: bool) -> None:
        # Without a checkpoint in the state, the next round begins.
        self._state = state
        self.checkpoint: str | None = None if anew else state.get("place")
        self.number: int = state.get("round", 0) + (self.checkpoint is None)

    def save(self, slice_: Slice) -> None:
        """Write the progress to the state; dlt gets the rows in the same package."""
        if slice_.checkpoint is not None:
            last = slice_.last and slice_.error is None
            self._state.update({"round": self.number, "place": None if last else slice_.checkpoint})


def meetings_source(
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
) -> DltSource:
    """Make a dlt source of the meetings of many accounts, for `pipeline.run`, alone or with other sources.

    A run extracts the rest of a round in one load package: if the process is killed during the run, all of it is
    requested again. For more than a few thousand calls, use `load_meetings`.

    Its resource, ``meetings``, writes three tables, merged by their keys: ``meetings``, ``accounts`` and ``failures``.
    An account that fails has a row in ``failures``, and the others continue; an error that every account would meet is
    raised.

    Args:
        account_ids: See `load_meetings`, also for the other arguments. For a second run, it has to be an iterable that
            can be iterated more than once.
        client: Makes the client.
        start_date: The first day.
        end_date: The last day.
        type: Which meetings to list.
        page_size: Rows to request for a page.
        max_concurrency: How many accounts are listed at a time.
        verify_total: What to do if the service's total does not match the rows.
        on_unreadable: What to do about a row without a usable `id`; see `Meetings.iter_accounts`.
    """
    options = Options(
        start_date=start_date,
        end_date=end_date,
        type=type,
        page_size=page_size,
        max_concurrency=max_concurrency,
        verify_total=verify_total,
        on_unreadable=on_unreadable,
    )

    def meetings() -> Iterator[Any]:
        round_ = Round(dlt.current.resource_state(), anew=False)
        with Reader(account_ids, client, options, Size(_CHUNK, inf, inf)) as reader:
            reader.start(round_.checkpoint)
            while True:
                slice_ = reader.next_slice()
                if slice_.error is not None:
                    raise slice_.error
                yield from items(slice_, round_.number)
                if slice_.last:
                    break
            round_.save(slice_)

    return source_of(meetings)


def source_of(meetings: Callable[[], Iterator[Any]]) -> DltSource:
    """Make a source of a function that yields what `items` yields."""

    # A function, since dlt sets attributes on what it makes a resource of, and methods accept none.
    def extract() -> Iterator[Any]:
        yield from meetings()

    resource: DltResource = dlt.resource(extract, name=tables.MEETINGS, write_disposition="merge")
    return DltSource(dlt.Schema(_SOURCE), _SOURCE, [resource])


def items(slice_: Slice, number: int) -> Iterator[Any]:
    """Yield the rows of a slice in the form that dlt takes."""
    pairs = slice_.pairs
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        rows = [tables.meeting_row(*pair, number) for pair in chunk]
        tables.warn_of_lost_values([meeting for _, meeting in chunk], rows)
        yield _with_hints(rows, tables.MEETINGS, ["row_key"], tables.MEETING_COLUMNS)
    if slice_.listed:
        rows = [tables.account_row(account_id, number) for account_id in slice_.listed]
        yield _with_hints(rows, tables.ACCOUNTS, ["account_id"], tables.ACCOUNT_COLUMNS)
    if slice_.failures:
        rows = [tables.failure_row(account_id, error, number) for account_id, error in slice_.failures.items()]
        yield _with_hints(rows, tables.FAILURES, ["account_id", "round"], tables.FAILURE_COLUMNS)


def _with_hints(rows: list[tables.Row], table: str, key: list[str], types: Mapping[str, str]) -> Any:  # noqa: ANN401  (dlt's)
    # Each table's hints go with its rows: hints of the resource would apply to every table.
    columns: Any = {name: {"name": name, "data_type": data_type} for name, data_type in types.items()}
    hints = dlt.mark.make_hints(table_name=table, primary_key=key, write_disposition="merge", columns=columns)
    return dlt.mark.with_hints(rows, hints, create_table_variant=True)
