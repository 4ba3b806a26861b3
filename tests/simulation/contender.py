"""The base class of the programs that are simulated."""

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
        about: What it is, in a few words.
        service: What it calls.
        done: Accounts that were listed to the end.
        restarts: Listings that were begun again.
        failures: What was raised, by where it was raised.
    """

    about: ClassVar[str]

    def __init__(self, service: Service) -> None:
        self.service = service
        self.done = 0
        self.restarts = 0
        self.failures: dict[str, Exception] = {}

    async def list_all(self) -> None:
        """List all accounts at the same time. A program with one iterator over all accounts overrides this."""
        async with trio.open_nursery() as nursery:
            for account in range(self.service.world.accounts):
                nursery.start_soon(self._list_one, account)

    async def _list_one(self, account: int) -> None:
        with self.noting(f"account {account}"):
            await self.list_one(account)
            self.done += 1

    @contextlib.contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """Record what is raised, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (the others go on, and the report shows it)
            self.failures[where] = error

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Hold what is needed open during a run."""
        yield

    @abc.abstractmethod
    async def list_one(self, account: int) -> None:
        """List an account to its end."""

    @abc.abstractmethod
    async def get(self, number: int) -> None:
        """Make a single call."""
