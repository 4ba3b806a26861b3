"""A create, and the search for a meeting whose create was not answered. The create itself is never sent again."""

import logging

import attrs

from pyas_async._core.calls.endpoints import get_meeting
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._core.reconcile.creations import Creation
from pyas_async._core.reconcile.match import MatchResult, WantedMeeting, find_match
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.events import CallTrace
from pyas_async.errors import OutcomeUnknownError, PyasError, RequestTimeoutError
from pyas_async.models import Meeting, MeetingDetail, Page
from pyas_async.options import OnUnknown

_log = logging.getLogger("pyas_async")
PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each look: a request that was cut off may still be carried out, and a listing may lag."""
_DEAR = 3
"""A listing that takes more calls than this is looked at once: calls are what is scarce."""


async def create(
    session: Session,
    options: CallOptions,
    asked: WantedMeeting,
    *,
    on_unknown: OnUnknown,
    trace: CallTrace | None = None,
) -> MeetingDetail:
    """Create a meeting; if its answer is lost, and `on_unknown` says so, look it up.

    Args:
        session: What sends.
        options: How calls are made; those of the search end by the same deadline, unless they are patient.
        asked: The meeting.
        on_unknown: What to do if nobody can tell which meeting was made, if any.
        trace: Is kept up to date, with the requests of the search.

    Raises:
        OutcomeUnknownError: If the meeting was looked up, and it cannot be said which one it is.
        PyasError: What the create raised. If looking it up failed, a note says why.
    """
    call, clock = asked.call, session.clock
    own = CallTrace() if trace is None else CallTrace(job=trace.job)
    creation = session.creations.begin(asked.looks, clock.now())
    search = _Search(session, options, asked, creation, own, clock.now())
    in_doubt = True  # as a cancellation leaves it
    try:
        try:
            detail = await session.run(call, options, own)
        except PyasError as error:
            in_doubt = error.write_state in ("unknown", "done")
            if not in_doubt or on_unknown == "raise":
                raise
            lost = error
        else:
            creation.id = detail.id
            return detail
        return await search.instead_of(lost)
    finally:
        session.creations.end(creation, clock.now(), in_doubt=in_doubt and own.sent_at is not None)
        if trace is not None:
            trace.requests += own.requests


@attrs.define(repr=False)
class _Search:
    """The search for the meeting of one create; without a ``repr``, since tracebacks show variables."""

    session: Session
    options: CallOptions
    asked: WantedMeeting
    creation: Creation
    trace: CallTrace
    began: float
    looks: int = 0
    finding: MatchResult | None = None

    async def instead_of(self, lost: PyasError) -> MeetingDetail:
        """Give the meeting whose create raised this; or raise what is known then."""
        operation, account_id = self.asked.call.operation, self.asked.account_id
        fields = {"pyas_event": "Reconciling", "pyas_operation": operation, "pyas_account_id": account_id}
        _log.info("%s: nobody knows what became of it; looking the meeting up", operation, extra=fields)
        with self.session.events.job("meetings.reconcile", account_id, within=self.trace.job) as job:
            self.trace.job = job.number
            return await self._in_place_of(lost)

    async def _in_place_of(self, lost: PyasError) -> MeetingDetail:
        trouble = None
        try:
            if (detail := await self._search()) is not None:
                return detail
        except PyasError as error:
            trouble = f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001  (the user's code, which gives the key; it must not hide what was lost)
            trouble = type(error).__name__
        candidates = () if self.finding is None else self.finding.candidates
        if trouble is None:
            raise self._unknown(lost, candidates) from (None if isinstance(lost, OutcomeUnknownError) else lost)
        found = "" if self.creation.id is None else f" after meeting {self.creation.id} was found to fit"
        lost.add_note(f"Looking the meeting up failed{found}: {trouble}")
        if isinstance(lost, OutcomeUnknownError):
            lost.candidates = candidates
        raise lost

    async def _search(self) -> MeetingDetail | None:
        for seconds in PAUSES:
            left = self._left()
            if left is not None and seconds >= left:
                break
            await self.session.pause(seconds)
            before = self.trace.requests
            self.finding = await self._look()
            self.looks += 1
            hopeful = self.finding.hopeful or self.session.creations.pending(self.creation)
            if not hopeful or self.trace.requests - before > _DEAR:
                break
        if self.finding is None:
            raise RequestTimeoutError("no time was left for it before the deadline")
        if self.finding.meeting is None:
            return None
        self.creation.id = self.finding.meeting.id
        call = get_meeting(self.asked.account_id, self.creation.id)
        return await self.session.run(call, self._options(), self.trace)

    async def _look(self) -> MatchResult:
        """Walk the part of the listing that the meeting must be in."""
        asked, clock = self.asked, self.session.clock
        sent_at = self.trace.sent_at
        assert sent_at is not None  # noqa: S101  (there is no doubt before something was sent)
        rows: list[Meeting] = []
        machine = PaginationMachine(
            ListingRules(verify_total="off"), None, now=clock.now(), wall=clock.wall().timestamp()
        )
        while (ask := machine.next()) is not None:
            call = ask.call(asked.account_id, asked.filters)
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
            asked,
            rows,
            sent_at=sent_at,
            now=clock.wall(),
            taken=creations.taken(self.creation),
            contested=creations.contested(self.creation),
        )

    def _left(self) -> float | None:
        """Seconds until the deadline; ``None`` if there is none, or if it counts for each call by itself."""
        limits = self.options.limits
        return (
            None
            if limits.deadline is None or limits.patient
            else self.began + limits.deadline - self.session.clock.now()
        )

    def _options(self) -> CallOptions:
        left = self._left()
        if left is None:
            return self.options
        if left <= 0:
            raise RequestTimeoutError("the deadline passed")
        return attrs.evolve(self.options, limits=attrs.evolve(self.options.limits, deadline=left))

    def _unknown(self, lost: PyasError, candidates: tuple[Meeting, ...]) -> OutcomeUnknownError:
        operation, sent_at = self.asked.call.operation, self.trace.sent_at
        assert sent_at is not None  # noqa: S101  (there is no doubt before something was sent)
        text = str(lost) if isinstance(lost, OutcomeUnknownError) else f"{operation}: {lost}"
        times = "once" if self.looks == 1 else f"{self.looks} times"
        told = f"{len(candidates)} may be it (see candidates)" if candidates else "none of its meetings fits"
        unknown = OutcomeUnknownError(
            f"{text}. The account's listing was looked at {times}: {told}",
            operation=operation,
            sent_at=sent_at,
            candidates=candidates,
        )
        unknown.write_state = lost.write_state
        return unknown
