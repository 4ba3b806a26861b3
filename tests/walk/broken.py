"""Iterations with one deliberate fault each: the invariants must catch every one of them."""
# ruff: noqa: D102 -- the docstring of the class says what is broken

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
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.seen_rows import SeenRows
from pyas_async._core.pagination.transitions import ListingState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async._core.pagination.listing_state import PageRequest
    from pyas_async._core.pagination.transitions import ListingEvent

# Why a listing goes on after an error.
Reason = Literal["age", "answer", "size"]


class SendsADeadTokenAgain(inside.OpenMachine):
    """It sends a token again that the service has called expired."""

    tried: str | None = None

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, PageTokenExpiredError) and error.status and self.tried != self.next_page.token:
            self.tried = self.next_page.token
            return "answer"
        return super().on_error(error)


class SavesTheNextToken(inside.OpenMachine):
    """A checkpoint in the middle of a page holds the token that leads past it."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        ahead = self.next_page
        return attrs.evolve(saved, token=ahead.token, arrived_wall=ahead.arrived_wall, walked=ahead.walked)


class ForgetsRowsAtARestart(inside.OpenMachine):
    """A fresh walk yields the rows again that were yielded before."""

    def begin_walk(self, event: ListingEvent) -> None:
        super().begin_walk(event)
        self.seen_rows = SeenRows()


class StopsAtAnEmptyPage(inside.OpenMachine):
    """It treats a page without rows as the last."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        if not page.meetings:
            page = attrs.evolve(page, next_page_token=None)
        return super().on_page(page, now, wall)


class RaisesWhatIsUnclear(inside.OpenMachine):
    """It recovers only from errors that name the page token."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, APIStatusError) and not isinstance(error, PageTokenExpiredError):
            raise error
        return super().on_error(error)


class TakesFaultsForADeadToken(inside.OpenMachine):
    """It begins a fresh walk after a 429 or a 5xx."""

    def on_error(self, error: Exception) -> Reason:
        if isinstance(error, (RateLimitError, ServerError)) and self.state is ListingState.FOLLOWING:
            error = PageTokenExpiredError(error.message, status=error.status)
        return super().on_error(error)


class RestartsWithoutBound(inside.OpenMachine):
    """It begins fresh walks as long as tokens expire, with new rows or without."""

    def restart(self, error: APIStatusError) -> None:
        self.restarts_without_new = 0
        super().restart(error)


class GivesUpEarly(inside.OpenMachine):
    """It gives up when a second token expires without a new row in between."""

    def restart(self, error: APIStatusError) -> None:
        if self.restarts_without_new:
            self.stop()
            raise PaginationError("too long")
        super().restart(error)


class TrustsASavedToken(inside.OpenMachine):
    """It sends a token from a checkpoint although it expired long ago by the wall clock."""

    def resume_from(self, checkpoint: ListingCheckpoint, now: float, wall: float) -> None:
        super().resume_from(checkpoint, now, min(wall, checkpoint.arrived_wall))


class IgnoresAge(inside.OpenMachine):
    """It sends tokens that are too old."""

    def next(self) -> PageRequest | None:
        request = super().next()
        return None if request is None else attrs.evolve(request, not_after=None)


class KeepsTheDeadToken(inside.OpenMachine):
    """The checkpoint of an error for an expired token holds that token."""

    def on_error(self, error: Exception) -> Reason:
        ahead = self.next_page
        try:
            return super().on_error(error)
        except PyasError:
            self.next_page = ahead
            raise


class CountsWhatWasLeftOut(inside.OpenMachine):
    """Rows of the last page that `max_items` leaves out count as yielded."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        saved = super().checkpoint(*args, **kwargs)
        cut = self.ended and saved.items == self.rows_before + self.rows_given
        return attrs.evolve(saved, items=len(self.seen_rows)) if cut else saved


class WantsOneMorePage(inside.OpenMachine):
    """It requests the page after the last row that is wanted."""

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        rows = super().on_page(page, now, wall)
        if self.ended and page.next_page_token is not None and self.failure is None:
            self.state = ListingState.FOLLOWING
        return rows


class ForgetsTheEnd(inside.OpenMachine):
    """A checkpoint after the last row does not say that it is the end."""

    def checkpoint(self, *args: Any, **kwargs: Any) -> ListingCheckpoint:  # noqa: ANN401
        return attrs.evolve(super().checkpoint(*args, **kwargs), done=False, token=None)


class NeverRepairs(inside.OpenMachine):
    """It only warns when it should repair."""

    def __init__(self, rules: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        recovers = rules.verify_total == "repair"
        super().__init__(attrs.evolve(rules, verify_total="warn") if recovers else rules, *args, **kwargs)


class RepairsOnce(inside.OpenMachine):
    """It ends after one repairing walk, whatever rows that brought."""

    def end_walk(self) -> None:
        if self.repairs:
            self.repairs = self.rules.max_restarts
        super().end_walk()


class DropsFilters(inside.OpenPageFetcher):
    """Requests with a token lack the filters."""

    async def request(self, request: PageRequest) -> Any:  # noqa: ANN401
        double = copy.copy(self)
        if request.token is not None:
            double.filters = ()
        return await super(DropsFilters, double).request(request)


class CountsARowAhead(inside.OpenIterator):
    """A checkpoint counts one row too many."""

    def checkpoint(self) -> Checkpoint:
        taken = min(self.rows_taken() + 1, self.machine.rows_given)
        made: Checkpoint = self.machine.checkpoint(self.account_id, self.filters, taken)
        return made


class LetsAnErrorGoFirst(inside.OpenIterator):
    """The error of a prefetch is raised before the waiting rows, which are lost."""

    async def __anext__(self) -> Meeting:
        if isinstance(self.fetcher.prefetched, Exception):
            self.pending = iter(())
        return await super().__anext__()


class LosesRowsWhenCancelled(inside.OpenIterator):
    """The rows of a page are lost if the step is cancelled while it waits for the prefetch to be sent."""

    async def prefetch_next(self) -> None:
        rows, self.pending = self.pending, iter(())
        await super().prefetch_next()
        self.pending = rows


class StampsLate(inside.OpenIterator):
    """The age of a token counts from when its page is processed, not from when it arrives."""

    def process(self, result: Any) -> bool:  # noqa: ANN401
        return super().process(type(result)(result.value, self.session.clock.now(), result.wall))


class RepeatsThePage(inside.OpenIterator):
    """`pages` begins with the whole page of which rows were taken already."""

    def rest_of_page(self) -> Page | None:
        return None if super().rest_of_page() is None else self.current_page


class SavesATokenAsNew(inside.OpenIterator):
    """A checkpoint says that its token arrived just now."""

    def checkpoint(self) -> Checkpoint:
        now = self.session.clock.wall().timestamp()
        return attrs.evolve(ListingCheckpoint.of(super().checkpoint()), arrived_wall=now)


class AsksAgain(inside.OpenPageFetcher):
    """A prefetched page is requested again when it is needed."""

    async def fetch(self, request: PageRequest) -> Any:  # noqa: ANN401
        if self.prefetch_request is not None:
            await self.prefetch_request.done.wait()
            self.prefetch_request = None
        return await super().fetch(request)


class RaisesWithoutACheckpoint(inside.OpenIterator):
    """Errors carry no checkpoint."""

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


# A lost row may show first in the calls that its absence costs.
_LOST: Final = "not yielded|the first row cost more than one call|a page that is not needed"
_TWICE: Final = "for the second time"

BROKEN: Final[tuple[tuple[str, Any, str], ...]] = (
    (inside.MACHINE, SendsADeadTokenAgain, "sent again after the service had said"),
    (inside.MACHINE, SavesTheNextToken, _LOST),
    (inside.MACHINE, ForgetsRowsAtARestart, _TWICE),
    (inside.MACHINE, StopsAtAnEmptyPage, "the end in the middle of a listing"),
    (inside.MACHINE, RaisesWhatIsUnclear, "an answer that may mean an expired token"),
    (inside.MACHINE, TakesFaultsForADeadToken, "a fresh walk without a reason"),
    (inside.MACHINE, RestartsWithoutBound, "more fresh walks in a row"),
    (inside.MACHINE, GivesUpEarly, "given up after 1 walks without"),
    (inside.MACHINE, TrustsASavedToken, "clock knows to have expired"),
    (inside.MACHINE, IgnoresAge, "clock knows to have expired"),
    (inside.MACHINE, KeepsTheDeadToken, "sent again after the service had said"),
    (inside.MACHINE, CountsWhatWasLeftOut, _LOST),
    (inside.MACHINE, WantsOneMorePage, "a page that is not needed"),
    (inside.MACHINE, ForgetsTheEnd, "does not know that it is the end"),
    (inside.MACHINE, NeverRepairs, "it was not repaired"),
    (inside.MACHINE, RepairsOnce, "it was not repaired"),
    (inside.DIGESTS, by_id, _LOST),
    (inside.DIGESTS, by_id_and_uuid, _LOST),
    (inside.FETCHER, DropsFilters, f"was never in the listing|{_LOST}"),
    (inside.ITERATOR, CountsARowAhead, f"{_LOST}|sent again after the service had said"),
    (inside.ITERATOR, LetsAnErrorGoFirst, f"stats.items|{_LOST}"),
    (inside.ITERATOR, LosesRowsWhenCancelled, f"stats.items|{_LOST}"),
    (inside.ITERATOR, StampsLate, "clock knows to have expired"),
    (inside.ITERATOR, SavesATokenAsNew, "a time of arrival that it never had"),
    (inside.ITERATOR, RepeatsThePage, _TWICE),
    (inside.FETCHER, AsksAgain, "a page was asked for that is not the next"),
    (inside.ITERATOR, RaisesWithoutACheckpoint, "carries no checkpoint"),
)
"""The name that each class or function replaces, and the message of the invariant that catches it."""
