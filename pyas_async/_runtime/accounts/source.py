"""The account ids of an iteration over many accounts, drawn one by one from the caller's input."""

from collections.abc import AsyncIterable, Iterable

import anyio.lowlevel

from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint, add_id
from pyas_async._runtime.item_source import ItemSource
from pyas_async.errors import InvalidArgumentError

_IDS_AT_A_TIME = 100
"""Ids of an earlier iteration that are drawn before other tasks get a turn: the input may have them all at hand."""


class AccountSource:
    """An input of account ids, which are drawn only as they are needed.

    Attributes:
        drawn: How many ids were drawn, by the iterations that this one resumes as well.
        ids: The check sum of these ids.
        exhausted: Whether the input has no more.
    """

    def __init__(self, account_ids: Iterable[str] | AsyncIterable[str], resume: AccountsCheckpoint | None) -> None:
        """Keep the input; nothing is drawn yet."""
        self._items = ItemSource("account_ids", "account ids", account_ids)
        self._resume = resume
        self.drawn: int = 0 if resume is None else resume.drawn
        self.ids: int = 0 if resume is None else resume.ids
        self.exhausted: bool = False

    async def open(self) -> None:
        """Draw the ids again that the resumed iteration had drawn, and compare them.

        Raises:
            CheckpointError: If they are others.
        """
        if self._resume is None:
            return
        drawn = ids = 0
        try:
            while drawn < self._resume.drawn:
                account_id, _ = _checked(drawn, await self._items.draw())
                drawn, ids = drawn + 1, add_id(ids, account_id)
                if not drawn % _IDS_AT_A_TIME:
                    await anyio.lowlevel.checkpoint()
        except StopAsyncIteration:
            self.exhausted = True
        self._resume.check_ids(drawn, ids)

    async def draw(self) -> tuple[str, InvalidArgumentError | None] | None:
        """Return the next id, with an error if it cannot be an account's; ``None`` after the last."""
        if self.exhausted:
            return None
        try:
            value = await self._items.draw()
        except StopAsyncIteration:
            self.exhausted = True
            return None
        account_id, error = _checked(self.drawn, value)
        self.drawn, self.ids = self.drawn + 1, add_id(self.ids, account_id)
        return account_id, error

    async def aclose(self) -> None:
        """Close the input if it is a generator. The task that drew the ids must call this."""
        await self._items.aclose()


def _checked(number: int, value: object) -> tuple[str, InvalidArgumentError | None]:
    try:
        return endpoints.url_text(f"account_ids[{number}]", value), None
    except InvalidArgumentError as error:
        return (value if isinstance(value, str) else error.got), error.with_traceback(None)
