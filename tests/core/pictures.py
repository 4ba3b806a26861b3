"""The picture of the states of a call, drawn by asking the exchange itself which state follows which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.exchanges import (
    BAD_CERTIFICATE,
    BAD_REQUEST,
    CREATE,
    DAY_LIMIT,
    DELETE,
    GARBAGE,
    GET,
    KEY_LIMIT,
    LOST,
    MEETING,
    NOT_IMPLEMENTED,
    SERVER_ERROR,
    TIMED_OUT,
    UNSENT,
    UPDATE,
    exchange_of,
)
from core.tools import NOON
from pyas_async._core.calls.messages import Call, Fail, Fault, Return, Send, Wait
from pyas_async.options import RetryPolicy

if TYPE_CHECKING:
    from pyas_async._core.calls.messages import ResponseOrFault

WORDS: dict[str, ResponseOrFault] = {
    "a response that can be read": MEETING,
    "no connection": UNSENT,
    "the key's limit": KEY_LIMIT,
    "a lost response": LOST,
    "a timeout": TIMED_OUT,
    "a 5xx": SERVER_ERROR,
    "a 4xx": BAD_REQUEST,
    "a 501": NOT_IMPLEMENTED,
    "the host's daily limit": DAY_LIMIT,
    "a certificate that does not match": BAD_CERTIFICATE,
    "a response that cannot be read": GARBAGE,
}
KINDS: dict[str, tuple[Call[Any], ...]] = {
    "a create": (CREATE,),
    "a read, an update or a delete": (GET, UPDATE, DELETE),
}
STATES = {Send: "SENT", Wait: "WAITING", Return: "RETURNED", Fail: "FAILED"}


def follows(call: Call[Any], happening: ResponseOrFault, *, last: bool = False) -> str:
    """Return the state after an attempt: after the first, or after the last if `last`."""
    exchange = exchange_of(call, retry=RetryPolicy(max_attempts=1) if last else None)
    assert isinstance(exchange.next(0.0), Send)
    exchange.on_send(NOON)
    action: object
    if isinstance(happening, Fault):
        action = exchange.on_fault(happening, now=0.0, jitter=1.0)
    else:
        action = exchange.on_response(happening, now=0.0, wall=NOON, jitter=1.0)
    if isinstance(action, Wait):
        assert isinstance(exchange.next(action.seconds), Send)
    return STATES[type(action)]


def picture_of_a_call() -> list[str]:
    """Draw the states of a call, and what leads from one to another."""
    for kind in KINDS.values():  # those of a kind are alike in everything
        assert all(len({follows(call, happening) for call in kind}) == 1 for happening in WORDS.values())
    lines = ["stateDiagram-v2", "    [*] --> READY", "    READY --> SENT: a slot and a connection are free"]
    assert "FAILED" == STATES[type(exchange_of(GET).next(90.0))]
    lines.append("    READY --> FAILED: the deadline is over")
    for state in ("RETURNED", "WAITING", "FAILED"):
        after = {
            word: [name for name, calls in KINDS.items() if follows(calls[0], happening) == state]
            for word, happening in WORDS.items()
        }
        every_kind = [word for word, kinds in after.items() if len(kinds) == len(KINDS)]
        if every_kind:
            lines.append(f"    SENT --> {state}: {', '.join(every_kind)}")
        for name in KINDS:
            some = [word for word, kinds in after.items() if kinds == [name]]
            if some:
                lines.append(f"    SENT --> {state}: {', '.join(some)}, of {name}")
    retried = [word for word, happening in WORDS.items() if follows(GET, happening) == "WAITING"]
    assert {"FAILED"} == {follows(GET, WORDS[word], last=True) for word in retried}
    lines.append("    SENT --> FAILED: any event that leads to WAITING, after the last attempt")
    return [*lines, "    WAITING --> READY: the pause is over", "    RETURNED --> [*]", "    FAILED --> [*]"]
