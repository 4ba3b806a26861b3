"""One call's life: what is done again, what is never done again, and what is said of a write in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.exchanges import (
    BAD,
    CALLS,
    CREATE,
    DAY_LIMIT,
    DELETE,
    END,
    FAILED,
    GARBAGE,
    GET,
    GONE,
    HOPELESS,
    KEY_LIMIT,
    LATE,
    LOST,
    MEETING,
    NEVER,
    NO_ACCOUNT,
    REFUSED,
    UNSENT,
    UPDATE,
    exchange_of,
    play,
)
from core.tools import NOON, answer
from pyas_async import OutcomeUnknownError
from pyas_async._core.calls.exchange import Send
from pyas_async._core.calls.messages import Call, Repeat

if TYPE_CHECKING:
    from core.exchanges import Happening

NOTHING = answer(204)
OTHERS = answer(200, {"success": True, "meeting": {"id": 2}})

# What happened in turn; then the outcome of a read, of a create, of an update and of a delete.
TABLE: list[tuple[Any, ...]] = [
    ([MEETING], "returned", "returned", "returned", "returned"),
    ([GARBAGE], "DecodeError", "DecodeError done", "DecodeError done", "DecodeError done"),
    ([REFUSED], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([BAD], "BadRequestError", *["BadRequestError rejected"] * 3),
    ([GONE], "NotFoundError", *["NotFoundError rejected"] * 3),
    ([answer(401, {})], "AuthenticationError", *["AuthenticationError rejected"] * 3),
    ([answer(403, {})], "PermissionDeniedError", *["PermissionDeniedError rejected"] * 3),
    ([answer(409, {})], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([answer(302, {})], "APIStatusError", *["APIStatusError unknown"] * 3),
    ([answer(307, {})], "APIStatusError", *["APIStatusError rejected"] * 3),
    ([NEVER], "ServerError", *["ServerError unknown"] * 3),
    ([HOPELESS], "TransportError", *["TransportError not_sent"] * 3),
    ([LOST], END, "OutcomeUnknownError unknown", END, END),
    ([LATE], END, "OutcomeUnknownError unknown", END, END),
    ([FAILED], END, "ServerError unknown", END, END),
    ([UNSENT, MEETING], *["returned"] * 4),
    ([KEY_LIMIT, MEETING], *["returned"] * 4),
    ([DAY_LIMIT], "RateLimitError", *["RateLimitError rejected"] * 3),
    ([UNSENT] * 4, "TransportError", *["TransportError not_sent"] * 3),
    ([KEY_LIMIT] * 4, "RateLimitError", *["RateLimitError rejected"] * 3),
    ([KEY_LIMIT, *[UNSENT] * 3], "TransportError", *["TransportError rejected"] * 3),
    ([UNSENT, KEY_LIMIT, UNSENT, LOST], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([KEY_LIMIT, LATE] * 2, "RequestTimeoutError", *["OutcomeUnknownError unknown"] * 3),
    ([UNSENT, BAD], "BadRequestError", *["BadRequestError rejected"] * 3),
    ([LOST, MEETING], "returned", "OutcomeUnknownError unknown", "returned", "returned"),
    ([LOST] * 4, "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, UNSENT, UNSENT, UNSENT], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, HOPELESS], "TransportError", *["OutcomeUnknownError unknown"] * 3),
    ([LOST, BAD], "BadRequestError", "OutcomeUnknownError unknown", *["BadRequestError unknown"] * 2),
    ([LOST, GARBAGE], "DecodeError", "OutcomeUnknownError unknown", *["DecodeError done"] * 2),
    ([FAILED] * 4, "ServerError", *["ServerError unknown"] * 3),
    ([FAILED, MEETING], "returned", "ServerError unknown", "returned", "returned"),
    ([LOST, GONE], "NotFoundError", "OutcomeUnknownError unknown", "NotFoundError unknown", "returned"),
    ([FAILED, GONE], "NotFoundError", "ServerError unknown", "NotFoundError unknown", "returned"),
    ([UNSENT, GONE], "NotFoundError", *["NotFoundError rejected"] * 3),
    ([KEY_LIMIT, GONE], "NotFoundError", *["NotFoundError rejected"] * 3),
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
def test_table(events: list[Happening], call: Call[Any], outcome: str) -> None:
    """For each kind of call and each course of things there is one outcome, and a write says what became of it."""
    assert outcome == play(call, events).outcome


@pytest.mark.parametrize(
    ("call", "outcome"), [(GET, "RequestTimeoutError"), (CREATE, "RequestTimeoutError not_sent")], ids=["GET", "CREATE"]
)
def test_deadline_before_sending(call: Call[Any], outcome: str) -> None:
    """A deadline that passes before anything was sent says so."""
    exchange = exchange_of(call, deadline=1.0)
    action = exchange.next(2.0)

    assert not isinstance(action, Send)
    assert outcome == f"{type(action.error).__name__} {action.error.write_state or ''}".strip()


@pytest.mark.parametrize("call", [UPDATE, DELETE], ids=["UPDATE", "DELETE"])
def test_deadline_after_a_lost_answer(call: Call[Any]) -> None:
    """A write whose answer was lost is unknown, also where the deadline passes before it could be tried again."""
    exchange = exchange_of(call, deadline=10.0)
    exchange.next(0.0)
    exchange.sending(NOON)
    exchange.on_fault(LOST, now=1.0, chance=0.0)
    action = exchange.next(11.0)

    assert not isinstance(action, Send)
    assert isinstance(action.error, OutcomeUnknownError)


def test_unknown_outcome_tells_what_is_known() -> None:
    """An unknown outcome names the call, the meeting and the moment."""
    error = play(UPDATE, [LOST] * 4).error

    assert isinstance(error, OutcomeUnknownError)
    assert ("meetings.update", 1, NOON) == (error.operation, error.meeting_id, error.sent_at)


def test_every_kind_is_in_the_table() -> None:
    """The table knows each class of repetition."""
    assert set(Repeat) == {call.repeat for call in CALLS.values()}


@pytest.mark.parametrize("name", CALLS)
def test_what_needs_a_fresh_connection(name: str) -> None:
    """A create always does; any other call does after an attempt without an answer, and not after an answer."""
    call = CALLS[name]
    exchange = exchange_of(call)

    def fresh() -> bool:
        action = exchange.next(0.0)
        assert isinstance(action, Send)
        exchange.sending(NOON)
        return action.fresh

    assert (call is CREATE) == fresh()
    exchange.on_fault(UNSENT if call is CREATE else LOST, now=0.0, chance=0.0)
    assert fresh()
    exchange.on_answer(FAILED, now=0.0, wall=NOON, chance=0.0)
    assert (call is CREATE) == fresh()
