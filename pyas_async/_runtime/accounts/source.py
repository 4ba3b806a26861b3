"""The account ids of an iteration over many accounts, read one by one from the caller's input."""

from collections.abc import AsyncIterable, Iterable

import anyio.lowlevel

from pyas_async._core.calls import endpoints
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint, add_id
from pyas_async._runtime.item_source import ItemSource
from pyas_async.errors import InvalidArgumentError

_IDS_AT_A_TIME = 100
"""Ids of an earlier iteration that are read before other tasks can run: reading them may never wait."""


class AccountSource:
    """An input of account ids, which are read only as they are needed.

    Attributes:
        ids_read: How many ids were read, by the iterations that this one resumes as well.
        ids_crc: The CRC-32 of these ids.
        exhausted: Whether the input has no more.
    """

    def __init__(self, account_ids: Iterable[str] | AsyncIterable[str], resume: AccountsCheckpoint | None) -> None:
        """Keep the input; nothing is read yet."""
        self._items = ItemSource("account_ids", "account ids", account_ids)
        self._resume = resume
        self.ids_read: int = 0 if resume is None else resume.ids_read
        self.ids_crc: int = 0 if resume is None else resume.ids_crc
        self.exhausted: bool = False

    async def open(self) -> None:
        """Read again the ids that the resumed iteration had read, and compare them.

        Raises:
            CheckpointError: If they are others.
        """
        if self._resume is None:
            return
        ids_read = ids_crc = 0
        try:
            while ids_read < self._resume.ids_read:
                account_id, _ = _checked(ids_read, await self._items.read_next())
                ids_read, ids_crc = ids_read + 1, add_id(ids_crc, account_id)
                if not ids_read % _IDS_AT_A_TIME:
                    await anyio.lowlevel.checkpoint()
        except StopAsyncIteration:
            self.exhausted = True
        self._resume.check_ids(ids_read, ids_crc)

    async def read_next(self) -> tuple[str, InvalidArgumentError | None] | None:
        """Return the next id, with an error if it cannot be an account's; ``None`` after the last."""
        if self.exhausted:
            return None
        try:
            value = await self._items.read_next()
        except StopAsyncIteration:
            self.exhausted = True
            return None
        account_id, error = _checked(self.ids_read, value)
        self.ids_read, self.ids_crc = self.ids_read + 1, add_id(self.ids_crc, account_id)
        return account_id, error

    async def aclose(self) -> None:
        """Close the input if it is a generator. The task that read the ids must call this."""
        await self._items.aclose()


def _checked(number: int, value: object) -> tuple[str, InvalidArgumentError | None]:
    try:
        return endpoints.url_text(f"account_ids[{number}]", value), None
    except InvalidArgumentError as error:
        return (value if isinstance(value, str) else error.got), error.with_traceback(None)
