"""The laws of an iteration, checked call by call and row by row.

A `Leg` is one iterator, from its opening to its end; a journey is a leg and all that are resumed from its checkpoints.
A law that is broken in the middle of a call is noted, and raised by `Leg.check` after the step of the test.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Final

from pyas_async import (
    APIStatusError,
    PageTokenExpiredError,
    PaginationError,
    PaginationIncompleteError,
    PaginationLoopError,
    PyasError,
)
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from walk.births import Births
from walk.journey import Mark

if TYPE_CHECKING:
    from pyas_async import Checkpoint, IterationStats, Meeting
    from walk.journey import Wishes
    from walk.listing import Cursor, Key
    from walk.service import Service

MAX_RESTARTS: Final = 3
NEAR: Final = 0.94
"""The part of a token's life after which a client may find it too old to be tried."""


class Word(enum.Enum):
    """What became of the last request."""

    NONE = "there was none"
    UNDER_WAY = "under way, or its answer got lost when a step was cancelled"
    PAGE = "page"
    DEAD = "dead"
    UNCLEAR = "unclear"
    SIZE = "size"
    FAULT = "fault"
    FINAL = "final"


_DEATHS: Final = {Word.DEAD, Word.UNCLEAR}
_RETRIED: Final = {Word.FAULT, Word.UNDER_WAY}


class Leg:
    """One iterator, watched from both ends: what it asks of the service, and what it hands out.

    The bound on its calls. Every call is the first of a page, or the repetition of one whose answer was a fault or got
    lost in a cancelled step. A page is asked for once in a walk, and a walk has at most ``ceil(most / smallest) + 1``
    pages, where ``most`` is the longest that the listing ever was and ``smallest`` its shortest full page; pages that
    the service makes odd (empty, short, leading back) add to that what they add to the walk. A walk begins for a
    reason: the opening, a page token that died by the service's word or by the client's clock, or a repair. So

        calls <= (1 + deaths + aged + repairs) * (ceil(most / smallest) + 1) + odd + faults + lost

    with ``repairs <= max_restarts``, and with at most ``max_restarts`` deaths in a row between which no new row came.
    """

    def __init__(self, service: Service, wishes: Wishes, start: Mark | None, *, skew: float) -> None:
        """Watch an iterator that is just being opened, by a client whose wall clock is wrong by `skew` seconds."""
        self.wishes = wishes
        self.start = start
        self.calls = self.background = self.odd = self.errors = 0
        self.done: set[Key] = set() if start is None else set(start.done)
        self.handed = 0
        self.cancelled = self.excused = self.over = False
        self.finished = False
        self.last: Cursor | None = None
        self._service = service
        self._births = Births(service, start, skew=skew)
        self._dead: set[str] = set() if start is None else set(start.dead)
        self._received = set(self.done)
        self._in_hand = None if start is None else start.token
        self._asked: str | None = None
        self._word = Word.NONE
        self._walks = self._deaths = self._aged = self._repairs = self._faults = self._lost = self._barren = 0
        self._maybe_repairs = 0
        self._brought_new = False
        self._violations: list[str] = []

    def check(self) -> None:
        """Raise the first law that was broken."""
        assert not self._violations, self._violations[0]
        longest = math.ceil(self._service.most / max(1, min(self._service.cap, self.wishes.page_size))) + 1
        walks = 1 + self._deaths + self._aged + self._repairs
        bound = walks * longest + self.odd * (longest + 1) + self._faults + self._lost
        assert self.calls <= bound, f"{self.calls} calls, where {bound} are the most"

    # What it asks of the service.

    def asked(self, token: str | None, *, background: bool) -> None:
        """Judge a request: it must be the next page, the repetition of a lost one, or a fresh walk with a reason."""
        self.calls += 1
        self.background += background
        if self.over:
            self._violate("a call after the end")
        if self._new() >= (self.wishes.max_items or math.inf) and not self._lost:
            self._violate("a call for a page that nobody needs")
        if self._in_hand is not None and self._word is Word.PAGE and not self.cancelled:
            self._births.seen(self._in_hand)  # or it would not ask for what comes next
        if token is None:
            self._begins()
        else:
            self._follows(token)
        self._asked, self._word = token, Word.UNDER_WAY
        self.cancelled = self.excused = False

    def _new(self) -> int:
        """Count the new rows that came."""
        return len(self._received) - (0 if self.start is None else len(self.start.done))

    def _follows(self, token: str) -> None:
        if token in self._dead:
            self._violate("a page token was sent again after the service had said that it is dead")
        elif self.age(token) >= self.wishes.ttl:
            self._violate("a page token was sent that the client's clock knows to be dead")
        elif token != self._in_hand and not (token == self._asked and self._may_repeat()):
            self._violate("a page was asked for that is not the next")

    def _may_repeat(self) -> bool:
        return self._word is Word.FAULT or self.cancelled or self.excused

    def _begins(self) -> None:
        reason = self._reason()
        if reason is None:
            self._violate("a fresh walk without a reason")
        if reason == "repeat":
            # Of a listing of one page, nobody can tell the repetition of an answer that was lost from a repair.
            self._maybe_repairs += self._word is Word.PAGE and self.last is not None and self.last.text is None
            return
        self._walks += 1
        if reason == "repair":
            self._repairs += 1
        elif reason in ("death", "age"):
            self._deaths += reason == "death"
            self._aged += reason == "age"
            self._barren += 1
            if self._barren > MAX_RESTARTS:
                self._violate("more fresh walks in a row without a new row than max_restarts allows")
        self._brought_new = False

    def _reason(self) -> str | None:
        opening = self._word is Word.NONE
        if opening and self._in_hand is None:
            return None if self.start is not None and self.start.finished else "opening"
        if not opening and self._asked is None and (self._may_repeat() or self._word is Word.SIZE):
            return "repeat"
        mends = self.wishes.on_expired == "restart"
        if self._word in _DEATHS and self._asked is not None and mends:
            return "death"
        at_hand = [token for token in (self._in_hand, self._asked if self._may_repeat() else None) if token]
        if mends and any(self._births.most(token) >= NEAR * self.wishes.ttl for token in at_hand):
            return "age"
        last = self.last
        drifted = self._lost > 0 or self._shows_drift() or self._may_have_heard_of_drift()
        if last is not None and last.text is None and drifted and self._repairs < MAX_RESTARTS:
            return "repair" if self.wishes.verify_total == "repair" and self.wishes.max_items is None else None
        return None

    def age(self, token: str) -> float:
        """Tell a token's age as the client's clocks have it."""
        return self._births.age(token)

    def answered(self, ahead: Cursor, keys: frozenset[Key], *, odd: bool) -> None:
        """Take note of a page."""
        self.odd += odd
        if ahead.text is not None:
            self._births.came(ahead.text)
        if keys - self._received:
            self._barren, self._brought_new = 0, True
        self._received |= keys
        self.last, self._in_hand, self._word = ahead, ahead.text, Word.PAGE

    def refused(self, word: str) -> None:
        """Take note of another answer."""
        self._word = Word(word)
        self._faults += self._word in (Word.FAULT, Word.SIZE, Word.FINAL)
        if self._asked is None:
            return
        # An answer that is not clear is taken for a dead token by whoever mends; who does not, cannot tell.
        if self._word is Word.DEAD or (self._word is Word.UNCLEAR and self.wishes.on_expired == "restart"):
            self._dead.add(self._asked)

    def interrupted(self) -> None:
        """Take note that a step was cancelled: an answer may have been lost with it."""
        self.cancelled = True
        self._lost += 1

    # What it hands out.

    def take(self, row: Meeting) -> None:
        """Judge a row: it was in the listing, came over the wire, and comes for the first time."""
        key = (row.id, row.uuid, row.start_time)
        assert key not in self.done, f"{key} for the second time"
        kind = dict(self.wishes.filters).get("type")
        kinds = ("scheduled", "upcoming") if kind is None else (kind,)
        assert any((kind, key) in self._service.ever for kind in kinds), f"{key} was never in the listing"
        assert key in self._received, f"{key} came from nowhere"
        self.done.add(key)
        self.handed += 1
        assert self.wishes.max_items is None or self.handed <= self.wishes.max_items, "more rows than are wanted"

    def mark(self, checkpoint: Checkpoint, *, text: bool) -> Mark:
        """Keep a checkpoint with what is known here and now."""
        if checkpoint.done:
            self._complete()
        place = ListingCheckpoint.of(checkpoint)
        born = 0.0 if place.token is None else self._births.told(place.token, place.born)
        assert born is not None, "a checkpoint gives its page token a birth that it never had"
        return Mark(
            checkpoint=str(checkpoint) if text else checkpoint,
            token=place.token,
            finished=checkpoint.done,
            page_size=self.wishes.page_size,
            filters=self.wishes.filters,
            done=frozenset(self.done),
            dead=frozenset(self._dead),
            born=born,
        )

    def counted(self, stats: IterationStats) -> None:
        """Judge what the iterator says of itself."""
        assert stats.items == self.handed, f"stats.items is {stats.items} after {self.handed} rows"
        # What was cancelled before it reached the wire was counted when it set out.
        assert 0 <= stats.calls - self.calls <= self._lost + self.over, (
            f"stats.calls is {stats.calls} after {self.calls} calls"
        )

    def ended(self) -> bool:
        """Judge the end of the iteration; say whether it was the listing's end as well."""
        first, self.over = not self.over, True
        if not first or self.handed == self.wishes.max_items:
            return False
        self._complete()
        if self.wishes.max_items is None and self._shows_drift():
            assert self.wishes.verify_total != "raise", "the total showed a loss, and nothing was raised"
            if self.wishes.verify_total == "repair":
                in_vain = not self._brought_new or self._lost > 0
                repairs = self._repairs + self._maybe_repairs
                tried = repairs >= MAX_RESTARTS or (repairs > 0 and in_vain)
                assert tried, "the total showed a loss, and it was not repaired"
        self.finished = True
        return True

    def failed(self, error: PyasError) -> Mark:
        """Judge an error. After one that is not the listing's fault, the iterator can be gone on with."""
        assert not self.over, f"an error after the end: {error}"
        self.over = isinstance(error, (PaginationError, PageTokenExpiredError))
        self.excused = True
        self.errors += 1
        self._faults += self._word is Word.UNCLEAR
        mends = self.wishes.on_expired == "restart"
        if isinstance(error, PaginationIncompleteError):
            assert self.wishes.verify_total == "raise", "an incomplete listing was raised unasked"
            self._complete()
        elif isinstance(error, PaginationLoopError):
            assert self.odd, "a loop where there was none"
        elif isinstance(error, PaginationError):
            assert self._lost or self._barren == MAX_RESTARTS, f"given up after {self._barren} barren walks"
        elif isinstance(error, PageTokenExpiredError):
            assert not mends, "an expired token was not recovered from"
        elif isinstance(error, APIStatusError) and self._word is Word.UNCLEAR:
            assert not mends or self._asked is None, "an answer that may mean an expired token was not recovered from"
        else:
            assert self._word in (Word.FAULT, Word.FINAL), f"an error out of nothing: {error!r}"
        assert error.checkpoint is not None, f"{error!r} carries no checkpoint"
        return self.mark(error.checkpoint, text=True)

    def _complete(self) -> None:
        """Hold what was handed out against the walk that ended the listing.

        Whatever was there from its first page to its last must have been handed out, in this walk or before, but for
        rows that slid to a place before the cursor without having been sent. That can only come about by a removal
        before the cursor, or by a move across it.
        """
        if self.start is not None and self.start.finished:
            assert self.calls == 0, "a call for a listing that had been at its end"
            return
        last = self.last
        assert last is not None, "the end of a listing of which no page was seen"
        assert last.text is None, "the end in the middle of a listing"
        missing = last.present - last.passed - self.done
        assert not missing, (
            f"{len(missing)} rows were there throughout and were not handed out: {min(missing, key=str)}"
        )

    def _shows_drift(self) -> bool:
        """Say whether the totals of the last walk tell of a loss: they changed, or are larger than the rows seen."""
        last = self.last
        if last is None or not last.totals:
            return False
        short = last.totals[-1] > max(last.count, len(self._received))
        return short or len(set(last.totals)) > 1

    def _may_have_heard_of_drift(self) -> bool:
        """Say whether the totals changed, if those count that came on pages which led back.

        Who goes on from a checkpoint that is older than such a page has not heard its total, so nobody must act on it.
        """
        last = self.last
        return last is not None and bool(last.totals) and len({*last.totals, *last.aside}) > 1

    def _violate(self, what: str) -> None:
        self._violations.append(what)
