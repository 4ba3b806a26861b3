"""Clients, their options, events and errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, assert_never, assert_type

import httpx

from pyas_async import (
    APIStatusError,
    AttemptEnded,
    AttemptStarted,
    BudgetStoreFailed,
    BudgetTimeoutError,
    CallEnded,
    CallStarted,
    Event,
    FieldError,
    FieldsUnreadable,
    JobEnded,
    JobStarted,
    ListingDrifted,
    ListingRestarted,
    Meeting,
    OutcomeUnknownError,
    PageReceived,
    PyasClient,
    PyasError,
    RateBudget,
    RateLimitError,
    RateLimitSnapshot,
    RequestTimeoutError,
    RetryPolicy,
    RowsSkipped,
    Waiting,
    WatchPassed,
)


async def fetched_key() -> str:
    """Return a key, asynchronously."""
    return "key"


def key_at_hand() -> str:
    """Return a key."""
    return "key"


def on_every_event(event: Event) -> None:
    """Every kind of event is named here: a new one would be an error."""
    match event:
        case AttemptStarted() | AttemptEnded():
            assert_type(event.attempt, int)
        case JobStarted() | CallStarted():
            assert_type(event.account_id, str | None)
        case JobEnded():
            assert_type(event.outcome, Literal["ok", "failed", "left"])
        case CallEnded():
            assert_type(event.outcome, Literal["ok", "failed", "cancelled"])
        case Waiting():
            assert_type(event.reason, Literal["retry", "budget", "connection"])
        case PageReceived() | ListingRestarted() | ListingDrifted():
            assert_type(event.account_id, str)
        case FieldsUnreadable():
            assert_type(event.fields, tuple[tuple[str, int], ...])
        case RowsSkipped():
            assert_type(event.path, str)
        case BudgetStoreFailed() | WatchPassed():
            assert_type(event.seconds, float)
        case _:
            assert_never(event)


def on_some_events(event: Event) -> None:
    """A forgotten kind of event is an error."""
    match event:
        case JobStarted() | JobEnded() | CallStarted() | CallEnded() | AttemptStarted() | AttemptEnded():
            pass
        case Waiting() | PageReceived() | ListingRestarted():
            pass
        case _:
            assert_never(event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def on_waiting(event: Waiting) -> None:
    """Accept one kind of event."""
    print(event.seconds)


async def on_event_async(event: Event) -> None:
    """Accept events in a coroutine, which is too late."""
    print(event)


class Application(PyasClient):
    """A client class of the user's own."""


def clients(pool: httpx.AsyncClient, plain: httpx.Client) -> None:
    """A key may come from an async function; budgets, pools and policies have their own types."""
    PyasClient()
    PyasClient("key", timeout=None, deadline=10, retry=None, budget=RateBudget.growth(share=0.5), http_client=pool)
    PyasClient(fetched_key, timeout=httpx.Timeout(5), retry=RetryPolicy(max_attempts=2), on_event=on_every_event)
    PyasClient(key_at_hand)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient("key", "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PyasClient(http_client=plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(budget=100)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(timeout="5s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(priority="urgent")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(on_event=on_waiting)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PyasClient(on_event=on_event_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def views(client: Application) -> None:
    """A view has the class of its client, and so has the target of `async with`."""
    assert_type(client.for_account("acc"), Application)
    assert_type(client.with_options(priority="bulk", timeout=None, headers={"a": "b"}), Application)
    async with client as entered:
        assert_type(entered, Application)
    assert_type(client.subscribe(on_every_event), Callable[[], None])
    assert_type(client.rate_limit, RateLimitSnapshot)
    assert_type(client.rate_limit.resets_at, datetime | None)
    client.subscribe(on_event_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.with_options(max_connections=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.with_options(headers={"a": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    client.for_account(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.rate_limit = None  # type: ignore[misc, assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with client:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


async def errors(client: PyasClient) -> None:
    """Errors have typed attributes; those of timeouts are TimeoutErrors as well."""
    try:
        await client.meetings.get(1)
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.scope, Literal["key", "host_day", "month", "unknown"])
    except APIStatusError as error:
        assert_type(error.status, int)
        assert_type(error.code, int | str | None)
        assert_type(error.errors, tuple[FieldError, ...])
        error.retry_after  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    except OutcomeUnknownError as error:
        assert_type(error.candidates, tuple[Meeting, ...])
        assert_type(error.sent_at, datetime)
    except PyasError as error:
        print(error.checkpoint)
    timeouts: list[type[TimeoutError]] = [BudgetTimeoutError, RequestTimeoutError]
    print(timeouts)
