"""A service whose listing changes between rounds and within them, and a consumer that keeps a copy."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import anyio.lowlevel
import attrs
import httpx

import inside
from pyas_async import PyasClient, to_dict
from pyas_async._runtime.clock import Clock

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from pyas_async import Change, Meeting

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT: Final = "acc"
LIFE: Final = 900.0
PAGE: Final = 3
MANY: Final = 15
"""Rows from which on a world grows no more."""

Identity = tuple[int, str, str | None]


@attrs.define(eq=False)
class World(httpx.AsyncBaseTransport):
    """The service, and the transport that leads to it.

    Attributes:
        rows: The rows of the listing, in its order.
        over: Rows of meetings that exist, and are not listed any more.
        cancelled: Starts of cancelled dates, by the id of their series.
        deleted: The ids of meetings that were deleted.
        time: Virtual seconds.
        before_page: Called before each page is made: the listing may change within a walk.
        total_lag: Added to the total that the service reports.
        page: The rows on a page.
        answers: Responses to gets of a meeting, instead of its document.
    """

    rows: list[dict[str, Any]] = attrs.field(factory=list)
    over: list[dict[str, Any]] = attrs.field(factory=list)
    cancelled: dict[int, list[str]] = attrs.field(factory=dict)
    deleted: set[int] = attrs.field(factory=set)
    time: float = 0.0
    before_page: Callable[[int], object] | None = None
    total_lag: int = 0
    page: int = PAGE
    answers: dict[int, httpx.Response] = attrs.field(factory=dict)
    calls: int = 0
    gets: list[int] = attrs.field(factory=list)
    tokens: dict[str, tuple[int, float]] = attrs.field(factory=dict)
    ids: itertools.count[int] = attrs.field(factory=lambda: itertools.count(81))

    def add(self, *, dates: int = 1, start: int = 1, topic: str = "a") -> int:
        """Add a meeting, or a series with this many dates, one a day; return its id."""
        meeting_id = next(self.ids)
        uuid = base64.b64encode(meeting_id.to_bytes(16, "big")).decode()
        for day in range(dates):
            self.rows.append(
                {
                    "uuid": uuid,
                    "id": meeting_id,
                    "topic": topic,
                    "type": 8 if dates > 1 else 2,
                    "start_time": at(start + day),
                    "duration": 30,
                    "new_field": {"kept": [1, None]},
                }
            )
        return meeting_id

    def of(self, meeting_id: int) -> list[dict[str, Any]]:
        """Return the rows of a meeting."""
        return [row for row in self.rows if row["id"] == meeting_id]

    def delete(self, meeting_id: int) -> None:
        """Delete a meeting with all of its dates."""
        self.rows = [row for row in self.rows if row["id"] != meeting_id]
        self.over = [row for row in self.over if row["id"] != meeting_id]
        self.deleted.add(meeting_id)

    def end(self, row: dict[str, Any]) -> None:
        """Take a row out of the listing, though its meeting still exists."""
        self.rows.remove(row)
        self.over.append(row)

    def cancel_date(self, row: dict[str, Any]) -> None:
        """Cancel one date of a series."""
        self.rows.remove(row)
        self.cancelled.setdefault(row["id"], []).append(row["start_time"])

    def kill_tokens(self) -> None:
        """Let all page tokens expire."""
        self.tokens = {token: (offset, -LIFE) for token, (offset, _) in self.tokens.items()}

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.time += seconds
        await anyio.lowlevel.checkpoint()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request."""
        self.calls += 1
        await anyio.lowlevel.checkpoint()
        head, _, last = request.url.path.rpartition("/")
        if head.endswith("/meetings"):
            return self._meeting(int(last))
        return self._page(request.url.params)

    def _page(self, query: httpx.QueryParams) -> httpx.Response:
        token = query.get("nextPageToken")
        offset = 0
        if token is not None:
            offset, born = self.tokens[token]
            if self.time - born >= LIFE:
                return httpx.Response(400, json={"code": 300, "message": "The next page token is invalid or expired."})
        if self.before_page is not None:
            self.before_page(offset)
        last = offset + self.page
        following = ""
        if last < len(self.rows):
            following = f"token-{len(self.tokens)}"
            self.tokens[following] = (last, self.time)
        data = {
            "meetings": self.rows[offset:last],
            "next_page_token": following,
            "page_size": self.page,
            "total_records": len(self.rows) + self.total_lag,
        }
        return httpx.Response(200, content=json.dumps({"success": True, "data": data}))

    def _meeting(self, meeting_id: int) -> httpx.Response:
        self.gets.append(meeting_id)
        if meeting_id in self.answers:
            return self.answers[meeting_id]
        rows = [row for row in (*self.rows, *self.over) if row["id"] == meeting_id]
        if not rows:
            return httpx.Response(404, json={"success": False, "error": "Meeting does not exist", "code": 3001})
        document = {**rows[0], "start_url": "https://zoom.test/s/1?zak=SECRET"}
        if meeting_id in self.cancelled or len(rows) > 1:
            document["occurrences"] = [
                *({"start_time": row["start_time"], "status": "available"} for row in rows),
                *({"start_time": start, "status": "deleted"} for start in self.cancelled.get(meeting_id, ())),
            ]
        return httpx.Response(200, json={"success": True, "data": document})


def at(day: int, hour: int = 9) -> str:
    """Return a start as the service writes it."""
    return (EPOCH + timedelta(days=day, hours=hour)).isoformat().replace("+00:00", "Z")


def identity(document: dict[str, Any]) -> Identity:
    """Return what tells a row from others."""
    start = document.get("start_time")
    moment = None if start is None else datetime.fromisoformat(start).isoformat()
    return document["id"], document["uuid"], moment


def identity_of(row: Meeting) -> Identity:
    """Return what tells a row from others."""
    return row.id, row.uuid, None if row.start_time is None else row.start_time.isoformat()


def listing(world: World) -> dict[Identity, dict[str, Any]]:
    """Return the rows of the service, by their identity."""
    return {identity(row): row for row in world.rows}


@attrs.define
class Copy:
    """A consumer's own table, kept by applying changes."""

    rows: dict[Identity, dict[str, Any]] = attrs.field(factory=dict)

    def apply(self, change: Change) -> None:
        """Do what a change says."""
        if change.before is not None:
            self.rows.pop(identity_of(change.before), None)
        if change.meeting is not None:
            document = to_dict(change.meeting)
            self.rows[identity(document)] = document


@contextlib.asynccontextmanager
async def client_of(world: World) -> AsyncIterator[PyasClient]:
    """Open a client whose clocks are the world's."""
    async with httpx.AsyncClient(transport=world, trust_env=False) as http:
        client = PyasClient("key", base_url="https://world.test", http_client=http, retry=None, account_id=ACCOUNT)
        clock = Clock(
            now=lambda: world.time,
            wall=lambda: EPOCH + timedelta(seconds=world.time),
            sleep=world.sleep,
            random=lambda: 0.5,
        )
        inside.set_clock(client, clock)
        async with client:
            yield client


def mutate(world: World, chance: random.Random) -> None:
    """Change something in the listing, at random."""
    rows = world.rows
    if not rows or (len(rows) <= MANY and chance.random() < 0.3):
        world.add(dates=chance.choice([1, 1, 2, 5]), start=chance.randint(1, 20))
        rows.insert(chance.randrange(len(rows)), rows.pop())
        return
    row = chance.choice(rows)
    changes: list[Callable[[], object]] = [
        lambda: row.update(topic=f"topic {chance.randint(0, 9)}"),
        lambda: row.update(new_field={"kept": [chance.randint(0, 9), None]}),
        lambda: _move(world, row, at(chance.randint(1, 30), chance.randint(0, 23))),
        lambda: world.delete(row["id"]),
        lambda: world.end(row),
        lambda: world.cancel_date(row) if len(world.of(row["id"])) > 1 else None,
        lambda: _roll(world, row["id"], at(40 + chance.randint(0, 9))),
        lambda: rows.insert(chance.randrange(len(rows)), rows.pop(rows.index(row))),
    ]
    chance.choice(changes)()


def _roll(world: World, meeting_id: int, start: str) -> None:
    """Let a series lose its first date, and get another last one."""
    dates = world.of(meeting_id)
    if all(start != date["start_time"] for date in dates):
        world.end(dates[0])
        world.rows.append({**dates[-1], "start_time": start})


def _move(world: World, row: dict[str, Any], start: str) -> None:
    if all(start != other["start_time"] for other in world.of(row["id"])):
        row["start_time"] = start
