"""The source: rows, and with them, in dlt's state, the place behind them.

dlt loads its state in the package of the rows that were extracted along with it. So where the state is, the rows are.
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
_SOURCE: Final = "pyas"
_AT_ONCE: Final = 2_000
"""Rows that dlt is handed at a time."""


PAGE_SIZE: Final[int] = inspect.signature(Meetings.iter_accounts).parameters["page_size"].default
"""300: the default of `iter_accounts` itself, by which that knows that a round continues with the page size it has."""


class Options(TypedDict):
    """What `iter_accounts` is given besides the accounts and the place."""

    start_date: date | str | None
    end_date: date | str | None
    type: ListType | str | None
    page_size: int
    max_concurrency: int
    verify_total: VerifyTotal


class Round:
    """A round over all accounts, as the state of the resource knows it.

    Attributes:
        number: Which it is, from 1.
        place: How far it has come, a checkpoint's text; ``None`` if it is about to begin.
    """

    def __init__(self, state: dict[str, Any], *, anew: bool) -> None:
        """Find the round that is to be gone on with, or begin the next."""
        self._state = state
        self.place: str | None = None if anew else state.get("place")
        self.number: int = state.get("round", 0) + (self.place is None)

    def note(self, slice_: Slice) -> None:
        """Write down how far it has come; the rows are handed to dlt in the same package."""
        if slice_.place is not None:
            over = slice_.over and slice_.error is None
            self._state.update({"round": self.number, "place": None if over else slice_.place})


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
) -> DltSource:
    """Make a dlt source of the meetings of many accounts, for `pipeline.run`, alone or among other sources.

    A run extracts all that is left of a round, in one load package: what a kill strikes meanwhile is asked for again.
    For more than a few thousand calls, take `load_meetings`.

    Its resource, ``meetings``, writes three tables, merged by their keys: ``meetings``, ``accounts`` and ``failures``.
    An account that fails stands in the last of them, and the others go on; what no account would be spared is raised.

    Args:
        account_ids: As for `load_meetings`; so is all that follows. For a second run, anything that can be iterated
            more than once.
        client: Makes the client.
        start_date: From this day on.
        end_date: Up to this day.
        type: Which meetings.
        page_size: Rows a page that are asked for.
        max_concurrency: Accounts under way at a time.
        verify_total: What to do if the service's total does not fit the rows that came.
    """
    options = Options(
        start_date=start_date,
        end_date=end_date,
        type=type,
        page_size=page_size,
        max_concurrency=max_concurrency,
        verify_total=verify_total,
    )

    def meetings() -> Iterator[Any]:
        round_ = Round(dlt.current.resource_state(), anew=False)
        with Reader(account_ids, client, options, Size(_AT_ONCE, inf, inf)) as reader:
            reader.start(round_.place)
            while True:
                slice_ = reader.take()
                if slice_.error is not None:
                    raise slice_.error
                yield from items(slice_, round_.number)
                if slice_.over:
                    break
            round_.note(slice_)

    return source_of(meetings)


def source_of(meetings: Callable[[], Iterator[Any]]) -> DltSource:
    """Make a source of a function that gives what `items` gives."""

    # A function: dlt writes into what it makes a resource of, which a method does not take.
    def extract() -> Iterator[Any]:
        yield from meetings()

    resource: DltResource = dlt.resource(extract, name=tables.MEETINGS, write_disposition="merge")
    return DltSource(dlt.Schema(_SOURCE), _SOURCE, [resource])


def items(slice_: Slice, number: int) -> Iterator[Any]:
    """Give the rows of a slice as dlt takes them."""
    pairs = slice_.pairs
    for start in range(0, len(pairs), _AT_ONCE):
        rows = [tables.meeting_row(*pair, number) for pair in pairs[start : start + _AT_ONCE]]
        yield _for(rows, tables.MEETINGS, ["row_key"], tables.MEETING_COLUMNS)
    if slice_.listed:
        rows = [tables.account_row(account_id, number) for account_id in slice_.listed]
        yield _for(rows, tables.ACCOUNTS, ["account_id"], tables.ACCOUNT_COLUMNS)
    if slice_.failures:
        rows = [tables.failure_row(account_id, error, number) for account_id, error in slice_.failures.items()]
        yield _for(rows, tables.FAILURES, ["account_id", "round"], tables.FAILURE_COLUMNS)


def _for(rows: list[tables.Row], table: str, key: list[str], types: Mapping[str, str]) -> Any:  # noqa: ANN401  (dlt's)
    # A table's hints go with its rows: those of the resource would be every table's.
    columns: Any = {name: {"name": name, "data_type": data_type} for name, data_type in types.items()}
    hints = dlt.mark.make_hints(table_name=table, primary_key=key, write_disposition="merge", columns=columns)
    return dlt.mark.with_hints(rows, hints, create_table_variant=True)
