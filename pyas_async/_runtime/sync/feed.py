"""`ChangeFeed`, the asynchronous iterator over what has changed in a listing."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs

from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.sync.records import DigestRecords, Records, make_records
from pyas_async._core.sync.state import Effect, StoredRows, SyncState, check_state, header_of
from pyas_async._core.sync.store import SyncStore
from pyas_async._public import explains, public
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.sync.reader import Planned, RoundReader
from pyas_async.changes import Change, ChangeStats, Confirm
from pyas_async.errors import PyasError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyas_async._runtime.events import Job

_ONCE = "these changes have been iterated, or closed; call changes() again for another round"


_LOOP = (
    "changes are found while you loop over them: write `async for change in client.meetings.changes(…):`, or "
    "`changes = [change async for change in client.meetings.changes(…)]`"
)
_BLOCK = "write `async with client.meetings.changes(…) as feed:`, and in it `async for change in feed:`"
_CHUNKS = "write `async for changes, state in feed.chunks():`"


@public
@explains(loop=_LOOP, wait=_LOOP, block=_BLOCK, count=_LOOP)
class ChangeFeed(AsyncIterator[Change]):
    """What has changed in an account's listing since a state: one round.

    It can be iterated once, by change or by `chunks`. A cancelled step loses no change: the next step returns it.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        state: SyncState,
        *,
        rules: ListingRules,
        confirm: Confirm,
        ignore: Collection[str],
        store: SyncStore | None = None,
        saves: bool = True,
        within: int | None = None,
    ) -> None:
        """Begin after the state; nothing is sent yet. If the store has a state of the account, that one counts.

        With ``saves=False``, the store is only read.
        """
        self._session = session
        self._options = options
        self._rules = rules
        self._confirm: Confirm = confirm
        self._ignore = ignore
        self._store = store
        self._saves = saves and store is not None
        self._loaded = store is None
        self._within = within
        self._job: Job | None = None
        self._reader: RoundReader | None = None
        self._iterated = self._stepping = self._over = False
        # Changes that may be handed out, and changes that have to be saved before.
        self._ready: deque[Planned] = deque()
        self._unsaved: list[Planned] = []
        # The last change that was handed out, which may not have been processed, and the state before it.
        self._last: Planned | None = None
        self._final: SyncState | None = None
        self._continue(state)

    def _continue(self, state: SyncState) -> None:
        content = state.content
        self._given = state
        self._records: Records = make_records(state.keep, ())
        self._stored: StoredRows = content.stored.continued(content.count)
        self._rows = state.rows
        self._position: Mapping[str, Any] | None = content.position
        self._ready.extend(map(Planned, content.journal))

    @property
    def state(self) -> SyncState:
        """The state after the change that was yielded last: the next round continues after it."""
        if self._final is not None:
            return self._final
        # What the journal still holds has to be handed out again. What a round has planned is compared anew.
        return self._make_state(() if self._reader is not None else (planned.effect for planned in self._ready))

    def _make_state(self, journal: Iterable[Effect] = ()) -> SyncState:
        given = self._given
        shapes, ignore = given.content.shapes, given.content.ignore
        if isinstance(self._records, DigestRecords) and self._reader is not None:
            # Until the round ends, some records are made without the fields that it ignores, and others with them.
            shapes, ignore = self._records.shapes, tuple(sorted({*ignore, *self._ignore}))
        content = attrs.evolve(
            given.content,
            ignore=ignore,
            position=self._position,
            journal=tuple(journal),
            moved=given.content.moved if self._reader is None else self._reader.moved,
            shapes=shapes,
            digest=None if self._stored.changes else given.content.digest,
            stored=self._stored,
            count=len(self._stored.changes),
        )
        return attrs.evolve(given, rows=self._rows, content=content)

    @property
    def stats(self) -> ChangeStats:
        """What the round has done so far."""
        return ChangeStats() if self._reader is None else self._reader.stats

    def __aiter__(self) -> Self:
        """Return the iterator itself.

        Raises:
            RuntimeError: The second time.
        """
        if self._iterated or self._over:
            raise RuntimeError(_ONCE)
        self._iterated = True
        return self

    def __repr__(self) -> str:
        stats, state = self.stats, "closed" if self._over else "open"
        return (
            f"<ChangeFeed of account {self._given.account_id!r}: {stats.created} created, {stats.updated} updated, "
            f"{stats.deleted} deleted, {stats.left} left, {state}>"
        )

    async def __anext__(self) -> Change:
        """Return the next change.

        Raises:
            PyasError: What ended the round. The next round continues from `state`.
        """
        if not await self.advance():
            raise StopAsyncIteration
        return self.hand_out()

    def chunks(self) -> AsyncIterator[tuple[list[Change], SyncState]]:
        """Iterate by chunks of at most 100 changes, each with the state after it, to be stored in one transaction.

        A store is then only read: saving is up to the caller. The last chunk may have no changes: its state is the one
        with which the next round begins.

        Raises:
            RuntimeError: If it is iterated already.
        """
        aiter(self)
        self._saves = False
        return _Chunks(self)

    async def aclose(self) -> None:
        """End the round: nothing more is yielded or requested."""
        if self._over:
            return
        self._over = True
        if self._reader is not None:
            await self._reader.aclose()
        self._emit_end("left")
        if self._saves and self._last is not None:
            # The consumer may not have processed the last change. It comes again; those before it do not.
            await self._save(self._before_last())

    async def settle(self) -> None:
        """Save that all changes which were handed out are processed."""
        if self._saves and self._last is not None and not self._ready:
            await self._save(self._make_state())
            self._last = None

    async def __aenter__(self) -> Self:
        """Return the iterator itself; the end of the block closes it."""
        if self._over:
            raise RuntimeError(_ONCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the iteration."""
        await self.aclose()

    async def advance(self) -> bool:
        """Make the next changes ready, once all earlier ones are processed; ``False`` at the end."""
        if not self._ready or self._stepping or self._over:
            await self._step()
        return self.is_ready

    @property
    def is_ready(self) -> bool:
        """Whether there is a change to hand out."""
        return bool(self._ready)

    @property
    def has_ended(self) -> bool:
        """Whether the round has come to its end."""
        return self._final is not None

    @property
    def has_news(self) -> bool:
        """Whether the state after the round says something else than the one before, apart from its rows."""
        return self._final is not None and header_of(self._final) != header_of(self._given)

    async def _step(self) -> None:
        if self._stepping:
            msg = "another task is waiting for the next change; let one task iterate, and pass the changes on"
            raise RuntimeError(msg)
        if self._over:
            self._ready.clear()
            return
        self._stepping = True
        try:
            await self._load()
            if not self._ready:
                await self._read(self._open_reader())
        except PyasError as error:
            self._over = True
            self._emit_end("failed", error)
            raise
        finally:
            self._stepping = False

    async def _load(self) -> None:
        """Take the state of the store, at the first step."""
        if self._job is None:
            account_id = self._given.account_id
            self._job = self._session.events.job("meetings.changes", account_id, within=self._within, owner=self)
        if self._store is not None and not self._loaded:
            found = await self._store.load(self._given.account_id)
            self._loaded = True
            if found is not None:
                check_state(found, self._given)
                self._continue(found)

    def _open_reader(self) -> RoundReader:
        if self._reader is None:
            self._reader = RoundReader(
                self._session,
                self._options,
                self._make_state(),
                rules=self._rules,
                confirm=self._confirm,
                ignore=self._ignore,
                digests=self._store is not None,
                job=None if self._job is None else self._job.number,
            )
            self._records = self._reader.records
        return self._reader

    async def _read(self, reader: RoundReader) -> None:
        """Make the next changes of the round ready. All earlier ones are processed."""
        # A cancelled step has read these, but has not saved them.
        if not self._unsaved:
            try:
                self._unsaved = await reader.read()
            except PyasError:
                if self._saves and self._last is not None:
                    await self._save(self._make_state())
                raise
        if not self._unsaved:
            await self._end(reader)
            return
        if self._saves:
            await self._save(self._make_state(planned.effect for planned in self._unsaved))
        self._ready.extend(self._unsaved)
        self._unsaved = []

    async def _end(self, reader: RoundReader) -> None:
        final = reader.final(self._make_state())
        if self._saves and (self._last is not None or header_of(final) != header_of(self._given)):
            await self._save(final)
        self._final, self._over = final, True
        self._emit_end("ok")

    async def _save(self, state: SyncState) -> None:
        assert self._store is not None  # noqa: S101  (nothing is saved without one)
        await self._store.save(state.account_id, state)

    def hand_out(self) -> Change:
        """Return the next change that is ready."""
        planned = self._ready.popleft()
        effect = planned.effect
        self._last, self._position_before, self._rows_before = planned, self._position, self._rows
        self._stored.changes.append((effect.removed, effect.added))
        self._rows += (effect.added is not None) - (effect.removed is not None)
        if effect.position is not None:
            self._position = effect.position
        if self._reader is not None:
            self._reader.count(effect)
        return effect.change(self._given.account_id, self._records, planned.meeting)

    def _before_last(self) -> SyncState:
        """Return the state before the last change, with that one and the following ones to be handed out again."""
        assert self._last is not None  # noqa: S101  (the caller has checked that)
        journal = tuple(planned.effect for planned in (self._last, *self._ready))
        state = self._make_state(journal)
        content = attrs.evolve(state.content, position=self._position_before, count=state.content.count - 1)
        return attrs.evolve(state, rows=self._rows_before, content=content)

    def _emit_end(self, outcome: Literal["ok", "failed", "left"], error: PyasError | None = None) -> None:
        if self._job is not None:
            self._job.end(outcome, error)


@explains(loop=_CHUNKS, wait=_CHUNKS, block=_CHUNKS, async_block=_CHUNKS, count=_CHUNKS)
class _Chunks(AsyncIterator[tuple[list[Change], SyncState]]):
    """The changes of a round in chunks. It is not a generator, which the event loop would have to close."""

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self._ended = False

    async def __anext__(self) -> tuple[list[Change], SyncState]:
        feed = self._feed
        if self._ended:
            raise StopAsyncIteration
        if not await feed.advance():
            self._ended = True
            if not feed.has_ended:
                raise StopAsyncIteration
            return [], feed.state
        changes = []
        while feed.is_ready:
            changes.append(feed.hand_out())
        return changes, feed.state
