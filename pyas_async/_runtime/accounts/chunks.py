"""The pairs of many accounts by chunks, each with the place behind it: what is stored in one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import anyio

from pyas_async._checks import number, whole_number
from pyas_async._core.accounts.tally import AccountsStats
from pyas_async._core.pagination.checkpoint import Checkpoint

if TYPE_CHECKING:
    from pyas_async.models import Meeting

_MOST_PAGES = 10_000

Pairs: TypeAlias = "list[tuple[str, Meeting]]"


class Chunks(AsyncIterator[tuple[Pairs, Checkpoint]]):
    """Gathers pages. A class, since an abandoned generator would have to be cleaned up by the event loop."""

    def __init__(
        self,
        next_page: Callable[[Callable[[], bool]], Awaitable[Pairs]],
        checkpoint: Callable[[], Checkpoint],
        stats: Callable[[], AccountsStats],
        *,
        pages: int,
        seconds: float,
    ) -> None:
        """Have gathered nothing yet."""
        self._next_page = next_page
        self._checkpoint = checkpoint
        self._stats = stats
        number("seconds", seconds, above=True, unit="seconds")
        self._most = whole_number("pages", pages, minimum=1, maximum=_MOST_PAGES)
        self._seconds = seconds
        self._ended = 0
        # What a cancelled step has gathered belongs to the next one.
        self._pairs: Pairs = []
        self._pages = 0
        self._over = False
        self._error: Exception | None = None

    async def __anext__(self) -> tuple[Pairs, Checkpoint]:
        """Give the next chunk; what was gathered before an error comes before the error."""
        while not self._over:
            with anyio.move_on_after(self._seconds):
                await self._gather()
            ended, self._ended = self._ended, self._count()
            # At the end there may be nothing to tell but that it is the end.
            if self._pairs or ended != self._ended or (self._over and self._error is None):
                pairs, self._pairs, self._pages = self._pairs, [], 0
                return pairs, self._checkpoint()
        error, self._error = self._error, None
        raise StopAsyncIteration if error is None else error

    def _count(self) -> int:
        stats = self._stats()
        return stats.done + stats.failed

    def _enough(self) -> bool:
        """Whether so many pages were gathered, or so many accounts have ended, with rows or without."""
        return self._pages >= self._most or self._count() - self._ended >= self._most

    async def _gather(self) -> None:
        try:
            while not self._enough():
                if page := await self._next_page(self._enough):
                    self._pairs += page
                    self._pages += 1
        except StopAsyncIteration:
            self._over = True
        except Exception as error:  # noqa: BLE001  (raised behind what came before it)
            self._over, self._error = True, error
