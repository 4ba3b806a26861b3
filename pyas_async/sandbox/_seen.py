"""A request as the sandbox received it, for its handlers and for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Operation = Literal[
    "meetings.list",
    "meetings.get",
    "meetings.create",
    "meetings.update",
    "meetings.delete",
    "accounts.oauth_url",
    "accounts.connect",
]
"""The calls of the API."""

OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
"""All calls of the API."""
_COLLECTIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/zoom/meetings"): "meetings.list",
    ("POST", "/zoom/meetings"): "meetings.create",
    ("GET", "/zoom/oauth"): "accounts.oauth_url",
    ("POST", "/zoom/connect"): "accounts.connect",
}
_MEETINGS: Final[dict[str, Operation]] = {
    "GET": "meetings.get",
    "PATCH": "meetings.update",
    "DELETE": "meetings.delete",
}


@dataclass(slots=True)
class SeenRequest:
    """A request of the API.

    Attributes:
        method: The HTTP method, in upper case.
        path: The path as it was sent, still percent-encoded, without the query.
        query: The query parameters, decoded; the last value of a repeated one.
        body: The JSON body, parsed; None if there was none, or if it is not JSON.
        headers: The headers, with lower-case names and the API key masked.
        malformed: Whether there was a body that is not JSON.
        status: The status of the response; None until then, and if no response was sent.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    malformed: bool = False
    status: int | None = None

    @property
    def operation(self) -> Operation | None:
        """The call; None if the request is not a call of the API."""
        return operation_of(self.method, self.path)


def operation_of(method: str, path: str) -> Operation | None:
    """Return the call that a method and a raw path stand for; None if they are not a call of the API."""
    prefix, _, name = path.rpartition("/")
    if prefix == "/zoom/meetings":
        return _MEETINGS.get(method) if name else None
    return _COLLECTIONS.get((method, path))


def check_operation(name: object) -> None:
    """Raise ``ValueError`` if there is no such call."""
    if name not in OPERATIONS:
        message = f"operation must be one of {', '.join(OPERATIONS)}; got {name!r}"
        raise ValueError(message)
