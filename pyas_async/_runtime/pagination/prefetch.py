"""Fetches the pages of one listing: when they are wanted, or one ahead of the reader."""

from typing import TYPE_CHECKING

import anyio
import attrs

from pyas_async._core.calls.endpoints import list_page
from pyas_async._core.pagination.listing_state import PageRequest
from pyas_async._runtime.calls.execution import Listing
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.events import CallTrace
from pyas_async.errors import PageTokenExpiredError, PyasError
from pyas_async.models import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

# A page is handed out once the request for the next is on the wire. Where the transport does not say when that is, or a
# connection must be opened first, the reader is not kept waiting for longer.
_WIRE = 0.1
_MANY = 100_000
"""Pages from which on nobody counts: a total may be any number."""


@attrs.define
class Arrival:
    """What a request led to, and when: on the monotonic clock, and on the wall clock in seconds."""

    result: Page | Exception
    now: float
    wall: float


class _Ahead:
    """The next page, on its way while the reader is busy with this one."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.on_wire = anyio.Event()
        self.done = anyio.Event()
        self.arrival: Arrival | None = None


class PageFetcher:
    """Makes the calls of one listing.

    It asks for a page when `fetch` is called. Between `open` and `close`, `send_ahead` may ask for it before, in a task
    of its own: then `fetch` waits for what is on its way. What came is given as it is, page or error, and judged by
    whoever fetches.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        account_id: str,
        filters: tuple[tuple[str, str], ...],
        *,
        token_use: float,
    ) -> None:
        """Keep what every request says; nothing is sent yet. A page token is used for so many seconds."""
        self._session = session
        self._options = options
        self._account_id = account_id
        self._filters = filters
        self._trace = CallTrace()
        self._listing = Listing(token_use)
        self._on_wire: Callable[[], None] | None = None
        session.ends_with(self, self._listing)
        self._token_use = token_use
        self._rows = 0
        self._over = False
        self._tasks: TaskGroup | None = None
        self._ahead: _Ahead | None = None

    def belongs_to(self, job: int | None) -> None:
        """Let the calls be those of a job that somebody is told of."""
        self._trace.job = job

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self._trace.requests

    @property
    def coming(self) -> Page | Exception | None:
        """What the request ahead has led to, before anybody fetched it; ``None`` as long as nothing came."""
        arrival = None if self._ahead is None else self._ahead.arrival
        return None if arrival is None else arrival.result

    async def open(self) -> None:
        """Let pages travel ahead from here on."""
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()

    async def close(self) -> None:
        """Let no page travel ahead any more, and wait for the task of the one that did."""
        tasks, self._tasks = self._tasks, None
        self.let_go()
        if tasks is not None:
            # The group is told of no error: its task keeps its own, and the block's goes on as it is, not in a group.
            await tasks.__aexit__(None, None, None)

    def let_go(self) -> None:
        """Give up the listing, and a page on its way; whoever waits for it gets ``None``."""
        self._over = True
        self._session.stands(self._listing, None)
        if self._ahead is not None:
            self._ahead.scope.cancel()

    async def fetch(self, ask: PageRequest) -> Arrival | None:
        """Wait for the page on its way, or ask for it now; ``None`` if it was let go meanwhile.

        Cancelled, it leaves a page that is on its way where it is: the next call waits for it again.
        """
        if self._ahead is None:
            return await self._request(ask)
        await self._ahead.done.wait()
        arrival, self._ahead = self._ahead.arrival, None
        if arrival is None and not self._over:
            # Its task was cancelled with the block around it, and this reader is shielded: it goes on by itself.
            return await self._request(ask)
        return arrival

    async def send_ahead(self, ask: PageRequest | None) -> None:
        """Send for the next page, and wait until its request is on the wire: only then is the reader let loose.

        A reader that computes keeps the event loop to itself, and nothing would be sent while it does. Nothing is sent
        outside of `open` and `close`, or if there is nothing to ask for.
        """
        if self._tasks is None or ask is None:
            return
        self._ahead = ahead = _Ahead()
        self._tasks.start_soon(self._request_ahead, ahead, ask)
        with anyio.move_on_after(_WIRE):
            await ahead.on_wire.wait()

    async def _request_ahead(self, ahead: _Ahead, ask: PageRequest) -> None:
        self._on_wire = ahead.on_wire.set
        try:
            with ahead.scope:
                ahead.arrival = await self._request(ask)
        except Exception as error:  # noqa: BLE001  (it surfaces at its place in the order, after the rows before it)
            ahead.arrival = Arrival(error, 0.0, 0.0)
        finally:
            self._on_wire = None
            ahead.on_wire.set()
            ahead.done.set()

    async def _request(self, ask: PageRequest) -> Arrival:
        call = list_page(self._account_id, self._filters, ask)
        clock = self._session.clock
        dies, pages = ask.not_after, 1
        result: Page | PyasError
        try:
            result = await self._session.run(
                call, self._options, self._trace, listing=self._listing, on_wire=self._on_wire
            )
            dies = None if result.next_page_token is None else clock.now() + self._token_use
            pages = self._pages_left(ask, result)
        except PyasError as error:
            # It is looked at outside the handler: an error raised in it would drag this one along as its context.
            result = error
            if isinstance(error, PageTokenExpiredError):
                dies = None
        finally:
            # The scheduler begins no more listings than it can bring to their end, so it is told of each token.
            self._session.stands(self._listing, None if self._over else dies, pages=pages)
        return Arrival(result, clock.now(), clock.wall().timestamp())

    def _pages_left(self, ask: PageRequest, page: Page) -> int:
        """Guess from the total, which may lag or lie, how many pages come after this one."""
        self._rows = len(page.meetings) + (0 if ask.token is None else self._rows)
        rows_left = (page.total_records or 0) - self._rows
        return min(_MANY, max(1, -(-rows_left // max(1, len(page.meetings)))))
