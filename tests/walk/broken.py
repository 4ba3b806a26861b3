"""Iterations that are broken on purpose, each in one place: the laws must catch every one of them."""
# ruff: noqa: D102 -- what is broken stands at the class

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

import inside
from pyas_async import (
    APIStatusError,
    Checkpoint,
    Meeting,
    Page,
    PageTokenExpiredError,
    PaginationError,
    PyasError,
    RateLimitError,
    ServerError,
)
from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._core.pagination.seen_rows import SeenRows
from pyas_async._core.pagination.transitions import ListingState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async._core.pagination.listing_state import PageRequest
    from pyas_async._core.pagination.transitions import ListingEvent

# Why a listing goes on after an error.
Reason = Literal["age", "answer", "size"]


class SendsADeadTokenAgain(inside.OpenPagination):
    """It gives a token that the service has called expired a second chance."""

    tried: str | None = None

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, PageTokenExpiredError) and error.status and self.tried != self.spot_ahead.token:
            self.tried = self.spot_ahead.token
            return "answer"
        return super().on_error(error)


class SavesTheNextToken(inside.OpenPagination):
    """A checkpoint in the middle of a page holds the token that leads past it."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        ahead = self.spot_ahead
        return attrs.evolve(saved, token=ahead.token, born=ahead.born_wall, walked=ahead.walked)


class ForgetsRowsAtARestart(inside.OpenPagination):
    """A fresh walk yields what was yielded before."""

    def begin_walk(self, event: ListingEvent) -> None:
        super().begin_walk(event)
        self.memory = SeenRows()


class StopsAtAnEmptyPage(inside.OpenPagination):
    """It takes a page without rows for the last."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        if not page.meetings:
            page = attrs.evolve(page, next_page_token=None)
        return super().on_page(page, now, wall)


class RaisesWhatIsUnclear(inside.OpenPagination):
    """It recovers only from answers that name the page token."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, APIStatusError) and not isinstance(error, PageTokenExpiredError):
            raise error
        return super().on_error(error)


class TakesFaultsForADeadToken(inside.OpenPagination):
    """It walks afresh after a 429 or a 5xx."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, (RateLimitError, ServerError)) and self.state is ListingState.FOLLOWING:
            error = PageTokenExpiredError(error.message, status=error.status)
        return super().on_error(error)


class RestartsWithoutBound(inside.OpenPagination):
    """It walks afresh for as long as tokens die, progress or none."""

    def restart(self, error: APIStatusError) -> None:
        self.barren_restarts = 0
        super().restart(error)


class GivesUpEarly(inside.OpenPagination):
    """It gives up at the second death without a new row in between."""

    def restart(self, error: APIStatusError) -> None:
        if self.barren_restarts:
            self.stop()
            raise PaginationError("too long")
        super().restart(error)


class TrustsASavedToken(inside.OpenPagination):
    """It sends a token from a checkpoint although the wall clock says that it died long ago."""

    def resume_from(self, place: ListingCheckpoint, now: float, wall: float) -> None:
        super().resume_from(place, now, min(wall, place.born))


class IgnoresAge(inside.OpenPagination):
    """It finds out by trying that a token is too old."""

    def next(self) -> PageRequest | None:
        ask = super().next()
        return None if ask is None else attrs.evolve(ask, not_after=None)


class KeepsTheDeadToken(inside.OpenPagination):
    """The checkpoint of an expired token's error holds that token."""

    def on_error(self, error: Exception) -> Reason:
        ahead = self.spot_ahead
        try:
            return super().on_error(error)
        except PyasError:
            self.spot_ahead = ahead
            raise


class CountsWhatWasLeftOut(inside.OpenPagination):
    """Rows that came on the last page wanted, and that nobody wants any more, count as yielded."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        cut = self.ended and saved.items == self.rows_before + self.given
        return attrs.evolve(saved, items=len(self.memory)) if cut else saved


class WantsOneMorePage(inside.OpenPagination):
    """It asks for the page behind the last row that is wanted."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        rows = super().on_page(page, now, wall)
        if self.ended and page.next_page_token is not None and self.failure is None:
            self.state = ListingState.FOLLOWING
        return rows


class ForgetsTheEnd(inside.OpenPagination):
    """A checkpoint behind the last row does not say that it is."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        return attrs.evolve(super().checkpoint(*args, **kwargs), done=False, token=None)


class NeverRepairs(inside.OpenPagination):
    """It only warns where it was told to repair."""

    def __init__(self, rules: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        mends = rules.verify_total == "repair"
        super().__init__(attrs.evolve(rules, verify_total="warn") if mends else rules, *args, **kwargs)


class RepairsOnce(inside.OpenPagination):
    """It ends after one repairing walk, whatever that brought."""

    def end_walk(self) -> None:
        if self.repairs:
            self.repairs = self.rules.max_restarts
        super().end_walk()


class DropsFilters(inside.OpenFetcher):
    """Follow-up pages are asked for without the filters."""

    async def request(self, ask: PageRequest) -> Any:  # noqa: ANN401
        double = copy.copy(self)
        if ask.token is not None:
            double.filters = ()
        return await super(DropsFilters, double).request(ask)


class CountsARowAhead(inside.OpenIterator):
    """A checkpoint counts the row that comes next as done."""

    def checkpoint(self) -> Checkpoint:
        taken = min(self.taken() + 1, self.machine.given)
        place: Checkpoint = self.machine.checkpoint(self.account_id, self.filters, taken)
        return place


class LetsAnErrorGoFirst(inside.OpenIterator):
    """An error of the page on its way surfaces before the rows that are at hand, which are lost."""

    async def __anext__(self) -> Meeting:
        if isinstance(self.fetcher.coming, Exception):
            self.pending = iter(())
        return await super().__anext__()


class LosesRowsWhenCancelled(inside.OpenIterator):
    """The rows of a page are in nobody's hands while the request for the next is on its way to the wire."""

    async def send_ahead(self) -> None:
        rows, self.pending = self.pending, iter(())
        await super().send_ahead()
        self.pending = rows


class StampsLate(inside.OpenIterator):
    """A token is young when its page is looked at, not when it arrives."""

    def take(self, arrival: Any) -> bool:  # noqa: ANN401
        arrival.now = self.session.clock.now()
        return super().take(arrival)


class RepeatsThePage(inside.OpenIterator):
    """pages() begins with the whole page of which rows were taken."""

    def rest(self) -> Page | None:
        return None if super().rest() is None else self.page_in_hand


class SavesATokenAsNew(inside.OpenIterator):
    """A checkpoint says of its token that it has come just now."""

    def checkpoint(self) -> Checkpoint:
        return attrs.evolve(ListingCheckpoint.of(super().checkpoint()), born=self.session.clock.wall().timestamp())


class AsksAgain(inside.OpenFetcher):
    """The page that travelled ahead is asked for once more when it is wanted."""

    async def fetch(self, ask: PageRequest) -> Any:  # noqa: ANN401
        if self.page_ahead is not None:
            await self.page_ahead.done.wait()
            self.page_ahead = None
        return await super().fetch(ask)


class RaisesWithoutACheckpoint(inside.OpenIterator):
    """Errors do not say where the iteration stood."""

    async def load(self) -> bool:
        try:
            return await super().load()
        except PyasError as error:
            error.checkpoint = None
            raise


def by_id(rows: Iterable[Meeting]) -> list[int]:
    """Tell rows apart by their id alone."""
    return [row.id for row in rows]


def by_id_and_uuid(rows: Iterable[Meeting]) -> list[int]:
    """Tell rows apart without their start time."""
    return [row.id * 1000 + len(row.uuid) for row in rows]


# A row that was lost may show first in what its absence costs.
_LOST: Final = "not handed out|the first row cost more than one call|a page that nobody needs"
_TWICE: Final = "for the second time"

BROKEN: Final[tuple[tuple[str, Any, str], ...]] = (
    (inside.PAGINATION_MACHINE, SendsADeadTokenAgain, "sent again after the service had said"),
    (inside.PAGINATION_MACHINE, SavesTheNextToken, _LOST),
    (inside.PAGINATION_MACHINE, ForgetsRowsAtARestart, _TWICE),
    (inside.PAGINATION_MACHINE, StopsAtAnEmptyPage, "the end in the middle of a listing"),
    (inside.PAGINATION_MACHINE, RaisesWhatIsUnclear, "an answer that may mean an expired token"),
    (inside.PAGINATION_MACHINE, TakesFaultsForADeadToken, "a fresh walk without a reason"),
    (inside.PAGINATION_MACHINE, RestartsWithoutBound, "more fresh walks in a row"),
    (inside.PAGINATION_MACHINE, GivesUpEarly, "given up after 1 barren"),
    (inside.PAGINATION_MACHINE, TrustsASavedToken, "clock knows to be dead"),
    (inside.PAGINATION_MACHINE, IgnoresAge, "clock knows to be dead"),
    (inside.PAGINATION_MACHINE, KeepsTheDeadToken, "sent again after the service had said"),
    (inside.PAGINATION_MACHINE, CountsWhatWasLeftOut, _LOST),
    (inside.PAGINATION_MACHINE, WantsOneMorePage, "a page that nobody needs"),
    (inside.PAGINATION_MACHINE, ForgetsTheEnd, "does not know that it is the end"),
    (inside.PAGINATION_MACHINE, NeverRepairs, "it was not repaired"),
    (inside.PAGINATION_MACHINE, RepairsOnce, "it was not repaired"),
    (inside.DIGESTS, by_id, _LOST),
    (inside.DIGESTS, by_id_and_uuid, _LOST),
    (inside.FETCHER, DropsFilters, f"was never in the listing|{_LOST}"),
    (inside.ITERATOR, CountsARowAhead, f"{_LOST}|sent again after the service had said"),
    (inside.ITERATOR, LetsAnErrorGoFirst, f"stats.items|{_LOST}"),
    (inside.ITERATOR, LosesRowsWhenCancelled, f"stats.items|{_LOST}"),
    (inside.ITERATOR, StampsLate, "clock knows to be dead"),
    (inside.ITERATOR, SavesATokenAsNew, "a birth that it never had"),
    (inside.ITERATOR, RepeatsThePage, _TWICE),
    (inside.FETCHER, AsksAgain, "a page was asked for that is not the next"),
    (inside.ITERATOR, RaisesWithoutACheckpoint, "carries no checkpoint"),
)
"""Where each takes the place of what is whole, and the law that catches it."""
