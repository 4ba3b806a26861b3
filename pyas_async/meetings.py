"""``client.meetings``: the five calls, and the walk over all pages."""

from datetime import date
from typing import TYPE_CHECKING

from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.resuming import PAGE_SIZE, check_account, check_filters, check_page_size
from pyas_async._core.pagination.listing_state import OnExpired, VerifyTotal
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import InvalidArgumentError
from pyas_async.many import ManyMeetings
from pyas_async.models import ListType, Page, _checks
from pyas_async.options import MeetingId, OnUnknown

if TYPE_CHECKING:
    from pyas_async.models import MeetingCreate, MeetingDetail, MeetingUpdate


class Meetings(ManyMeetings):
    """The Zoom meetings of connected accounts.

    ``account_id`` says whose meetings: the id that connecting an account gave. It may be left out on a client that is
    bound to one.
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
        """Get one page of an account's meetings: ``GET /zoom/meetings``. For all of them, use `iter_all`.

        Args:
            account_id: Whose meetings.
            start_date: From this day on; written MM-DD-YYYY. A string goes out as it is. Whether the day itself
                counts, and in which time zone, the page does not say.
            end_date: Up to this day; likewise.
            type: Which meetings; the service's default is ``"scheduled"``.
            max_results: Rows on the page at most, from 1; the service's default is 30, and Zoom's maximum 300.
            next_page_token: Asks for the page after the one that it came with. It expires 15 minutes after that, and
                wants the same filters and size as before.
            page_number: Asks for a page by its number, from 1; not beside `next_page_token`. Zoom is phasing it out:
                it may be ignored.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            PageTokenExpiredError: If the page token is no longer valid.
            APIStatusError: If the service answers with another error.
            TransportError: If no whole answer arrives.
            DecodeError: If the answer cannot be read.
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
            del next_page_token  # tracebacks show variables: that of the caller is theirs, this one is ours
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

        A page token that dies on the way is answered by a fresh walk with the same filters; rows that were handed out
        are skipped by ``(id, uuid, start_time)``. Nothing is sent before the first row is asked for.

        Args:
            account_id: Whose meetings.
            start_date: From this day on; as for `list`.
            end_date: Up to this day; as for `list`.
            type: Which meetings; the service's default is ``"scheduled"``.
            page_size: Rows a page that are asked for. If the service refuses 300, its default is taken.
            max_items: Stop after so many rows, without asking for a page that is not needed.
            prefetch: Under ``async with``, let the next page travel while the rows of this one are worked on. A bare
                ``async for`` fetches when rows are wanted.
            on_expired: ``"raise"`` to get `PageTokenExpiredError` instead of a fresh walk.
            max_restarts: Fresh walks in a row that may bring no new row, before `PaginationError` is raised.
            verify_total: What to do if, at the end, the total that the service reports has changed under way or is
                larger than the rows that came. ``"warn"`` logs it; ``"raise"`` raises `PaginationIncompleteError` after
                the last row; ``"repair"`` walks afresh and yields what was missed, `max_restarts` times at most. Not
                looked at with `max_items`.
            resume: A checkpoint of an earlier iteration, or its text: go on after the rows that it counts. The
                account, the filters and the page size that are left out come from it; others are refused. (A filter or
                an account of ``None`` is left out; a page size of 300 that is written out is not.)

        Raises:
            InvalidArgumentError: At once, if an argument is not as above.
            CheckpointError: At once, if the checkpoint is damaged, of another version, or of another listing.
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
            meeting_id: Its number, the number's digits, or a uuid.
            account_id: Whose meeting.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service answers with another error.
            TransportError: If no whole answer arrives.
            DecodeError: If the answer cannot be read, or is about another meeting than the one of that number. A uuid
                is not compared, since every instance of a meeting has its own.
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

        It is never sent twice after its answer was lost, since the service cannot tell a repetition from a second
        meeting. Zoom allows 100 creates and updates for each host and UTC day.

        ``on_unknown="reconcile"`` looks the meeting up instead, when its answer was lost, was a 5xx, or cannot be read:
        among the account's scheduled meetings of those days, up to three times, after pauses of 1, 3 and 9 seconds, as
        far as the deadline allows. A meeting is taken for the one created only if title, type, start and all else that
        rows say fit, if its `created_at` is not more than 10 seconds before the create was sent, if this client did not
        make it by another create, and if no second one may be it. That takes two calls, or a few; more for the types 1
        and 3, which have no start to look for. What it cannot tell is a meeting just like this one that somebody else
        created in those seconds.

        Args:
            meeting: What to create.
            account_id: Whose meeting it will be.
            on_unknown: What to do when nobody can tell whether the meeting was made: ``"raise"``, or ``"reconcile"`` to
                look it up. Let `timeout` be shorter than `deadline`, or no time is left for that.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            OutcomeUnknownError: If the answer was lost: the meeting may exist. After it was looked up, `candidates` are
                the meetings that may be it. If looking it up failed, a note says why, on whichever error is raised.
            APIStatusError: If the service answers with an error; its `write_state` says whether the meeting may exist.
            TransportError: If the request could not be sent.
            DecodeError: If the answer cannot be read; the meeting exists.
        """
        # Many programs only read.
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
            meeting_id: Its number, the number's digits, or a uuid.
            changes: The fields to change, at least one; the others stay as they are.
            account_id: Whose meeting.

        Returns:
            The meeting as it is now, if the service says so; the page does not document an answer.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            OutcomeUnknownError: If all answers were lost: the change may have been made.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service answers with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the answer cannot be read; the change is made. Or if it is about another meeting than the
                one of that number; then nobody can tell, and its `write_state` is ``"unknown"``.
        """
        call = endpoints.update_meeting(self._account(account_id), meeting_id, changes)
        return await self._session.run(call, self._options)

    async def delete(self, meeting_id: MeetingId, *, account_id: str | None = None) -> None:
        """Delete a meeting: ``DELETE /zoom/meetings/:id``. Of a recurring meeting, this removes the whole series.

        Args:
            meeting_id: Its number, the number's digits, or a uuid.
            account_id: Whose meeting.

        Raises:
            InvalidArgumentError: Before anything is sent, if an argument is not as above.
            OutcomeUnknownError: If all answers were lost: the meeting may be gone.
            NotFoundError: If there is no such meeting or account.
            APIStatusError: If the service answers with another error.
            TransportError: If the request could not be sent.
            DecodeError: If the answer cannot be read; the meeting is gone.
        """
        await self._session.run(endpoints.delete_meeting(self._account(account_id), meeting_id), self._options)
