"""How calls end: what a call returns or raises, a write's state, and the number of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from faults.answers import ID
from pyas_async import (
    APIStatusError,
    DecodeError,
    MeetingDetail,
    OutcomeUnknownError,
    Page,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from pyas_async.errors import RateLimitScope, WriteState

READS = ("list", "get")
AGAIN = ("update", "delete")
"""Writes that may be repeated."""
CALLS = (*READS, "create", *AGAIN)
ATTEMPTS = 4
"""The attempts of the default policy."""
IN_TIME = 3
"""The attempts for which there is time if each takes its full 30 s, and the call 90 s."""


@attrs.frozen(kw_only=True)
class Ending:
    """How a call ended.

    Attributes:
        value: What it returned, in words; ``None`` if it raised.
        error: The type of the error.
        requests: The number of requests that reached the service.
        attempts: The number of attempts; the same number if every attempt could connect.
        state: The error's `write_state`.
        status: The error's `status`, if it has one.
        scope: The error's `scope`, for an error of a limit.
        retry_after: The error's `retry_after` in whole seconds, for an error of a limit.
    """

    value: str | None = None
    error: type[PyasError] | None = None
    requests: int = 1
    attempts: int = attrs.field(default=attrs.Factory(lambda self: self.requests, takes_self=True))
    state: WriteState | None = None
    status: int | None = None
    scope: RateLimitScope | None = None
    retry_after: int | None = None


Endings: TypeAlias = Mapping[str, Ending]
"""How each of the five calls ends."""


def ending_of(value: object, *, requests: int, attempts: int) -> Ending:
    """Return how a call ended, from its value or its error."""
    if not isinstance(value, PyasError):
        return Ending(value=_words(value), requests=requests, attempts=attempts)
    after = value.retry_after if isinstance(value, RateLimitError) else None
    return Ending(
        error=type(value),
        state=value.write_state,
        status=value.status if isinstance(value, APIStatusError) else None,
        scope=value.scope if isinstance(value, RateLimitError) else None,
        retry_after=None if after is None else round(after),
        requests=requests,
        attempts=attempts,
    )


def _words(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Page):
        return "the page" if [ID] == [row.id for row in value] else "another page"
    if isinstance(value, MeetingDetail):
        return "the meeting" if value.id == ID else "another meeting"
    return f"{type(value).__name__}: {value}"


def gives(**values: str) -> dict[str, Ending]:
    """Return endings of calls that return a value."""
    return {call: Ending(value=value) for call, value in values.items()}


ANSWERED: Endings = gives(
    list="the page", get="the meeting", create="the meeting", update="the meeting", delete="nothing"
)
"""The fault does no harm."""
EMPTY_IS_FINE: Endings = gives(update="nothing", delete="nothing")
"""An update and a delete need only the status of the response."""

UNASKED: Endings = gives(delete="nothing")
"""A delete reads only whether its response is a success."""
MISTAKEN: Endings = {
    **ANSWERED,
    "get": Ending(error=DecodeError),
    "update": Ending(error=DecodeError, state="unknown"),
}
"""The response belongs to another request, so it does not tell whether the requested write took place."""


def unsent(attempts: int = ATTEMPTS) -> Endings:
    """No connection can be opened, so nothing was sent."""
    states: dict[str, WriteState | None] = {call: None if call in READS else "not_sent" for call in CALLS}
    return {
        call: Ending(error=TransportError, requests=0, attempts=attempts, state=state) for call, state in states.items()
    }


def lost(error: type[PyasError] = TransportError, *, tries: int = ATTEMPTS, read: bool = True) -> Endings:
    """No complete response comes: repeatable calls are retried, and the outcome of a write that was sent is unknown."""

    def after(attempts: int, error: type[PyasError], state: WriteState | None = None) -> Ending:
        return Ending(error=error, state=state, requests=attempts if read else 0, attempts=attempts)

    writes = {call: after(tries, OutcomeUnknownError, "unknown") for call in AGAIN}
    once = after(1, OutcomeUnknownError, "unknown")
    return {**{call: after(tries, error) for call in READS}, "create": once, **writes}


LATE: Endings = lost(RequestTimeoutError, tries=IN_TIME)
"""No complete response comes in time."""


def unreadable(but: Endings | None = None) -> Endings:
    """The response reports success and cannot be read: a retry would give the same response, and a write is done."""
    endings = {call: Ending(error=DecodeError, state=None if call in READS else "done") for call in CALLS}
    return {**endings, **(but or {})}


def refused(error: type[APIStatusError], status: int, state: WriteState = "rejected") -> Endings:
    """The service refuses the request, and sending it again would change nothing."""
    return {call: Ending(error=error, status=status, state=None if call in READS else state) for call in CALLS}


def failed(status: int, error: type[APIStatusError] = ServerError, *, tries: int = ATTEMPTS) -> Endings:
    """The service fails: repeatable calls are retried."""
    return {
        call: Ending(
            error=error,
            status=status,
            requests=1 if call == "create" else tries,
            state=None if call in READS else "unknown",
        )
        for call in CALLS
    }


def limited(*, after: int | None = None, scope: RateLimitScope = "key", requests: int = ATTEMPTS) -> Endings:
    """A limit is reached: nothing was carried out, so any call may be sent again if the limit ends in time."""
    return {
        call: Ending(
            error=RateLimitError,
            status=429,
            scope=scope,
            retry_after=after,
            requests=requests,
            state=None if call in READS else "rejected",
        )
        for call in CALLS
    }
