"""What passes between the code that decides and the code that sends.

The sending code gets a `Call` and, from the exchange, an action: `Send`, `Wait`, `Return` or `Fail`. It reports a
`Response`, or the `Fault` instead.
"""

import enum
from collections.abc import Callable, Generator, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote

import attrs
import msgspec

from pyas_async.errors import PyasError

T = TypeVar("T")


class Repeat(enum.Enum):
    """When a call may be sent again after an attempt without a response."""

    READ = "read"
    """Always: it changes nothing."""
    WRITE = "write"
    """Always: to do it twice has the same effect as to do it once (PATCH, DELETE)."""
    CREATE = "create"
    """Only if the request provably never reached the service: the API has no idempotency key."""


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """One call of the API, ready to be sent.

    Attributes:
        operation: Its name, as in ``"meetings.get"``.
        method: The HTTP method.
        path: The path, encoded.
        query: The query parameters in order, not encoded.
        body: The JSON body; ``None`` for none.
        secrets: The secrets in it: a page token, a code, a state.
        repeat: When it may be sent again after an attempt without a response.
        read: Makes the model from the body of a successful response.
        steps: Does the same in steps, for bodies that take long; other tasks may run between two of them.
        account: The account that it is made for, for fairness between accounts; empty if there is none.
        meeting_id: The meeting that it is about, if there is one.
        has_page_token: Whether it carries a page token, so that the service may answer that the token has expired.
        not_after: When (monotonic) the page token is too old to be sent; ``None`` if there is no such limit.
    """

    operation: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    read: Callable[[bytes], T] = attrs.field(eq=False)
    steps: Callable[[bytes], Generator[None, None, T]] | None = attrs.field(default=None, eq=False)
    query: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    repeat: Repeat = Repeat.READ
    account: str = ""
    meeting_id: int | str | None = None
    has_page_token: bool = False
    not_after: float | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes something at the service."""
        return self.repeat is not Repeat.READ

    @property
    def target(self) -> str:
        """The path and the query, encoded."""
        if not self.query:
            return self.path
        # Most values contain nothing that `quote` would have to encode.
        pairs = [
            f"{name}={value if value.isalnum() and value.isascii() else quote(value, safe='')}"
            for name, value in self.query
        ]
        return f"{self.path}?{'&'.join(pairs)}"


@attrs.frozen
class Response:
    """A response of the service.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        body: The whole body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class Fault:
    """Why an attempt has no usable response.

    Attributes:
        kind: ``"timeout"``, or ``"network"`` for everything else.
        text: What the network said; no secrets.
        sent: Whether the request may have reached the service. ``False`` only if it provably did not.
        permanent: Whether a retry must fail in the same way, as with a certificate that does not match.
        carried_out: Whether the service reported success, and only its response cannot be used: it is too large, or
            not encoded as its headers say.
        out_of_time: Whether the attempt was ended because the seconds of its `Send` had passed. The exchange adds to
            the text which setting that was.
    """

    kind: Literal["timeout", "network"]
    text: str
    sent: bool
    permanent: bool = False
    carried_out: bool = False
    out_of_time: bool = False


ResponseOrFault: TypeAlias = Response | Fault


# The actions are msgspec structs because every call makes several: they take the least time to make.
class Send(msgspec.Struct):
    """Send the request.

    Attributes:
        timeout: Seconds that the attempt may take, the last byte of the response included; ``None`` for no limit.
        connect_within: Seconds within which it must have a connection: after that, its page token is too old.
        fresh: Whether the connection must be one that has carried nothing before.
    """

    timeout: float | None
    connect_within: float | None = None
    fresh: bool = False


class Wait(msgspec.Struct):
    """Wait this many seconds, then ask the exchange again."""

    seconds: float


class Return(msgspec.Struct, Generic[T]):
    """Return this value: the call has succeeded."""

    value: T


class Fail(msgspec.Struct):
    """Raise this error: the call has failed."""

    error: PyasError
