"""The private names that tests use: the only module of the tests that knows them.

A change of structure changes this file and no test; `test_inside.py` checks that. The last section has private names of
other libraries, which their releases may change.
"""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, Any, Final

import httpx

from pyas_async import MeetingIterator
from pyas_async._core import dates
from pyas_async._core.codec import pages as page_reading
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._runtime import reconcile
from pyas_async._runtime.http import environment, http11, pool
from pyas_async._runtime.http.client import RequestBody
from pyas_async._runtime.http.connection import CONNECTION, Connection
from pyas_async._runtime.pagination.prefetch import PageFetcher
from pyas_async._runtime.ratelimit.limiter import RateLimiter

if TYPE_CHECKING:
    import random
    import ssl
    from collections.abc import Callable, Hashable, Sequence
    from datetime import datetime
    from functools import _lru_cache_wrapper
    from types import ModuleType

    import pytest

    from pyas_async import Meeting, Page, PyasClient, RateBudget, Watcher
    from pyas_async._core.calls.messages import Call
    from pyas_async._core.checkpoints.listing import ListingCheckpoint
    from pyas_async._core.checkpoints.seen_rows import SeenRows
    from pyas_async._core.pagination.listing_state import PageRequest
    from pyas_async._core.pagination.transitions import ListingEvent
    from pyas_async._core.ratelimit.listings import ActiveListings
    from pyas_async._core.ratelimit.tickets import Ticket
    from pyas_async._core.reconcile.creations import Creation, Creations
    from pyas_async._runtime.attempts.limiter import ConnectionLimiter
    from pyas_async._runtime.calls.options import CallOptions
    from pyas_async._runtime.calls.session import Session
    from pyas_async._runtime.clock import Clock
    from pyas_async._runtime.http.pool import AnyConnection, ConnectionPool
    from pyas_async._runtime.pagination.prefetch import FetchResult
    from pyas_async.errors import APIStatusError
    from pyas_async.sandbox import Sandbox


# Names to give to `monkeypatch.setattr` or `mock.patch`.

MACHINE: Final = "pyas_async._runtime.pagination.iterator.PaginationMachine"
"""The class of pagination machines, where iterators look it up."""
FETCHER: Final = "pyas_async._runtime.pagination.iterator.PageFetcher"
"""The class of page fetchers, where iterators look it up."""
ITERATOR: Final = "pyas_async.meetings.MeetingIterator"
"""The class of iterators, where `client.meetings` looks it up."""
DIGESTS: Final = "pyas_async._core.checkpoints.seen_rows.digests"
"""The function that makes the digests by which rows are told apart."""
PREFETCH_HOLD: Final = "pyas_async._runtime.pagination.prefetch._WIRE"
"""The most seconds for which a page is held back until the request for the next one is sent."""
LARGEST_BODY: Final = "pyas_async._core.calls.body_reader.MAX_BODY"
"""Bytes of an answer from which on it is not read on."""
PAGE_STEPS: Final = "pyas_async._core.codec.page_steps"
"""The function that reads a page in steps."""
ROW_LOADERS: Final = "pyas_async._core.codec.pages._row_loaders"
"""The function that returns the fast and the tolerant function for a row; `row_loaders` calls it."""
TOKENS_KEPT: Final = "pyas_async.sandbox._tokens._KEEP"
"""How many page tokens the sandbox remembers."""
SANDBOX_ANSWERS: Final = ("pyas_async.sandbox._service.Service.detail", "pyas_async.sandbox._service._done")
"""The functions that the sandbox answers a write with, after it has changed its data."""
CLI_CLIENT: Final = "pyas_async.cli._client.PyasClient"
"""The class from which the command makes its client."""
CLI_LONG_WAIT: Final = "pyas_async.cli._client._LONG_WAIT"
"""Seconds from which on the command reports a wait."""
CLI_DAY_FILTER: Final = "pyas_async.cli._listing.day_filter"
"""A function that the command's listings call."""
CLI_AT_TERMINAL: Final = (
    "pyas_async.cli._client.at_terminal",
    "pyas_async.cli._writing.at_terminal",
    "pyas_async.cli._accounts.at_terminal",
)
"""The function that tells whether a terminal can be used for questions, in each module that looks it up."""
CLI_LIVE_CONSOLES: Final = "pyas_async.cli._output._live_consoles"
"""The consoles with a live display, the innermost last."""
CLI_TICK: Final = "pyas_async.cli._export.progress._TICK"
"""Seconds between two updates of the progress bar."""
CLI_SYNC_TO_DISK: Final = "pyas_async.cli._export.run.sync_to_disk"
"""The function that syncs a file to the disk, where an export looks it up."""
CLI_WRITE_PARQUET: Final = "pyas_async.cli._export.parquet.write_parquet"
"""Writes the rows of an export as a Parquet file."""
CLI_DETAILS_CONSOLE: Final = "pyas_async.cli._display.stdout"
"""The function that returns the console on which the command shows a meeting."""


# A client.


def session(client: PyasClient) -> Session:
    """Return the session that all views of a client share."""
    return client._session


def options(client: PyasClient) -> CallOptions:
    """Return the options of the calls of a client, or of a view of one."""
    return client._options


def is_view(client: PyasClient) -> bool:
    """Return whether a client is a view, so that closing it does nothing."""
    return client._is_view


def bulk_view(client: PyasClient) -> PyasClient:
    """Return a view of a client that makes bulk calls, as pages of a listing are."""
    return client._view(_options=client._options.for_bulk())


def key(client: PyasClient) -> str:
    """Return the API key that a client sends, or that it sent last."""
    return client._session.resources.key.reveal()


async def close(client: PyasClient) -> None:
    """Close a client, even through a view, whose own `aclose` leaves the client open."""
    await client._session.aclose()


def clock(client: PyasClient) -> Clock:
    """Return the clock of a client's calls."""
    return client._session.clock


def set_clock(client: PyasClient, clock: Clock) -> None:
    """Set the clock of a client's calls and of their waits for the budget. The timeouts of requests keep theirs."""
    client._session.resources.clock = client._session.resources.limiter._clock = clock


def set_clock_of_calls(client: PyasClient, clock: Clock) -> None:
    """Set the clock of a client's calls, but not of their waits for the budget."""
    client._session.resources.clock = clock


# Its budget.


def budget(client: PyasClient) -> RateBudget:
    """Return the call budget of a client."""
    return client._session.resources.limiter.budget


def in_flight(client: PyasClient) -> int:
    """Return how many calls have a slot in a client's budget and are not over."""
    return client._session.resources.limiter.budget.in_flight


def limiter(client: PyasClient) -> RateLimiter:
    """Return the rate limiter of a client."""
    return client._session.resources.limiter


def set_limiter(client: PyasClient, limiter: RateLimiter) -> None:
    """Let a client use another rate limiter."""
    client._session.resources.limiter = limiter


def learned_limit(budget: RateBudget) -> int | None:
    """Return how many calls a budget allows in a window by its own count; ``None`` if it knows no limit."""
    return budget._local.limit


def entries_by_expiry(listings: ActiveListings) -> int:
    """Return how many entries are kept to find the listing whose token expires first."""
    return len(listings._by_expiry)


def entries_by_length(listings: ActiveListings) -> int:
    """Return the number of entries from which the listing with the most pages left is found."""
    return len(listings._by_length)


# Its connections.


POOL_TIMER: Final = "pyas_async._runtime.http.pool.Timer"
"""The class of the timer that closes idle connections, where pools look it up."""
POOL_CLOCK: Final = "pyas_async._runtime.http.pool.loop_clock"
"""The function that returns the clock by which idle connections age, where pools look it up."""
IDLE_TIMER: Final = pool.TIMER
"""The name of trio's task that closes idle connections."""


def connection_limiter(client: PyasClient) -> ConnectionLimiter:
    """Return the limiter of a client's connections."""
    return client._session.resources.connections


def set_connection_limiter(client: PyasClient, limiter: ConnectionLimiter) -> None:
    """Replace the limiter of a client's connections."""
    client._session.resources.connections = limiter


def set_sender(client: PyasClient, sender: object) -> None:
    """Replace the object that sends the requests of a client."""
    client._session.resources.sender = sender  # type: ignore[assignment]  # a fake has only the methods that are called


def http_client(client: PyasClient) -> Any:  # noqa: ANN401  (httpx's or httpx2's)
    """Return the httpx or httpx2 client that was passed to a client; ``None`` if there is none."""
    passed = client._session.resources.sender._passed
    return None if passed is None else passed.client


def own_pool(client: PyasClient) -> ConnectionPool:
    """Return the pool of a client's own connections."""
    own = client._session.resources.sender._own
    assert own is not None
    return own.pool


def idle_connections(client: PyasClient) -> list[AnyConnection]:
    """Return the idle connections of a client's own pool."""
    return [connection for connection, _ in own_pool(client).idle]


def set_clock_of_idle_connections(client: PyasClient, now: Callable[[], float]) -> None:
    """Set the clock by which a client's own idle connections age."""
    own_pool(client).now = now


def pools(client: PyasClient) -> list[Any]:
    """Return the pools of httpx through which a client sends: that of the client that was passed to it."""
    sender = client._session.resources.sender
    if sender._passed is None:
        return []
    pool = pool_of(transport_for(sender._passed.client, sender._service.origin))
    return [] if pool is None else [pool]


def connections(client: PyasClient) -> list[Any]:
    """Return the connections of these pools, or the idle connections of the client's own pool."""
    if client._session.resources.sender._own is not None:
        return list(idle_connections(client))
    return [connection for pool in pools(client) for connection in pool.connections]


def is_idle(connection: Any) -> bool:  # noqa: ANN401  (ours, or httpcore's)
    """Return whether a connection is open and serves no request."""
    if isinstance(connection, Connection):
        return connection._stream is not None and connection._parser is None
    return bool(connection.is_idle())


def connection_to(host: str, port: int, context: ssl.SSLContext | None = None) -> Connection:
    """Return one of the client's own connections, which connects with its first request."""
    return Connection(host, port, context)


async def is_usable(connection: Connection) -> bool:
    """Return whether a connection is open and has nothing to be read, so that the next request can use it."""
    return connection._stream is not None and await connection._stream.is_usable()


async def exchange(
    connection: Connection, body: bytes = b"", *, on_wire: Callable[[], None] | None = None, **timeouts: float
) -> httpx.Response:
    """Send a request over a connection, and return its response, whose body may be unread.

    Args:
        connection: The connection.
        body: The body of the request.
        on_wire: Called when the request has been written.
        timeouts: Seconds for phases, as httpx names them.
    """
    extensions: dict[str, Any] = {"timeout": timeouts, CONNECTION: connection}
    url = httpx.URL("http://service/")
    connection.prepare(url, b"/")
    headers = {"host": "service", "content-length": f"{len(body)}"}
    stream = RequestBody(body, on_wire or (lambda: None))
    return await connection.exchange(httpx.Request("POST", url, headers=headers, stream=stream, extensions=extensions))


def held(connection: Connection) -> int:
    """Return how many received bytes of a response a connection holds for its reader."""
    assert connection._parser is not None
    return sum(map(len, connection._parser.pieces))


def wait_for_input(client: PyasClient) -> None:
    """Block the event loop until the socket of a client's only idle connection has something to read."""
    [connection] = idle_connections(client)
    assert isinstance(connection, Connection)
    stream: Any = connection._stream
    socket = stream.socket
    assert select.select([socket.fileno()], [], [], 5)[0]


MOST_HELD: Final = http11.MAX_UNREAD + (1 << 20)
"""Bytes of a response that a connection holds at most: those that it allows, and those that arrive at once."""


def is_closed(connection: Any) -> bool:  # noqa: ANN401  (ours, or httpcore's)
    """Return whether a connection is closed."""
    if isinstance(connection, Connection):
        return connection._stream is None
    return bool(connection.is_closed())


def requests(client: PyasClient) -> list[Any]:
    """Return the running requests of a client, and those that wait or run in its pools."""
    sender = client._session.resources.sender
    return [*sender._under_way, *(one for pool in pools(client) for one in requests_of(pool))]


def ssl_context() -> ssl.SSLContext:
    """Return the TLS context that all clients of the process share."""
    return environment.tls_context()


def forget_ssl_context() -> None:
    """Make the next client read the trusted certificates from the environment again."""
    environment._tls_context.cache_clear()


def tells_when_sent(body: Any) -> bool:  # noqa: ANN401  (made on httpx's class of bodies, or httpx2's)
    """Return whether the client is waiting to hear that the request with this body was written."""
    return body.written.__self__.on_wire is not None


# Its running work.


def under_way(client: PyasClient) -> dict[str, object]:
    """Return all work that still runs in a client, by where it is; empty once all of its calls have ended."""
    session = client._session
    limiter = session.resources.limiter
    found = {
        "requests": requests(client),
        "slots for connections": session.resources.connections.taken,
        "slots in the budget": limiter.budget.in_flight,
        "the budget's queue": limiter.waiting,
        "waits": limiter._waiting,
        "requests to the store": limiter._store_client and limiter._store_client._requests,
        "pauses": session.resources._pauses,
        "shared calls": session._single_flight._in_flight,
        "calls to share": session._single_flight._joinable,
    }
    return {name: what for name, what in found.items() if what}


def shared_calls(client: PyasClient) -> list[Any]:
    """Return the running calls that several callers may wait for, each with its `scope`, its `task` and `done`."""
    return list(client._session._single_flight._in_flight)


def waiting_for_shared_calls(client: PyasClient) -> int:
    """Return how many callers wait for a shared call."""
    return sum(shared.callers for shared in client._session._single_flight._in_flight)


def is_sending(client: PyasClient) -> bool:
    """Return whether a request is running."""
    return bool(client._session.resources.sender._under_way)


def is_pausing(client: PyasClient) -> bool:
    """Return whether a call is in a pause, for example before a retry."""
    return bool(client._session.resources._pauses)


# Its listings.


def next_call(listing: MeetingIterator) -> Call[Page] | None:
    """Return the call that an iterator makes next; ``None`` at its end."""
    request = listing._machine.next()
    return None if request is None else request.call(listing._account_id, listing._filters)


def is_prefetching(listing: MeetingIterator) -> bool:
    """Return whether an iterator's request for the next page is in flight in the background."""
    prefetch = listing._fetcher._prefetch
    return prefetch is not None and not prefetch.done.is_set()


def digests_seen(rows: SeenRows) -> set[int]:
    """Return the set itself in which the digests of a listing's rows are kept."""
    return rows._seen


# Its creations.


def look_up_without_pauses(patch: pytest.MonkeyPatch) -> None:
    """Let lookups of meetings follow each other at once."""
    patch.setattr(reconcile, "PAUSES", (0.0,) * len(reconcile.PAUSES))


def creations_by_key(creations: Creations) -> dict[Hashable, list[Creation]]:
    """Return the creates that are remembered, by the key that equal meetings share."""
    return creations._by_key


def ended(creations: Creations) -> list[Creation]:
    """Return the creates among them that have ended."""
    return list(creations._ended)


# Parsing.


def header_dates() -> _lru_cache_wrapper[datetime | None]:
    """Return the cached function that reads the date of a header."""
    return dates._parse_header


def row_loaders() -> tuple[Callable[[bytes], Meeting], Callable[[bytes], Meeting]]:
    """Return the fast and the tolerant function that read a row."""
    return page_reading._row_loaders()


# The sandbox and the command.


def calls_refused(sandbox: Sandbox) -> int:
    """Return how many calls a sandbox has refused because of the rate limit."""
    return sandbox._counts["rate_limited"]


def begin_window(sandbox: Sandbox, key: str, *, used: int) -> None:
    """Begin a window of the sandbox's rate limit, in which a key has used some calls."""
    sandbox._service.calls._windows[key] = (sandbox.clock(), used)


def doctor_target(meetings: Sequence[Meeting]) -> Any:  # noqa: ANN401  (a private type)
    """Return the meeting with which ``pyas doctor`` checks the format of dates, and its days; ``None`` without one."""
    from pyas_async.cli._doctor import dates as doctor  # noqa: PLC0415  (the extra need not be installed)

    return doctor._target(meetings)


# Base classes for planted mistakes, with public names for private members. The class itself calls the overrides of
# these public names.


def _known_as(name: str) -> Any:  # noqa: ANN401  (an attribute of any type)
    """Return a property that reads and sets a private attribute."""
    return property(lambda this: getattr(this, name), lambda this, value: setattr(this, name, value))


class OpenLimiter(RateLimiter):
    """The rate limiter."""

    clock = _known_as("_clock")

    async def sleep(self, ticket: Ticket, deadline: float, now: float) -> None:
        """Sleep until there is something to do for a call that waits."""
        await super()._sleep(ticket, deadline, now)

    async def _sleep(self, ticket: Ticket, deadline: float, now: float) -> None:
        await self.sleep(ticket, deadline, now)


class OpenMachine(PaginationMachine):
    """A pagination machine."""

    rules = _known_as("_rules")
    seen_rows = _known_as("_seen")
    next_page = _known_as("_next_page")
    rows_before = _known_as("_rows_before")
    restarts_without_new = _known_as("_restarts_without_new")
    repairs = _known_as("_repairs")

    def resume_from(self, checkpoint: ListingCheckpoint, now: float, wall: float) -> None:
        """Begin at a checkpoint."""
        super()._resume(checkpoint, now, wall)

    def begin_walk(self, event: ListingEvent) -> None:
        """Begin a fresh walk."""
        super()._begin_walk(event)

    def end_walk(self) -> None:
        """Process the end of a walk."""
        super()._end_walk()

    def restart(self, error: APIStatusError) -> None:
        """Begin a fresh walk after a token has expired, or give up."""
        super()._restart(error)

    def _resume(self, checkpoint: ListingCheckpoint, now: float, wall: float) -> None:
        self.resume_from(checkpoint, now, wall)

    def _begin_walk(self, event: ListingEvent) -> None:
        self.begin_walk(event)

    def _end_walk(self) -> None:
        self.end_walk()

    def _restart(self, error: APIStatusError) -> None:
        self.restart(error)


class OpenPageFetcher(PageFetcher):
    """A page fetcher."""

    filters = _known_as("_filters")
    prefetch_request = _known_as("_prefetch")

    async def request(self, request: PageRequest) -> FetchResult:
        """Make the call for a page."""
        return await super()._request(request)

    async def _request(self, request: PageRequest) -> FetchResult:
        return await self.request(request)


class OpenIterator(MeetingIterator):
    """An iterator of meetings."""

    session = _known_as("_session")
    account_id = _known_as("_account_id")
    filters = _known_as("_filters")
    machine = _known_as("_machine")
    fetcher = _known_as("_fetcher")
    current_page = _known_as("_page")
    pending = _known_as("_pending")

    def rows_taken(self) -> int:
        """Return how many rows of the current page were yielded."""
        return super()._rows_taken()

    def rest_of_page(self) -> Page | None:
        """Return the remaining rows of the current page."""
        return super()._rest_of_page()

    async def load(self) -> bool:
        """Fetch pages until one has rows to yield."""
        return await super()._load()

    def process(self, result: FetchResult) -> bool:
        """Give the machine a page or an error."""
        return super()._process(result)

    async def prefetch_next(self) -> None:
        """Request the next page in the background."""
        await super()._prefetch_next()

    def _rows_taken(self) -> int:
        return self.rows_taken()

    def _rest_of_page(self) -> Page | None:
        return self.rest_of_page()

    async def _load(self) -> bool:
        return await self.load()

    def _process(self, result: FetchResult) -> bool:
        return self.process(result)

    async def _prefetch_next(self) -> None:
        await self.prefetch_next()


# Other libraries.

SEND_SINGLE_REQUEST: Final = "_send_single_request"
"""The method of a client of httpx that gives a request to a transport."""
TRANSPORT_FOR_URL: Final = "_transport_for_url"
"""The method of a client of httpx that chooses the transport for an address."""


def transport_for(http: Any, url: str) -> Any:  # noqa: ANN401  (httpx's or httpx2's)
    """Return the transport that a client of httpx uses for an address."""
    return http._transport_for_url(httpx.URL(url))


def transport_of(http: httpx.AsyncClient) -> httpx.AsyncBaseTransport:
    """Return the transport of a client of httpx without a proxy."""
    return http._transport


def pool_of(transport: Any) -> Any:  # noqa: ANN401  (httpcore's or httpcore2's)
    """Return the pool below a transport of httpx; ``None`` if it has none."""
    return getattr(transport, "_pool", None)


def requests_of(pool: Any) -> list[Any]:  # noqa: ANN401  (httpcore's or httpcore2's)
    """Return the list itself of the requests that wait or run in a pool of httpcore."""
    requests: list[Any] = pool._requests
    return requests


def use_up_stream_numbers(client: PyasClient) -> None:
    """Let the connections of HTTP/2 in a passed client's pool have no number left for another request."""
    for connection in connections(client):
        connection._connection._h2_state.highest_outbound_stream_id = 2**31 - 1


def destroy_silently(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from logging that a task is destroyed before its end."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def ready_callbacks(loop: asyncio.AbstractEventLoop) -> int:
    """Return how many callbacks an asyncio event loop runs in its next iteration."""
    return len(loop._ready)  # type: ignore[attr-defined]


LOOP_TURN: Final = "asyncio.BaseEventLoop._run_once"
"""The method that runs one iteration of asyncio's event loop."""


def loop_turn() -> Callable[[asyncio.BaseEventLoop], None]:
    """Return the method that `LOOP_TURN` names."""
    turn: Callable[[asyncio.BaseEventLoop], None] = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]
    return turn


def trio_order() -> tuple[ModuleType, str, random.Random]:
    """Return where trio stores whether its task order is deterministic, and the generator that shuffles the tasks."""
    from trio._core import _run  # noqa: PLC0415  (most tests do not need trio)

    return _run, "_ALLOW_DETERMINISTIC_SCHEDULING", _run._r


def forget_current_chunk(watcher: Watcher) -> None:
    """Let a watch forget the chunk that is handed out, so that its end saves nothing: as if it were killed."""
    watcher._current = None
