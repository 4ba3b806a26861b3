"""The sandbox as its users hold it: one object with the application, the settings, the truth and the log."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import anyio

from pyas_async.sandbox import _writing as writing
from pyas_async.sandbox._extras import make_app, make_server
from pyas_async.sandbox._mint import Mint, host_id
from pyas_async.sandbox._service import Service
from pyas_async.sandbox._settings import DeleteAnswer, Plan, Settings, UpdateAnswer, check_setting
from pyas_async.sandbox._store import Store
from pyas_async.sandbox._times import DAY, zoom_time
from pyas_async.sandbox._world import cut_agenda, generate

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from starlette.applications import Starlette

    from pyas_async.sandbox._answers import Answer
    from pyas_async.sandbox._seen import SeenRequest

_HOSTS: Final = ("Ada", "Grace", "Zoë", "Søren", "美咲")
_ROW_FIELDS: Final = frozenset(
    ("uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone", "agenda", "created_at", "join_url")
)


class Sandbox(Settings):
    """A stand-in for the Pyas Zoom-meetings service, with generated accounts and meetings.

    Use :attr:`app` in process (``httpx.ASGITransport(app=sandbox.app)``), or :meth:`serve` for a real socket. Every
    setting is an attribute, and may be changed under way.

    Args:
        accounts: Connected accounts.
        meetings: Listed rows of each account.
        seed: The same seed (and the same time) makes the same world.
        api_key: See :class:`Settings`, as for all that follow, but ``db``.
        token_ttl: In seconds.
        plan: Whose rate limit.
        window: In seconds.
        latency: In seconds.
        max_page_size: Rows.
        oversize: For larger pages.
        page_numbers: Whether they are honoured.
        expired_answer: A key of ``EXPIRED_ANSWERS``.
        update_answer: What PATCH answers.
        delete_answer: What DELETE answers.
        daily_writes: For each account; None is no limit.
        keep_requests: For :attr:`requests`; None keeps all.
        db: A file for the world, which outlives the sandbox. If the file has one already, that world is kept, with its
            accounts, its seed and its API key: ``accounts``, ``meetings``, ``seed`` and ``api_key`` are not used.
        clock: Epoch seconds.

    Attributes:
        app: The ASGI application.
        requests: The requests of the API so far, in order.
        on_request: Called with each request of the API before it is answered, in the thread of the server.

    Raises:
        ValueError: A setting cannot hold, or ``db`` is a file of something else.
        MissingExtraError: Starlette or uvicorn is not installed.
    """

    def __init__(
        self, *, accounts: int = 3, meetings: int = 100, seed: int = 0, api_key: str = "sandbox-key",
        token_ttl: float = 900.0, plan: Plan = "none", window: float = 300.0, latency: float = 0.0,
        max_page_size: int = 300, oversize: Literal["clamp", "refuse"] = "clamp",
        page_numbers: Literal["honour", "ignore"] = "honour", expired_answer: str = "zoom_400",
        update_answer: UpdateAnswer = "success", delete_answer: DeleteAnswer = "success",
        daily_writes: int | None = 100, keep_requests: int | None = None,
        db: str | os.PathLike[str] | None = None, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        for name, value in (("accounts", accounts), ("meetings", meetings), ("seed", seed)):
            check_setting(name, value)
        self.api_key: str = api_key
        self.token_ttl = token_ttl
        self.plan: Plan = plan
        self.window = window
        self.latency = latency
        self.max_page_size = max_page_size
        self.oversize: Literal["clamp", "refuse"] = oversize
        self.page_numbers: Literal["honour", "ignore"] = page_numbers
        self.expired_answer = expired_answer
        self.update_answer: UpdateAnswer = update_answer
        self.delete_answer: DeleteAnswer = delete_answer
        self.daily_writes = daily_writes
        self.keep_requests = keep_requests
        self.clock = clock
        self.requests: list[SeenRequest] = []
        self.on_request: Callable[[SeenRequest], None] | None = None
        self._counts = {"calls": 0, "expired_answers": 0, "rate_limited": 0}
        self.app: Starlette = make_app(self._answer, self._time, self.expire_tokens, self._counts.copy)
        self._store = Store(db)
        self._service = self._open(accounts, meetings, seed)

    def _open(self, accounts: int, meetings: int, seed: int) -> Service:
        store = self._store
        if store.is_new:
            now = self.clock()
            for number in range(accounts):
                # S311: a world, not a secret. Accounts do not share a source, so that one more changes no other.
                mint = Mint(Random(f"{seed}/account/{number}"))  # noqa: S311
                account = mint.account(f"{_HOSTS[number % len(_HOSTS)]} {number + 1}", f"user{number + 1}@example.com")
                world = generate(mint, account, meetings, now)
                store.add_account(account)
                store.insert(account["accountId"], world.rows)
                store.set_detail(account["accountId"], world.details.items())
            store.set_meta("seed", str(seed))
            store.set_meta("api_key", self.api_key)
        self.api_key = store.meta("api_key") or self.api_key
        starts = int(store.meta("starts") or 0) + 1
        store.set_meta("starts", str(starts))
        return Service(self, store, int(store.meta("seed") or seed), starts)

    async def _answer(self, request: SeenRequest, api_key: str | None) -> Answer:
        self._counts["calls"] += 1
        self.requests.append(request)
        if self.keep_requests is not None:
            del self.requests[: max(len(self.requests) - self.keep_requests, 0)]
        if self.on_request is not None:
            self.on_request(request)
        if self.latency:
            await anyio.sleep(self.latency)
        with self._store.lock:
            answer = self._service.answer(request, api_key)
        self._counts["expired_answers"] += answer.kind == "expired"
        self._counts["rate_limited"] += answer.kind == "rate_limited"
        request.status = answer.status
        return answer

    def _time(self) -> float:
        return self.clock()

    @property
    def account_ids(self) -> list[str]:
        """The ids of the connected accounts, in the order in which they were connected."""
        return self._store.account_ids()

    def rows(self, account_id: str) -> list[dict[str, Any]]:
        """Tell the truth about a listing: every row as the list call sends it, in listing order."""
        self._known(account_id)
        return self._store.rows(account_id)

    def document(self, account_id: str, meeting_id: int | str) -> dict[str, Any]:
        """Tell the truth about a meeting: its detail, by id or by uuid; ``LookupError`` if there is none."""
        self._known(account_id)
        with self._store.lock:
            rows = self._store.series(account_id, str(meeting_id))
            if not rows:
                message = f"account {account_id} has no meeting {meeting_id!r}"
                raise LookupError(message)
            return self._service.detail(account_id, rows)

    def expire_tokens(self) -> int:
        """Kill every page token given out so far; return how many of them still lived."""
        with self._store.lock:
            return self._service.tokens.expire(self.clock(), self.token_ttl)

    def add_meeting(
        self, account_id: str, document: dict[str, Any] | None = None, at: int | None = None
    ) -> dict[str, Any]:
        """Add a meeting, or a further row of one, under way.

        Args:
            account_id: Whose.
            document: The row, or the detail, as it shall be; ``id`` and ``uuid`` are made up if it has none, and
                nothing else is. Without it, a scheduled meeting of tomorrow.
            at: The index in the listing that its row shall have; without it, the last.

        Returns:
            The row as it will be listed.
        """
        self._known(account_id)
        mint, now = self._service.mint, self.clock()
        with self._store.lock:
            if document is None:
                host = host_id(self._store.account(account_id) or {})
                start = zoom_time(now + DAY)
                data = {"type": 2, "title": "Added under way", "description": "", "startDate": start}
                rows, extra = writing.create(data, mint, host, mint.meeting_id(), now)
                row = rows[0]
            else:
                whole = {"uuid": mint.uuid(), "id": mint.meeting_id()} | document
                row = cut_agenda({name: value for name, value in whole.items() if name in _ROW_FIELDS})
                extra = {"fields": {name: value for name, value in whole.items() if row.get(name, row) != value}}
            self._store.insert(account_id, [row], at)
            if extra["fields"]:
                self._store.set_detail(account_id, [(row["id"], extra)])
        return row

    def remove_row(self, account_id: str, index: int) -> dict[str, Any]:
        """Take the row at an index out of the listing, and return it; ``IndexError`` if there is none."""
        self._known(account_id)
        return self._store.pop(account_id, index)

    def move_row(self, account_id: str, from_index: int, to_index: int) -> None:
        """Move a row: it has ``to_index`` afterwards. ``IndexError`` if there is none at ``from_index``."""
        self._known(account_id)
        with self._store.lock:
            self._store.insert(account_id, [self._store.pop(account_id, from_index)], to_index)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
        """Serve the application on a real socket as long as the context lasts; it yields the base URL.

        The server runs in a thread with an event loop of its own, whatever the caller runs on. Port 0 takes a free one.
        """
        return make_server(self.app, host, port)

    def close(self) -> None:
        """Close the database; what was in memory is gone."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _known(self, account_id: str) -> None:
        if self._store.account(account_id) is None:
            message = f"unknown account id {account_id!r}; there are {', '.join(self.account_ids) or 'none'}"
            raise LookupError(message)
