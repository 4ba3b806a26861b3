"""``client.meetings``: the five calls for one meeting or page, and the iteration over all pages."""

from datetime import date
from typing import TYPE_CHECKING

from pyas_async import _checks
from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.resuming import PAGE_SIZE, check_account, check_filters, check_page_size
from pyas_async._core.pagination.listing_state import OnExpired, VerifyTotal
from pyas_async._public import public
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import InvalidArgumentError
from pyas_async.many import ManyMeetings
from pyas_async.models import ListType, Page
from pyas_async.options import MeetingId, OnUnknown

if TYPE_CHECKING:
    from pyas_async.models import MeetingCreate, MeetingDetail, MeetingUpdate


@public
class Meetings(ManyMeetings):
    """The Zoom meetings of connected accounts.

    Each method takes the ``account_id`` of a connected account. It can be left out on a client that is bound to one.
    """

    async def list(
        self,
        *,
        account_id: str | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        max_results: int | None = None,
        next_page_token: str | None = None,
        page_number: int | None = None,
    ) -> Page:
        """Get one page of an account's meetings: ``GET /zoom/meetings``. For all pages, use `iter_all`.

        Args:
            account_id: The account to list.
            start_date: The first day; sent as MM-DD-YYYY. A string is sent unchanged. The service's documentation does
                not say whether the day itself is included, or in which time zone it is.
            end_date: The last day; likewise.
            type: Which meetings to list; the service's default is ``"scheduled"``.
            max_results: The maximum number of rows on the page, from 1. The service's default is 30, Zoom's maximum
                300.
            next_page_token: The token of the page before. It expires 15 minutes after it was issued, and needs the
                same filters and page size.
            page_number: The page's number, from 1; not together with `next_page_token`. Zoom is phasing it out: it may
                be ignored.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            PageTokenExpiredError: If the page token is no longer valid.
            APIStatusError: If the service answers with another error.
            TransportError: If no complete response arrives.
            DecodeError: If the response cannot be read.
        """
        try:
            filters = endpoints.list_filters(start_date=start_date, end_date=end_date, type=type)
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
            del next_page_token  # a traceback shows local variables: the caller's stay theirs, ours hold no secret
        return await self._session.run(call, self._options)

    def iter_all(
        self,
        *,
        account_id: str | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        type: ListType | str | None = None,
        page_size: int = PAGE_SIZE,
        max_items: int | None = None,
        prefetch: bool = True,
        on_expired: OnExpired = "restart",
        max_restarts: int = 3,
        verify_total: VerifyTotal = "warn",
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
            max_restarts: How many restarts in a row may bring no new row before `PaginationError` is raised.
            verify_total: What to do if, at the end, the service's total has changed during the listing, or is larger
                than the number of rows. ``"warn"`` logs it; ``"raise"`` raises `PaginationIncompleteError` after the
                last row; ``"repair"`` restarts the listing and yields the missing rows, at most `max_restarts` times.
                Not checked with `max_items`.
            resume: A checkpoint of an earlier iteration, or its text: continue after the rows that it counts. An
                account, filters and a page size that are left out come from it; other values are refused.
                ``None`` counts as left out; a page size of 300 that is written out does not.

        Raises:
            InvalidArgumentError: Immediately, if an argument is not as described.
            CheckpointError: Immediately, if the checkpoint is damaged, of another version, or of another listing.
        """
        filters = endpoints.list_filters(start_date=start_date, end_date=end_date, type=type)
        rules = self._rules(page_size, on_expired, max_restarts, verify_total, max_items)
        given = self._account_id if account_id is None else account_id
        checkpoint = None
        if resume is not None:
            checkpoint = ListingCheckpoint.of(resume)
            given = check_account(checkpoint, given)
            filters = check_filters(checkpoint, filters)
            check_page_size(checkpoint, page_size)
        return MeetingIterator(
            self._session,
            self._options,
            account_id=endpoints.account(given),
            filters=filters,
            rules=rules,
            prefetch=prefetch,
            resume=checkpoint,
        )

    async def get(self, meeting_id: MeetingId, *, account_id: str | None = None) -> "MeetingDetail":
        """Get one meeting with all its details: ``GET /zoom/meetings/:id``.

        Args:
            meeting_id: The meeting's number (as an ``int`` or as digits), or a uuid.
            account_id: The meeting's account.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service answers with another error.
            TransportError: If no complete response arrives.
            DecodeError: If the response cannot be read, or is about a meeting with another number. A uuid is not
                compared, since every instance of a meeting has its own.
        """
        return await self._session.run(endpoints.get_meeting(self._account(account_id), meeting_id), self._options)

    async def create(
        self,
        meeting: "MeetingCreate",
        *,
        account_id: str | None = None,
        on_unknown: OnUnknown = "raise",
    ) -> "MeetingDetail":
        """Create a meeting: ``POST /zoom/meetings``.

        A create is never sent again after its response was lost, since the service cannot tell a repetition from a
        second meeting. Zoom allows 100 creates and updates per host and UTC day.

        With ``on_unknown="reconcile"``, the client looks for the meeting when the response was lost, was a 5xx, or
        cannot be read. It searches the account's scheduled meetings of those days, up to three times, after pauses of
        1, 3 and 9 seconds, as far as the deadline allows. A row counts as the created meeting only if all of this
        holds: its title, type, start and every other field that rows have match; its `created_at` is not more than 10
        seconds before the create was sent; no other create of this client made it; and no second row fits. The search
        takes two or a few calls, and more for the types 1 and 3, which have no start to search by. It cannot tell an
        identical meeting that another program created in those seconds from this one.

        Args:
            meeting: The meeting to create.
            account_id: The account to create it in.
            on_unknown: What to do if it is unknown whether the meeting was created: ``"raise"``, or ``"reconcile"`` to
                look it up. The lookup needs time, so make `timeout` shorter than `deadline`.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If the response was lost: the meeting may exist. After a lookup, `candidates` are the
                meetings that may be it. If the lookup itself failed, a note on the raised error says why.
            APIStatusError: If the service answers with an error; its `write_state` says whether the meeting may exist.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the meeting exists.
        """
        # Imported here since many programs only read.
        from pyas_async._core.reconcile.match import WantedMeeting  # noqa: PLC0415 -- see above
        from pyas_async._runtime import reconcile  # noqa: PLC0415 -- see above

        on_unknown = _checks.choice("on_unknown", on_unknown, ("raise", "reconcile"))
        asked = WantedMeeting(self._account(account_id), meeting)
        return await reconcile.create(self._session, self._options, asked, on_unknown=on_unknown)

    async def update(
        self, meeting_id: MeetingId, changes: "MeetingUpdate", *, account_id: str | None = None
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
            APIStatusError: If the service answers with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the change is made. Or if it is about a meeting with another
                number; then the outcome is unknown, and its `write_state` is ``"unknown"``.
        """
        call = endpoints.update_meeting(self._account(account_id), meeting_id, changes)
        return await self._session.run(call, self._options)

    async def delete(self, meeting_id: MeetingId, *, account_id: str | None = None) -> None:
        """Delete a meeting: ``DELETE /zoom/meetings/:id``. For a recurring meeting, this deletes the whole series.

        Args:
            meeting_id: The meeting's number (as an ``int`` or as digits), or a uuid.
            account_id: The meeting's account.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as described.
            OutcomeUnknownError: If all responses were lost: the meeting may be deleted.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service answers with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the response cannot be read; the meeting is deleted.
        """
        await self._session.run(endpoints.delete_meeting(self._account(account_id), meeting_id), self._options)
