"""``client.meetings``: the calls for one meeting or page, the iterations over all pages, and bulk runs."""

from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import attrs

from pyas_async import _checks
from pyas_async._core import codec
from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.resuming import PAGE_SIZE, check_account, check_filters, check_page_size
from pyas_async._core.pagination.listing_state import ListingRules, OnExpired, OnUnreadable, VerifyTotal
from pyas_async._public import explains, public, usage
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import InvalidArgumentError
from pyas_async.models import ListType, Page
from pyas_async.options import MAX_CONCURRENCY, UNSET, MeetingId, OnUnknown, Unset

# Imported by the first call that needs them, since many programs never make such a call.
if TYPE_CHECKING:
    from os import PathLike

    from pyas_async._core import bulk
    from pyas_async._core.sync.state import SyncState
    from pyas_async._core.sync.store import SyncStore
    from pyas_async._runtime.accounts.iterator import AccountsIterator
    from pyas_async._runtime.bulk.run import BulkRun
    from pyas_async._runtime.bulk.workers import Send
    from pyas_async._runtime.sync.feed import ChangeFeed
    from pyas_async._runtime.sync.watcher import AccountsInput, Watcher
    from pyas_async.changes import Confirm, Keep
    from pyas_async.models import MeetingCreate, MeetingDetail, MeetingUpdate

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def _check_on_unreadable(value: OnUnreadable) -> OnUnreadable:
    return _checks.choice("on_unreadable", value, ("raise", "skip"))


_NOT_ONE_LISTING = (
    "client.meetings has the calls, and is no listing: write `async for meeting in client.meetings.iter_all(…):`, or "
    "`page = await client.meetings.list(…)`"
)


@public
@explains(
    loop=_NOT_ONE_LISTING,
    async_loop=_NOT_ONE_LISTING,
    wait=_NOT_ONE_LISTING,
    block=_NOT_ONE_LISTING,
    async_block=_NOT_ONE_LISTING,
    count=_NOT_ONE_LISTING,
)
class Meetings:
    """The Zoom meetings of connected accounts.

    Each method takes the ``account_id`` of a connected account. It can be left out on a client that is bound to one.
    ``None`` is refused: it would be a missing account, not the client's own.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        account_id: str | None,
        *,
        page_token_ttl: float,
        date_format: str,
    ) -> None:
        self._session = session
        self._options = options
        self._account_id = account_id
        self._page_token_ttl = page_token_ttl
        self._date_format = date_format

    @usage("Write `page = await client.meetings.list(account_id=…, start_date=…)`")
    async def list(
        self,
        *,
        account_id: str | Unset = UNSET,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        max_results: int | None = None,
        next_page_token: str | None = None,
        page_number: int | None = None,
        on_unreadable: OnUnreadable = "raise",
    ) -> Page:
        """Get one page of an account's meetings: ``GET /zoom/meetings``. For all pages, use `iter_all`.

        Args:
            account_id: The account to list.
            start_date: The first day, as a date or an ISO day such as ``"2026-01-31"``; sent in the client's
                `date_format`, MM-DD-YYYY by default. Digits with other separators, such as ``"01-31-2026"``, are sent
                unchanged; any other text is refused. The service's documentation does not say whether the day itself is
                included, or in which time zone it is.
            end_date: The last day; likewise.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            max_results: The maximum number of rows on the page, from 1. The service's default is 30, Zoom's maximum
                300.
            next_page_token: The token of the page before. It expires 15 minutes after it was issued, and needs the
                same filters and page size.
            page_number: The page's number, from 1; not together with `next_page_token`. Zoom is phasing it out: it may
                be ignored.
            on_unreadable: What to do about a row without a usable `id`, of which no `Meeting` can be made: ``"raise"``,
                or ``"skip"``, which logs it and leaves it out. Other values that are not as documented cost no row:
                they are in `Meeting.unreadable`.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            PageTokenExpiredError: If the page token is no longer valid.
            APIStatusError: If the service responds with another error.
            TransportError: If no complete response arrives.
            DecodeError: If the response has no list of meetings, or a row without a usable `id`.
        """
        _check_on_unreadable(on_unreadable)
        try:
            filters = self._filters(start_date, end_date, type)
            call = endpoints.list_meetings(
                self._account(account_id),
                filters,
                max_results=max_results,
                next_page_token=next_page_token,
                page_number=page_number,
            )
        except InvalidArgumentError as error:
            raise error.with_traceback(None) from None
        finally:
            del next_page_token  # tracebacks show local variables, so ours must hold no secret
        page = await self._session.run(call, self._options)
        if not codec.unreadable_rows(page):
            return page
        from pyas_async._runtime.pagination.unreadable import checked_page  # noqa: PLC0415 -- hardly ever needed

        return checked_page(self._session, self._options, call, page, raises=on_unreadable == "raise")

    @usage("Write `async for meeting in client.meetings.iter_all(account_id=…, start_date=…):`")
    def iter_all(
        self,
        *,
        account_id: str | Unset = UNSET,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        page_size: int = PAGE_SIZE,
        max_items: int | None = None,
        prefetch: bool = True,
        on_expired: OnExpired = "restart",
        max_restarts: int = 3,
        verify_total: VerifyTotal = "warn",
        on_unreadable: OnUnreadable = "raise",
        resume: Checkpoint | str | None = None,
    ) -> MeetingIterator:
        """Iterate over all of an account's meetings, across pages, each row once.

        If a page token expires, the listing restarts from the first page with the same filters; rows that were already
        yielded are recognised by ``(id, uuid, start_time)`` and skipped. Nothing is sent before the first row is
        requested.

        Args:
            account_id: The account to list.
            start_date: The first day; see `list`.
            end_date: The last day; see `list`.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            page_size: Rows to request for a page. If the service refuses 300, its default is used.
            max_items: Stop after this many rows, without requesting a page that is not needed.
            prefetch: Under ``async with``, fetch the next page while the consumer works on this one. A bare
                ``async for`` fetches a page when its first row is needed.
            on_expired: ``"raise"`` to get `PageTokenExpiredError` instead of a restart.
            max_restarts: How many consecutive restarts may bring no new row before `PaginationError` is raised.
            verify_total: What to do if, at the end, the service's total has changed during the listing, or is larger
                than the number of rows. ``"warn"`` logs it; ``"raise"`` raises `PaginationIncompleteError` after the
                last row; ``"repair"`` restarts the listing and yields the missing rows, at most `max_restarts` times.
                Not checked with `max_items`.
            on_unreadable: What to do about a row without a usable `id`, of which no `Meeting` can be made. ``"raise"``
                yields the rows before it, and then raises `DecodeError`. The next step, or an iteration that resumes
                from the error's checkpoint, goes on behind the row. ``"skip"`` logs it, and counts it in
                `IterationStats.unreadable`. Other values that are not as documented cost no row: they are in
                `Meeting.unreadable`.
            resume: A checkpoint of an earlier iteration, or its text: continue after the rows that it counts. An
                account, filters and a page size that are left out come from it; other values are refused. For a
                filter, ``None`` counts as left out; a page size of 300 that is written out does not.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described.
            CheckpointError: Immediately, if the checkpoint is damaged, of another version, or of another listing.
        """
        filters = self._filters(start_date, end_date, type)
        rules = self._rules(page_size, on_expired, max_restarts, verify_total, on_unreadable, max_items=max_items)
        checkpoint = None
        if resume is None:
            account = self._account(account_id)
        else:
            checkpoint = ListingCheckpoint.of(resume)
            unnamed = account_id is UNSET and self._account_id is None
            account = check_account(checkpoint, None if unnamed else self._account(account_id))
            filters = check_filters(checkpoint, filters)
            check_page_size(checkpoint, page_size)
        return MeetingIterator(
            self._session,
            self._options,
            account_id=account,
            filters=filters,
            rules=rules,
            prefetch=prefetch,
            resume=checkpoint,
        )

    @usage("Write `meeting = await client.meetings.get(meeting_id, account_id=…)`")
    async def get(self, meeting_id: MeetingId, *, account_id: str | Unset = UNSET) -> "MeetingDetail":
        """Get one meeting with all its details: ``GET /zoom/meetings/:id``.

        Args:
            meeting_id: The meeting's number (as an ``int`` or as digits), or a uuid.
            account_id: The meeting's account.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service responds with another error.
            TransportError: If no complete response arrives.
            DecodeError: If the response cannot be read, or is about a meeting with another number. A uuid is not
                compared, since every instance of a meeting has its own.
        """
        return await self._session.run(endpoints.get_meeting(self._account(account_id), meeting_id), self._options)

    @usage("Write `await client.meetings.create(MeetingCreate(title=…, start_date=…), account_id=…)`")
    async def create(
        self,
        meeting: "MeetingCreate",
        *,
        account_id: str | Unset = UNSET,
        on_unknown: OnUnknown = "raise",
    ) -> "MeetingDetail":
        """Create a meeting: ``POST /zoom/meetings``.

        A create is never sent again after its response was lost, since the service cannot tell a repetition from a
        second meeting. Zoom allows 100 creates and updates per host and UTC day.

        With ``on_unknown="reconcile"``, the client looks for the meeting when the response was lost, was a 5xx, or
        cannot be read. It searches the account's scheduled meetings of those days, up to three times, after pauses of
        1, 3 and 9 seconds, as far as the deadline allows. A row counts as the created meeting only if all of this
        holds: its title, type, start and every other field that rows have match; its `created_at` is not more than 10
        seconds before the create was sent; no other create of this client made it; and no second row matches. The
        search takes at least two calls, and more for the types 1 and 3, which have no start to search by. It cannot
        distinguish this meeting from an identical one that another program created in those seconds.

        Args:
            meeting: The meeting to create.
            account_id: The account to create it in.
            on_unknown: What to do if it is unknown whether the meeting was created: ``"raise"``, or ``"reconcile"`` to
                look it up. The lookup needs time, so make `timeout` shorter than `deadline`.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If the response was lost: the meeting may exist. After a lookup, `candidates` are the
                meetings that may be it. If the lookup itself failed, a note on the raised error says why.
            APIStatusError: If the service responds with an error; its `write_state` says whether the meeting may exist.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the meeting exists.
        """
        # Imported here since many programs only read.
        from pyas_async._core.reconcile.match import WantedMeeting  # noqa: PLC0415 -- see above
        from pyas_async._runtime import reconcile  # noqa: PLC0415 -- see above

        on_unknown = _checks.choice("on_unknown", on_unknown, ("raise", "reconcile"))
        asked = WantedMeeting(self._account(account_id), meeting, self._date_format)
        return await reconcile.create(self._session, asked, self._options, on_unknown=on_unknown)

    @usage("Write `await client.meetings.update(meeting_id, MeetingUpdate(title=…), account_id=…)`")
    async def update(
        self, meeting_id: MeetingId, changes: "MeetingUpdate", *, account_id: str | Unset = UNSET
    ) -> "MeetingDetail | None":
        """Change a meeting: ``PATCH /zoom/meetings/:id``.

        Args:
            meeting_id: The meeting's number (as an ``int`` or as digits), or a uuid.
            changes: The fields to change, at least one; the others stay as they are.
            account_id: The meeting's account.

        Returns:
            The meeting after the change, if the service sends it; its documentation describes no response.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If all responses were lost: the change may have been made.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service responds with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the change is made. Or if it is about a meeting with another
                number; then the outcome is unknown, and its `write_state` is ``"unknown"``.
        """
        call = endpoints.update_meeting(self._account(account_id), meeting_id, changes)
        return await self._session.run(call, self._options)

    @usage("Write `await client.meetings.delete(meeting_id, account_id=…)`")
    async def delete(self, meeting_id: MeetingId, *, account_id: str | Unset = UNSET) -> None:
        """Delete a meeting: ``DELETE /zoom/meetings/:id``. For a recurring meeting, this deletes the whole series.

        Args:
            meeting_id: The meeting's number (as an ``int`` or as digits), or a uuid.
            account_id: The meeting's account.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If all responses were lost: the meeting may be deleted.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service responds with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the meeting is deleted.
        """
        await self._session.run(endpoints.delete_meeting(self._account(account_id), meeting_id), self._options)

    @usage("Write `async with client.meetings.iter_accounts(account_ids) as pairs:`")
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
        on_unreadable: OnUnreadable = "raise",
        resume: Checkpoint | str | None = None,
    ) -> "AccountsIterator":
        """Iterate over all meetings of many accounts at once, as pairs ``(account_id, meeting)``.

        ::

            async with client.meetings.iter_accounts(account_ids) as pairs:
                async for account_id, meeting in pairs:
                    ...
            print(pairs.failures)

        Each account is listed as by `iter_all`, with its next page prefetched. The accounts' pages take turns, so a
        long listing does not hold up the others. If a listing fails, its error is kept in `failures` and the others
        continue. Errors that would affect every account end the iteration: `AuthenticationError`, `ClientClosedError`,
        `ConfigurationError`, `WrongEventLoopError`, and a `RateLimitError` for the plan's month.

        Args:
            account_ids: The accounts to list: a collection, or any iterable, asynchronous or not, such as a database
                query. Ids are read from it only when an account can be started, never ahead. An id that occurs twice is
                listed twice. A value that is not a valid id is recorded as a failure. An error that the iterable raises
                ends the iteration. A generator is closed with the iteration.
            start_date: The first day; see `list`.
            end_date: The last day; see `list`.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            page_size: Rows to request for a page. If the service refuses 300, its default is used.
            max_concurrency: How many accounts are listed at a time, from 1. Each holds two pages at most.
            on_expired: See `iter_all`, also for the next three.
            max_restarts: How many consecutive restarts may bring no new row.
            verify_total: What to do if the service's total does not match the rows.
            on_unreadable: What to do about a row without a usable `id`: ``"raise"`` ends the listing of its account
                there, as other errors do; ``"skip"`` leaves the row out.
            resume: A checkpoint of an earlier iteration, or its text: continue after the pairs that it counts. It needs
                the same accounts in the same order; accounts appended after them are listed as well. The earlier ids
                are read and compared again, but not listed again. Failed accounts are tried again at the end, from
                where they failed. Filters and a page size that are left out come from the checkpoint; other values are
                refused, as by `iter_all`.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described.
            CheckpointError: Immediately, if the checkpoint is damaged, of another version, or of another listing. At
                the first pair, if the accounts are not the same.
        """
        from pyas_async._core.checkpoints.accounts import AccountsCheckpoint  # noqa: PLC0415 -- see above
        from pyas_async._runtime.accounts.iterator import AccountsIterator  # noqa: PLC0415 -- see above
        from pyas_async._runtime.accounts.source import AccountSource  # noqa: PLC0415 -- see above

        filters = self._filters(start_date, end_date, type)
        rules = self._rules(page_size, on_expired, max_restarts, verify_total, on_unreadable)
        checkpoint = None
        if resume is not None:
            checkpoint = AccountsCheckpoint.of(resume)
            filters = check_filters(checkpoint, filters)
            check_page_size(checkpoint, page_size)
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

    @usage("Write `async for change in client.meetings.changes(account_id=…, store=…):`")
    def changes(
        self,
        *,
        account_id: str | Unset = UNSET,
        since: "SyncState | str | None" = None,
        store: "SyncStore | str | PathLike[str] | None" = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        page_size: int = PAGE_SIZE,
        confirm: "Confirm" = "get",
        ignore: Collection[str] = (),
        keep: "Keep" = "documents",
    ) -> "ChangeFeed":
        """Find out what has changed in an account's listing since the last round: created, updated, deleted, left.

        ::

            feed = client.meetings.changes(account_id="acc", since=text)  # text=None: every row is new
            async for change in feed:
                ...
            text = str(feed.state)

        The service has no change feed, so a round lists the account and compares the rows with those of the state. Rows
        are matched by ``(id, uuid)``, and the dates of a series by their starts: a moved meeting is one change.

        A missing row is looked up with a get, which tells a deleted meeting from one that is over or that the filters
        no longer match. A round looks up at most as many meetings as it has received pages, or 20 if that is more; the
        following rounds look up the rest. If the listing changes while it is read, it is read again, at most twice.
        If no two walks agree, no row counts as gone in this round.

        With `since`, a change can be lost if a state is stored before the changes are processed, and one can come
        again: store each of `ChangeFeed.chunks` in one transaction with its state. With `store`, none is lost: before
        changes are handed out, the store holds them, and after a crash at most 100 of them come again.

        Args:
            account_id: The account to list.
            since: The state after the last round, or its text; ``None`` for a first round. The account and filters that
                are left out come from it; others are refused.
            store: Where the state is kept: the path of an SQLite file, or an object with the methods of `SyncStore`.
                Not together with `since`.
            start_date: The first day; see `list`.
            end_date: The last day; see `list`.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            page_size: Rows to request for a page. If the service refuses 300, its default is used.
            confirm: ``"off"`` looks nothing up. A missing row has ``"left"`` then, deleted or not.
            ignore: Names of fields, as `to_dict` names them, whose changes do not count.
            keep: What a state keeps of a row. ``"digests"`` needs at most 60 bytes for a usual row and holds no secret;
                `Change.before` then has only `id`, `uuid` and `start_time`.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described.
            CheckpointError: Immediately, if the state is damaged, of another version, or of another listing; at the
                first step, if it comes from a store.
        """
        from pyas_async._core.sync.arguments import round_arguments  # noqa: PLC0415 -- see above
        from pyas_async._runtime.sync.feed import ChangeFeed  # noqa: PLC0415 -- see above
        from pyas_async._runtime.sync.sqlite_store import open_store  # noqa: PLC0415 -- see above

        unnamed = account_id is UNSET and self._account_id is None
        arguments = round_arguments(
            None if unnamed else self._account(account_id),
            since,
            self._filters(start_date, end_date, type),
            confirm=confirm,
            ignore=ignore,
            keep=keep,
        )
        if since is not None and store is not None:
            raise InvalidArgumentError("store", "nothing together with since=", "<a store>")
        return ChangeFeed(
            self._session,
            self._options.for_bulk(),
            arguments.state,
            rules=self._rules(page_size, "restart", 3, "off", "skip"),
            confirm=arguments.confirm,
            ignore=arguments.ignore,
            store=None if store is None else open_store(store),
        )

    @usage("Write `async with client.meetings.watch(account_ids, store=…) as changes:`")
    def watch(
        self,
        account_ids: "AccountsInput",
        *,
        store: "SyncStore | str | PathLike[str]",
        every: float = 60.0,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        page_size: int = PAGE_SIZE,
        confirm: "Confirm" = "get",
        ignore: Collection[str] = (),
        keep: "Keep" = "documents",
        shard: tuple[int, int] | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "Watcher":
        """Watch the listings of many accounts: their changes, for ever, until it is cancelled.

        ::

            async with client.meetings.watch(account_ids, store="watch.sqlite") as changes:
                async for change in changes:
                    ...

        The accounts are looked at in turn, each as by `changes`, evenly spread over `every` seconds, within the call
        budget and below interactive calls. If the budget does not allow so many looks, they come as often as it does.
        If an account fails, it is set aside, and its error stands in `Watcher.failures`; the others go on.

        Args:
            account_ids: The accounts: a collection, an iterable that can be iterated again, asynchronous or not, or a
                function that returns one, such as a database query. Each pass reads it again, so it notices new and
                removed accounts. An iterator is read once, and its accounts are kept.
            store: Where the states are kept: the path of an SQLite file, which one watch at a time can use, or an
                object with the methods of `SyncStore`.
            every: Seconds from the start of one look at an account to the start of the next, at least.
            start_date: The first day; see `list`.
            end_date: The last day; see `list`.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            page_size: Rows to request for a page. If the service refuses 300, its default is used.
            confirm: See `changes`, also for the next two.
            ignore: Names of fields whose changes do not count.
            keep: What a state keeps of a row.
            shard: ``(i, n)`` watches only the accounts of shard ``i`` of ``n``, from 0: for several machines. The shard
                of an account depends on its id alone.
            max_concurrency: How many accounts are looked at at a time.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described.
            ConfigurationError: At ``async with``, if another watch uses the same file.
        """
        from pyas_async._core.sync.arguments import round_arguments, shard_argument  # noqa: PLC0415 -- see above
        from pyas_async._runtime.sync.sqlite_store import open_store  # noqa: PLC0415 -- see above
        from pyas_async._runtime.sync.watcher import AccountsSource, Watcher, WatchRules  # noqa: PLC0415 -- see above

        filters = self._filters(start_date, end_date, type)
        arguments = round_arguments("any", None, filters, confirm=confirm, ignore=ignore, keep=keep)
        return Watcher(
            self._session,
            self._options.for_bulk(),
            AccountsSource(account_ids),
            open_store(store),
            WatchRules(
                states=lambda account_id: attrs.evolve(arguments.state, account_id=account_id),
                listing=self._rules(page_size, "restart", 3, "off", "skip"),
                every=_checks.number("every", every, above=True, unit="seconds"),
                confirm=arguments.confirm,
                ignore=arguments.ignore,
                shard=shard_argument(shard),
                max_concurrency=_checks.whole_number("max_concurrency", max_concurrency, minimum=1),
            ),
        )

    @usage("Write `outcomes = await client.meetings.get_many([meeting_id, …], account_id=…)`")
    def get_many(
        self,
        meeting_ids: Iterable[MeetingId] | AsyncIterable[MeetingId],
        *,
        account_id: str | Unset = UNSET,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, MeetingDetail]":
        """Get many meetings at once. A call that fails is an `Outcome`, too.

        ``await`` the run for a list in the order of the input, or stream it with ``async with``; see `BulkRun`. An
        outcome's `error` is what `get` would have raised.

        Args:
            meeting_ids: The ids, from any iterable, asynchronous or not; they are read as they are needed. An id that
                occurs twice is requested twice.
            account_id: The meetings' account.
            max_concurrency: The maximum number of calls at a time. The rate limit holds in any case.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described. An invalid id becomes an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.get_many(self._account(account_id)), meeting_ids, max_concurrency)

    # The overloads overlap only where a `MeetingCreate` is a key.
    @overload
    def create_many(  # type: ignore[overload-overlap]
        self,
        meetings: "Mapping[K, MeetingCreate]",
        *,
        account_id: str | Unset = UNSET,
        on_unknown: OnUnknown = "raise",
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[K, MeetingDetail]": ...

    @overload
    def create_many(
        self,
        meetings: "Iterable[MeetingCreate] | AsyncIterable[MeetingCreate]",
        *,
        account_id: str | Unset = UNSET,
        on_unknown: OnUnknown = "raise",
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[int, MeetingDetail]": ...

    @usage("Write `outcomes = await client.meetings.create_many([MeetingCreate(…), …], account_id=…)`")
    def create_many(
        self,
        meetings: "Mapping[Any, MeetingCreate] | Iterable[MeetingCreate] | AsyncIterable[MeetingCreate]",
        *,
        account_id: str | Unset = UNSET,
        on_unknown: OnUnknown = "raise",
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[Any, MeetingDetail]":
        """Create many meetings at once. Otherwise like `get_many`.

        As with `create`, a meeting whose response was lost is not sent again: the `state` of its outcome is
        ``"unknown"``. To repeat what failed, repeat the outcomes that are ``"failed"`` or ``"not_started"``, and no
        others.

        Args:
            meetings: The meetings to create. The `key` of an outcome is the meeting's key if this is a mapping, else
                its position, from 0.
            account_id: The account to create them in.
            on_unknown: What to do if it is unknown whether a meeting was created: ``"raise"`` reports that, and
                ``"reconcile"`` looks the meeting up, as `create` does. The lookup of one meeting does not hold up the
                others, except that it takes one of the `max_concurrency` calls.
            max_concurrency: The maximum number of calls at a time.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described. An invalid item becomes an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above
        from pyas_async._runtime import reconcile  # noqa: PLC0415 -- see above

        on_unknown = _checks.choice("on_unknown", on_unknown, ("raise", "reconcile"))
        by_key = isinstance(meetings, Mapping)
        operation = bulk.create_many(self._account(account_id), by_key=by_key, date_format=self._date_format)
        source: Any = meetings.items() if isinstance(meetings, Mapping) else meetings
        send = partial(reconcile.create, self._session, on_unknown=on_unknown)
        return self._many(operation, source, max_concurrency, send)

    @usage("Write `outcomes = await client.meetings.update_many({meeting_id: MeetingUpdate(…), …}, account_id=…)`")
    def update_many(
        self,
        changes: """Mapping[int, MeetingUpdate]
        | Mapping[str, MeetingUpdate]
        | Mapping[MeetingId, MeetingUpdate]
        | Iterable[tuple[MeetingId, MeetingUpdate]]
        | AsyncIterable[tuple[MeetingId, MeetingUpdate]]""",
        *,
        account_id: str | Unset = UNSET,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, MeetingDetail | None]":
        """Change many meetings at once. Like `update` for each meeting, and otherwise like `get_many`.

        Args:
            changes: The changes by meeting id, as a mapping or as pairs. The order in which pairs with the same id are
                sent is not defined.
            account_id: The meetings' account.
            max_concurrency: The maximum number of calls at a time.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described. An invalid item becomes an outcome.
        """
        pairs: Any = changes.items() if isinstance(changes, Mapping) else changes
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        operation = bulk.update_many(self._account(account_id), by_key=isinstance(changes, Mapping))
        return self._many(operation, pairs, max_concurrency)

    @usage("Write `outcomes = await client.meetings.delete_many([meeting_id, …], account_id=…)`")
    def delete_many(
        self,
        meeting_ids: Iterable[MeetingId] | AsyncIterable[MeetingId],
        *,
        account_id: str | Unset = UNSET,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> "BulkRun[MeetingId, None]":
        """Delete many meetings at once; for recurring meetings, the whole series. Otherwise like `get_many`.

        Args:
            meeting_ids: The ids. If an id occurs twice, the second call may fail with `NotFoundError`.
            account_id: The meetings' account.
            max_concurrency: The maximum number of calls at a time.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described. An invalid id becomes an outcome.
        """
        from pyas_async._core import bulk  # noqa: PLC0415 -- see above

        return self._many(bulk.delete_many(self._account(account_id)), meeting_ids, max_concurrency)

    def _many(
        self,
        operation: "bulk.BulkOperation[T, K, V]",
        items: Iterable[T] | AsyncIterable[T],
        max_concurrency: int,
        send: "Send[V] | None" = None,
    ) -> "BulkRun[K, V]":
        from pyas_async._runtime.bulk.run import BulkRun  # noqa: PLC0415 -- see above

        return BulkRun(self._session, self._options, operation, items, max_concurrency=max_concurrency, send=send)

    def _rules(
        self,
        page_size: int,
        on_expired: OnExpired,
        max_restarts: int,
        verify_total: VerifyTotal,
        on_unreadable: OnUnreadable,
        *,
        max_items: int | None = None,
    ) -> ListingRules:
        return ListingRules(
            page_size=_checks.whole_number("page_size", page_size, minimum=1),
            max_items=None if max_items is None else _checks.whole_number("max_items", max_items, minimum=1),
            on_expired=_checks.choice("on_expired", on_expired, ("restart", "raise")),
            max_restarts=_checks.whole_number("max_restarts", max_restarts, minimum=0),
            verify_total=_checks.choice("verify_total", verify_total, ("off", "warn", "raise", "repair")),
            on_unreadable=_check_on_unreadable(on_unreadable),
            token_ttl=self._page_token_ttl,
        )

    def _filters(
        self, start_date: date | str | None, end_date: date | str | None, type: ListType | str | None
    ) -> tuple[tuple[str, str], ...]:
        return endpoints.list_filters(
            start_date=start_date, end_date=end_date, type=type, date_format=self._date_format
        )

    def _account(self, account_id: str | Unset) -> str:
        if account_id is UNSET and self._account_id is not None:
            return self._account_id  # it was checked when the client was bound to it
        return endpoints.account(account_id)
