"""The service as it is to be expected from the page and Zoom's similar lists, in virtual time, with all its faults.

Listings are paged by offset over the *live* rows, so that rows which are removed, inserted or moved between two pages
shift the others. A page token is an offset with a time of issue: it expires by age, on demand, or at once. The service
tells an observer of every request before it responds, and of every response.

For each token the service also knows what no client can know: which rows were in the listing all the time since the
first page of the walk, and which of them moved before the token's offset without having been sent. Only those may be
missed.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol
from urllib.parse import parse_qsl

import anyio
import anyio.lowlevel
import attrs
import httpx

import inside
from walk.listing import ATTEMPT, EPOCH, EXPIRED, Cursor, Filters, Key, Plan, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_REQUESTS_IN_STEP: Final = 400
"""More requests than a client has a reason to send in one step of a test."""
_PLAIN: Final = Plan()


class Observer(Protocol):
    """What the service tells of each call; `Monitor` is one."""

    def asked(self, token: str | None, *, background: bool) -> None:
        """Called for each request, before the response."""

    def answered(self, ahead: Cursor, keys: frozenset[Key], *, odd: bool) -> None:
        """Called for a page with these rows, the position to which it leads, and whether it was an odd one."""

    def refused(self, result: str) -> None:
        """Called for any other result: ``"expired"``, ``"unclear"``, ``"size"``, ``"fault"`` or ``"final"``."""


@attrs.define(eq=False, kw_only=True)
class Service(httpx.AsyncBaseTransport):
    """The service, and the transport that leads to it.

    Attributes:
        rows: The live listing.
        cap: The most rows on a page, and the rows on a page if the request has no size.
        strict: Whether a larger size is refused instead of reduced.
        lifetime: Seconds for which a token is valid.
        totals: The total that pages report: ``"true"``, ``"late"`` by one page, or ``"none"``.
        shape: The response to an expired token: an index into `EXPIRED`.
        slow: Whether the response to a prefetch request waits until the consumer waits for it.
        expired_tokens: How many of the next tokens have expired when they arrive.
    """

    rows: list[Row] = attrs.field(factory=list)
    cap: int = 3
    strict: bool = False
    lifetime: float = 900.0
    totals: str = "true"
    shape: int = 0
    slow: bool = False
    expired_tokens: int = 0
    observer: Observer | None = None
    time: float = 0.0
    calls: int = 0
    requests_in_step: int = 0
    plans: deque[Plan] = attrs.field(factory=deque)
    cursors: dict[str, Cursor] = attrs.field(factory=dict)
    ever: set[tuple[str, Key]] = attrs.field(factory=set)
    most: int = 0
    # A step that is being cancelled stops every request; a step that waits releases all of them. A prefetch request
    # that was begun or released sets `background_active`.
    stopped: bool = False
    background_active: bool = False
    awaited: bool = False
    _held: list[anyio.Event] = attrs.field(factory=list)
    _late_total: int | None = None
    _numbers: itertools.count[int] = attrs.field(factory=itertools.count)

    # The listing.

    def begin(self, rows: Iterable[Row]) -> None:
        """Begin another listing, and forget all tokens."""
        self.cursors.clear()
        self.plans.clear()
        self.ever.clear()
        self.rows = []
        self.most = self.expired_tokens = 0
        self._late_total = None
        self.change(lambda live: live.extend(rows))

    def change(self, edit: Callable[[list[Row]], None]) -> None:
        """Insert, remove or move rows, and note the effect on the position of each token."""
        edit(self.rows)
        self.ever |= {(row.kind, row.key) for row in self.rows}
        self.most = max(self.most, len(self.rows))
        for cursor in self.cursors.values():
            view = self.view(cursor.filters)
            cursor.present &= {row.key for row in view}
            cursor.passed |= {row.key for row in view[: cursor.offset]} - cursor.sent

    def view(self, filters: Filters) -> list[Row]:
        """Return the live rows that match the filters."""
        kind = dict(filters).get("type")
        return [row for row in self.rows if kind in (None, row.kind)]

    def kill(self) -> None:
        """Let all tokens expire."""
        for cursor in self.cursors.values():
            cursor.killed = True

    def alive(self, cursor: Cursor) -> bool:
        """Return whether a token would be accepted now."""
        return not cursor.killed and self.time - cursor.issued < self.lifetime

    def peek(self, cursor: Cursor | None, filters: Filters, size: int) -> list[Key]:
        """Return the rows that a response without a fault would have now."""
        offset = 0 if cursor is None else cursor.offset
        return [row.key for row in self.view(filters)[offset : offset + min(size, self.cap)]]

    # Requests.

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass; the client's clocks sleep by this."""
        self.time += seconds
        await anyio.lowlevel.checkpoint()

    @property
    def holding(self) -> bool:
        """Whether requests are being held."""
        return bool(self._held)

    def release(self) -> None:
        """Let the requests that are being held continue."""
        held, self._held = self._held, []
        self.background_active = self.background_active or bool(held)
        for event in held:
            event.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request, perhaps later."""
        assert self.observer is not None
        query = dict(parse_qsl(request.url.query.decode()))
        del query["accountId"]
        token, size = query.pop("nextPageToken", None), query.pop("maxResults", None)
        body: Any = request.stream
        in_background = inside.tells_when_sent(body)  # a prefetch: the consumer waits until it is sent
        self.background_active = self.background_active or in_background
        await anyio.lowlevel.checkpoint()  # as for a connection: a request that is cancelled here was not sent
        began = self.time
        self.calls += 1
        self.requests_in_step += 1
        self.observer.asked(token, background=in_background)
        if self.requests_in_step > MAX_REQUESTS_IN_STEP:
            raise AssertionError("the client sends requests without an end")
        if self.stopped:
            await self._hold()
        if in_background:
            async for _ in body:
                pass
            for _ in range(3):  # the consumer, if it waited for this, continues first
                await anyio.lowlevel.checkpoint()
            if self.slow and not self.awaited:
                await self._hold()
        plan = self.plans.popleft() if self.plans else _PLAIN
        self.time += plan.before
        if self.time - began > ATTEMPT or plan.what == "silence":
            self.time = max(self.time, began + ATTEMPT)
            self._fail(httpx.ReadTimeout)
        return self._answer(plan, token, None if size is None else int(size), tuple(query.items()))

    async def _hold(self) -> None:
        event = anyio.Event()
        self._held.append(event)
        try:
            await event.wait()
        finally:
            if event in self._held:  # its caller was cancelled
                self._held.remove(event)

    def _fail(self, error: type[httpx.TransportError]) -> NoReturn:
        assert self.observer is not None
        self.observer.refused("fault")
        raise error("as planned")

    def _answer(self, plan: Plan, token: str | None, size: int | None, filters: Filters) -> httpx.Response:
        if plan.what in _NETWORK:
            self._fail(_NETWORK[plan.what])
        if plan.what in _REFUSALS:
            status, body, result = _REFUSALS[plan.what]
            wait = {} if plan.retry_after is None else {"retry-after": str(plan.retry_after)}
            return self._refuse(result, status, body, wait)
        if plan.kill == "before":
            self.kill()
        if plan.drift:
            self._drift(plan.drift)
        if self.strict and size is not None and size > self.cap:
            return self._refuse("size", 400, f'{{"success":false,"error":"maxResults must be at most {self.cap}"}}', {})
        cursor = Cursor(text=None, filters=filters) if token is None else self.cursors[token]
        if token is not None and not self.alive(cursor):
            status, body, clear = EXPIRED[self.shape]
            return self._refuse("expired" if clear else "unclear", status, body, {})
        return self._page(plan, cursor, min(self.cap, size or self.cap), filters)

    def _drift(self, kind: str) -> None:
        def edit(rows: list[Row]) -> None:
            if kind == "insert":
                rows.insert(0, Row(9, f"new-{next(self._numbers)}", EPOCH, "upcoming"))
            elif rows:
                row = rows.pop(-1 if kind == "rise" else 0)
                if kind != "remove":
                    rows.insert(0 if kind == "rise" else len(rows), row)

        self.change(edit)

    def _refuse(self, result: str, status: int, body: str, headers: dict[str, str]) -> httpx.Response:
        assert self.observer is not None
        self.observer.refused(result)
        return httpx.Response(status, headers={"content-type": "application/json", **headers}, content=body)

    def _page(self, plan: Plan, here: Cursor, size: int, filters: Filters) -> httpx.Response:
        assert self.observer is not None
        size = {"short": max(1, size - 1), "empty": 0}.get(plan.what, size)
        view = self.view(filters)
        rows = view[here.offset : here.offset + size]
        keys = frozenset(row.key for row in rows)
        live = {row.key for row in view}
        true, late = len(view), self._late_total
        self._late_total = true
        total = {"true": true, "late": true if late is None else late}.get(self.totals)
        ahead = Cursor(
            text=None,
            filters=here.filters if here.text else filters,
            offset=here.offset + len(rows),
            sent=here.sent | keys,
            present=live if here.text is None else here.present & live,
            passed=set(here.passed),
            totals=here.totals if total is None else (*here.totals, total),
            aside=here.aside,
            count=here.count + len(rows),
            issued=self.time,
        )
        if plan.what == "empty" or ahead.offset < true:
            ahead.text = f"token-{next(self._numbers)}"
            ahead.killed = plan.kill == "after" or self.expired_tokens > 0
            self.expired_tokens = max(0, self.expired_tokens - 1)
            if plan.what == "loop" and here.text is not None:
                here.aside += ahead.totals[len(here.totals) :]
                ahead = here
            self.cursors[ahead.text or ""] = ahead
        self.time += plan.after
        self.observer.answered(ahead, keys, odd=plan.what != "page")
        east = bool(self.calls % 2)
        data = {
            "meetings": [row.document(east=east) for row in rows],
            "next_page_token": ahead.text or "",
            "page_size": size,
            "total_records": total,
        }
        return httpx.Response(200, content=json.dumps({"success": True, "data": data}))


_NETWORK: Final = {"refused": httpx.ConnectError, "cut": httpx.ReadError}
_REFUSALS: Final = {
    "server": (503, '{"success":false,"error":"Service Unavailable"}', "fault"),
    "limit": (429, '{"success":false,"error":"Too many requests"}', "fault"),
    "key": (401, '{"success":false,"error":"Invalid API key"}', "final"),
    "garbage": (200, "<html>Welcome</html>", "final"),
    "unclear": (400, '{"success":false,"error":"Bad Request"}', "unclear"),
}
