"""How long a call lasts, how often it is tried, and the quota of retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exchanges import (
    BAD_CERTIFICATE,
    BAD_REQUEST,
    CALLS,
    CREATE,
    DAY_LIMIT,
    END,
    GET,
    KEY_LIMIT,
    LOST,
    MEETING,
    NOT_FOUND,
    SERVER_ERROR,
    TIMED_OUT,
    UNSENT,
    exchange_of,
    listing,
    play,
)
from core.strategies import brisk
from core.tools import NOON, answer
from pyas_async import PageTokenExpiredError, RateLimitError, RequestTimeoutError, RetryPolicy
from pyas_async._core.calls.exchange import MAX_WAIT
from pyas_async._core.calls.messages import Call, Fail, Fault, Response, Send, Wait
from pyas_async._core.calls.retry import RetryQuota, backoff

if TYPE_CHECKING:
    from pyas_async._core.calls.messages import ResponseOrFault

happenings = st.sampled_from(
    [LOST, TIMED_OUT, UNSENT, BAD_CERTIFICATE, KEY_LIMIT, DAY_LIMIT, SERVER_ERROR, NOT_FOUND, BAD_REQUEST, MEETING]
) | st.builds(
    lambda status, seconds: answer(status, {"error": "Rate limit exceeded"}, {"retry-after": str(seconds)}),
    st.sampled_from([429, 503, 408]),
    st.floats(0, 120) | st.integers(0, 10**7),
)
policies = st.builds(RetryPolicy, max_attempts=st.integers(1, 6), base=st.floats(0, 100), cap=st.floats(0, 60))


@brisk
@given(
    call=st.sampled_from(list(CALLS.values())),
    events=st.lists(happenings, min_size=8, max_size=8),
    retry=policies,
    deadline=st.floats(0.1, 200),
    timeout=st.floats(0.1, 100) | st.none(),
    parts=st.lists(st.floats(0, 1), min_size=8, max_size=8),
    jitter=st.floats(0, 1),
)
def test_bounds(
    call: Call[Any],
    events: list[ResponseOrFault],
    retry: RetryPolicy,
    deadline: float,
    timeout: float | None,
    parts: list[float],
    jitter: float,
) -> None:
    """No call is tried more often or lasts longer than it may, and every call comes to an end."""
    rest = iter(parts)
    played = play(
        call,
        events,
        took=lambda limit: next(rest) * (deadline if limit is None else limit),
        jitter=jitter,
        retry=retry,
        deadline=deadline,
        timeout=timeout,
    )

    assert END != played.value
    assert played.sent <= retry.max_attempts
    assert played.seconds <= deadline * (1 + 1e-9)


@brisk
@given(events=st.lists(happenings, min_size=8, max_size=8), retry=policies)
def test_create_is_never_repeated(events: list[ResponseOrFault], retry: RetryPolicy) -> None:
    """A create is sent again only after a fault before sending or a 429: only then it was certainly not carried out."""
    sent = play(CREATE, events, retry=retry, deadline=None).sent
    before_the_last = events[: sent - 1]

    assert all(
        (isinstance(event, Fault) and not event.sent) or (isinstance(event, Response) and event.status == 429)
        for event in before_the_last
    )


@brisk
@given(policy=policies, attempt=st.integers(1, 5_000), jitter=st.floats(0, 1))
def test_pause(policy: RetryPolicy, attempt: int, jitter: float) -> None:
    """A backoff is never below zero, never above its cap, and never above the ceiling of its attempt."""
    seconds = backoff(policy, attempt, jitter)

    assert 0 <= seconds <= policy.cap
    assert seconds <= policy.base * 2.0 ** min(attempt - 1, 1000)


@pytest.mark.parametrize("status", [429, 503])
def test_service_names_the_time(status: int) -> None:
    """A call waits at least as long as the service asks for, and at most a second longer."""
    limited = answer(status, {"error": "Later"}, {"retry-after": "20.5"})

    assert [20.5] == play(GET, [limited], jitter=0.0).waits
    assert [21.5] == play(GET, [limited], jitter=1.0, retry=RetryPolicy(base=30.0)).waits


def test_key_limit_stops_the_key() -> None:
    """Pyas's own limit pauses all calls of the key for the time that it names, the call that met it included."""
    exchange = exchange_of(GET)
    exchange.next(0.0)
    exchange.on_send(NOON)
    limited = answer(429, {"error": "Rate limit exceeded"}, {"retry-after": "20.5"})
    action = exchange.on_response(limited, now=0.0, wall=NOON, jitter=1.0)

    assert (Wait(0.0), 20.5) == (action, exchange.key_pause)


def test_no_useless_wait() -> None:
    """A wait that would outlast the deadline is not begun: the call fails now."""
    limited = answer(429, {"error": "Rate limit exceeded"}, {"retry-after": "100"})
    played = play(GET, [limited], deadline=90.0)

    assert ([], 1) == (played.waits, played.sent)
    assert isinstance(played.error, RateLimitError)
    assert 100.0 == played.error.retry_after


@pytest.mark.parametrize("seconds", [3_601.0, 30 * 86_400.0])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("bounds", [{"deadline": None}, {"waits_excluded": True}], ids=["none", "without waits"])
def test_no_endless_wait(status: int, seconds: float, bounds: dict[str, Any]) -> None:
    """No response makes a call wait for more than an hour, not even one without a limit for its waits."""
    limited = answer(status, {"error": "Rate limit exceeded"}, {"retry-after": str(seconds)})
    exchange = exchange_of(GET, **bounds)
    exchange.next(0.0)
    exchange.on_send(NOON)
    action = exchange.on_response(limited, now=0.0, wall=NOON, jitter=1.0)

    assert isinstance(action, Fail)
    assert seconds == getattr(action.error, "retry_after", seconds)
    assert (MAX_WAIT if status == 429 else None) == exchange.key_pause


@pytest.mark.parametrize(
    ("timeout", "deadline", "now", "limit"),
    [
        (30.0, 90.0, 0.0, 30.0),
        (30.0, 90.0, 80.0, 10.0),
        (None, 90.0, 80.0, 10.0),
        (30.0, None, 1e6, 30.0),
        (None, None, 0, None),
    ],
)
def test_limit_of_an_attempt(timeout: float | None, deadline: float | None, now: float, limit: float | None) -> None:
    """An attempt may take no longer than the timeout, and no longer than the time until the deadline."""
    assert Send(limit) == exchange_of(GET, timeout=timeout, deadline=deadline).next(now)


@pytest.mark.parametrize(("waits_excluded", "left"), [(True, 5.0), (False, -95.0)])
def test_wait_for_a_slot(waits_excluded: bool, left: float) -> None:
    """The deadline of pages and bulk calls excludes the wait for a slot; that of others includes it."""
    exchange = exchange_of(GET, deadline=10.0, waits_excluded=waits_excluded)
    exchange.on_wait(100.0)

    assert left == exchange.remaining(105.0)


def test_token_too_old() -> None:
    """A call whose page token is too old is not sent."""
    exchange = exchange_of(listing(not_after=100.0), deadline=None)

    assert Send(30.0, connect_within=1.0) == exchange.next(99.0)
    action = exchange.next(100.0)
    assert not isinstance(action, Send)
    assert isinstance(action.error, PageTokenExpiredError)
    assert 0 == action.error.status


@brisk
@given(
    events=st.lists(happenings, min_size=8, max_size=8),
    parts=st.lists(st.floats(0, 1), min_size=8, max_size=8),
    not_after=st.floats(0, 60),
)
def test_no_attempt_with_an_expired_token(events: list[ResponseOrFault], parts: list[float], not_after: float) -> None:
    """Whatever happens, no attempt begins when its page token is too old."""
    rest = iter(parts)
    played = play(listing(not_after), events, took=lambda _: next(rest) * 30, deadline=None)

    assert all(begun < not_after for begun in played.begun)


def test_quota_limits_retries() -> None:
    """Calls to a failing service fail at once when the retries of all calls are used up."""
    quota = RetryQuota(capacity=5)
    sent = [play(GET, [LOST] * 4, quota=quota).sent for _ in range(4)]

    assert [4, 3, 1, 1] == sent


def test_quota_recovers() -> None:
    """Successes return retries, but never more than the capacity."""
    quota = RetryQuota(capacity=2, refund=0.5)
    play(GET, [LOST] * 4, quota=quota)
    play(GET, [MEETING], quota=quota)
    play(GET, [MEETING], quota=quota)
    recovered = play(GET, [LOST] * 4, quota=quota).sent
    for _ in range(100):
        play(GET, [MEETING], quota=quota)

    assert (2, 2.0) == (recovered, quota.left)


@pytest.mark.parametrize(
    ("deadline", "waits_excluded", "not_after", "bound", "expected"),
    [
        (None, False, None, None, None),
        (None, False, None, 7.0, 7.0),
        (90.0, False, None, None, 80.0),
        (90.0, False, None, 7.0, 7.0),
        (15.0, False, None, 7.0, 5.0),
        (15.0, True, None, 7.0, 7.0),
        (15.0, True, None, None, None),
        (8.0, False, None, 7.0, 0.0),
        (90.0, False, 12.0, 7.0, 2.0),
        (90.0, False, 12.0, None, 2.0),
        (90.0, True, 5.0, None, 0.0),
    ],
)
def test_how_long_a_call_waits_for_a_connection(
    deadline: float | None, waits_excluded: bool, not_after: float | None, bound: float | None, expected: float | None
) -> None:
    """The wait ends at the given limit, the deadline or the expiry of the page token: the first of them, never below 0.

    A deadline that excludes waits does not end the wait.
    """
    call = attrs.evolve(GET, not_after=not_after)
    exchange = exchange_of(call, deadline=deadline, waits_excluded=waits_excluded)

    assert expected == exchange.max_connection_wait(10.0, bound)


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_no_connection_was_free(call: Call[Any]) -> None:
    """An attempt for which no connection was free was not sent, but counts as an attempt."""
    exchange = exchange_of(call, retry=RetryPolicy(max_attempts=3, base=1.0))
    exchange.max_connection_wait(0.0, 5.0)
    decided = [exchange.on_no_connection(now=1.0, jitter=1.0) for _ in range(3)]

    assert [1.0, 2.0] == [wait.seconds for wait in decided if isinstance(wait, Wait)]
    assert isinstance(last := decided[2], Fail)
    assert isinstance(last.error, RequestTimeoutError)
    assert "no connection was free within 5 s (timeout.pool)" in str(last.error)
    assert (3, "not_sent" if call.writes else None) == (exchange.attempt, last.error.write_state)
