"""What the errors of a call say: which call it was, what became of it, what to do, and nothing secret."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

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
from pyas_async._core.codec import Refused, read_detail

if TYPE_CHECKING:
    from collections.abc import Generator

SECRET = "hush-5ecret"


def begun(call: Call[Any], *, attempts: int = 1, **limits: Any) -> Exchange[Any]:  # noqa: ANN401
    """Begin a call whose secrets are masked, and send it so often, a minute apart from 12:00 on."""
    bounds: dict[str, Any] = {"timeout": 30.0, "deadline": 90.0, "retry": RetryPolicy(), **limits}
    exchange = Exchange(call, Limits(**bounds), RetryQuota(), now=0.0, mask=lambda text: text.replace(SECRET, "***"))
    for number in range(attempts):
        exchange.on_send(NOON + timedelta(minutes=number))
    return exchange


def error_of(action: object) -> PyasError:
    """Return the error with which a call has failed."""
    assert isinstance(action, Fail)
    return action.error


def test_faults_name_the_call() -> None:
    """What the network said is told with the call's name, and with the number of attempts if there were several."""
    once = str(play(GET, [UNSENT], retry=RetryPolicy.none()).error)
    often = str(play(GET, [TIMED_OUT] * 4).error)

    assert "meetings.get: refused" == once
    assert "meetings.get: read timed out (after 4 attempts)" == often


def test_kind_of_fault() -> None:
    """A timeout is told from every other fault."""
    assert RequestTimeoutError is type(play(GET, [TIMED_OUT] * 4).error)
    assert TransportError is type(play(GET, [LOST] * 4).error)


def test_unknown_outcome() -> None:
    """An unknown outcome says what was sent, when, what the network said, and to look before it is done again."""
    update = str(play(UPDATE, [LOST] * 4).error)
    create = str(play(CREATE, [TIMED_OUT]).error)

    for words in ("meetings.update: ", "the update of meeting 1 was sent at 12:00:00 UTC", "(reset)", "Look before"):
        assert words in update
    assert "the create was sent" in create
    assert "None" not in create


def test_unknown_outcome_tells_of_the_last_attempt_that_went_out() -> None:
    """The moment is that of the last attempt which may have reached the service, not of one that did not."""
    exchange = begun(UPDATE)
    exchange.on_fault(LOST, now=1.0, jitter=0.0)
    exchange.on_send(NOON + timedelta(minutes=1))
    exchange.on_response(SERVER_ERROR, now=2.0, wall=NOON, jitter=0.0)
    exchange.on_send(NOON + timedelta(minutes=2))
    exchange.on_fault(UNSENT, now=3.0, jitter=0.0)
    error = exchange.deadline_error()

    assert isinstance(error, OutcomeUnknownError)
    assert NOON + timedelta(minutes=1) == error.sent_at


def test_deadline() -> None:
    """A deadline that passed is told with its seconds and the call's name."""
    error = begun(GET, deadline=2.5).deadline_error()

    assert RequestTimeoutError is type(error)
    assert "meetings.get" in str(error)
    assert "2.5 s" in str(error)


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
    """A call under which the client was closed says so, by name, and what became of its write."""
    error = error_of(begun(call).on_closed(fault))

    assert ClientClosedError is type(error)
    assert call.operation in str(error)
    assert state == error.write_state


@pytest.mark.parametrize(
    "reason",
    [BudgetTimeoutError("no place in time", retry_after=1.0), RequestTimeoutError("no place in time")],
    ids=["budget", "deadline"],
)
def test_what_ended_a_write_in_doubt(reason: PyasError) -> None:
    """A write in doubt that ran out of time is one whose outcome is unknown, whatever it waited for; it says that."""
    exchange = begun(UPDATE)
    exchange.on_fault(LOST, now=1.0, jitter=0.0)
    error = exchange.with_write_state(reason)

    assert isinstance(error, OutcomeUnknownError)
    assert "no place in time" in str(error)


def test_too_old_a_token() -> None:
    """A page token that is too old says that nothing was sent."""
    for action in (
        begun(listing(not_after=5.0), attempts=0).next(5.0),
        begun(listing(not_after=5.0)).on_fault(UNSENT, now=5.0, jitter=0.0),
    ):
        error = error_of(action)
        assert "too old" in str(error)
        assert "nothing was sent" in str(error)


def test_faults_are_masked() -> None:
    """What the network says is shown without secrets, whatever becomes of the call."""
    said = f"reset by {SECRET}"
    for call, fault in (
        (GET, Fault("network", said, sent=True, permanent=True)),
        (CREATE, Fault("network", said, sent=True)),
        (UPDATE, Fault("network", said, sent=True, carried_out=True)),
    ):
        error = error_of(begun(call).on_fault(fault, now=1.0, jitter=0.0))
        assert "reset by ***" in str(error)


def test_unreadable_answers_are_masked() -> None:
    """An answer that cannot be read is told with its place and its beginning, without secrets."""
    page = f'{{"meeting": {{"id": "{SECRET}"}}}}'
    error = error_of(begun(GET).on_response(answer(200, page.encode()), now=1.0, wall=NOON, jitter=0.0))

    assert isinstance(error, DecodeError)
    assert "$.meeting.id" == error.path
    assert "whole number" in error.reason
    assert '{"meeting": {"id": "***"}}' == error.excerpt


def test_reasons_are_masked() -> None:
    """What a reader says of an answer is shown without secrets."""

    def read(body: bytes) -> None:
        raise DecodeError(f"it says {SECRET}", path="$.x", excerpt=f"x{SECRET}")

    call = Call(operation="o", method="GET", path="/", read=read)
    error = error_of(begun(call).on_response(MEETING, now=1.0, wall=NOON, jitter=0.0))

    assert isinstance(error, DecodeError)
    assert ("it says ***", "x***", "$.x") == (error.reason, error.excerpt, error.path)


def test_refusals_are_masked() -> None:
    """What the service says is shown without secrets."""
    error = error_of(begun(GET).on_response(answer(400, {"error": SECRET}), now=1.0, wall=NOON, jitter=0.0))

    assert "***" in str(error)
    assert SECRET not in str(error)


def test_what_an_answer_returns() -> None:
    """A call returns what its reader makes of the answer; one that says it failed is told by its own words."""
    refused = error_of(begun(GET).on_response(NOT_SUCCESS, now=1.0, wall=NOON, jitter=0.0))

    assert read_detail(MEETING.body) == play(GET, [MEETING]).value
    assert "x" in str(refused)
    assert "Rate limit" in str(play(GET, [answer(200, {"success": False, "error": "Rate limit of x"})]).error)


def read_in_steps(last: object) -> Call[Any]:
    """Make a call whose answer is read in two steps, the last of which gives a value or an error."""

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
def test_which_answers_are_read_in_steps(status: int, steps: int) -> None:
    """A success that can take long is read in steps, and what they made of it is returned; no other answer is."""
    exchange = begun(read_in_steps("in steps"))
    taken = len(list(exchange.read_in_steps(answer(status, b"body"))))
    action = exchange.on_response(answer(status, b"body"), now=1.0, wall=NOON, jitter=0.0)

    assert steps == taken
    assert (Return(("in steps", b"body")) if steps else None) == (action if isinstance(action, Return) else None)


def test_an_answer_that_needs_no_steps() -> None:
    """A call whose answers take no time to read has no steps; one that may have steps is read at once without them."""
    assert [] == list(begun(GET).read_in_steps(MEETING))
    action = begun(read_in_steps("in steps")).on_response(answer(200, b"body"), now=1.0, wall=NOON, jitter=0.0)
    assert Return(("at once", b"body")) == action


@pytest.mark.parametrize(
    ("last", "words"),
    [(Refused({"success": False, "error": "no such page"}), "no such page"), (DecodeError("cut"), "cut")],
)
def test_steps_that_fail(last: Exception, words: str) -> None:
    """An answer that cannot be read in steps, or says that it failed, fails the call when it is decided on."""
    exchange = begun(read_in_steps(last))

    assert [None, None] == list(exchange.read_in_steps(answer(200, b"body")))
    assert words in str(error_of(exchange.on_response(answer(200, b"body"), now=1.0, wall=NOON, jitter=0.0)))


def test_an_answer_that_is_too_large() -> None:
    """A write that the service answered with success is done, though its answer cannot be used."""
    too_large = Fault("network", "more than 16 MiB", sent=True, carried_out=True)

    assert ["DecodeError", "DecodeError done"] == [play(call, [too_large]).outcome for call in (GET, UPDATE)]


def test_what_is_no_success() -> None:
    """Only a status from 200 to 299 is a success, whatever comes with it."""
    assert ["APIStatusError", "returned", "APIStatusError"] == [
        play(GET, [answer(status, MEETING.body)]).outcome for status in (199, 299, 300)
    ]


def test_a_page_token_that_died() -> None:
    """Only a call that carries a page token can fail of a dead one."""
    expired = answer(400, {"error": "The next page token is invalid or expired"})

    assert "PageTokenExpiredError" == play(listing(not_after=900.0), [expired]).outcome
    assert "BadRequestError" == play(GET, [expired]).outcome


def test_unmasked() -> None:
    """Where there are no secrets, everything is shown."""
    assert "reset" in str(play(GET, [LOST] * 4).error)


@pytest.mark.parametrize(("waits_excluded", "waits"), [(True, [0.0]), (False, [])])
def test_pause_of_the_key_beyond_the_deadline(waits_excluded: bool, waits: list[float]) -> None:
    """A pause of the whole key that outlasts the deadline ends a call, but not a patient one, whose deadline moves."""
    limited = answer(429, {"error": "Rate limit exceeded"}, {"retry-after": "90"})

    assert waits == play(GET, [limited], deadline=90.0, waits_excluded=waits_excluded).waits


def test_key_pauses_are_forgotten() -> None:
    """What stopped the key is told once: the next attempt begins without it. Unnamed, it is drawn as a retry's is."""
    exchange = begun(GET, retry=RetryPolicy(base=4.0))
    assert None is exchange.key_pause
    exchange.on_response(KEY_LIMIT, now=0.0, wall=NOON, jitter=0.5)
    assert 2.0 == exchange.key_pause
    exchange.on_send(NOON)
    assert None is exchange.key_pause


def test_a_wait_beyond_the_token() -> None:
    """A pause that would outlive the page token is left out, so that the token can be tried; a wish is kept."""
    later = answer(503, {}, {"retry-after": "8"})

    assert [0.0] == play(listing(not_after=5.0), [SERVER_ERROR], retry=RetryPolicy(base=5.0)).waits
    assert [4.0] == play(listing(not_after=5.0), [SERVER_ERROR], retry=RetryPolicy(base=4.0)).waits
    assert [9.0] == play(listing(not_after=5.0), [later], retry=RetryPolicy(base=5.0)).waits


def test_a_wait_up_to_the_deadline() -> None:
    """A pause that ends before the deadline is waited for, one that ends with it is not."""
    assert [4.0] == play(GET, [SERVER_ERROR], deadline=4.5, retry=RetryPolicy(base=4.0)).waits
    assert [] == play(GET, [SERVER_ERROR], deadline=4.0, retry=RetryPolicy(base=4.0)).waits


def test_deadline_to_the_moment() -> None:
    """At the deadline nothing goes out any more."""
    exchange = begun(GET, attempts=0, deadline=10.0)

    assert Send(0.5) == exchange.next(9.5)
    assert isinstance(exchange.next(10.0), Fail)


@pytest.mark.parametrize(
    ("status", "call", "waits"), [(500, GET, 1), (408, GET, 1), (408, UPDATE, 1), (505, GET, 0), (499, GET, 0)]
)
def test_what_is_tried_again(status: int, call: Call[Any], waits: int) -> None:
    """A failing service and a request that took too long are tried again; what can never get better is not."""
    assert waits == len(play(call, [answer(status, {"error": "x"})]).waits)


@pytest.mark.parametrize(
    ("status", "words", "waits"),
    [(503, "down", [30.0]), (429, "slow", [30.0]), (429, "the daily limit", []), (429, "this month's calls", [])],
)
def test_a_time_that_the_service_names(status: int, words: str, waits: list[float]) -> None:
    """A time is waited for, also one that is a date; not for the host's next day at Zoom, nor for the next month."""
    later = answer(status, {"error": words}, {"retry-after": "2026-11-22T12:00:30Z"})

    assert waits == play(GET, [later], jitter=0.0).waits


def test_what_a_deleted_meeting_is_not() -> None:
    """A DELETE that was lost is done if the meeting is gone, not if the account is; words in any case."""
    assert "returned" == play(DELETE, [LOST, answer(404, {"error": "No such meeting"})]).outcome
    assert "NotFoundError unknown" == play(DELETE, [LOST, answer(404, {"error": "ACCOUNT gone"})]).outcome


def test_pause_doubles() -> None:
    """The ceiling of a pause doubles with each attempt, up to the cap; jitter takes a part of it."""
    policy = RetryPolicy(base=0.5, cap=6.0)

    assert [0.5, 1.0, 2.0, 4.0, 6.0, 6.0] == [backoff(policy, attempt, 1.0) for attempt in range(1, 7)]
    assert [0.0, 1.0] == [backoff(policy, 3, jitter) for jitter in (0.0, 0.5)]
    assert 6.0 == backoff(policy, 5_000, 1.0)
