"""Requests the pages of one listing: on demand, or one page ahead of the consumer."""

from typing import TYPE_CHECKING, NamedTuple

import anyio

from pyas_async._core.pagination.listing_state import PageRequest
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.calls.execution import Listing
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.events import CallTrace
from pyas_async.errors import PageTokenExpiredError, PyasError
from pyas_async.models import Page

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds. A page is yielded once the request for the next one is on the wire. Where the transport does not report
# that, or must open a connection first, the consumer does not wait for longer than this.
_WIRE = 0.1
_MANY = 100_000
"""The most pages that a listing is assumed to have left: the service's total may be any number."""


class FetchResult(NamedTuple):
    """What a request led to, a page or an error, and when: by the monotonic clock, and by the wall clock in seconds."""

    value: Page | BaseException
    now: float
    wall: float


class _Prefetch:
    """A request for the next page, made while the consumer works on the current one."""

    def __init__(self) -> None:
        self.on_wire = anyio.Event()
        self.done = anyio.Event()
        self.result: FetchResult | None = None


class PageFetcher:
    """Makes the calls of one listing.

    `fetch` requests a page. Between `open` and `close`, `prefetch` can request it earlier, in a background task; then
    `fetch` waits for that request. An error of a request is returned like a page: the caller of `fetch` decides what it
    means, when its turn comes.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        account_id: str,
        filters: tuple[tuple[str, str], ...],
        *,
        token_life: float,
    ) -> None:
        """Keep what all requests have in common; nothing is sent yet.

        `token_life` is the time in seconds for which a page token is sent.
        """
        self._session = session
        self._options = options
        self._account_id = account_id
        self._filters = filters
        self._trace = CallTrace()
        self._listing = Listing(token_life)
        self._on_wire: Callable[[], None] | None = None
        session.end_listing_with(self, self._listing)
        self._token_life = token_life
        self._rows = 0
        self._cancelled = False
        self._tasks = BackgroundTasks()
        self._prefetch: _Prefetch | None = None

    def set_job(self, job: int | None) -> None:
        """Set the number of the job that events report for the calls."""
        self._trace.job = job

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self._trace.requests

    @property
    def prefetched(self) -> Page | BaseException | None:
        """What the prefetch request has led to, until `fetch` returns it; ``None`` without a result."""
        result = None if self._prefetch is None else self._prefetch.result
        return None if result is None else result.value

    def open(self) -> None:
        """Let `prefetch` start background tasks."""
        self._tasks.open()

    async def close(self) -> None:
        """Cancel a prefetch request, and wait for its task.

        Raises:
            BaseException: If an exception that ends the program was raised in it, and no `fetch` has returned that.
        """
        self.cancel()
        await self._tasks.close()
        left = self.prefetched
        if isinstance(left, BaseException) and not isinstance(left, Exception):
            raise left

    def cancel(self) -> None:
        """Give up the listing, and cancel a prefetch request; a `fetch` that waits for it returns ``None``."""
        self._cancelled = True
        self._session.update_listing(self._listing, None)
        self._tasks.cancel()

    async def fetch(self, request: PageRequest) -> FetchResult | None:
        """Wait for the prefetch request, or make the request now; ``None`` if the listing was given up meanwhile.

        If this is cancelled, a prefetch request goes on, and the next `fetch` waits for it again.
        """
        if self._prefetch is None:
            return await self._request(request)
        await self._prefetch.done.wait()
        result, self._prefetch = self._prefetch.result, None
        if result is None and not self._cancelled:
            # Code outside of this package has cancelled the task.
            return await self._request(request)
        return result

    async def prefetch(self, request: PageRequest | None) -> None:
        """Start the request for the next page, and return once it is on the wire.

        A consumer that computes blocks the event loop, and nothing would be sent while it does. Does nothing outside of
        `open` and `close`, or without a request.
        """
        if request is None or not self._tasks.is_open:
            return
        self._prefetch = prefetch = _Prefetch()
        self._tasks.start_soon("pyas_async prefetch", self._run_prefetch, prefetch, request)
        with anyio.move_on_after(_WIRE):
            await prefetch.on_wire.wait()

    async def _run_prefetch(self, prefetch: _Prefetch, request: PageRequest) -> None:
        self._on_wire = prefetch.on_wire.set
        try:
            prefetch.result = await self._request(request)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  (it is raised after the rows before it)
            prefetch.result = FetchResult(error, 0.0, 0.0)
        finally:
            self._on_wire = None
            prefetch.on_wire.set()
            prefetch.done.set()

    async def _request(self, request: PageRequest) -> FetchResult:
        call = request.call(self._account_id, self._filters)
        clock = self._session.clock
        expires_at, pages = request.not_after, 1
        value: Page | PyasError
        try:
            value = await self._session.run(
                call, self._options, self._trace, listing=self._listing, on_wire=self._on_wire
            )
            expires_at = None if value.next_page_token is None else clock.now() + self._token_life
            pages = self._pages_left(request, value)
        except PyasError as error:
            # It is returned rather than raised: an error raised while handling it would have it as its context.
            value = error
            if isinstance(error, PageTokenExpiredError):
                expires_at = None
        finally:
            # The rate limiter begins no more listings than it can finish, so it must know of each token.
            self._session.update_listing(self._listing, None if self._cancelled else expires_at, pages=pages)
        return FetchResult(value, clock.now(), clock.wall().timestamp())

    def _pages_left(self, request: PageRequest, page: Page) -> int:
        """Estimate how many pages follow, from the service's total, which may be out of date or wrong."""
        self._rows = len(page.meetings) + (0 if request.token is None else self._rows)
        rows_left = (page.total_records or 0) - self._rows
        return min(_MANY, max(1, -(-rows_left // max(1, len(page.meetings)))))
