"""A sandbox on a socket, behind a proxy that spoils every tenth answer."""

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
    """Passes requests on to a sandbox, but for every tenth.

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
    """Fail without having done anything."""
    return document({"message": "down"}, 503)


def failed_afterwards(forward: Callable[[], bytes]) -> bytes:
    """Do as asked, then fail."""
    forward()
    return document({"message": "timeout"}, 504)


def hang_up(_: Callable[[], bytes]) -> None:
    """Hang up without having done anything."""


def lose(forward: Callable[[], bytes]) -> None:
    """Do as asked, and hang up."""
    forward()


def truncate(forward: Callable[[], bytes]) -> bytes:
    """Do as asked, and break off in the middle of the answer."""
    answer = forward().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    return answer[:-10]


def zooms_limit(_: Callable[[], bytes]) -> bytes:
    """Turn it away as Zoom does."""
    return document(DAY_LIMIT, 429)


def keys_limit(_: Callable[[], bytes]) -> bytes:
    """Turn it away as Pyas does, for no time at all."""
    return document(KEY_LIMIT, 429, Retry_After="0")


def not_found(_: Callable[[], bytes]) -> bytes:
    """Know of no such meeting."""
    return document({"code": 3001, "message": "Meeting does not exist: it."}, 404)


def no_json(forward: Callable[[], bytes]) -> bytes:
    """Do as asked, and answer something that nobody can read."""
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
    """Serve an account of so many meetings, with a fault in every tenth answer, of each kind in turn."""
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
    """Send a request on, and write down the answer."""
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
