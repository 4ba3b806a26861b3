"""What is done to many meetings, or for many accounts, at once."""

from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from pyas_async._core.calls import endpoints
from pyas_async._core.pagination.checkpoint import Checkpoint
from pyas_async._core.pagination.listing_state import PAGE_SIZE, ListingRules, OnExpired, VerifyTotal
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async.models import ListType, _checks
from pyas_async.options import MAX_CONCURRENCY, MeetingId

# What does the work is loaded by the first call that needs it, since many programs never make one.
if TYPE_CHECKING:
    from pyas_async._core import bulk
    from pyas_async._runtime.accounts.iterator import AccountsIterator
    from pyas_async._runtime.bulk.run import BulkRun
    from pyas_async.models import MeetingCreate, MeetingDetail, MeetingUpdate

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class ManyMeetings:
    """The half of ``client.meetings`` that does many things at once."""

    def __init__(self, session: Session, options: CallOptions, account_id: str | None, page_token_ttl: float) -> None:
        """Made by the client: ``client.meetings``."""
        self._session = session
        self._options = options
        self._account_id = account_id
        self._page_token_ttl = page_token_ttl

    def iter_accounts(
        self,
        account_ids: Iterable[str] | AsyncIterable[str],
        *,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        page_size: int = PAGE_SIZE,
        max_concurrency: int = MAX_CONCURRENCY,
        on_expired: OnExpired = "restart",
        max_restarts: int = 3,
        verify_total: VerifyTotal = "warn",
        resume: Checkpoint | str | None = None,
    ) -> "AccountsIterator":
        """Iterate over all meetings of many accounts at once, as pairs ``(account_id, meeting)``.

        ::

            async with client.meetings.iter_accounts(account_ids) as pairs:
                async for account_id, meeting in pairs:
                    ...
            print(pairs.failures)

        Each account is listed as by `iter_all`, with the next page on its way. Pages take turns, so a long listing
        keeps no other out. A listing that fails is kept in `failures`, and the others go on; but an error that no
        account would be spared ends the iteration: `AuthenticationError`, `ClientClosedError`, `ConfigurationError`,
        `WrongEventLoopError`, or a `RateLimitError` of the plan's month.

        Args:
            account_ids: Whose meetings: a collection, or anything that gives ids one by one, as from a database. They
                are drawn when there is room for them, never ahead. An id that comes twice is listed twice. One that
                cannot be an id is a failure of its own. What the input raises ends the iteration. A generator is closed
                with the iteration.
            start_date: From this day on; as for `list`.
            end_date: Up to this day; as for `list`.
            type: Which meetings; the service's default is ``"scheduled"``.
            page_size: Rows a page that are asked for. If the service refuses 300, its default is taken.
            max_concurrency: Accounts under way at a time, from 1. Each holds two pages at most.
            on_expired: As for `iter_all`; so are the next two.
            max_restarts: Fresh walks in a row that may bring no new row.
            verify_total: What to do if the service's total does not fit the rows that came.
            resume: A checkpoint of an earlier iteration, or its text: go on after the pairs that it counts. Needs the
                same accounts in the same order; those that are added behind them are listed as well. They are drawn
                again, and compared, but not listed again. Accounts that had failed are tried again, last of all, from
                where they stood. Filters and the page size that are left out come from the checkpoint; others are
                refused.

        Raises:
            InvalidArgumentError: At once, if an argument is not as above.
            CheckpointError: At once, if the checkpoint is damaged, of another version, or of another listing; at the
                first pair, if the accounts are others.
        """
        from pyas_async._core.accounts.checkpoint import AccountsCheckpoint  # noqa: PLC0415 -- see above
        from pyas_async._runtime.accounts.iterator import AccountsIterator  # noqa: PLC0415 -- see above
        from pyas_async._runtime.accounts.source import AccountSource  # noqa: PLC0415 -- see above

        filters = endpoints.list_filters(start_date=start_date, end_date=end_date, type=type)
        rules = self._rules(page_size, on_expired, max_restarts, verify_total)
        checkpoint = None
        if resume is not None:
            checkpoint = AccountsCheckpoint.of(resume)
            filters = checkpoint.check_filters(filters)
            checkpoint.check_page_size(rules.page_size, left_out=PAGE_SIZE)
            rules = attrs.evolve(rules, page_size=checkpoint.page_size)
        return AccountsIterator(
            self._session,
            self._options,
            AccountSource(account_ids, checkpoint),
            filters=filters,
            rules=rules,
            max_concurrency=_checks.whole_number("max_concurrency", max_concurrency, minimum=1),
            resume=checkpoint,
        )

    def get_many(
        self,
        meeting_ids: Iterable[MeetingId] | AsyncIterable[MeetingId],
        *,
        account_id: str | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, MeetingDetail]":
        """Get many meetings at once; what fails is an `Outcome` as well.

        ``await`` it for a list in order, or stream with ``async with``: `BulkRun` says how. What `get` raises, an
        outcome holds as its `error`.

        Args:
            meeting_ids: The ids, from any iterable, asynchronous or not; drawn as they are needed. One that comes twice
                is asked for twice.
            account_id: Whose meetings.
            max_concurrency: Calls under way at most. The rate limit is kept in any case.

        Raises:
            InvalidArgumentError: At once, if an argument is not as above. An id that is none is an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.get_many(self._account(account_id)), meeting_ids, max_concurrency)

    def create_many(
        self,
        meetings: "Iterable[MeetingCreate] | AsyncIterable[MeetingCreate]",
        *,
        account_id: str | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[int, MeetingDetail]":
        """Create many meetings at once; an outcome's `key` is its meeting's position in the input, from 0.

        As with `create`, none is sent twice after its answer was lost: its outcome holds an `OutcomeUnknownError`.
        Otherwise like `get_many`.

        Args:
            meetings: What to create.
            account_id: Whose meetings they will be.
            max_concurrency: Calls under way at most.

        Raises:
            InvalidArgumentError: At once, if an argument is not as above. An item that is none is an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.create_many(self._account(account_id)), meetings, max_concurrency)

    def update_many(
        self,
        changes: """Mapping[int, MeetingUpdate]
        | Mapping[str, MeetingUpdate]
        | Mapping[MeetingId, MeetingUpdate]
        | Iterable[tuple[MeetingId, MeetingUpdate]]
        | AsyncIterable[tuple[MeetingId, MeetingUpdate]]""",
        *,
        account_id: str | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, MeetingDetail | None]":
        """Change many meetings at once. Otherwise like `get_many`, and for each meeting like `update`.

        Args:
            changes: The changes by meeting id: a mapping, or pairs. Pairs with the same id are sent in no sure order.
            account_id: Whose meetings.
            max_concurrency: Calls under way at most.

        Raises:
            InvalidArgumentError: At once, if an argument is not as above. An item that is no such pair is an outcome.
        """
        pairs: Any = changes.items() if isinstance(changes, Mapping) else changes
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.update_many(self._account(account_id)), pairs, max_concurrency)

    def delete_many(
        self,
        meeting_ids: Iterable[MeetingId] | AsyncIterable[MeetingId],
        *,
        account_id: str | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, None]":
        """Delete many meetings at once; of recurring ones, the whole series. Otherwise like `get_many`.

        Args:
            meeting_ids: The ids. Of one that comes twice, the second call may find nothing: `NotFoundError`.
            account_id: Whose meetings.
            max_concurrency: Calls under way at most.

        Raises:
            InvalidArgumentError: At once, if an argument is not as above. An id that is none is an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.delete_many(self._account(account_id)), meeting_ids, max_concurrency)

    def _many(
        self, operation: "bulk.BulkOperation[T, K, V]", items: Iterable[T] | AsyncIterable[T], max_concurrency: int
    ) -> "BulkRun[K, V]":
        from pyas_async._runtime.bulk.run import BulkRun  # noqa: PLC0415 -- see above

        return BulkRun(self._session, self._options, operation, items, max_concurrency=max_concurrency)

    def _rules(
        self,
        page_size: int,
        on_expired: OnExpired,
        max_restarts: int,
        verify_total: VerifyTotal,
        max_items: int | None = None,
    ) -> ListingRules:
        return ListingRules(
            page_size=_checks.whole_number("page_size", page_size, minimum=1),
            max_items=None if max_items is None else _checks.whole_number("max_items", max_items, minimum=1),
            on_expired=_checks.choice("on_expired", on_expired, ("restart", "raise")),
            max_restarts=_checks.whole_number("max_restarts", max_restarts, minimum=0),
            verify_total=_checks.choice("verify_total", verify_total, ("off", "warn", "raise", "repair")),
            token_ttl=self._page_token_ttl,
        )

    def _account(self, account_id: str | None) -> str:
        return endpoints.account(self._account_id if account_id is None else account_id)
