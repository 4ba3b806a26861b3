"""One call's life: what is retried, what is never sent again, and the final state of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.exchanges import (
    BAD_CERTIFICATE,
    BAD_REQUEST,
    CALLS,
    CREATE,
    DAY_LIMIT,
    DELETE,
    END,
    GARBAGE,
    GET,
    KEY_LIMIT,
    LOST,
    MEETING,
    NO_ACCOUNT,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    NOT_SUCCESS,
    SERVER_ERROR,
    TIMED_OUT,
    UNSENT,
    UPDATE,
    exchange_of,
    play,
)
from core.tools import NOON, answer
from pyas_async import OutcomeUnknownError
from pyas_async._core.calls.messages import Call, Repeat, Send

if TYPE_CHECKING:
    from pyas_async._core.calls.messages import ResponseOrFault

NOTHING = answer(204)
OTHERS = answer(200, {"success": True, "meeting": {"id": 2}})

# The events in order; then the outcome for a read, a create, an update and a delete.
TABLE: list[tuple[Any, ...]] = [
    ([MEETING], "returned", "returned", "returned", "returned"),
    ([GARBAGE], "DecodeError", "DecodeError done", "DecodeError done", "DecodeError done"),
    ([NOT_SUCCESS], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([BAD_REQUEST], "BadRequestError", *["BadRequestError rejected"] * 3),
    ([NOT_FOUND], "NotFoundError", *["NotFoundError rejected"] * 3),
    ([answer(401, {})], "AuthenticationError", *["AuthenticationError rejected"] * 3),
    ([answer(403, {})], "PermissionDeniedError", *["PermissionDeniedError rejected"] * 3),
    ([answer(409, {})], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([answer(302, {})], "APIStatusError", *["APIStatusError unknown"] * 3),
    ([answer(307, {})], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([NOT_IMPLEMENTED], "ServerError", *["ServerError unknown"] * 3),
    ([BAD_CERTIFICATE], "TransportError", *["TransportError not_sent"] * 3),
    ([LOST], END, "OutcomeUnknownError unknown", END, END),
    ([TIMED_OUT], END, "OutcomeUnknownError unknown", END, END),
    ([SERVER_ERROR], END, "ServerError unknown", END, END),
    ([UNSENT, MEETING], *["returned"] * 4),
    ([KEY_LIMIT, MEETING], *["returned"] * 4),
    ([DAY_LIMIT], "RateLimitError", *["RateLimitError rejected"] * 3),
    ([UNSENT] * 4, "TransportError", *["TransportError not_sent"] * 3),
    ([KEY_LIMIT] * 4, "RateLimitError", *["RateLimitError rejected"] * 3),
    ([KEY_LIMIT, *[UNSENT] * 3], "TransportError", *["TransportError rejected"] * 3),
    ([UNSENT, KEY_LIMIT, UNSENT, LOST], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([KEY_LIMIT, TIMED_OUT] * 2, "RequestTimeoutError", *["OutcomeUnknownError unknown"] * 3),
    ([UNSENT, BAD_REQUEST], "BadRequestError", *["BadRequestError rejected"] * 3),
    ([LOST, MEETING], "returned", "OutcomeUnknownError unknown", "returned", "returned"),
    ([LOST] * 4, "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, UNSENT, UNSENT, UNSENT], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, BAD_CERTIFICATE], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, BAD_REQUEST], "BadRequestError", "OutcomeUnknownError unknown", *["BadRequestError unknown"] * 2),
    ([LOST, GARBAGE], "DecodeError", "OutcomeUnknownError unknown", *["DecodeError done"] * 2),
    ([SERVER_ERROR] * 4, "ServerError", *["ServerError unknown"] * 3),
    ([SERVER_ERROR, MEETING], "returned", "ServerError unknown", "returned", "returned"),
    ([LOST, NOT_FOUND], "NotFoundError", "OutcomeUnknownError unknown", "NotFoundError unknown", "returned"),
    ([SERVER_ERROR, NOT_FOUND], "NotFoundError", "ServerError unknown", "NotFoundError unknown", "returned"),
    ([UNSENT, NOT_FOUND], "NotFoundError", *["NotFoundError rejected"] * 3),
    ([KEY_LIMIT, NOT_FOUND], "NotFoundError", *["NotFoundError rejected"] * 3),
    ([LOST, NO_ACCOUNT], "NotFoundError", "OutcomeUnknownError unknown", *["NotFoundError unknown"] * 2),
    ([NOTHING], "DecodeError", "DecodeError done", "returned", "returned"),
    ([OTHERS], "DecodeError", "returned", "DecodeError unknown", "returned"),
    ([LOST, OTHERS], "DecodeError", "OutcomeUnknownError unknown", "DecodeError unknown", "returned"),
]
ROWS = [
    pytest.param(events, CALLS[name], outcome, id=f"{name}-{number}")
    for number, (events, *outcomes) in enumerate(TABLE)
    for name, outcome in zip(CALLS, outcomes, strict=True)
]


@pytest.mark.parametrize(("events", "call", "outcome"), ROWS)
def test_table(events: list[ResponseOrFault], call: Call[Any], outcome: str) -> None:
    """Each kind of call has one outcome for each sequence of events, with the state of a write."""
    assert outcome == play(call, events).outcome


@pytest.mark.parametrize(
    ("call", "outcome"), [(GET, "RequestTimeoutError"), (CREATE, "RequestTimeoutError not_sent")], ids=["GET", "CREATE"]
)
def test_deadline_before_sending(call: Call[Any], outcome: str) -> None:
    """If the deadline passes before anything was sent, the error says so."""
    exchange = exchange_of(call, deadline=1.0)
    action = exchange.next(2.0)

    assert not isinstance(action, Send)
    assert outcome == f"{type(action.error).__name__} {action.error.write_state or ''}".strip()


@pytest.mark.parametrize("call", [UPDATE, DELETE], ids=["UPDATE", "DELETE"])
def test_deadline_after_a_lost_answer(call: Call[Any]) -> None:
    """A write without a response has an unknown outcome, also if the deadline passes before a retry."""
    exchange = exchange_of(call, deadline=10.0)
    exchange.next(0.0)
    exchange.on_send(NOON)
    exchange.on_fault(LOST, now=1.0, jitter=0.0)
    action = exchange.next(11.0)

    assert not isinstance(action, Send)
    assert isinstance(action.error, OutcomeUnknownError)


def test_unknown_outcome_tells_what_is_known() -> None:
    """An unknown outcome names the call, the meeting and the time."""
    error = play(UPDATE, [LOST] * 4).error

    assert isinstance(error, OutcomeUnknownError)
    assert ("meetings.update", 1, NOON) == (error.operation, error.meeting_id, error.sent_at)


def test_every_kind_is_in_the_table() -> None:
    """The table has a call of each kind of `Repeat`."""
    assert set(Repeat) == {call.repeat for call in CALLS.values()}


@pytest.mark.parametrize("name", CALLS)
def test_what_needs_a_fresh_connection(name: str) -> None:
    """A create always needs one; another call needs one after an attempt without a response, and only then."""
    call = CALLS[name]
    exchange = exchange_of(call)

    def fresh() -> bool:
        action = exchange.next(0.0)
        assert isinstance(action, Send)
        exchange.on_send(NOON)
        return action.fresh

    assert (call is CREATE) == fresh()
    exchange.on_fault(UNSENT if call is CREATE else LOST, now=0.0, jitter=0.0)
    assert fresh()
    exchange.on_response(SERVER_ERROR, now=0.0, wall=NOON, jitter=0.0)
    assert (call is CREATE) == fresh()
