"""One round over an account's listing: what to request next, and which changes to hand out.

The round after the first one reads the whole listing, and then compares it with the state. If the listing changes while
it is read, a row can be missed. The service's total shows that: it changes within the walk, or it differs from the
number of rows by another number than before. Then nothing that is missing counts as gone, until a walk is quiet or two
walks agree.

A missing row is looked up with a get. Only that tells a deleted meeting from one that is over, or that no longer
matches the filters.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

import attrs

from pyas_async._core.bulk import ends_run
from pyas_async._core.sync.compare import Comparison, Key, Row, compare
from pyas_async._core.sync.records import DigestRecords, Records, make_records, row_json
from pyas_async._core.sync.state import Effect, SyncState
from pyas_async.changes import ChangeStats, Confirm, Keep
from pyas_async.errors import APIStatusError, NotFoundError, PyasError, RateLimitError, ServerError
from pyas_async.models import Meeting, MeetingDetail

MAX_WALKS = 3
"""The most walks of a round: one, and two more if the listing changes."""
MIN_GETS = 20
"""How many missing meetings a round looks up at least; it may look up as many as it has received pages."""
_NO_SUCH_MEETING = 3001
"""Zoom's code: the meeting does not exist, or is over."""
_GONE = (404, 410)

Verdict: TypeAlias = Literal["deleted", "left", "unconfirmed"]


@attrs.frozen
class Walk:
    """What one walk over a listing has brought.

    Attributes:
        rows: The rows by their records.
        pages: How many pages were received.
        last_total: The total that the service reported last; ``None`` if it reported none.
        changed: Whether the total changed within the walk.
        unreadable: How many rows could not be read.
    """

    rows: Mapping[bytes, Meeting]
    pages: int
    last_total: int | None = None
    changed: bool = False
    unreadable: int = 0

    @property
    def off(self) -> int | None:
        """By how many the total differs from the rows; ``None`` if the service reported no total."""
        return None if self.last_total is None else self.last_total - len(self.rows) - self.unreadable

    def is_quiet(self, off: int | None) -> bool:
        """Whether nothing shows that the listing changed; `off` is the difference of the round before."""
        return not self.changed and (self.off is None or off is None or self.off == off)


@attrs.frozen
class WalkResult:
    """What a walk says about the state.

    Attributes:
        comparison: How they differ.
        outcome: Whether missing rows are gone, whether that is uncertain, or whether another walk has to tell.
    """

    comparison: Comparison
    outcome: Literal["certain", "uncertain", "again"]


UNCHANGED = WalkResult(Comparison((), (), ()), "certain")


class SyncRound:
    """The decisions of one round.

    Attributes:
        records: Makes and compares records.
        stats: What the round has done, except for its calls.
    """

    def __init__(self, state: SyncState, *, confirm: Confirm, ignore: Collection[str]) -> None:
        """Begin after the state."""
        self.records: Records = next_records(state, ignore)
        self.stats = ChangeStats()
        self._state = state
        self._confirm = confirm
        self._ignore = frozenset(ignore)
        self._walks: list[Walk] = []
        self._final: Walk | None = None
        self._certain = True
        self._to_get: dict[int, list[Row]] = {}
        self._moved: set[Key] = set(state.content.moved)
        self._seen_twice: set[Key] = set()
        self._kept: set[Key] = set()

    @property
    def wants_walk(self) -> bool:
        """Whether the listing is to be walked next."""
        return self._final is None

    @property
    def asks(self) -> bool:
        """Whether a missing meeting is looked up, or counts as left without that."""
        return self._confirm == "get"

    @property
    def off(self) -> int | None:
        """By how many the total differs from the rows at the end of the round; later rounds compare with it."""
        found = None if self._final is None else self._final.off
        return self._state.content.off if found is None else found

    @property
    def ignore(self) -> tuple[str, ...]:
        """The fields that the round ignores."""
        return tuple(sorted(self._ignore))

    @property
    def is_settled(self) -> bool:
        """Whether the state, after the round, holds the rows of the listing and nothing else."""
        return self._certain and not self._kept and self._final is not None and not self._final.unreadable

    def count(self, effect: Effect) -> None:
        """Count a change that is handed out."""
        self.stats = attrs.evolve(self.stats, **{effect.kind: getattr(self.stats, effect.kind) + 1})

    def on_first_walk(self, walk: Walk) -> None:
        """Note the end of the first round's walk."""
        self.stats = attrs.evolve(
            self.stats, rows=len(walk.rows), pages=walk.pages, drifted=int(walk.changed), unreadable=walk.unreadable
        )
        self._final = walk

    def compare(self, walk: Walk, known: Sequence[bytes]) -> WalkResult:
        """Compare a walk with the records of the state. Nothing changes: `on_walk` takes the result."""
        comparison = compare(known, walk.rows, self.records)
        if not comparison.missing or walk.is_quiet(self._state.content.off) or self._agrees(walk):
            return WalkResult(comparison, "certain")
        walks = [*self._walks, walk]
        if len(walks) < MAX_WALKS:
            return WalkResult(comparison, "again")
        # What any of the walks has seen is there. What none has seen may be there all the same.
        return WalkResult(compare(known, union(walks), self.records), "uncertain")

    def on_walk(self, walk: Walk, result: WalkResult) -> Iterator[tuple[Effect, Meeting | None]]:
        """Process a walk; return the changes of rows that are there. None, if another walk is needed."""
        self.stats = attrs.evolve(
            self.stats,
            rows=len(walk.rows),
            pages=self.stats.pages + walk.pages,
            drifted=self.stats.drifted + (not walk.is_quiet(self._state.content.off)),
            unreadable=walk.unreadable,
        )
        self._walks.append(walk)
        if result.outcome == "again":
            return iter(())
        self._final = walk
        self._walks.clear()
        self._note_moved(walk, result.comparison)
        if result.outcome == "certain":
            self._plan_gets(result.comparison.missing)
        else:
            self._certain = False
            self._keep(result.comparison.missing)
        return self._effects(result.comparison)

    def next_missing(self) -> int | None:
        """Return the id of the next meeting to look up; ``None`` after the last. `on_answer` takes the answer."""
        return next(iter(self._to_get), None)

    def on_answer(
        self, meeting_id: int, answer: MeetingDetail | PyasError | None, now: datetime
    ) -> Iterator[tuple[Effect, Meeting | None]]:
        """Process the answer to a get, ``None`` if none was made; return the changes.

        Raises:
            PyasError: The answer, if every other call would fail as well.
        """
        if isinstance(answer, PyasError) and (ends_run(answer) or is_missing_account(answer)):
            raise answer
        return self._verdicts(self._to_get.pop(meeting_id), answer, now)

    def _verdicts(
        self, rows: Sequence[Row], answer: MeetingDetail | PyasError | None, now: datetime
    ) -> Iterator[tuple[Effect, Meeting | None]]:
        unreadable = self._final is not None and self._final.unreadable
        for row in rows:
            verdict = judge(row.meeting, answer, now, may_have_moved=self._may_have_moved(row.meeting, answer))
            # A missing row may be one of those that cannot be read.
            if verdict == "unconfirmed" or (verdict == "left" and unreadable):
                self._keep([row])
            else:
                yield Effect(verdict, removed=row.record), None

    def _may_have_moved(self, row: Meeting, answer: object) -> bool:
        """Whether this date of a series may be another one now: a new one, or one that the walk has not seen."""
        if key_of(row) in self._moved:
            return True
        if not isinstance(answer, MeetingDetail) or self._final is None:
            return False
        seen = {other.start_time for other in self._final.rows.values() if other.id == row.id}
        dates = answer.occurrences or ()
        return any(date.status != "deleted" and date.start_time not in seen for date in dates)

    @property
    def moved(self) -> tuple[Key, ...]:
        """Meetings of which a new date was found, and perhaps an old one as well, about which nothing is said yet."""
        return tuple(sorted(self._moved))

    @property
    def still_moved(self) -> tuple[Key, ...]:
        """The same after the round."""
        return tuple(sorted(self._moved & (self._kept | self._seen_twice)))

    def _agrees(self, walk: Walk) -> bool:
        return any(walk.rows.keys() == earlier.rows.keys() for earlier in self._walks)

    def _effects(self, comparison: Comparison) -> Iterator[tuple[Effect, Meeting | None]]:
        for row in comparison.created:
            yield created(self.records, row.record, row.meeting), row.meeting
        for update in comparison.updated:
            row = update.after
            document = document_of(self.records, row.meeting)
            effect = Effect("updated", update.before.record, row.record, update.fields, document=document)
            yield effect, row.meeting

    def _plan_gets(self, missing: Iterable[Row]) -> None:
        """Plan a get for each meeting with missing rows, as many as a round may make."""
        for row in missing:
            self._to_get.setdefault(row.meeting.id, []).append(row)
        if self.asks:
            for meeting_id in list(self._to_get)[max(self.stats.pages, MIN_GETS) :]:
                self._keep(self._to_get.pop(meeting_id))

    def _keep(self, rows: Sequence[Row]) -> None:
        """Keep missing rows in the state, since it is not known what became of them."""
        self._kept |= {key_of(row.meeting) for row in rows}
        self.stats = attrs.evolve(self.stats, unconfirmed=self.stats.unconfirmed + len(rows))

    def _note_moved(self, walk: Walk, comparison: Comparison) -> None:
        """Note of which meetings a date may have become another one."""
        missing = {key_of(row.meeting) for row in comparison.missing}
        created = {key_of(row.meeting) for row in comparison.created}
        self._moved = (self._moved | created) & missing
        if created and not walk.is_quiet(self._state.content.off):
            # A walk can meet a date before it moves, and once more after that. The next one misses the first of these.
            dates = Counter(map(key_of, walk.rows.values()))
            self._seen_twice = {key for key in created if dates[key] > 1}
            self._moved |= self._seen_twice


def key_of(row: Meeting) -> Key:
    """Return what the dates of a series share."""
    return row.id, row.uuid


def union(walks: Sequence[Walk]) -> Mapping[bytes, Meeting]:
    """Return the rows of all walks. Of a meeting that several have seen, the last walk's rows count."""
    rows: dict[Key, dict[bytes, Meeting]] = {}
    for walk in walks:
        groups: dict[Key, dict[bytes, Meeting]] = {}
        for record, row in walk.rows.items():
            groups.setdefault((row.id, row.uuid), {})[record] = row
        rows |= groups
    return {record: row for group in rows.values() for record, row in group.items()}


def judge(
    row: Meeting, answer: MeetingDetail | PyasError | None, now: datetime, *, may_have_moved: bool = False
) -> Verdict:
    """Return what the answer to a get says about a missing row; without an answer, it has left.

    `may_have_moved` says that the row may be another date of its series by now.
    """
    if answer is None:
        return "left"
    if isinstance(answer, MeetingDetail):
        return "deleted" if _is_cancelled(row, answer, now, may_have_moved=may_have_moved) else "left"
    if isinstance(answer, APIStatusError):
        if answer.status in _GONE or answer.code in (_NO_SUCH_MEETING, str(_NO_SUCH_MEETING)):
            return "deleted"
        if not isinstance(answer, (ServerError, RateLimitError)) and 400 <= answer.status < 500:
            return "left"
    return "unconfirmed"


def _is_cancelled(row: Meeting, answer: MeetingDetail, now: datetime, *, may_have_moved: bool) -> bool:
    """Whether the service says that this date of a series was cancelled.

    A cancelled date has that status, or is not among the others any more. But a date that is over may be left out as
    well, and so is the old time of a date that has moved.
    """
    if row.start_time is None or not answer.occurrences:
        return False
    found = [occurrence for occurrence in answer.occurrences if occurrence.start_time == row.start_time]
    if found:
        return all(occurrence.status == "deleted" for occurrence in found)
    return row.start_time > now and not may_have_moved


def is_missing_account(error: PyasError) -> bool:
    """Whether a 404 is about the account, not about the meeting."""
    return isinstance(error, NotFoundError) and error.account_id is not None


def created(
    records: Records,
    record: bytes,
    row: Meeting,
    *,
    initial: bool = False,
    position: Mapping[str, Any] | None = None,
) -> Effect:
    """Return the effect of a new row."""
    document = document_of(records, row)
    return Effect("created", None, record, initial=initial, document=document, position=position)


def document_of(records: Records, row: Meeting) -> bytes | None:
    """Return the row's JSON if its record does not hold it."""
    return row_json(row) if isinstance(records, DigestRecords) else None


def next_records(state: SyncState, ignore: Collection[str]) -> Records:
    """Return what makes the records of the round after a state."""
    return make_records(state.keep, ignore, state.content.shapes, state.content.ignore)


def new_state(account_id: str, filters: tuple[tuple[str, str], ...], keep: Keep) -> SyncState:
    """Return the state before the first round."""
    return SyncState(account_id=account_id, filters=filters, keep=keep)
