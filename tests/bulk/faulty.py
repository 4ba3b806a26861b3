"""A sandbox on a socket, behind a proxy that puts a fault into every tenth response."""

from __future__ import annotations

import http.client
import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from pyas_async.sandbox import Sandbox
from runtime.wires import KEY, KEY_LIMIT, document, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.wires import Seen

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


@contextmanager
def faulty(meetings: int) -> Iterator[Faulty]:
    """Serve an account with this many meetings; every tenth response has a fault, of each kind in turn."""
    numbers = itertools.count(1)
    kinds = itertools.cycle(FAULTS)
    lock = threading.Lock()

    def answer(seen: Seen) -> bytes | None:
        def forward() -> bytes:
            return passed_on(seen, port)

        with lock:
            kind = next(kinds) if next(numbers) % 10 == 0 else None
            if kind is not None:
                front.faults.append(kind.__name__)
        return forward() if kind is None else kind(forward)

    with (
        Sandbox(accounts=1, meetings=meetings, api_key=KEY, daily_writes=None) as sandbox,
        sandbox.serve() as url,
        wire(answer) as server,
    ):
        port = int(url.rpartition(":")[2])
        front = Faulty(server.url, sandbox, sandbox.account_ids[0], [])
        yield front


def passed_on(seen: Seen, port: int) -> bytes:
    """Forward a request, and return the response as bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {name: seen.headers[name] for name in ("x-api-key", "content-type") if name in seen.headers}
        connection.request(seen.method, seen.target, seen.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    head = f"HTTP/1.1 {answer.status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
