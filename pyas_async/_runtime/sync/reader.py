"""Reads an account's listing for one round, and plans the changes to hand out."""

from collections.abc import Callable, Collection, Iterator
from itertools import islice, starmap
from typing import TypeVar

import anyio.to_thread
import attrs

from pyas_async._core.bulk import without_context
from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.sync.records import Records
from pyas_async._core.sync.round import UNCHANGED, SyncRound, Walk, WalkResult, created
from pyas_async._core.sync.state import Effect, ListingDigest, SyncState, checkpoint_of
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.events import CallTrace
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.changes import ChangeStats, Confirm
from pyas_async.errors import PyasError
from pyas_async.models import Meeting, MeetingDetail

T = TypeVar("T")
CHUNK = 100
"""The most changes that are handed out at once, and handed out again after the process was killed."""
_MANY_ROWS = 3_000
"""Rows that are compared in a thread: comparing more could hold up the event loop for longer than 5 ms."""


@attrs.frozen
class Planned:
    """A change to hand out: what it does to the state, and the row as it is now, if it is at hand."""

    effect: Effect
    meeting: Meeting | None = None


class RoundReader:
    """Makes the requests of a round. The first round hands out each page as it comes; later ones compare listings."""

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        state: SyncState,
        *,
        rules: ListingRules,
        confirm: Confirm,
        ignore: Collection[str],
        digests: bool,
        job: int | None,
    ) -> None:
        """Begin after the state; nothing is sent yet.

        `digests` asks for a digest of the whole listing, which spares the next round the comparison.
        """
        self._session = session
        self._options = options
        self._state = state
        self._rules = rules
        self._digests = digests
        self._job = job
        self._trace = CallTrace(job=job)
        self._round = SyncRound(state, confirm=confirm, ignore=ignore)
        self._planned: Iterator[Planned] = iter(())
        self._listing: MeetingIterator | None = None
        self._calls = 0
        # Of the first round: the rows of the current page that are not planned yet.
        self._rows: Iterator[Meeting] = iter(())
        # Of later rounds: the rows of the current walk, and the walk once it has come to its end.
        self._walked: dict[bytes, Meeting] = {}
        self._walk: Walk | None = None
        self._digest = ListingDigest()

    @property
    def records(self) -> Records:
        """What makes the records of the round."""
        return self._round.records

    @property
    def stats(self) -> ChangeStats:
        """What the round has done so far."""
        calls = self._calls + self._trace.requests + (0 if self._listing is None else self._listing.stats.calls)
        return attrs.evolve(self._round.stats, calls=calls)

    def count(self, effect: Effect) -> None:
        """Count a change that is handed out."""
        self._round.count(effect)

    @property
    def moved(self) -> tuple[tuple[int, str], ...]:
        """Meetings of which a new date was found, while nothing is said yet about a missing one."""
        return self._round.moved

    async def read(self) -> list[Planned]:
        """Return the next changes, at most `CHUNK`; none at the end. If it is cancelled, the next call goes on.

        Raises:
            PyasError: What ended the round.
        """
        while True:
            if chunk := list(islice(self._planned, CHUNK)):
                return chunk
            if self._round.wants_walk:
                await (self._read_first_page() if self._state.content.initial else self._read_listing())
            elif (meeting_id := self._round.next_missing()) is not None:
                answer = await self._look_up(meeting_id) if self._round.asks else None
                now = self._session.clock.wall()
                self._planned = starmap(Planned, self._round.on_answer(meeting_id, answer, now))
            else:
                return []

    def final(self, state: SyncState) -> SyncState:
        """Return the state after the round: the one after its last change, and what the next round must know."""
        settled = self._digests and self._round.is_settled
        content = attrs.evolve(
            state.content,
            initial=False,
            off=self._round.off,
            ignore=self._round.ignore,
            position=None,
            moved=self._round.still_moved,
            digest=self._digest.value() if settled else None,
        )
        return attrs.evolve(state, content=content)

    async def aclose(self) -> None:
        """End the listing."""
        if self._listing is not None:
            await self._listing.aclose()

    async def _read_first_page(self) -> None:
        """Plan the rows of the next page of the first round, or end its walk."""
        if self._listing is None:
            resume = None
            if self._state.content.position is not None:
                resume = await self._compute(self._checkpoint, self._state.rows)
                self._digest.incomplete()
            self._listing = self._open_listing(resume)
        rows = await self._listing._load_rows()  # noqa: SLF001  (not for users)
        if rows is None:
            self._round.on_first_walk(self._end_walk(self._listing))
        else:
            self._planned = self._plan_created(self._listing, rows)

    def _plan_created(self, listing: MeetingIterator, rows: Iterator[Meeting]) -> Iterator[Planned]:
        for row in rows:
            record = self.records.of(row)
            self._walked[record] = row
            if self._digests:
                self._digest.add(record)
            position = ListingCheckpoint.of(listing.checkpoint()).position()
            yield Planned(created(self.records, record, row, initial=True, position=position), row)

    def _checkpoint(self) -> ListingCheckpoint:
        content = self._state.content
        rows = map(self.records.read, content.records())
        return checkpoint_of(self._state, content.position or {}, rows)

    async def _read_listing(self) -> None:
        """Walk over the listing, and plan what the comparison with the state says."""
        if self._walk is None:
            if self._listing is None:
                self._walked, self._digest = {}, ListingDigest()
                self._listing = self._open_listing(None)
            while (rows := await self._listing._load_rows()) is not None:  # noqa: SLF001  (not for users)
                for row in rows:
                    record = self.records.of(row)
                    self._walked[record] = row
                    if self._digests:
                        self._digest.add(record)
            self._walk = self._end_walk(self._listing)
        if self._digests and self._digest.value() == self._state.content.digest:
            result = UNCHANGED
        else:
            result = await self._compute(self._compare, len(self._walk.rows) + self._state.rows)
        walk, self._walk = self._walk, None
        self._planned = starmap(Planned, self._round.on_walk(walk, result))

    def _compare(self) -> WalkResult:
        assert self._walk is not None  # noqa: S101  (the caller has made it)
        return self._round.compare(self._walk, self._state.content.records())

    def _end_walk(self, listing: MeetingIterator) -> Walk:
        stats, total = listing.stats, listing.reported_total
        self._calls += stats.calls
        self._listing = None
        return Walk(
            self._walked,
            pages=stats.pages,
            last_total=total.last,
            changed=total.changed,
            unreadable=stats.unreadable,
        )

    def _open_listing(self, resume: ListingCheckpoint | None) -> MeetingIterator:
        return MeetingIterator(
            self._session,
            self._options,
            account_id=self._state.account_id,
            filters=self._state.filters,
            rules=self._rules,
            prefetch=False,
            resume=resume,
            within=self._job,
        )

    async def _look_up(self, meeting_id: int) -> MeetingDetail | PyasError:
        call = endpoints.get_meeting(self._state.account_id, meeting_id)
        try:
            return await self._session.run(call, self._options, self._trace)
        except PyasError as error:
            return without_context(error)

    async def _compute(self, function: Callable[[], T], rows: int) -> T:
        """Call a function, in a thread if there are many rows, or if they have to be read first."""
        if rows < _MANY_ROWS and self._state.content.stored.is_loaded:
            return function()
        return await anyio.to_thread.run_sync(function)
