"""What travels between the decisions and the acts: a call, its answer, or the fault that came instead."""

import enum
from collections.abc import Callable, Generator, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar

import attrs

T = TypeVar("T")


class Repeat(enum.Enum):
    """What may be done again after an attempt whose answer was lost."""

    READ = "read"
    """Always: it changes nothing."""
    WRITE = "write"
    """Always: doing it twice is doing it once (PATCH, DELETE)."""
    CREATE = "create"
    """Only what provably never reached the service: there is no idempotency key."""


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """One call of the API, ready to be sent.

    Attributes:
        operation: Its name, as in ``"meetings.get"``.
        method: The HTTP method.
        path: The path, encoded.
        query: The query parameters in order, not encoded.
        body: The JSON body; ``None`` for none.
        secrets: What in it is nobody's business: a page token, a code, a state.
        repeat: What may be done again.
        read: Makes the model of a successful answer's body.
        steps: The same for what can take long: between two steps, others may have the event loop.
        account: Whose call it is, for fairness between accounts; empty if nobody's.
        meeting_id: The meeting it is about, if it is about one.
        carries_token: Whether it asks with a page token, so that an expired one may be the answer.
        not_after: When (monotonic) the page token is too old to be tried; ``None`` if the call has no such end.
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
    carries_token: bool = False
    not_after: float | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes something at the service."""
        return self.repeat is not Repeat.READ


@attrs.frozen
class Response:
    """What came back.

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
    """What came instead of an answer.

    Attributes:
        kind: ``"timeout"``, or ``"network"`` for everything else.
        text: What the network said; no secrets.
        sent: Whether the request may have reached the service. ``False`` only if it provably did not.
        hopeless: Whether the same request cannot do better next time, as with a certificate that does not fit.
        delivered: Whether the service answered with success, and its answer alone cannot be used: it is too
            large, or is not what its headers say.
    """

    kind: Literal["timeout", "network"]
    text: str
    sent: bool
    hopeless: bool = False
    delivered: bool = False


Outcome: TypeAlias = Response | Fault
