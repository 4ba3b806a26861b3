"""A sandbox on a socket, behind a proxy that puts a fault into every tenth response."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from behind import behind
from pyas_async import RetryPolicy
from pyas_async.sandbox import Sandbox
from runtime.socket_server import KEY, KEY_LIMIT, document, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from runtime.socket_server import Seen

DAY_LIMIT = {"code": 429, "message": "You have exceeded the daily rate limit of (100) for Meeting API requests"}


@attrs.define
class Faulty:
    """Forwards requests to a sandbox, and answers every tenth with a fault.

    Attributes:
        url: Where it listens.
        sandbox: The service behind it.
        account_id: The service's only account.
        faults: The names of those that happened, in order.
    """

    url: str
    sandbox: Sandbox
    account_id: str
    faults: list[str]


def server_error(_: Callable[[], bytes]) -> bytes:
    """Answer with 500, and do not forward the request."""
    return document({"message": "down"}, 503)


def failed_afterwards(forward: Callable[[], bytes]) -> bytes:
    """Forward the request, then answer with 500."""
    forward()
    return document({"message": "timeout"}, 504)


def hang_up(_: Callable[[], bytes]) -> None:
    """Close the connection, and do not forward the request."""


def lose(forward: Callable[[], bytes]) -> None:
    """Forward the request, then close the connection without a response."""
    forward()


def truncate(forward: Callable[[], bytes]) -> bytes:
    """Forward the request, then cut the response in the middle."""
    answer = forward().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    return answer[:-10]


def zooms_limit(_: Callable[[], bytes]) -> bytes:
    """Answer with a 429 of Zoom's."""
    return document(DAY_LIMIT, 429)


def keys_limit(_: Callable[[], bytes]) -> bytes:
    """Answer with a 429 of Pyas's that is over at once."""
    return document(KEY_LIMIT, 429, Retry_After="0")


def not_found(_: Callable[[], bytes]) -> bytes:
    """Answer that there is no such meeting."""
    return document({"code": 3001, "message": "Meeting does not exist: it."}, 404)


def no_json(forward: Callable[[], bytes]) -> bytes:
    """Forward the request, then answer with a body that is not JSON."""
    forward()
    return document({"success": True, "data": []})


FAULTS: tuple[Callable[[Callable[[], bytes]], bytes | None], ...] = (
    server_error,
    failed_afterwards,
    hang_up,
    lose,
    truncate,
    zooms_limit,
    keys_limit,
    not_found,
    no_json,
)


MOST = RetryPolicy().max_attempts - 1
"""Faults that one call meets at most. Which call a fault strikes is the threads' affair: without this, a call would now
and then meet one in each of its attempts, and fail."""


@contextmanager
def faulty(meetings: int) -> Iterator[Faulty]:
    """Serve an account with this many meetings; every tenth response has a fault, of each kind in turn."""
    numbers = itertools.count(1)
    struck: Counter[tuple[str, str, bytes]] = Counter()
    due = 0
    lock = threading.Lock()

    def fault_of(call: tuple[str, str, bytes]) -> Callable[[Callable[[], bytes]], bytes | None] | None:
        nonlocal due
        with lock:
            due += next(numbers) % 10 == 0
            kind = FAULTS[len(front.faults) % len(FAULTS)]
            # A deletion in doubt that finds nothing has succeeded: there, this fault would be a lie.
            most = 1 if kind is not_found else MOST
            if not due or struck[call] >= most:
                return None
            due -= 1
            struck[call] += 1
            front.faults.append(kind.__name__)
            return kind

    def answer(seen: Seen) -> bytes | None:
        def forward() -> bytes:
            return written(ask(seen))

        kind = fault_of((seen.method, seen.target, seen.body))
        return forward() if kind is None else kind(forward)

    with (
        Sandbox(accounts=1, meetings=meetings, api_key=KEY, daily_writes=None) as sandbox,
        wire(answer) as server,
    ):
        ask = behind(sandbox)
        front = Faulty(server.url, sandbox, sandbox.account_ids[0], [])
        yield front


def written(answer: httpx.Response) -> bytes:
    """Forward a request, and return the response as bytes."""
    head = f"HTTP/1.1 {answer.status_code} Whatever\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(answer.content)}\r\n\r\n".encode() + answer.content
