"""The service in virtual time: listings in pages, single meetings, the limit of the key, and the life of a page token.

Pages have two rows, since only calls matter here. Programs written by hand use `Service.call` and `Service.get`, and
the real client uses `Wire`.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import attrs
import httpx
import trio

from simulation.limits import FixedWindow, SlidingWindow
from simulation.world import TOKEN_LIFE

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.limits import Limit
    from simulation.world import World

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The wall clock when virtual time begins."""
ROWS: Final = 2
"""Rows of a page."""
_MOST_PAGES: Final = 1_000
# As the service's page shows it.
_REFUSAL: Final = b'{"message":"Too many requests! Please try again later.","code":429,"error":"Rate limit exceeded"}'
# As Zoom's sibling lists answer.
_DEAD: Final = b'{"code":300,"message":"The next page token is invalid or expired."}'


def wall() -> datetime:
    """Return the wall clock."""
    return EPOCH + timedelta(seconds=trio.current_time())


@functools.lru_cache(maxsize=16)
def _javascript_date(seconds: int) -> str:
    moment = EPOCH + timedelta(seconds=seconds)
    return moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")


@functools.lru_cache(maxsize=16)
def _http_date(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@attrs.frozen
class Reply:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes
    token: str | None = None

    @property
    def retry_after(self) -> float:
        """Seconds after which a refused call may be tried again."""
        return float(self.headers["retry-after"])


class Service:
    """The service for one key, and what it has counted.

    Attributes:
        world: Its conditions.
        counts: Calls by outcome: ``"page"``, ``"get"``, ``"expired"`` for one whose token had expired,
            ``"refused"`` for one over the limit.
    """

    def __init__(self, world: World, *, most: int, enough: Callable[[], object]) -> None:
        """Set up the service.

        Args:
            world: The conditions.
            most: Calls after which the run is cut off.
            enough: Called then.
        """
        self.world = world
        self.counts: Counter[str] = Counter()
        self._most = most
        self._enough = enough
        plan = world.plan
        self._limit: Limit = (
            FixedWindow(plan.limit, plan.window, world.phase)
            if world.window == "fixed"
            else SlidingWindow(plan.limit, plan.window)
        )

    async def call(self, account: int, token: str | None = None) -> Reply:
        """Return the first page of an account, or the one that a token leads to."""
        page = 0 if token is None else int(token.split("-")[1])
        return await self._serve(account, page, token)

    async def get(self, number: int) -> Reply:
        """Return a meeting; the n-th single call asks for the n-th meeting."""
        return await self._serve(number, -1, None)

    async def _serve(self, account: int, page: int, token: str | None) -> Reply:
        half = self.world.latency(account, page) / 2
        await trio.sleep(half)
        reply = self._answer(account, page, token)
        if self.counts.total() >= self._most:
            self._enough()
        await trio.sleep(half)
        return reply

    def _answer(self, account: int, page: int, token: str | None) -> Reply:
        now = trio.current_time()
        headers = {"content-type": "application/json", "date": _http_date(math.floor(now))}
        within = self._limit.try_acquire(now)
        if self.world.headers or not within:
            headers["x-ratelimit-limit"] = str(self.world.plan.limit)
            headers["x-ratelimit-remaining"] = str(self._limit.remaining(now))
            headers["x-ratelimit-reset"] = _javascript_date(math.floor(self._limit.resets_at(now)))
        if not within:
            self.counts["refused"] += 1
            # Milliseconds, as Node's limiters count them; rounded up, or the next call would come too early.
            headers["retry-after"] = f"{math.ceil((self._limit.resets_at(now) - now) * 1000) / 1000:.3f}"
            return Reply(429, headers, _REFUSAL)
        if page < 0:
            self.counts["get"] += 1
            return Reply(200, headers, b'{"success":true,"meeting":{"uuid":"u%d","id":%d}}' % (account, account + 1))
        if token is not None and now - float(token.split("-")[2]) >= TOKEN_LIFE:
            self.counts["expired"] += 1
            return Reply(400, headers, _DEAD)
        self.counts["page"] += 1
        pages = self.world.pages[account]
        ahead = f"{account}-{page + 1}-{now:.6f}" if page + 1 < pages else None
        return Reply(200, headers, _page(account, page, pages, ahead), ahead)


def meetings(account: int, pages: int) -> range:
    """Return the numbers of an account's meetings."""
    first = account * _MOST_PAGES * ROWS + 1
    return range(first, first + pages * ROWS)


def _page(account: int, page: int, pages: int, token: str | None) -> bytes:
    rows = meetings(account, pages)[page * ROWS : (page + 1) * ROWS]
    texts = ",".join(f'{{"uuid":"u{number}","id":{number}}}' for number in rows)
    ahead = "" if token is None else token
    head = f'{{"page_size":{ROWS},"total_records":{pages * ROWS},"next_page_token":"{ahead}"'
    return f'{{"success":true,"data":{head},"meetings":[{texts}]}}}}'.encode()


class Wire(httpx.AsyncBaseTransport):
    """The transport from an httpx client to the service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request to the service, and return the response."""
        path, query = request.url.path, dict(parse_qsl(request.url.query.decode()))
        if path == "/zoom/meetings":
            reply = await self._service.call(int(query["accountId"]), query.get("nextPageToken"))
        else:
            reply = await self._service.get(int(path.rpartition("/")[2]) - 1)
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)
