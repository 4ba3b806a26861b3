"""The pairs of many accounts in chunks, each with the checkpoint after it, to be stored in one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import anyio

from pyas_async._checks import number, whole_number
from pyas_async._core.accounts import AccountsStats
from pyas_async._public import explains
from pyas_async.checkpoints import Checkpoint

if TYPE_CHECKING:
    from pyas_async.models import Meeting

_MAX_PAGES = 10_000

Pairs: TypeAlias = "list[tuple[str, Meeting]]"


_LOOP = "write `async for chunk, checkpoint in pairs.chunks():`, in the block of iter_accounts()"


@explains(loop=_LOOP, wait=_LOOP, block=_LOOP, async_block=_LOOP, count=_LOOP)
class Chunks(AsyncIterator[tuple[Pairs, Checkpoint]]):
    """Gathers pages into chunks. It is not a generator, since the event loop would have to close an abandoned one."""

    def __init__(
        self,
        next_page: Callable[[Callable[[], bool]], Awaitable[Pairs]],
        checkpoint: Callable[[], Checkpoint],
        stats: Callable[[], AccountsStats],
        *,
        pages: int,
        seconds: float,
    ) -> None:
        """Check the arguments.

        Args:
            next_page: Returns the pairs of a page, or none if the function that it is given returns true before.
            checkpoint: Returns the position after the pairs returned so far.
            stats: Returns the counts of the iteration.
            pages: The most pages, or ended accounts, of a chunk.
            seconds: The time after which a chunk ends that has fewer.
        """
        self._next_page = next_page
        self._checkpoint = checkpoint
        self._stats = stats
        self._max_pages = whole_number("pages", pages, minimum=1, maximum=_MAX_PAGES)
        self._seconds = number("seconds", seconds, above=True, unit="seconds")
        # Accounts that had ended before this chunk.
        self._ended = 0
        # What a cancelled step has gathered belongs to the next one.
        self._pairs: Pairs = []
        self._pages = 0
        self._over = False
        self._error: Exception | None = None

    async def __anext__(self) -> tuple[Pairs, Checkpoint]:
        """Return the next chunk. If the iteration fails, what was gathered before comes first, and then the error."""
        while not self._over:
            with anyio.move_on_after(self._seconds):
                await self._gather()
            ended, self._ended = self._ended, self._count_ended()
            # The last chunk may have neither pairs nor ended accounts: its checkpoint says that it is the end.
            if self._pairs or ended != self._ended or (self._over and self._error is None):
                pairs, self._pairs, self._pages = self._pairs, [], 0
                return pairs, self._checkpoint()
        error, self._error = self._error, None
        raise StopAsyncIteration if error is None else error

    def _count_ended(self) -> int:
        stats = self._stats()
        return stats.done + stats.failed

    def _is_full(self) -> bool:
        return self._pages >= self._max_pages or self._count_ended() - self._ended >= self._max_pages

    async def _gather(self) -> None:
        try:
            while not self._is_full():
                if page := await self._next_page(self._is_full):
                    self._pairs += page
                    self._pages += 1
        except StopAsyncIteration:
            self._over = True
        except Exception as error:  # noqa: BLE001  (raised after the chunk)
            self._over, self._error = True, error
