"""A service of many accounts, in process and in virtual time, and clients of it."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel
import attrs
import httpx

import inside
from pyas_async import AccountsIterator, Meeting, NotFoundError, PyasClient
from pyas_async._runtime.clock import Clock
from resting import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
LIFE: Final = 900.0
"""Seconds for which a page token is valid."""
PAGE: Final = 3

_FIRST: Final = "the account of a client's first call"

Pair = tuple[str, int]


@attrs.frozen
class Refusal:
    """A response that is no page."""

    status: int
    body: str


MISSING: Final = Refusal(404, '{"success":false,"error":"Invalid account id. Account Not Found","code":404}')
BROKEN: Final = Refusal(503, '{"success":false,"error":"Service Unavailable"}')
NO_KEY: Final = Refusal(401, '{"error":"Unauthorized. Invalid API key."}')
MONTH: Final = Refusal(429, '{"message":"The monthly quota of your plan is used up","code":429}')
TOO_MANY: Final = Refusal(429, '{"code":429,"message":"This API is busy"}')
EXPIRED: Final = Refusal(400, '{"code":300,"message":"The next page token is invalid or expired."}')


@attrs.define
class _Token:
    account_id: str
    offset: int
    issued_at: float


@attrs.define(eq=False, kw_only=True)
class World(httpx.AsyncBaseTransport):
    """The service, and the transport that leads to it.

    Attributes:
        sizes: How many rows each account has; there are no other accounts.
        lies: Wrong totals, by account.
        cap: The most rows on a page.
        time: Virtual seconds.
        plans: Responses to the next requests of an account, instead of a page.
        fails: Responses to the n-th request of an account, counted from 1, instead of a page.
        key_lasts: Calls after which the API key has expired.
        on_query: Called with the query of each request.
        held: Accounts whose requests wait until `release`.
    """

    sizes: Mapping[str, int]
    lies: Mapping[str, int] = attrs.field(factory=dict)
    cap: int = PAGE
    time: float = 0.0
    plans: dict[str, deque[Refusal]] = attrs.field(factory=dict)
    fails: dict[tuple[str, int], Refusal] = attrs.field(factory=dict)
    key_lasts: float = math.inf
    on_query: Callable[[httpx.QueryParams], object] | None = None
    held: set[str] = attrs.field(factory=set)
    calls: Counter[str] = attrs.field(factory=Counter)
    tokens: dict[str, _Token] = attrs.field(factory=dict)
    _changed: anyio.Event = attrs.field(factory=anyio.Event)
    _numbers: itertools.count[int] = attrs.field(factory=itertools.count)

    def pairs(self, *account_ids: str) -> Counter[Pair]:
        """Return every row of these accounts, or of all."""
        return Counter(
            (account_id, number + 1)
            for account_id in account_ids or self.sizes
            for number in range(self.sizes[account_id])
        )

    def plan(self, account_id: str, *refusals: Refusal) -> None:
        """Refuse the next requests of an account."""
        self.plans.setdefault(account_id, deque()).extend(refusals)

    def kill(self) -> None:
        """Let all tokens expire."""
        for token in self.tokens.values():
            token.issued_at = -LIFE

    def release(self, *account_ids: str) -> None:
        """Respond to requests that were held."""
        self.held -= set(account_ids)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.time += seconds
        await anyio.lowlevel.checkpoint()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request."""
        query = request.url.params
        account_id, token = query["accountId"], query.get("nextPageToken")
        if account_id == _FIRST:
            return httpx.Response(404)
        self.calls[account_id] += 1
        if self.on_query is not None:
            self.on_query(query)
        if (tell := request.extensions.get("trace")) is not None:
            await tell("http11.send_request_body.complete", {})
        await anyio.lowlevel.checkpoint()
        while account_id in self.held:
            await self._changed.wait()
        answer = self._answer(account_id, token, int(query["maxResults"]))
        if isinstance(answer, Refusal):
            return httpx.Response(answer.status, headers={"content-type": "application/json"}, content=answer.body)
        return httpx.Response(200, content=answer)

    def _answer(self, account_id: str, text: str | None, size: int) -> Refusal | str:
        if self.calls.total() > self.key_lasts:
            return NO_KEY
        if (account_id, self.calls[account_id]) in self.fails:
            return self.fails[account_id, self.calls[account_id]]
        if self.plans.get(account_id):
            return self.plans[account_id].popleft()
        if account_id not in self.sizes:
            return MISSING
        first = 0
        if text is not None:
            token = self.tokens[text]
            assert token.account_id == account_id, "the token is another account's"
            if self.time - token.issued_at >= LIFE:
                return EXPIRED
            first = token.offset
        total = self.sizes[account_id]
        last = min(first + min(size, self.cap), total)
        following = ""
        if last < total:
            following = f"token-{next(self._numbers)}"
            self.tokens[following] = _Token(account_id, last, self.time)
        rows = [{"uuid": f"{account_id}/{number}", "id": number + 1} for number in range(first, last)]
        data = {
            "page_size": size,
            "total_records": self.lies.get(account_id, total),
            "next_page_token": following,
            "meetings": rows,
        }
        return json.dumps({"success": True, "data": data})


def pair_of(account_id: str, meeting: Meeting) -> Pair:
    """Return what tells a pair from others; its row must be of its account."""
    assert meeting.uuid == f"{account_id}/{meeting.id - 1}"
    return account_id, meeting.id


@contextlib.asynccontextmanager
async def client_of(world: World) -> AsyncIterator[PyasClient]:
    """Open a client whose clocks are the world's, as another process would."""
    started = world.time
    async with httpx.AsyncClient(transport=world, trust_env=False) as http:
        client = PyasClient("key", base_url="https://world.test", http_client=http, retry=None)
        clock = Clock(
            now=lambda: world.time - started,
            wall=lambda: EPOCH + timedelta(seconds=world.time),
            sleep=world.sleep,
            random=lambda: 0.5,
        )
        inside.set_clock(client, clock)
        async with client:
            # Before its first answer, a client does not know whether others have used the key's calls up.
            with contextlib.suppress(NotFoundError):
                await client.meetings.list(account_id=_FIRST)
            yield client


async def stream(account_ids: Iterable[str]) -> AsyncIterator[str]:
    """Yield account ids asynchronously, as a database driver does."""
    for account_id in account_ids:
        await anyio.lowlevel.checkpoint()
        yield account_id


async def ask_in_vain(pairs: AccountsIterator) -> None:
    """Ask for a pair that does not come, and cancel that."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anext, pairs)
        await rest()
        tasks.cancel_scope.cancel()
