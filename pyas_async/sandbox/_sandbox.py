"""The `Sandbox` class: the application, its settings, its data and its request log in one object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, Self

import anyio

from pyas_async.sandbox._data import SandboxData, populate
from pyas_async.sandbox._extras import make_app, make_server
from pyas_async.sandbox._faults import Body, Fault, FaultQueue, apply_fault, queued_fault
from pyas_async.sandbox._seen import operation_of
from pyas_async.sandbox._service import Service
from pyas_async.sandbox._settings import DeleteAnswer, Plan, UpdateAnswer, check_setting
from pyas_async.sandbox._store import Store
from pyas_async.sandbox._times import DATE_FORMAT
from pyas_async.sandbox._transport import InProcess

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from starlette.applications import Starlette

    from pyas_async.sandbox._responses import ApiResponse
    from pyas_async.sandbox._seen import Operation, SeenRequest


class Sandbox(SandboxData):
    """A stand-in for the Pyas Zoom-meetings service, with generated accounts and meetings.

    Use :meth:`transport` in process, or :meth:`serve` for a real socket. Every setting is also an attribute, and may be
    changed at any time.

    Args:
        accounts: The number of connected accounts.
        meetings: Listed rows of each account.
        seed: The same seed (and the same time) makes the same data.
        api_key: See :class:`Settings`, also for the arguments below except ``db``.
        token_ttl: In seconds.
        plan: The plan whose rate limit holds.
        window: In seconds.
        latency: In seconds.
        max_page_size: Rows.
        oversize: What happens to requests for larger pages.
        page_numbers: Whether ``pageNumber`` is honoured.
        date_format: How ``startDate`` and ``endDate`` write a day, as for ``strftime``.
        expired_answer: A key of ``EXPIRED_ANSWERS``.
        update_answer: The response to PATCH.
        delete_answer: The response to DELETE.
        daily_writes: Per account; None means no limit.
        keep_requests: How many of :attr:`requests` to keep; None keeps all.
        db: A file for the data, which outlives the sandbox; for one sandbox at a time. If it already has data, they
            are used, with its accounts, seed and API key; ``accounts``, ``meetings``, ``seed`` and ``api_key`` are
            ignored.
        clock: Returns the time, in epoch seconds.
        sleep: Waits, for ``latency``.

    Attributes:
        app: The ASGI application.
        requests: The requests of the API so far, in order.
        on_request: Called with each request of the API before it is answered, in the server's thread.

    Raises:
        ValueError: A setting is not valid, ``db`` is not a sandbox's file, or another sandbox runs on it.
        MissingExtraError: Starlette or uvicorn is not installed.
    """

    def __init__(
        self, *, accounts: int = 3, meetings: int = 100, seed: int = 0, api_key: str = "sandbox-key",
        token_ttl: float = 900.0, plan: Plan = "none", window: float = 300.0, latency: float = 0.0,
        max_page_size: int = 300, oversize: Literal["clamp", "refuse"] = "clamp",
        page_numbers: Literal["honour", "ignore"] = "honour", date_format: str = DATE_FORMAT,
        expired_answer: str = "zoom_400",
        update_answer: UpdateAnswer = "success", delete_answer: DeleteAnswer = "success",
        daily_writes: int | None = 100, keep_requests: int | None = None,
        db: str | os.PathLike[str] | None = None, clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
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
        self.date_format: str = date_format
        self.expired_answer = expired_answer
        self.update_answer: UpdateAnswer = update_answer
        self.delete_answer: DeleteAnswer = delete_answer
        self.daily_writes = daily_writes
        self.keep_requests = keep_requests
        self.clock = clock
        self.sleep = sleep
        self.requests: list[SeenRequest] = []
        self.on_request: Callable[[SeenRequest], None] | None = None
        self._faults = FaultQueue()
        self._closed = False
        self._counts = {"calls": 0, "expired_answers": 0, "rate_limited": 0}
        self.app: Starlette = make_app(self._respond, self._time, self.expire_tokens, self._counts.copy)
        self._store = Store(db)
        try:
            self._service = self._open(accounts, meetings, seed)
        except BaseException:
            self._store.close()
            raise

    def _open(self, accounts: int, meetings: int, seed: int) -> Service:
        store = self._store
        # One transaction: a process that is killed meanwhile leaves a file without data, not with a part of them.
        with store.transaction():
            if store.meta("api_key") is None:
                now = self.clock()
                for number in range(accounts):
                    populate(store, seed, number, meetings=meetings, now=now)
                store.set_meta("seed", str(seed))
                store.set_meta("api_key", self.api_key)
            self.api_key = store.meta("api_key") or self.api_key
            starts = int(store.meta("starts") or 0) + 1
            store.set_meta("starts", str(starts))
            return Service(self, store, int(store.meta("seed") or seed), starts)

    async def _respond(self, request: SeenRequest, api_key: str | None) -> ApiResponse:
        self._counts["calls"] += 1
        self.requests.append(request)
        if self.keep_requests is not None:
            del self.requests[: max(len(self.requests) - self.keep_requests, 0)]
        if self.on_request is not None:
            self.on_request(request)
        if self.latency:
            await self.sleep(self.latency)
        with self._store.lock:
            queued = self._faults.pop(request.operation)

            def carry_out() -> ApiResponse:
                return self._service.respond(request, api_key)

            response = carry_out() if queued is None else apply_fault(queued, carry_out)
        self._counts["expired_answers"] += response.kind == "expired"
        self._counts["rate_limited"] += response.kind == "rate_limited"
        if response.delivery == "sent":
            request.status = response.status
        return response

    def _time(self) -> float:
        return self.clock()

    def expire_tokens(self) -> int:
        """Expire all page tokens issued so far; return how many of them were still valid."""
        with self._store.lock:
            return self._service.tokens.expire(self.clock(), self.token_ttl)

    def fail_next(
        self,
        fault: int | Fault = 503,
        *,
        times: int = 1,
        operation: Operation | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make the next request fail. Faults occur in the order in which they were added.

        Args:
            fault: An HTTP status to answer with, instead of carrying out the request; or a fault of the network:
                ``"unreachable"``: the connection fails, and no request is seen (over a socket, like ``"dropped"``).
                ``"dropped"``: the connection is closed before the request is carried out.
                ``"hang"``: the request is not carried out, and no response ever comes.
                ``"lost"``: the request is carried out, and the connection is closed without a response.
                ``"garbage"``: the request is carried out, and the body of the response is not JSON.
            times: How many requests meet the fault.
            operation: The call that meets it, as in ``"meetings.create"``; other calls are served. Default: any.
            body: The body of the response with that status, as an object or text; default: the service's usual body.
            headers: Further headers of that response.

        Raises:
            ValueError: There is no such fault, or no such call.
        """
        queued = queued_fault(fault, times=times, operation=operation, body=body, headers=headers)
        with self._store.lock:
            self._faults.faults.append(queued)

    def rate_limit(self, seconds: float | None = None) -> None:
        """Answer every call with 429 for some time, as if other programs had used up the key's calls.

        Args:
            seconds: For how long; default: a whole ``window``. 0 ends it.
        """
        seconds = self.window if seconds is None else seconds
        check_setting("seconds", seconds)
        with self._store.lock:
            self._service.calls.exhaust(self.clock() + seconds)

    def transport(self) -> InProcess:
        """Return a transport to this sandbox without a socket: ``httpx.AsyncClient(transport=sandbox.transport())``."""

        def refuses(method: str, path: str) -> bool:
            with self._store.lock:
                if self._closed:
                    return True
                return self._faults.pop(operation_of(method, path), only="unreachable") is not None

        return InProcess(self.app, refuses)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
        """Serve the application on a real socket, as long as the context lasts; the context's value is the base URL.

        The server runs in a thread with its own event loop, so the caller may run on any or none. Port 0 takes a free
        port.

        Raises:
            ValueError: There is no such port.
            OSError: The address cannot be used.
        """
        check_setting("port", port)
        return make_server(self.app, host, port)

    def close(self) -> None:
        """Close the database: data in memory are lost, and transports fail to connect."""
        self._closed = True
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
