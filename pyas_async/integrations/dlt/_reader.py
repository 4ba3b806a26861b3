"""The listings of many accounts for code that is not asynchronous: a thread lists, and whoever asks gets slices.

dlt makes a task of each step of an asynchronous generator, and no task group may be left by another task than entered
it. So the event loop is ours, in a thread of its own, and one task in it does all. It goes on while a slice is loaded:
the next pages come meanwhile, and between two slices no call is made in vain.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, aclosing
from types import TracebackType
from typing import Any, Final, Self

import anyio
import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal

from pyas_async import AccountsIterator, Meeting, PyasClient, PyasError

AccountIds = Iterable[str] | AsyncIterable[str]
_ITERABLES: Final = (Iterable, AsyncIterable)
_OFTEN: Final = 100
"""Rows after which calls are counted again; adding them up takes longer than a row."""
_TICK: Final = 0.05
"""Seconds between two looks at how many calls were made: an account without a meeting gives nothing to wake up for."""


@attrs.frozen
class Size:
    """How large a slice may be; whatever comes first ends it.

    Attributes:
        rows: Meetings. So many, at most, wait for a reader that is busy elsewhere.
        calls: Calls made since the slice before; no listing is begun, nor a row taken, beyond them.
        seconds: Seconds since then, unless no call was made.
    """

    rows: float
    calls: float
    seconds: float


@attrs.frozen(kw_only=True)
class Slice:
    """What came since the slice before.

    Attributes:
        pairs: Meetings, each with the id of its account.
        listed: Accounts whose listing came to its end.
        failures: What ended a listing before its end, by account.
        place: The place behind all that, a checkpoint's text; ``None`` if nothing has begun.
        calls: Calls that were made.
        over: Whether nothing more will come; then `error` says why, unless all accounts are through.
        error: What ended the listings before their end.
    """

    pairs: list[tuple[str, Meeting]]
    listed: list[str]
    failures: dict[str, PyasError]
    place: str | None
    calls: int
    over: bool
    error: BaseException | None


class Reader:
    """Lists many accounts in a thread of its own, from a place on."""

    def __init__(
        self,
        account_ids: AccountIds,
        client: Callable[[], PyasClient],
        options: Mapping[str, Any],
        size: Size,
    ) -> None:
        """Start nothing yet.

        Args:
            account_ids: Whose meetings.
            client: Makes the client. It is called in the thread, and what it made is closed there.
            options: What `iter_accounts` is given besides.
            size: How large slices are.
        """
        self._account_ids = account_ids
        self._client = client
        self._options = options
        self._size = size
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._pairs: AccountsIterator | None = None
        # What no slice has counted as given yet, and how much of it the last one gave.
        self._rows: list[tuple[str, Meeting]] = []
        self._listed: list[str] = []
        self._given: Slice | None = None
        self._calls = 0
        self._failed = 0
        self._since = 0.0
        self._over = False
        self._error: BaseException | None = None

    @property
    def started(self) -> bool:
        """Whether the listings were begun."""
        return self._portal is not None

    def __enter__(self) -> Self:
        """Promise to end whatever will be started."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the listings; pages that are on their way are let go."""
        self.halt()
        self._stack.close()

    def start(self, place: str | None) -> None:
        """Begin to list, behind a place: a checkpoint's text."""
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        self._portal.call(self._begin)
        self._portal.start_task_soon(self._work, place)

    def halt(self) -> None:
        """Let no further call be made: nobody will take another slice."""
        if self._portal is not None:
            self._portal.call(self._scope.cancel)

    def take(self) -> Slice:
        """Wait for the next slice, and give it.

        Whatever strikes here, as Ctrl-C does: `cut` gives what is there.
        """
        self._loop.call(self._forget)
        self._loop.call(self._wait)
        return self.cut()

    def cut(self) -> Slice:
        """Give what is there as a slice, without waiting. What it gives is given again until `take` is called."""
        return self._loop.call(self._cut)

    @property
    def _loop(self) -> BlockingPortal:
        if self._portal is None:
            msg = "start() comes first"
            raise RuntimeError(msg)
        return self._portal

    # What follows runs in the thread.

    def _begin(self) -> None:
        # They belong to the event loop in which they are made.
        self._news, self._room, self._scope = anyio.Event(), anyio.Event(), anyio.CancelScope()
        self._since = time.monotonic()

    async def _work(self, place: str | None) -> None:
        """List all accounts: the only task that steps the iteration, and that enters and leaves it."""
        try:
            with self._scope:
                async with self._client() as client:
                    pairs = client.meetings.iter_accounts(self._ids(), **self._options, resume=place)
                    async with pairs:
                        self._pairs = pairs
                        async for pair in pairs:
                            self._rows.append(pair)
                            if len(self._rows) >= self._size.rows or not len(self._rows) % _OFTEN:
                                await self._gate()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  (raised where the slices are taken)
            self._error = error
        finally:
            self._over = True
            self._news.set()

    def _ids(self) -> AccountIds:
        # What is no iterable of ids is refused by those who iterate.
        ids = self._account_ids
        return ids if isinstance(ids, (str, bytes)) or not isinstance(ids, _ITERABLES) else self._gated(ids)

    async def _gated(self, account_ids: AccountIds) -> AsyncIterator[str]:
        """Give ids, but none that would be begun beyond a full slice: a listing without a row asks nobody else."""
        async with AsyncExitStack() as stack:
            if isinstance(account_ids, AsyncIterable):
                iterator = aiter(account_ids)
                if isinstance(iterator, AsyncGenerator):
                    await stack.enter_async_context(aclosing(iterator))
                async for account_id in iterator:
                    await self._gate()
                    yield account_id
            else:
                for account_id in account_ids:
                    await self._gate()
                    yield account_id

    async def _gate(self) -> None:
        """Wait until the slice in hand is given, if it is full."""
        while self._full:
            self._news.set()
            if self._room.is_set():
                self._room = anyio.Event()
            await self._room.wait()

    async def _wait(self) -> None:
        """Wait until a slice is as large as it may be, or there is no more to come."""
        while not (self._over or self._full or self._late):
            self._news = anyio.Event()
            with anyio.move_on_after(_TICK):
                await self._news.wait()

    @property
    def _full(self) -> bool:
        return len(self._rows) >= self._size.rows or self._new_calls >= self._size.calls

    @property
    def _late(self) -> bool:
        return time.monotonic() - self._since >= self._size.seconds and self._new_calls > 0

    @property
    def _new_calls(self) -> int:
        return 0 if self._pairs is None else self._pairs.stats.calls - self._calls

    def _cut(self) -> Slice:
        pairs, over = self._pairs, self._over
        if pairs is not None:
            self._listed += pairs.take_listed()
        self._given = Slice(
            pairs=self._rows[:],
            listed=self._listed[:],
            failures={} if pairs is None else dict(list(pairs.failures.items())[self._failed :]),
            place=None if pairs is None else str(pairs.checkpoint()),
            calls=self._new_calls,
            over=over,
            error=self._error,
        )
        return self._given

    def _forget(self) -> None:
        """Take what was given for given."""
        given, self._given = self._given, None
        if given is not None:
            del self._rows[: len(given.pairs)], self._listed[: len(given.listed)]
            self._calls += given.calls
            self._failed += len(given.failures)
            self._since = time.monotonic()
            self._room.set()
