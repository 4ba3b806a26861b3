"""The errors of a call say which call it was, its outcome and what to do, and contain no secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from core.exchanges import (
    CREATE,
    DELETE,
    GET,
    KEY_LIMIT,
    LOST,
    MEETING,
    NOT_SUCCESS,
    SERVER_ERROR,
    TIMED_OUT,
    UNSENT,
    UPDATE,
    listing,
    play,
)
from core.tools import NOON, answer
from pyas_async import (
    BudgetTimeoutError,
    ClientClosedError,
    DecodeError,
    OutcomeUnknownError,
    PyasError,
    RequestTimeoutError,
    RetryPolicy,
    TransportError,
)
from pyas_async._core.calls.exchange import Exchange
from pyas_async._core.calls.messages import Call, Fail, Fault, Return, Send
from pyas_async._core.calls.retry import Limits, RetryQuota, backoff
from pyas_async._core.codec import NotSuccessError, UnmaskedDecodeError, read_detail

if TYPE_CHECKING:
    from collections.abc import Generator

SECRET = "hush-5ecret"


def masked(text: str, *, limit: int | None = 500) -> str:
    """Mask one secret."""
    return text.replace(SECRET, "***")[:limit]


def begun(call: Call[Any], *, attempts: int = 1, **limits: Any) -> Exchange[Any]:  # noqa: ANN401
    """Begin a call whose secrets are masked, and send it this many times, one minute apart, from 12:00."""
    bounds: dict[str, Any] = {"timeout": 30.0, "deadline": 90.0, "retry": RetryPolicy(), **limits}
    exchange = Exchange(call, Limits(**bounds), RetryQuota(), now=0.0, mask=masked)
    for number in range(attempts):
        exchange.on_send(NOON + timedelta(minutes=number))
    return exchange


def error_of(action: object) -> PyasError:
    """Return the error with which a call has failed."""
    assert isinstance(action, Fail)
    return action.error


def test_faults_name_the_call() -> None:
    """The error has the text of the network, the name of the call, and the number of attempts if there were several."""
    once = str(play(GET, [UNSENT], retry=RetryPolicy.none()).error)
    often = str(play(GET, [TIMED_OUT] * 4).error)

    assert "meetings.get: refused" == once
    assert "meetings.get: read timed out (after 4 attempts)" == often


def test_kind_of_fault() -> None:
    """A timeout has another error class than every other fault."""
    assert RequestTimeoutError is type(play(GET, [TIMED_OUT] * 4).error)
    assert TransportError is type(play(GET, [LOST] * 4).error)


def test_unknown_outcome() -> None:
    """An unknown outcome says what was sent, when, what the network said, and to look before a repetition."""
    update = str(play(UPDATE, [LOST] * 4).error)
    create = str(play(CREATE, [TIMED_OUT]).error)

    for words in ("meetings.update: ", "the update of meeting 1 was sent at 12:00:00 UTC", "(reset)", "Look before"):
        assert words in update
    assert "the create was sent" in create
    assert "None" not in create


def test_unknown_outcome_has_the_time_of_the_last_attempt_sent() -> None:
    """The time is that of the last attempt that may have reached the service."""
    exchange = begun(UPDATE)
    exchange.on_fault(LOST, now=1.0, jitter=0.0)
    exchange.on_send(NOON + timedelta(minutes=1))
    exchange.on_response(SERVER_ERROR, now=2.0, wall=NOON, jitter=0.0)
    exchange.on_send(NOON + timedelta(minutes=2))
    exchange.on_fault(UNSENT, now=3.0, jitter=0.0)
    error = exchange.deadline_error()

    assert isinstance(error, OutcomeUnknownError)
    assert NOON + timedelta(minutes=1) == error.sent_at


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"deadline": 2.5}, "the call's 2.5 s (deadline=)"),
        ({"deadline": 0.1 + 0.2}, "the call's 0.3 s (deadline=)"),
        ({"deadline": 11.999_871, "whole_deadline": 90.0}, "the call's 90 s (deadline=)"),
    ],
)
def test_deadline(limits: dict[str, Any], expected: str) -> None:
    """The error of a deadline has its seconds as the user has set them, and the name of the call."""
    error = begun(GET, **limits).deadline_error()

    assert RequestTimeoutError is type(error)
    assert f"meetings.get: {expected} passed before an attempt" == str(error)


SLOW = Fault("timeout", "https://api.pyas.io: no whole answer", sent=True, out_of_time=True)


@pytest.mark.parametrize(
    ("limits", "spent", "expected"),
    [
        ({}, 0.0, "30 s (timeout=)"),
        ({}, 60.0, "30 s (timeout=)"),
        ({}, 61.234_567, "the call's 90 s (deadline=)"),
        ({"timeout": None}, 12.3, "the call's 90 s (deadline=)"),
        ({"deadline": None}, 1_000.0, "30 s (timeout=)"),
        ({"timeout": 0.5}, 0.1, "0.5 s (timeout=)"),
        ({"timeout": 17.0, "timeout_setting": "the phases of timeout="}, 0.1, "17 s (the phases of timeout=)"),
        ({"deadline": 12.345_678, "whole_deadline": 3_600.0}, 0.1, "the call's 3,600 s (deadline=)"),
    ],
)
@pytest.mark.parametrize("call", [GET, CREATE])
def test_attempt_that_took_too_long(call: Call[Any], limits: dict[str, Any], spent: float, expected: str) -> None:
    """The error names the setting whose time has passed, and its value as the user has set it, not what was left."""
    exchange = begun(call, attempts=0, retry=RetryPolicy.none(), **limits)
    send = exchange.next(spent)
    assert isinstance(send, Send)
    assert send.timeout is not None
    exchange.on_send(NOON)
    error = error_of(exchange.on_fault(SLOW, now=spent + send.timeout, jitter=0.0))

    assert f"https://api.pyas.io: no whole answer within {expected}" in str(error)
    assert SLOW.text in exchange.describe(SLOW)


@pytest.mark.parametrize(
    ("dies", "bound", "waits_excluded", "expected"),
    [
        (None, None, False, "the call's 90 s (deadline=)"),
        (None, 5.0, False, "5 s (timeout.pool)"),
        (None, 0.25, True, "0.25 s (timeout.pool)"),
        (70.0, None, True, "the life of the page token (page_token_ttl=)"),
    ],
)
def test_no_connection(dies: float | None, bound: float | None, waits_excluded: bool, expected: str) -> None:
    """If no connection becomes free, the error names what has ended the wait."""
    call = attrs.evolve(GET, not_after=dies)
    exchange = begun(call, attempts=0, retry=RetryPolicy.none(), waits_excluded=waits_excluded)
    exchange.max_connection_wait(12.345, bound)
    error = error_of(exchange.on_no_connection(now=13.0, jitter=0.0))

    assert f"meetings.get: no connection was free within {expected}" == str(error)


@pytest.mark.parametrize(
    ("fault", "call", "state"),
    [
        (None, GET, None),
        (None, UPDATE, "not_sent"),
        (UNSENT, UPDATE, "not_sent"),
        (LOST, UPDATE, "unknown"),
        (LOST, GET, None),
    ],
)
def test_closed(fault: Fault | None, call: Call[Any], state: str | None) -> None:
    """If the client is closed during a call, the error says so, names the call, and has the state of the write."""
    error = error_of(begun(call).on_closed(fault))

    assert ClientClosedError is type(error)
    assert call.operation in str(error)
    assert state == error.write_state


@pytest.mark.parametrize(
    "reason",
    [BudgetTimeoutError("no slot in time", retry_after=1.0), RequestTimeoutError("no slot in time")],
    ids=["budget", "deadline"],
)
def test_what_ended_a_write_in_doubt(reason: PyasError) -> None:
    """A write in doubt that runs out of time has an unknown outcome; the error says what it waited for."""
    exchange = begun(UPDATE)
    exchange.on_fault(LOST, now=1.0, jitter=0.0)
    error = exchange.with_write_state(reason)

    assert isinstance(error, OutcomeUnknownError)
    assert "no slot in time" in str(error)


def test_too_old_a_token() -> None:
    """The error of a page token that is too old says that nothing was sent."""
    for action in (
        begun(listing(not_after=5.0), attempts=0).next(5.0),
        begun(listing(not_after=5.0)).on_fault(UNSENT, now=5.0, jitter=0.0),
    ):
        error = error_of(action)
        assert "too old" in str(error)
        assert "nothing was sent" in str(error)


def test_faults_are_masked() -> None:
    """The text of the network is shown without secrets in every error."""
    said = f"reset by {SECRET}"
    for call, fault in (
        (GET, Fault("network", said, sent=True, permanent=True)),
        (CREATE, Fault("network", said, sent=True)),
        (UPDATE, Fault("network", said, sent=True, carried_out=True)),
    ):
        error = error_of(begun(call).on_fault(fault, now=1.0, jitter=0.0))
        assert "reset by ***" in str(error)


def test_unreadable_answers_are_masked() -> None:
    """The error of an unreadable response has the path and an excerpt, without secrets."""
    page = f'{{"meeting": {{"id": "{SECRET}"}}}}'
    error = error_of(begun(GET).on_response(answer(200, page.encode()), now=1.0, wall=NOON, jitter=0.0))

    assert isinstance(error, DecodeError)
    assert "$.meeting.id" == error.path
    assert "whole number" in error.reason
    assert '{"meeting": {"id": "***"}}' == error.excerpt


def test_reasons_are_masked() -> None:
    """The reason that the reader of a response gives is shown without secrets."""

    def read(body: bytes) -> None:
        raise UnmaskedDecodeError(f"it says {SECRET}", path="$.x", around=(f"x{SECRET}", f"y{SECRET}"))

    call = Call(operation="o", method="GET", path="/", read=read)
    error = error_of(begun(call).on_response(MEETING, now=1.0, wall=NOON, jitter=0.0))

    assert isinstance(error, DecodeError)
    assert ("it says ***", "x***y***", "$.x") == (error.reason, error.excerpt, error.path)


def test_refusals_are_masked() -> None:
    """The text of the service is shown without secrets."""
    error = error_of(begun(GET).on_response(answer(400, {"error": SECRET}), now=1.0, wall=NOON, jitter=0.0))

    assert "***" in str(error)
    assert SECRET not in str(error)


def test_what_a_response_returns() -> None:
    """A call returns the model of its response; the error of a response without success has its text."""
    refused = error_of(begun(GET).on_response(NOT_SUCCESS, now=1.0, wall=NOON, jitter=0.0))

    assert read_detail(MEETING.body) == play(GET, [MEETING]).value
    assert "x" in str(refused)
    assert "Rate limit" in str(play(GET, [answer(200, {"success": False, "error": "Rate limit of x"})]).error)


def read_in_steps(last: object) -> Call[Any]:
    """Make a call whose response is read in two steps, of which the last returns a value or raises an error."""

    def read(body: bytes) -> object:
        return ("at once", body)

    def steps(body: bytes) -> Generator[None, None, object]:
        yield
        yield
        if isinstance(last, Exception):
            raise last
        return (last, body)

    return Call(operation="meetings.list", method="GET", path="/zoom/meetings", read=read, steps=steps)


@pytest.mark.parametrize(("status", "steps"), [(199, 0), (200, 2), (201, 2), (299, 2), (300, 0)])
def test_which_responses_are_read_in_steps(status: int, steps: int) -> None:
    """A successful response that can take long is read in steps, which return the value; no other response is."""
    exchange = begun(read_in_steps("in steps"))
    taken = len(list(exchange.read_in_steps(answer(status, b"body"))))
    action = exchange.on_response(answer(status, b"body"), now=1.0, wall=NOON, jitter=0.0)

    assert steps == taken
    assert (Return(("in steps", b"body")) if steps else None) == (action if isinstance(action, Return) else None)


def test_a_response_that_needs_no_steps() -> None:
    """A response that takes no time is read without steps; any response can be read at once instead."""
    assert [] == list(begun(GET).read_in_steps(MEETING))
    action = begun(read_in_steps("in steps")).on_response(answer(200, b"body"), now=1.0, wall=NOON, jitter=0.0)
    assert Return(("at once", b"body")) == action


@pytest.mark.parametrize(
    ("last", "words"),
    [(NotSuccessError({"success": False, "error": "no such page"}), "no such page"), (DecodeError("cut"), "cut")],
)
def test_steps_that_fail(last: Exception, words: str) -> None:
    """If a response cannot be read in steps, or is no success, the call fails in `on_response`."""
    exchange = begun(read_in_steps(last))

    assert [None, None] == list(exchange.read_in_steps(answer(200, b"body")))
    assert words in str(error_of(exchange.on_response(answer(200, b"body"), now=1.0, wall=NOON, jitter=0.0)))


def test_a_response_that_is_too_large() -> None:
    """A write that the service answered with success is done, even if its response cannot be used."""
    too_large = Fault("network", "more than 16 MiB", sent=True, carried_out=True)

    assert ["DecodeError", "DecodeError done"] == [play(call, [too_large]).outcome for call in (GET, UPDATE)]


def test_what_is_no_success() -> None:
    """Only a status from 200 to 299 is a success, whatever the body is."""
    assert ["APIStatusError", "returned", "APIStatusError"] == [
        play(GET, [answer(status, MEETING.body)]).outcome for status in (199, 299, 300)
    ]


def test_an_expired_page_token() -> None:
    """Only a call with a page token can fail because of an expired one."""
    expired = answer(400, {"error": "The next page token is invalid or expired"})

    assert "PageTokenExpiredError" == play(listing(not_after=900.0), [expired]).outcome
    assert "BadRequestError" == play(GET, [expired]).outcome


def test_unmasked() -> None:
    """If there are no secrets, the whole text is shown."""
    assert "reset" in str(play(GET, [LOST] * 4).error)


@pytest.mark.parametrize(("waits_excluded", "waits"), [(True, [0.0]), (False, [])])
def test_pause_of_the_key_beyond_the_deadline(waits_excluded: bool, waits: list[float]) -> None:
    """A pause of the key beyond the deadline ends a call, unless its deadline excludes waits."""
    limited = answer(429, {"error": "Rate limit exceeded"}, {"retry-after": "90"})

    assert waits == play(GET, [limited], deadline=90.0, waits_excluded=waits_excluded).waits


def test_key_pauses_are_forgotten() -> None:
    """A pause of the key is reported once, and not by the next attempt. Without a time, it is a retry's backoff."""
    exchange = begun(GET, retry=RetryPolicy(base=4.0))
    assert None is exchange.key_pause
    exchange.on_response(KEY_LIMIT, now=0.0, wall=NOON, jitter=0.5)
    assert 2.0 == exchange.key_pause
    exchange.on_send(NOON)
    assert None is exchange.key_pause


def test_a_wait_beyond_the_token() -> None:
    """A backoff beyond the page token's expiry is left out, to use the token; a wait that the service names is kept."""
    later = answer(503, {}, {"retry-after": "8"})

    assert [0.0] == play(listing(not_after=5.0), [SERVER_ERROR], retry=RetryPolicy(base=5.0)).waits
    assert [4.0] == play(listing(not_after=5.0), [SERVER_ERROR], retry=RetryPolicy(base=4.0)).waits
    assert [9.0] == play(listing(not_after=5.0), [later], retry=RetryPolicy(base=5.0)).waits


def test_a_wait_up_to_the_deadline() -> None:
    """A call waits for a pause that ends before the deadline, but not for one that ends with it."""
    assert [4.0] == play(GET, [SERVER_ERROR], deadline=4.5, retry=RetryPolicy(base=4.0)).waits
    assert [] == play(GET, [SERVER_ERROR], deadline=4.0, retry=RetryPolicy(base=4.0)).waits


def test_deadline_to_the_moment() -> None:
    """At the deadline, no request is sent."""
    exchange = begun(GET, attempts=0, deadline=10.0)

    assert Send(0.5) == exchange.next(9.5)
    assert isinstance(exchange.next(10.0), Fail)


@pytest.mark.parametrize(
    ("status", "call", "waits"), [(500, GET, 1), (408, GET, 1), (408, UPDATE, 1), (505, GET, 0), (499, GET, 0)]
)
def test_what_is_tried_again(status: int, call: Call[Any], waits: int) -> None:
    """A call to a failing service, or one that took too long, is retried; one that must fail again is not."""
    assert waits == len(play(call, [answer(status, {"error": "x"})]).waits)


@pytest.mark.parametrize(
    ("status", "words", "waits"),
    [(503, "down", [30.0]), (429, "slow", [30.0]), (429, "the daily limit", []), (429, "this month's calls", [])],
)
def test_a_time_that_the_service_names(status: int, words: str, waits: list[float]) -> None:
    """A call waits for a time that the service names, also as a date, but not for Zoom's next day or next month."""
    later = answer(status, {"error": words}, {"retry-after": "2026-11-22T12:00:30Z"})

    assert waits == play(GET, [later], jitter=0.0).waits


def test_what_a_deleted_meeting_is_not() -> None:
    """A DELETE without a response has succeeded if the meeting is gone, not if the account is; the case is ignored."""
    assert "returned" == play(DELETE, [LOST, answer(404, {"error": "No such meeting"})]).outcome
    assert "NotFoundError unknown" == play(DELETE, [LOST, answer(404, {"error": "ACCOUNT gone"})]).outcome


def test_pause_doubles() -> None:
    """The ceiling of a backoff doubles with each attempt, up to the cap; the jitter takes a part of it."""
    policy = RetryPolicy(base=0.5, cap=6.0)

    assert [0.5, 1.0, 2.0, 4.0, 6.0, 6.0] == [backoff(policy, attempt, 1.0) for attempt in range(1, 7)]
    assert [0.0, 1.0] == [backoff(policy, 3, jitter) for jitter in (0.0, 0.5)]
    assert 6.0 == backoff(policy, 5_000, 1.0)
