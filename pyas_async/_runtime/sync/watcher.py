"""`Watcher`, the asynchronous iterator over the changes of many accounts, which goes on for ever."""

import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import anyio
import anyio.lowlevel
import attrs

from pyas_async._core.bulk import ends_run, without_context
from pyas_async._core.calls import endpoints
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.sync.schedule import WatchSchedule, shard_of
from pyas_async._core.sync.state import SyncState
from pyas_async._core.sync.store import SyncStore
from pyas_async._public import explains, public
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.bulk.workers import is_own_cancellation
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.item_source import ItemSource
from pyas_async._runtime.notifier import Notifier
from pyas_async._runtime.sync.feed import ChangeFeed
from pyas_async._runtime.sync.sqlite_store import SqliteSyncStore
from pyas_async.changes import Change, ChangeStats, Confirm, WatchStats
from pyas_async.errors import InvalidArgumentError, PyasError
from pyas_async.events import WatchPassed

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

Accounts: TypeAlias = Iterable[str] | AsyncIterable[str]
AccountsInput: TypeAlias = Accounts | Callable[[], Accounts | Awaitable[Accounts]]
_BLOCK_NEEDED = (
    "watch() needs a block: `async with client.meetings.watch(…) as changes:`, and in it `async for change in changes:`"
)
_IDS_AT_A_TIME = 100
"""Accounts of other shards that are read before other tasks can run: reading them may never wait."""
_ONCE = "this watch has been iterated, or closed; call watch() again for another one"


@attrs.frozen(kw_only=True)
class WatchRules:
    """What the caller wants of a watch."""

    states: Callable[[str], SyncState]
    listing: ListingRules
    every: float
    confirm: Confirm
    ignore: Collection[str]
    shard: tuple[int, int] | None
    max_concurrency: int


class AccountsSource:
    """The accounts of a watch, which each pass draws anew."""

    def __init__(self, account_ids: AccountsInput) -> None:
        """Keep the input.

        Raises:
            InvalidArgumentError: If it is neither an iterable nor a function.
        """
        self._input = account_ids
        self._kept: list[str] | None = None
        self._keeping = True
        if not callable(account_ids):
            _source(account_ids)
            if isinstance(account_ids, (Iterator, AsyncIterator)):
                self._kept = []

    async def open(self) -> ItemSource[str]:
        """Return the accounts of the next pass."""
        if self._kept:
            return _source(self._kept)
        found: Any = self._input() if callable(self._input) else self._input
        return _source(await found if inspect.isawaitable(found) else found)

    def keep(self, account_id: str) -> None:
        """Keep an account of an iterator, which cannot be drawn again."""
        if self._kept is not None and self._keeping:
            self._kept.append(account_id)

    def close(self) -> None:
        """Note the end of a pass: an iterator has given all it has."""
        self._keeping = False


def _source(account_ids: Accounts) -> ItemSource[str]:
    return ItemSource("account_ids", "account ids, or a function that returns one", account_ids)


_CHUNKS = "write `async for account_id, changes, state in watcher.chunks():`, in the block of the watch"


@public
@explains(loop=_BLOCK_NEEDED, wait=_BLOCK_NEEDED, block=_BLOCK_NEEDED, count=_BLOCK_NEEDED)
class Watcher(AsyncIterator[Change]):
    """The changes of many accounts, looked at in turn for ever.

    It is iterated in a block, and once, by change or by `chunks`. It ends when the block is left or cancelled, or with
    an error that every account would meet: a wrong key, a closed client, the limit of the month.

    Attributes:
        failures: The last error of each account that is set aside. It is looked at again after `every` seconds, and
            after twice as long each further time, up to an hour. Its state stays in the store.
    """

    failures: dict[str, PyasError]

    def __init__(
        self, session: Session, options: CallOptions, source: AccountsSource, store: SyncStore, rules: WatchRules
    ) -> None:
        """Begin before the first pass; nothing is read or sent yet."""
        self.failures = {}
        self._session = session
        self._options = options
        self._source = source
        self._store = store
        self._rules = rules
        self._schedule = WatchSchedule(rules.every, session.clock.now())
        self._tasks = BackgroundTasks()
        self._job: Job | None = None
        self._changed = Notifier()
        self._waiting: deque[_Look] = deque()
        self._active: dict[str, ChangeFeed] = {}
        self._current: _Look | None = None
        self._ended = ChangeStats()
        self._passes = 0
        self._error: BaseException | None = None
        self._raised: BaseException | None = None
        self._saves = True
        self._iterated = self._loading = self._over = self._locked = False

    @property
    def stats(self) -> WatchStats:
        """What the watch has done so far."""
        total = self._ended
        for feed in self._active.values():
            total = _add(total, feed.stats)
        return WatchStats(
            accounts=self._schedule.accounts, passes=self._passes, failing=len(self.failures), **attrs.asdict(total)
        )

    @property
    def lag(self) -> float:
        """Seconds since the account was looked at that has waited longest. Accounts that fail do not count."""
        return self._schedule.lag(self._session.clock.now())

    def __aiter__(self) -> Self:
        """Return the iterator itself.

        Raises:
            TypeError: Outside of ``async with``.
            RuntimeError: The second time.
        """
        if self._iterated or self._over:
            raise RuntimeError(_ONCE)
        if not self._tasks.is_open:
            raise TypeError(_BLOCK_NEEDED)
        self._iterated = True
        return self

    async def __anext__(self) -> Change:
        """Return the next change.

        Raises:
            PyasError: What ended the watch, since every account would meet it.
        """
        while self._current is None or not self._current.feed.is_ready:
            await self._load()
        return self._current.feed.hand_out()

    def chunks(self) -> AsyncIterator[tuple[str, list[Change], SyncState]]:
        """Iterate by chunks of at most 100 changes: the account, its changes, and the state after them.

        Store the three in one transaction. The watch then reads states from the store and never writes any.

        Raises:
            TypeError: Outside of ``async with``.
            RuntimeError: If it is iterated already.
        """
        aiter(self)
        self._saves = False
        return _WatchChunks(self)

    async def __aenter__(self) -> Self:
        """Begin the block. Nothing is sent before the first change is asked for.

        Raises:
            ConfigurationError: If another watch uses the same SQLite file.
        """
        if self._tasks.is_open or self._over:
            raise RuntimeError(_ONCE)
        if isinstance(self._store, SqliteSyncStore):
            await self._store.lock()
            self._locked = True
        self._tasks.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the watch: nothing more is yielded or requested, and requests in flight are cancelled."""
        self._over = True
        try:
            await self._tasks.close()
        finally:
            with anyio.CancelScope(shield=True):
                await self._close()
        failure = self._error
        if failure is not None and failure is not self._raised and not isinstance(failure, Exception):
            raise failure

    async def _close(self) -> None:
        current, self._current = self._current, None
        try:
            if current is not None:
                # The consumer may not have processed the last change that it has.
                await current.feed.aclose()
        finally:
            if self._job is not None:
                error = self._error
                self._job.end("left" if error is None else "failed", error)
            if self._locked and isinstance(self._store, SqliteSyncStore):
                await self._store.unlock()

    def __repr__(self) -> str:
        state = "closed" if self._over else "open"
        counts = f"{self._schedule.accounts} accounts, {self._passes} passes, {len(self.failures)} failing"
        return f"<Watcher: {counts}, {state}>"

    async def _load(self) -> None:
        """Wait for the next chunk of an account, and make it the current one: all changes before it are processed."""
        if self._over:
            raise StopAsyncIteration
        if not self._tasks.is_open:
            raise TypeError(_BLOCK_NEEDED)
        if self._loading:
            msg = "another task is waiting for the next change; let one task iterate, and pass the changes on"
            raise RuntimeError(msg)
        self._loading = True
        try:
            if self._current is not None:
                # Before the next chunk, which may be another account's: so a kill repeats one chunk at most.
                await self._current.feed.settle()
                self._current.taken.set()
                self._current = None
            self._start()
            # Without this, a consumer that never waits would keep the workers from looking.
            await anyio.lowlevel.checkpoint()
            while not self._waiting:
                if self._error is not None:
                    self._over = True
                    self._raised = self._error
                    raise self._error
                await self._changed.wait()
            self._current = self._waiting.popleft()
        finally:
            self._loading = False

    def _start(self) -> None:
        if self._job is None:
            self._job = self._session.events.job("meetings.watch", None, owner=self)
            self._tasks.start_soon("pyas_async watch", self._run, self._go_round)

    async def _run(self, function: Callable[[], Awaitable[None]]) -> None:
        try:
            await function()
        except BaseException as error:
            if is_own_cancellation(error):
                raise
            if self._error is None:
                self._error = error
            self._tasks.cancel()
        finally:
            self._changed.notify()

    async def _go_round(self) -> None:
        clock, schedule = self._session.clock, self._schedule
        while True:
            began = clock.now()
            schedule.begin_pass()
            source = await self._source.open()
            try:
                await self._look_at_all(source)
            finally:
                await source.aclose()
            self._source.close()
            pause = schedule.end_pass(clock.now())
            for account_id in self.failures.keys() - schedule.drawn:
                del self.failures[account_id]
            self._passes += 1
            self._session.events.emit(
                WatchPassed,
                job=0 if self._job is None else self._job.number or 0,
                accounts=schedule.accounts,
                failing=len(self.failures),
                seconds=clock.now() - began,
                lag=self.lag,
            )
            await self._session.pause(pause)
            self._session.resources.check_usable()

    async def _look_at_all(self, source: ItemSource[str]) -> None:
        clock, schedule = self._session.clock, self._schedule
        number = 0
        while True:
            try:
                account_id = await source.read_next()
            except StopAsyncIteration:
                return
            self._source.keep(account_id)
            number += 1
            if not number % _IDS_AT_A_TIME:
                await anyio.lowlevel.checkpoint()
            if not self._is_ours(account_id) or not schedule.draw(account_id, clock.now()):
                continue
            while (wait := schedule.wait_time(account_id, clock.now())) > 0:
                await self._session.pause(wait)
                self._session.resources.check_usable()
            while len(self._active) >= self._rules.max_concurrency:
                await self._changed.wait()
            if account_id in self._active:
                continue  # it takes longer than a whole pass
            schedule.start(account_id, clock.now())
            feed = self._feed(account_id)
            self._active[account_id] = feed
            self._tasks.start_soon("pyas_async watch", self._run, partial(self._look, account_id, feed))

    def _is_ours(self, account_id: object) -> bool:
        """Whether an account is in this shard; an id that cannot be one is noted as a failure."""
        try:
            text = endpoints.url_text("account_ids", account_id)
        except InvalidArgumentError as error:
            self.failures[str(error.got)] = without_context(error)
            return False
        shard = self._rules.shard
        return shard is None or shard_of(text, shard[1]) == shard[0]

    def _feed(self, account_id: str) -> ChangeFeed:
        return ChangeFeed(
            self._session,
            self._options,
            self._rules.states(account_id),
            rules=self._rules.listing,
            confirm=self._rules.confirm,
            ignore=self._rules.ignore,
            store=self._store,
            saves=self._saves,
            within=None if self._job is None else self._job.number,
        )

    async def _look(self, account_id: str, feed: ChangeFeed) -> None:
        try:
            while await feed.advance():
                await self._offer(_Look(account_id, feed))
            if not self._saves and feed.has_news:
                await self._offer(_Look(account_id, feed))
        except PyasError as error:
            if ends_run(error):
                raise
            self.failures[account_id] = without_context(error)
            self._schedule.fail(account_id, self._session.clock.now())
        else:
            self.failures.pop(account_id, None)
            self._schedule.succeed(account_id)
        finally:
            if feed.has_ended or account_id in self.failures:
                self._ended = _add(self._ended, feed.stats)
                del self._active[account_id]
            self._changed.notify()

    async def _offer(self, look: "_Look") -> None:
        """Let the consumer have a chunk, and wait until it has processed all of it."""
        self._waiting.append(look)
        self._changed.notify()
        await look.taken.wait()


@attrs.frozen(eq=False)
class _Look:
    """A chunk of an account that waits for the consumer; `taken` is set once the consumer has processed it."""

    account_id: str
    feed: ChangeFeed
    taken: anyio.Event = attrs.field(factory=anyio.Event)


@explains(loop=_CHUNKS, wait=_CHUNKS, block=_CHUNKS, async_block=_CHUNKS, count=_CHUNKS)
class _WatchChunks(AsyncIterator[tuple[str, list[Change], SyncState]]):
    """The chunks of a watch. It is not a generator, which the event loop would have to close."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def __anext__(self) -> tuple[str, list[Change], SyncState]:
        watcher = self._watcher
        await watcher._load()  # noqa: SLF001  (of the same module)
        look = watcher._current  # noqa: SLF001
        assert look is not None  # noqa: S101  (it was loaded)
        changes = []
        while look.feed.is_ready:
            changes.append(look.feed.hand_out())
        return look.account_id, changes, look.feed.state


def _add(one: ChangeStats, other: ChangeStats) -> ChangeStats:
    names = [field.name for field in attrs.fields(ChangeStats)]
    return ChangeStats(**{name: getattr(one, name) + getattr(other, name) for name in names})
