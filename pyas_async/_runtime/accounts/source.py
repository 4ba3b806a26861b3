"""The accounts to be listed, drawn one by one from whatever the user keeps their ids in."""

from collections.abc import AsyncIterable, Iterable

import anyio.lowlevel

from pyas_async import _checks
from pyas_async._core.accounts.checkpoint import AccountsCheckpoint, add_id
from pyas_async._runtime.item_source import ItemSource
from pyas_async.errors import InvalidArgumentError

_BREATH = 100
"""Ids that are drawn again at a stretch, where the input has them at hand; then others get their turn."""


class AccountSource:
    """An input of account ids, of which only so many were drawn as were asked for.

    Attributes:
        drawn: How many were drawn, by the iterations that this one resumes as well.
        ids: What they add up to.
        empty: Whether there are no more.
    """

    def __init__(self, account_ids: Iterable[str] | AsyncIterable[str], resume: AccountsCheckpoint | None) -> None:
        """Stand before the first, or behind those that a checkpoint counts; nothing is drawn yet."""
        self._items = ItemSource("account_ids", "account ids", account_ids)
        self._resume = resume
        self.drawn: int = 0 if resume is None else resume.drawn
        self.ids: int = 0 if resume is None else resume.ids
        self.empty: bool = False

    async def open(self) -> None:
        """Draw again what was drawn before a checkpoint, and compare.

        Raises:
            CheckpointError: If there are others.
        """
        if self._resume is None:
            return
        drawn = ids = 0
        try:
            while drawn < self._resume.drawn:
                account_id, _ = _checked(drawn, await self._items.draw())
                drawn, ids = drawn + 1, add_id(ids, account_id)
                if not drawn % _BREATH:
                    await anyio.lowlevel.checkpoint()
        except StopAsyncIteration:
            self.empty = True
        self._resume.check_ids(drawn, ids)

    async def draw(self) -> tuple[str, InvalidArgumentError | None] | None:
        """Draw the next id, with what is wrong with it if it cannot be one; ``None`` at the end."""
        if self.empty:
            return None
        try:
            value = await self._items.draw()
        except StopAsyncIteration:
            self.empty = True
            return None
        account_id, error = _checked(self.drawn, value)
        self.drawn, self.ids = self.drawn + 1, add_id(self.ids, account_id)
        return account_id, error

    async def aclose(self) -> None:
        """Close a generator; to be called by the task that drew."""
        await self._items.aclose()


def _checked(number: int, value: object) -> tuple[str, InvalidArgumentError | None]:
    try:
        return _checks.text(f"account_ids[{number}]", value), None
    except InvalidArgumentError as error:
        return (value if isinstance(value, str) else error.got), error.with_traceback(None)
