"""Creates a meeting, and looks it up if there was no response. The create itself is never sent again."""

import logging

import attrs

from pyas_async._core.calls.endpoints import get_meeting
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._core.reconcile.creations import Creation
from pyas_async._core.reconcile.match import MatchResult, WantedMeeting, find_match
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.calls.unsent import UnsentCall
from pyas_async._runtime.events import CallTrace
from pyas_async.errors import OutcomeUnknownError, PyasError, RequestTimeoutError
from pyas_async.models import Meeting, MeetingDetail, Page
from pyas_async.options import OnUnknown

_log = logging.getLogger("pyas_async")
PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each lookup: an interrupted request may still be carried out, and the listing may lag behind."""
_EXPENSIVE = 3
"""A listing that takes more calls than this is read only once: calls are scarce."""


async def create(
    session: Session,
    wanted: WantedMeeting,
    options: CallOptions,
    trace: CallTrace | None = None,
    *,
    unsent: UnsentCall | None = None,
    on_unknown: OnUnknown,
) -> MeetingDetail:
    """Create a meeting. If there is no response, and `on_unknown` says so, look the meeting up.

    Args:
        session: Makes the calls.
        wanted: The meeting.
        options: How the calls are made. The calls of the search end by the deadline of the create, unless that excludes
            waits.
        trace: Kept up to date, with the requests of the search.
        unsent: Can cancel the create before it is sent.
        on_unknown: What to do if it is not known whether the meeting was made.

    Raises:
        OutcomeUnknownError: If the search did not find out which meeting it is.
        PyasError: The error of the create. If the search failed, a note says why.
    """
    call, clock = wanted.call, session.clock
    trace = CallTrace() if trace is None else trace
    creation = session.creations.begin(wanted.match_key, clock.now())
    search = _Search(session, options, wanted, creation, trace, clock.now())
    in_doubt = True  # stays so if a cancellation is raised
    try:
        try:
            detail = await session.run(call, options, trace, unsent=unsent)
        except PyasError as error:
            in_doubt = error.write_state in ("unknown", "done")
            if not in_doubt or on_unknown == "raise":
                raise
            create_error = error
        else:
            creation.id = detail.id
            return detail
        return await search.run(create_error)
    finally:
        session.creations.end(creation, clock.now(), in_doubt=in_doubt and trace.sent_at is not None)


@attrs.define(repr=False)
class _Search:
    """The search for the meeting of one create. It has no ``repr``, since tracebacks show variables."""

    session: Session
    options: CallOptions
    wanted: WantedMeeting
    creation: Creation
    trace: CallTrace
    began: float
    lookups: int = 0
    result: MatchResult | None = None

    async def run(self, create_error: PyasError) -> MeetingDetail:
        """Return the meeting whose create failed with this error, or raise what is known after the search."""
        operation, account_id = self.wanted.call.operation, self.wanted.account_id
        fields = {"pyas_event": "Reconciling", "pyas_operation": operation, "pyas_account_id": account_id}
        _log.info("%s: its outcome is unknown; looking the meeting up", operation, extra=fields)
        with self.session.events.job("meetings.reconcile", account_id, within=self.trace.job) as job:
            self.trace.job = job.number
            return await self._find_or_raise(create_error)

    async def _find_or_raise(self, create_error: PyasError) -> MeetingDetail:
        search_error = None
        try:
            if (detail := await self._find()) is not None:
                return detail
        except PyasError as error:
            search_error = f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001  (from the user's function that returns the key; it must not hide `create_error`)
            search_error = type(error).__name__
        candidates = () if self.result is None else self.result.candidates
        if search_error is None:
            cause = None if isinstance(create_error, OutcomeUnknownError) else create_error
            raise self._unknown_error(create_error, candidates) from cause
        found = "" if self.creation.id is None else f" after meeting {self.creation.id} was found to match"
        create_error.add_note(f"Looking the meeting up failed{found}: {search_error}")
        if isinstance(create_error, OutcomeUnknownError):
            create_error.candidates = candidates
        raise create_error

    async def _find(self) -> MeetingDetail | None:
        for seconds in PAUSES:
            left = self._remaining()
            if left is not None and seconds >= left:
                break
            await self.session.pause(seconds)
            before = self.trace.requests
            self.result = await self._look_up()
            self.lookups += 1
            look_again = self.result.look_again or self.session.creations.has_pending_rival(self.creation)
            if not look_again or self.trace.requests - before > _EXPENSIVE:
                break
        if self.result is None:
            raise RequestTimeoutError(f"no time was left for it of {self.options.limits.deadline_text}")
        if self.result.meeting is None:
            return None
        self.creation.id = self.result.meeting.id
        call = get_meeting(self.wanted.account_id, self.creation.id)
        return await self.session.run(call, self._options(), self.trace)

    async def _look_up(self) -> MatchResult:
        """Read the part of the listing that must contain the meeting."""
        wanted, clock = self.wanted, self.session.clock
        sent_at = self.trace.sent_at
        assert sent_at is not None  # noqa: S101  (an outcome is unknown only after a request was sent)
        rows: list[Meeting] = []
        machine = PaginationMachine(
            ListingRules(verify_total="off"), None, now=clock.now(), wall=clock.wall().timestamp()
        )
        while (ask := machine.next()) is not None:
            call = ask.call(wanted.account_id, wanted.filters)
            result: Page | PyasError
            try:
                result = await self.session.run(call, self._options(), self.trace)
            except PyasError as error:
                result = error
            if isinstance(result, PyasError):
                machine.on_error(result)
            else:
                rows += machine.on_page(result, clock.now(), clock.wall().timestamp())
        creations = self.session.creations
        return find_match(
            wanted,
            rows,
            sent_at=sent_at,
            now=clock.wall(),
            claimed_ids=creations.claimed_ids(self.creation),
            has_rival=creations.has_rival(self.creation),
        )

    def _remaining(self) -> float | None:
        """Return the seconds until the deadline; ``None`` if there is none, or if each call has its own."""
        limits = self.options.limits
        if limits.deadline is None or limits.waits_excluded:
            return None
        return self.began + limits.deadline - self.session.clock.now()

    def _options(self) -> CallOptions:
        left = self._remaining()
        if left is None:
            return self.options
        if left <= 0:
            raise RequestTimeoutError(f"{self.options.limits.deadline_text} passed")
        limits = self.options.limits
        return attrs.evolve(
            self.options,
            limits=attrs.evolve(limits, deadline=left, whole_deadline=limits.whole_deadline or limits.deadline),
        )

    def _unknown_error(self, create_error: PyasError, candidates: tuple[Meeting, ...]) -> OutcomeUnknownError:
        operation, sent_at = self.wanted.call.operation, self.trace.sent_at
        assert sent_at is not None  # noqa: S101  (an outcome is unknown only after a request was sent)
        text = str(create_error) if isinstance(create_error, OutcomeUnknownError) else f"{operation}: {create_error}"
        times = "once" if self.lookups == 1 else f"{self.lookups} times"
        found = f"{len(candidates)} may be it (see candidates)" if candidates else "none of its meetings matches"
        unknown = OutcomeUnknownError(
            f"{text}. The account's listing was read {times}: {found}",
            operation=operation,
            sent_at=sent_at,
            candidates=candidates,
        )
        unknown.write_state = create_error.write_state
        return unknown
