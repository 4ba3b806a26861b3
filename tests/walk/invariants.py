"""The invariants of an iteration, checked call by call and row by row.

A `Monitor` checks one iterator, from its opening to its end; it is given the checkpoint that the iterator resumes from.
A violation in the middle of a call is noted, and raised by `Monitor.check` after the step of the test.
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
from walk.arrivals import TokenArrivals
from walk.options import KeptCheckpoint

if TYPE_CHECKING:
    from pyas_async import Checkpoint, IterationStats, Meeting
    from walk.listing import Cursor, Key
    from walk.options import IteratorOptions
    from walk.service import Service

MAX_RESTARTS: Final = 3
NEAR: Final = 0.94
"""The part of a token's life after which a client may consider it too old to be sent."""


class Result(enum.Enum):
    """What became of the last request."""

    NONE = "there was none"
    IN_FLIGHT = "in flight, or its response was lost in a cancelled step"
    PAGE = "page"
    EXPIRED = "expired"
    UNCLEAR = "unclear"
    SIZE = "size"
    FAULT = "fault"
    FINAL = "final"


_EXPIRIES: Final = {Result.EXPIRED, Result.UNCLEAR}
_RETRIED: Final = {Result.FAULT, Result.IN_FLIGHT}


class Monitor:
    """Watches one iterator from both ends: the requests that it sends, and the rows that it yields.

    The bound on its calls: Each call requests a new page, or repeats a call whose response was a fault or was lost in a
    cancelled step. A page is requested once in a walk, and a walk has at most ``ceil(most / smallest) + 1`` pages:
    ``most`` is the greatest length of the listing, ``smallest`` its shortest full page. Odd pages (empty, short,
    leading back) are counted in addition. A walk begins for a reason: the opening, a page token that has expired by the
    service's response or by the client's clock, or a repair. So

        calls <= (1 + expiries + aged + repairs) * (ceil(most / smallest) + 1) + odd + faults + lost

    with ``repairs <= max_restarts``, and with at most ``max_restarts`` expiries in a row without a new row in between.
    """

    def __init__(
        self, service: Service, options: IteratorOptions, start: KeptCheckpoint | None, *, skew: float
    ) -> None:
        """Watch an iterator from its opening on; the wall clock of its client is wrong by `skew` seconds."""
        self.options = options
        self.start = start
        self.calls = self.background = self.odd = self.errors = 0
        self.done: set[Key] = set() if start is None else set(start.done)
        self.yielded = 0
        self.cancelled = self.excused = self.over = False
        self.finished = False
        self.last: Cursor | None = None
        self._service = service
        self._arrivals = TokenArrivals(service, start, skew=skew)
        self._expired: set[str] = set() if start is None else set(start.expired)
        self._received = set(self.done)
        self._in_hand = None if start is None else start.token
        self._asked: str | None = None
        self._result = Result.NONE
        self._walks = self._expiries = self._aged = self._repairs = self._faults = self._lost = (
            self._walks_without_new
        ) = 0
        self._maybe_repairs = 0
        self._found_new = False
        self._violations: list[str] = []

    def check(self) -> None:
        """Raise the first violation."""
        assert not self._violations, self._violations[0]
        longest = math.ceil(self._service.most / max(1, min(self._service.cap, self.options.page_size))) + 1
        walks = 1 + self._expiries + self._aged + self._repairs
        bound = walks * longest + self.odd * (longest + 1) + self._faults + self._lost
        assert self.calls <= bound, f"{self.calls} calls, where {bound} are the most"

    # Its requests.

    def asked(self, token: str | None, *, background: bool) -> None:
        """Check a request: it must be for the next page, repeat a lost one, or begin a walk with a reason."""
        self.calls += 1
        self.background += background
        if self.over:
            self._violate("a call after the end")
        if self._new() >= (self.options.max_items or math.inf) and not self._lost:
            self._violate("a call for a page that is not needed")
        if self._in_hand is not None and self._result is Result.PAGE and not self.cancelled:
            self._arrivals.processed(self._in_hand)  # otherwise it would not make the next request
        if token is None:
            self._begins()
        else:
            self._follows(token)
        self._asked, self._result = token, Result.IN_FLIGHT
        self.cancelled = self.excused = False

    def _new(self) -> int:
        """Return how many new rows came."""
        return len(self._received) - (0 if self.start is None else len(self.start.done))

    def _follows(self, token: str) -> None:
        if token in self._expired:
            self._violate("a page token was sent again after the service had said that it has expired")
        elif self.age(token) >= self.options.ttl:
            self._violate("a page token was sent that the client's clock knows to have expired")
        elif token != self._in_hand and not (token == self._asked and self._may_repeat()):
            self._violate("a page was asked for that is not the next")

    def _may_repeat(self) -> bool:
        return self._result is Result.FAULT or self.cancelled or self.excused

    def _begins(self) -> None:
        reason = self._reason()
        if reason is None:
            self._violate("a fresh walk without a reason")
        if reason == "repeat":
            # For a listing of one page, a repair looks like the repetition of a request whose response was lost.
            self._maybe_repairs += self._result is Result.PAGE and self.last is not None and self.last.text is None
            return
        self._walks += 1
        if reason == "repair":
            self._repairs += 1
        elif reason in ("expiry", "age"):
            self._expiries += reason == "expiry"
            self._aged += reason == "age"
            self._walks_without_new += 1
            if self._walks_without_new > MAX_RESTARTS:
                self._violate("more fresh walks in a row without a new row than max_restarts allows")
        self._found_new = False

    def _reason(self) -> str | None:
        opening = self._result is Result.NONE
        if opening and self._in_hand is None:
            return None if self.start is not None and self.start.finished else "opening"
        if not opening and self._asked is None and (self._may_repeat() or self._result is Result.SIZE):
            return "repeat"
        recovers = self.options.on_expired == "restart"
        if self._result in _EXPIRIES and self._asked is not None and recovers:
            return "expiry"
        at_hand = [token for token in (self._in_hand, self._asked if self._may_repeat() else None) if token]
        if recovers and any(self._arrivals.max_age(token) >= NEAR * self.options.ttl for token in at_hand):
            return "age"
        last = self.last
        drifted = self._lost > 0 or self._shows_drift() or self._may_know_of_drift()
        if last is not None and last.text is None and drifted and self._repairs < MAX_RESTARTS:
            return "repair" if self.options.verify_total == "repair" and self.options.max_items is None else None
        return None

    def age(self, token: str) -> float:
        """Return the age of a token by the client's clocks."""
        return self._arrivals.min_age(token)

    def answered(self, ahead: Cursor, keys: frozenset[Key], *, odd: bool) -> None:
        """Note a page."""
        self.odd += odd
        if ahead.text is not None:
            self._arrivals.arrived(ahead.text)
        if keys - self._received:
            self._walks_without_new, self._found_new = 0, True
        self._received |= keys
        self.last, self._in_hand, self._result = ahead, ahead.text, Result.PAGE

    def refused(self, word: str) -> None:
        """Note another response."""
        self._result = Result(word)
        self._faults += self._result in (Result.FAULT, Result.SIZE, Result.FINAL)
        if self._asked is None:
            return
        # An iterator that recovers treats an unclear response as an expired token; one that does not cannot tell.
        if self._result is Result.EXPIRED or (self._result is Result.UNCLEAR and self.options.on_expired == "restart"):
            self._expired.add(self._asked)

    def interrupted(self) -> None:
        """Note that a step was cancelled: a response may have been lost with it."""
        self.cancelled = True
        self._lost += 1
        # The client may have been cancelled before it read that the token has expired.
        if self._asked is not None and self._result in _EXPIRIES:
            self._expired.discard(self._asked)

    # Its rows.

    def take(self, row: Meeting) -> None:
        """Check a row: it was in the listing, was received, and is yielded for the first time."""
        key = (row.id, row.uuid, row.start_time)
        assert key not in self.done, f"{key} for the second time"
        kind = dict(self.options.filters).get("type")
        kinds = ("scheduled", "upcoming") if kind is None else (kind,)
        assert any((kind, key) in self._service.ever for kind in kinds), f"{key} was never in the listing"
        assert key in self._received, f"{key} was never received"
        self.done.add(key)
        self.yielded += 1
        assert self.options.max_items is None or self.yielded <= self.options.max_items, "more rows than are wanted"

    def keep(self, checkpoint: Checkpoint, *, text: bool) -> KeptCheckpoint:
        """Return a checkpoint with what is known at its position."""
        if checkpoint.done:
            self._complete()
        listing = ListingCheckpoint.of(checkpoint)
        arrived_wall = 0.0 if listing.token is None else self._arrivals.arrival(listing.token, listing.arrived_wall)
        assert arrived_wall is not None, "a checkpoint gives its page token a time of arrival that it never had"
        return KeptCheckpoint(
            checkpoint=str(checkpoint) if text else checkpoint,
            token=listing.token,
            finished=checkpoint.done,
            page_size=self.options.page_size,
            filters=self.options.filters,
            done=frozenset(self.done),
            expired=frozenset(self._expired),
            arrived_wall=arrived_wall,
        )

    def counted(self, stats: IterationStats) -> None:
        """Check the counts of the iterator."""
        assert stats.items == self.yielded, f"stats.items is {stats.items} after {self.yielded} rows"
        # A request that was cancelled before it was sent is counted as well.
        assert 0 <= stats.calls - self.calls <= self._lost + self.over, (
            f"stats.calls is {stats.calls} after {self.calls} calls"
        )

    def ended(self) -> bool:
        """Check the end of the iteration; return whether it was the listing's end as well."""
        first, self.over = not self.over, True
        if not first or self.yielded == self.options.max_items:
            return False
        self._complete()
        if self.options.max_items is None and self._shows_drift():
            assert self.options.verify_total != "raise", "the total showed a loss, and nothing was raised"
            if self.options.verify_total == "repair":
                in_vain = not self._found_new or self._lost > 0
                repairs = self._repairs + self._maybe_repairs
                tried = repairs >= MAX_RESTARTS or (repairs > 0 and in_vain)
                assert tried, "the total showed a loss, and it was not repaired"
        self.finished = True
        return True

    def failed(self, error: PyasError) -> KeptCheckpoint:
        """Check an error. After one that is not the listing's fault, the iterator can continue."""
        assert not self.over, f"an error after the end: {error}"
        self.over = isinstance(error, (PaginationError, PageTokenExpiredError))
        self.excused = True
        self.errors += 1
        self._faults += self._result is Result.UNCLEAR
        recovers = self.options.on_expired == "restart"
        if isinstance(error, PaginationIncompleteError):
            assert self.options.verify_total == "raise", "an incomplete listing was raised unasked"
            self._complete()
        elif isinstance(error, PaginationLoopError):
            assert self.odd, "a loop error without a loop"
        elif isinstance(error, PaginationError):
            assert self._lost or self._walks_without_new == MAX_RESTARTS, (
                f"given up after {self._walks_without_new} walks without a new row"
            )
        elif isinstance(error, PageTokenExpiredError):
            assert not recovers, "an expired token was not recovered from"
        elif isinstance(error, APIStatusError) and self._result is Result.UNCLEAR:
            assert not recovers or self._asked is None, (
                "an answer that may mean an expired token was not recovered from"
            )
        else:
            assert self._result in (Result.FAULT, Result.FINAL), f"an error without a cause: {error!r}"
        assert error.checkpoint is not None, f"{error!r} carries no checkpoint"
        return self.keep(error.checkpoint, text=True)

    def _complete(self) -> None:
        """Compare the rows yielded with the walk that ended the listing.

        All rows that were in the listing from its first page to its last must have been yielded, in this walk or
        before, except for rows that moved before the cursor without having been sent. That takes a removal before the
        cursor, or a move across it.
        """
        if self.start is not None and self.start.finished:
            assert self.calls == 0, "a call for a listing that had been at its end"
            return
        last = self.last
        assert last is not None, "the end of a listing of which no page was seen"
        assert last.text is None, "the end in the middle of a listing"
        missing = last.present - last.passed - self.done
        assert not missing, f"{len(missing)} rows were there throughout and were not yielded: {min(missing, key=str)}"

    def _shows_drift(self) -> bool:
        """Return whether the totals of the last walk show a loss: they changed, or are larger than the rows seen."""
        last = self.last
        if last is None or not last.totals:
            return False
        short = last.totals[-1] > max(last.count, len(self._received))
        return short or len(set(last.totals)) > 1

    def _may_know_of_drift(self) -> bool:
        """Return whether the totals changed, including those on pages that led back.

        An iterator that resumes from a checkpoint before such a page does not know its total, so it need not react.
        """
        last = self.last
        return last is not None and bool(last.totals) and len({*last.totals, *last.aside}) > 1

    def _violate(self, what: str) -> None:
        self._violations.append(what)
