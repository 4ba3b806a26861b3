"""The listings of many accounts for synchronous code: a thread lists the accounts, and the caller takes slices.

dlt runs each step of an asynchronous generator in a separate task, but a task group must be left by the task that
entered it. So there is a separate event loop, in a separate thread, where one task does everything. It continues
while a slice is loaded: the next pages are fetched during that time.
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
_COUNT_EVERY: Final = 100
"""Rows after which calls are counted again; counting them takes longer than handling a row."""
_TICK: Final = 0.05
"""Seconds between two checks of the number of calls: an account without meetings wakes nothing up."""


@attrs.frozen
class Size:
    """How large a slice may be; the limit that is reached first ends it.

    Attributes:
        rows: Meetings. This is also the maximum number that waits while the caller is busy.
        calls: Calls since the slice before. Beyond them, no listing is started, and no row is taken.
        seconds: Seconds since the slice before; ignored if no call was made.
    """

    rows: float
    calls: float
    seconds: float


@attrs.frozen(kw_only=True)
class Slice:
    """The results since the slice before.

    Attributes:
        pairs: Meetings, each with the id of its account.
        listed: Accounts whose listing was completed.
        failures: The error of each account whose listing failed.
        checkpoint: The checkpoint after all that, as text; ``None`` if nothing has begun.
        calls: The number of calls that were made.
        last: Whether it is the last slice; then `error` says why, unless all accounts are done.
        error: The error that ended the listings early.
    """

    pairs: list[tuple[str, Meeting]]
    listed: list[str]
    failures: dict[str, PyasError]
    checkpoint: str | None
    calls: int
    last: bool
    error: BaseException | None


class Reader:
    """Lists many accounts in a separate thread, from a checkpoint."""

    def __init__(
        self,
        account_ids: AccountIds,
        client: Callable[[], PyasClient],
        options: Mapping[str, Any],
        size: Size,
    ) -> None:
        """Prepare the reader; nothing is started.

        Args:
            account_ids: The accounts to list.
            client: Makes the client. It is called in the thread, and the client is closed there.
            options: Further arguments of `iter_accounts`.
            size: How large slices are.
        """
        self._account_ids = account_ids
        self._client = client
        self._options = options
        self._size = size
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._pairs: AccountsIterator | None = None
        # Results that no slice has delivered for good, and the last slice, which has delivered some of them.
        self._rows: list[tuple[str, Meeting]] = []
        self._listed: list[str] = []
        self._delivered: Slice | None = None
        self._calls = 0
        self._failed = 0
        self._since = 0.0
        self._done = False
        self._error: BaseException | None = None

    @property
    def started(self) -> bool:
        """Whether the listings were started."""
        return self._portal is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Pages that are being fetched are abandoned.
        self.stop()
        self._stack.close()

    def start(self, checkpoint: str | None) -> None:
        """Start to list, from a checkpoint's text; ``None`` for the beginning."""
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        self._portal.call(self._begin)
        self._portal.start_task_soon(self._work, checkpoint)

    def stop(self) -> None:
        """Make no further call: the caller will take no other slice."""
        if self._portal is not None:
            self._portal.call(self._scope.cancel)

    def next_slice(self) -> Slice:
        """Wait for the next slice, and return it.

        If an exception such as KeyboardInterrupt is raised here, `current_slice` still returns the results so far.
        """
        self._loop.call(self._drop_delivered)
        self._loop.call(self._wait)
        return self.current_slice()

    def current_slice(self) -> Slice:
        """Return the results so far as a slice, without waiting. They stay until `next_slice` is called again."""
        return self._loop.call(self._current_slice)

    @property
    def _loop(self) -> BlockingPortal:
        if self._portal is None:
            msg = "start() comes first"
            raise RuntimeError(msg)
        return self._portal

    # The methods below run in the thread.

    def _begin(self) -> None:
        # These belong to the event loop in which they are made.
        self._changed, self._space, self._scope = anyio.Event(), anyio.Event(), anyio.CancelScope()
        self._since = time.monotonic()

    async def _work(self, checkpoint: str | None) -> None:
        """List all accounts. This is the only task that enters, steps and leaves the iteration."""
        try:
            with self._scope:
                async with self._client() as client:
                    pairs = client.meetings.iter_accounts(self._ids(), **self._options, resume=checkpoint)
                    async with pairs:
                        self._pairs = pairs
                        async for pair in pairs:
                            self._rows.append(pair)
                            if len(self._rows) >= self._size.rows or not len(self._rows) % _COUNT_EVERY:
                                await self._wait_for_space()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  (raised to the caller that takes the slices)
            self._error = error
        finally:
            self._done = True
            self._changed.set()

    def _ids(self) -> AccountIds:
        # Anything that is not an iterable of ids is refused by the iteration itself.
        ids = self._account_ids
        return ids if isinstance(ids, (str, bytes)) or not isinstance(ids, _ITERABLES) else self._throttled(ids)

    async def _throttled(self, account_ids: AccountIds) -> AsyncIterator[str]:
        """Yield ids, but none while the slice is full: an account without rows would not wait for space otherwise."""
        async with AsyncExitStack() as stack:
            if isinstance(account_ids, AsyncIterable):
                iterator = aiter(account_ids)
                if isinstance(iterator, AsyncGenerator):
                    await stack.enter_async_context(aclosing(iterator))
                async for account_id in iterator:
                    await self._wait_for_space()
                    yield account_id
            else:
                for account_id in account_ids:
                    await self._wait_for_space()
                    yield account_id

    async def _wait_for_space(self) -> None:
        """Wait until the current slice is delivered, if it is full."""
        while self._full:
            self._changed.set()
            if self._space.is_set():
                self._space = anyio.Event()
            await self._space.wait()

    async def _wait(self) -> None:
        """Wait until a slice is full or late, or until there are no more results."""
        while not (self._done or self._full or self._due):
            self._changed = anyio.Event()
            with anyio.move_on_after(_TICK):
                await self._changed.wait()

    @property
    def _full(self) -> bool:
        return len(self._rows) >= self._size.rows or self._new_calls >= self._size.calls

    @property
    def _due(self) -> bool:
        return time.monotonic() - self._since >= self._size.seconds and self._new_calls > 0

    @property
    def _new_calls(self) -> int:
        return 0 if self._pairs is None else self._pairs.stats.calls - self._calls

    def _current_slice(self) -> Slice:
        pairs, last = self._pairs, self._done
        if pairs is not None:
            self._listed += pairs.take_listed()
        self._delivered = Slice(
            pairs=self._rows[:],
            listed=self._listed[:],
            failures={} if pairs is None else dict(list(pairs.failures.items())[self._failed :]),
            checkpoint=None if pairs is None else str(pairs.checkpoint()),
            calls=self._new_calls,
            last=last,
            error=self._error,
        )
        return self._delivered

    def _drop_delivered(self) -> None:
        """Drop the results that the last slice delivered."""
        delivered, self._delivered = self._delivered, None
        if delivered is not None:
            del self._rows[: len(delivered.pairs)], self._listed[: len(delivered.listed)]
            self._calls += delivered.calls
            self._failed += len(delivered.failures)
            self._since = time.monotonic()
            self._space.set()
