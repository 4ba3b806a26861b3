"""Who is simulated: what all of them have in common."""

from __future__ import annotations

import abc
import contextlib
from typing import TYPE_CHECKING, ClassVar

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from simulation.service import Service


class Contender(abc.ABC):
    """Lists all accounts, and makes single calls meanwhile.

    Attributes:
        about: Who it is, in a few words.
        service: What it calls.
        done: Accounts that were listed to their end.
        restarts: Listings that were begun again.
        failures: What was raised, by where it was raised.
    """

    about: ClassVar[str]

    def __init__(self, service: Service) -> None:
        """Take a service to call."""
        self.service = service
        self.done = 0
        self.restarts = 0
        self.failures: dict[str, Exception] = {}

    async def list_all(self) -> None:
        """List all accounts, begun all at once; whoever has one iterator over all accounts does it here."""
        async with trio.open_nursery() as nursery:
            for account in range(self.service.world.accounts):
                nursery.start_soon(self._list_one, account)

    async def _list_one(self, account: int) -> None:
        with self.noting(f"account {account}"):
            await self.list_one(account)
            self.done += 1

    @contextlib.contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """Take note of what is raised, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever it is, the others go on, and the report tells of it)
            self.failures[where] = error

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Be ready while a run lasts."""
        yield

    @abc.abstractmethod
    async def list_one(self, account: int) -> None:
        """List an account to its end."""

    @abc.abstractmethod
    async def get(self, number: int) -> None:
        """Make a single call."""
