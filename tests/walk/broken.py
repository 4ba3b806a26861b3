"""Iterations that are broken on purpose, each in one place: the laws must catch every one of them."""
# ruff: noqa: D102 -- what is broken stands at the class

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from pyas_async import (
    APIStatusError,
    Checkpoint,
    Meeting,
    MeetingIterator,
    Page,
    PageTokenExpiredError,
    PaginationError,
    PyasError,
    RateLimitError,
    ServerError,
)
from pyas_async._core.checkpoint import ListingCheckpoint
from pyas_async._core.paging import Paging
from pyas_async._core.rows import RowMemory
from pyas_async._core.states import State
from pyas_async._runtime.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async._core.states import Event
    from pyas_async._core.walk import Ask

# Why a listing goes on after an error.
Reason = Literal["age", "answer", "size"]


class SendsADeadTokenAgain(Paging):
    """It gives a token that the service has called expired a second chance."""

    _tried: str | None = None

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, PageTokenExpiredError) and error.status and self._tried != self._ahead.token:
            self._tried = self._ahead.token
            return "answer"
        return super().on_error(error)


class SavesTheNextToken(Paging):
    """A checkpoint in the middle of a page holds the token that leads past it."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        return attrs.evolve(saved, token=self._ahead.token, born=self._ahead.born_wall, walked=self._ahead.walked)


class ForgetsRowsAtARestart(Paging):
    """A fresh walk yields what was yielded before."""

    def _begin_walk(self, event: Event) -> None:
        super()._begin_walk(event)
        self._memory = RowMemory()


class StopsAtAnEmptyPage(Paging):
    """It takes a page without rows for the last."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        if not page.meetings:
            page = attrs.evolve(page, next_page_token=None)
        return super().on_page(page, now, wall)


class RaisesWhatIsUnclear(Paging):
    """It recovers only from answers that name the page token."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, APIStatusError) and not isinstance(error, PageTokenExpiredError):
            raise error
        return super().on_error(error)


class TakesFaultsForADeadToken(Paging):
    """It walks afresh after a 429 or a 5xx."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, (RateLimitError, ServerError)) and self.state is State.FOLLOWING:
            error = PageTokenExpiredError(error.message, status=error.status)
        return super().on_error(error)


class RestartsWithoutBound(Paging):
    """It walks afresh for as long as tokens die, progress or none."""

    def _restart(self, error: APIStatusError) -> None:
        self._barren_restarts = 0
        super()._restart(error)


class GivesUpEarly(Paging):
    """It gives up at the second death without a new row in between."""

    def _restart(self, error: APIStatusError) -> None:
        if self._barren_restarts:
            self.stop()
            raise PaginationError("too long")
        super()._restart(error)


class TrustsASavedToken(Paging):
    """It sends a token from a checkpoint although the wall clock says that it died long ago."""

    def _resume(self, resume: ListingCheckpoint, now: float, wall: float) -> None:
        super()._resume(resume, now, min(wall, resume.born))


class IgnoresAge(Paging):
    """It finds out by trying that a token is too old."""

    def next(self) -> Ask | None:
        ask = super().next()
        return None if ask is None else attrs.evolve(ask, not_after=None)


class KeepsTheDeadToken(Paging):
    """The checkpoint of an expired token's error holds that token."""

    def on_error(self, error: Exception) -> Reason:
        ahead = self._ahead
        try:
            return super().on_error(error)
        except PyasError:
            self._ahead = ahead
            raise


class CountsWhatWasLeftOut(Paging):
    """Rows that came on the last page wanted, and that nobody wants any more, count as yielded."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        cut = self.ended and saved.items == self._before + self.given
        return attrs.evolve(saved, items=len(self._memory)) if cut else saved


class WantsOneMorePage(Paging):
    """It asks for the page behind the last row that is wanted."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        rows = super().on_page(page, now, wall)
        if self.ended and page.next_page_token is not None and self.failure is None:
            self.state = State.FOLLOWING
        return rows


class ForgetsTheEnd(Paging):
    """A checkpoint behind the last row does not say that it is."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        return attrs.evolve(super().checkpoint(*args, **kwargs), done=False, token=None)


class NeverRepairs(Paging):
    """It only warns where it was told to repair."""

    def __init__(self, rules: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        mends = rules.verify_total == "repair"
        super().__init__(attrs.evolve(rules, verify_total="warn") if mends else rules, *args, **kwargs)


class RepairsOnce(Paging):
    """It ends after one repairing walk, whatever that brought."""

    def _end_walk(self) -> None:
        if self._repairs:
            self._repairs = self._rules.max_restarts
        super()._end_walk()


class DropsFilters(Fetcher):
    """Follow-up pages are asked for without the filters."""

    async def _request(self, ask: Ask) -> Any:  # noqa: ANN401
        double = copy.copy(self)
        if ask.token is not None:
            double._filters = ()
        return await Fetcher._request(double, ask)


class CountsARowAhead(MeetingIterator):
    """A checkpoint counts the row that comes next as done."""

    def checkpoint(self) -> Checkpoint:
        taken = min(self._taken() + 1, self._machine.given)
        return self._machine.checkpoint(self._account_id, self._filters, taken)


class LetsAnErrorGoFirst(MeetingIterator):
    """An error of the page on its way surfaces before the rows that are at hand, which are lost."""

    async def __anext__(self) -> Meeting:
        if isinstance(self._fetcher.coming, Exception):
            self._pending = iter(())
        return await super().__anext__()


class LosesRowsWhenCancelled(MeetingIterator):
    """The rows of a page are in nobody's hands while the request for the next is on its way to the wire."""

    async def _send_ahead(self) -> None:
        rows, self._pending = self._pending, iter(())
        await super()._send_ahead()
        self._pending = rows


class StampsLate(MeetingIterator):
    """A token is young when its page is looked at, not when it arrives."""

    def _take(self, arrival: Any) -> bool:  # noqa: ANN401
        arrival.now = self._session.clock.now()
        return super()._take(arrival)


class RepeatsThePage(MeetingIterator):
    """pages() begins with the whole page of which rows were taken."""

    def _rest(self) -> Page | None:
        return None if super()._rest() is None else self._page


class SavesATokenAsNew(MeetingIterator):
    """A checkpoint says of its token that it has come just now."""

    def checkpoint(self) -> Checkpoint:
        return attrs.evolve(ListingCheckpoint.of(super().checkpoint()), born=self._session.clock.wall().timestamp())


class AsksAgain(Fetcher):
    """The page that travelled ahead is asked for once more when it is wanted."""

    async def fetch(self, ask: Ask) -> Any:  # noqa: ANN401
        if self._ahead is not None:
            await self._ahead.done.wait()
            self._ahead = None
        return await super().fetch(ask)


class RaisesWithoutACheckpoint(MeetingIterator):
    """Errors do not say where the iteration stood."""

    async def _load(self) -> bool:
        try:
            return await super()._load()
        except PyasError as error:
            error.checkpoint = None
            raise


def by_id(rows: Iterable[Meeting]) -> list[int]:
    """Tell rows apart by their id alone."""
    return [row.id for row in rows]


def by_id_and_uuid(rows: Iterable[Meeting]) -> list[int]:
    """Tell rows apart without their start time."""
    return [row.id * 1000 + len(row.uuid) for row in rows]


_PAGING: Final = "pyas_async._runtime.paginator.Paging"
_FETCHER: Final = "pyas_async._runtime.paginator.Fetcher"
_ITERATOR: Final = "pyas_async.meetings.MeetingIterator"
_DIGESTS: Final = "pyas_async._core.rows.digests"
# A row that was lost may show first in what its absence costs.
_LOST: Final = "not handed out|the first row cost more than one call|a page that nobody needs"
_TWICE: Final = "for the second time"

BROKEN: Final[tuple[tuple[str, Any, str], ...]] = (
    (_PAGING, SendsADeadTokenAgain, "sent again after the service had said"),
    (_PAGING, SavesTheNextToken, _LOST),
    (_PAGING, ForgetsRowsAtARestart, _TWICE),
    (_PAGING, StopsAtAnEmptyPage, "the end in the middle of a listing"),
    (_PAGING, RaisesWhatIsUnclear, "an answer that may mean an expired token"),
    (_PAGING, TakesFaultsForADeadToken, "a fresh walk without a reason"),
    (_PAGING, RestartsWithoutBound, "more fresh walks in a row"),
    (_PAGING, GivesUpEarly, "given up after 1 barren"),
    (_PAGING, TrustsASavedToken, "clock knows to be dead"),
    (_PAGING, IgnoresAge, "clock knows to be dead"),
    (_PAGING, KeepsTheDeadToken, "sent again after the service had said"),
    (_PAGING, CountsWhatWasLeftOut, _LOST),
    (_PAGING, WantsOneMorePage, "a page that nobody needs"),
    (_PAGING, ForgetsTheEnd, "does not know that it is the end"),
    (_PAGING, NeverRepairs, "it was not repaired"),
    (_PAGING, RepairsOnce, "it was not repaired"),
    (_DIGESTS, by_id, _LOST),
    (_DIGESTS, by_id_and_uuid, _LOST),
    (_FETCHER, DropsFilters, f"was never in the listing|{_LOST}"),
    (_ITERATOR, CountsARowAhead, f"{_LOST}|sent again after the service had said"),
    (_ITERATOR, LetsAnErrorGoFirst, f"stats.items|{_LOST}"),
    (_ITERATOR, LosesRowsWhenCancelled, f"stats.items|{_LOST}"),
    (_ITERATOR, StampsLate, "clock knows to be dead"),
    (_ITERATOR, SavesATokenAsNew, "a birth that it never had"),
    (_ITERATOR, RepeatsThePage, _TWICE),
    (_FETCHER, AsksAgain, "a page was asked for that is not the next"),
    (_ITERATOR, RaisesWithoutACheckpoint, "carries no checkpoint"),
)
"""Where each takes the place of what is whole, and the law that catches it."""
