"""The events that ``on_event`` receives: one type for each thing that the client does.

Calls have numbers, and so have jobs, which make many calls. Events of one call or job carry its number; calls and jobs
that run at the same time have different numbers. Every call and every job that starts also ends, with an event for
each. A call or job that started before the first handler was added has the number 0.

Events contain no secrets: no key, no query string, no body. Those in the headers of a response are masked.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from pyas_async._public import public


@public
@attrs.frozen(kw_only=True)
class JobStarted:
    """A job has started: a listing, the listings of many accounts, or a bulk run. A job makes many calls.

    Attributes:
        job: The job's number. No call and no other job of the client has the same number.
        within: The job that this one belongs to, as a listing belongs to `Meetings.iter_accounts`; ``None`` for a job
            on the top level.
        operation: The job, as in ``"meetings.iter_all"``. ``"meetings.reconcile"`` is the search for a meeting after
            the response to its create was lost.
        account_id: The account that it is about; ``None`` for a job about many accounts.
    """

    job: int
    within: int | None
    operation: str
    account_id: str | None


@public
@attrs.frozen(kw_only=True)
class JobEnded:
    """A job has ended.

    If a loop is left without closing its iterator, the job ends when the iterator is garbage-collected. The event comes
    before the client's next event.

    Attributes:
        job: The job's number.
        operation: The job, as in ``"meetings.iter_all"``.
        seconds: Time from its first step to its end, including the consumer's pauses.
        outcome: ``"ok"`` if it ran to its end, ``"failed"`` if an error ended it, ``"left"`` if the consumer stopped.
        error: The name of the error's class, if an error ended it.
    """

    job: int
    operation: str
    seconds: float
    outcome: Literal["ok", "failed", "left"]
    error: str | None = None


@public
@attrs.frozen(kw_only=True)
class CallStarted:
    """A call has started; no request of it has been sent yet.

    Attributes:
        call: The call's number. No job and no other call of the client has the same number.
        job: The number of the job that makes the call; ``None`` for a call outside of a job.
        operation: The call, as in ``"meetings.get"``.
        account_id: The account that it is about; ``None`` if it is about no account.
    """

    call: int
    job: int | None
    operation: str
    account_id: str | None


@public
@attrs.frozen(kw_only=True)
class CallEnded:
    """A call has ended.

    Attributes:
        call: The call's number.
        operation: The call, as in ``"meetings.get"``.
        seconds: Time from its start to its end, including all waits.
        attempts: Requests sent for it; 0 if it shared another call's requests, or if nothing was sent.
        outcome: ``"ok"``, ``"failed"``, or ``"cancelled"``.
        error: The name of the error's class, if it failed.
    """

    call: int
    operation: str
    seconds: float
    attempts: int
    outcome: Literal["ok", "failed", "cancelled"]
    error: str | None = None


@public
@attrs.frozen(kw_only=True)
class AttemptStarted:
    """A request is about to be sent.

    Attributes:
        call: The number of the call.
        operation: The call, as in ``"meetings.get"``.
        attempt: 1 for the first request of the call.
    """

    call: int
    operation: str
    attempt: int


@public
@attrs.frozen(kw_only=True)
class AttemptEnded:
    """A response has arrived, or the attempt has failed without one.

    Attributes:
        call: The number of the call.
        operation: The call.
        attempt: The number of the request within the call, from 1.
        seconds: Time from sending to the last byte of the response, or to the fault.
        status: The HTTP status; ``None`` if no complete response arrived.
        fault: The network's error, if no complete response arrived.
        headers: The headers of the response, with lower-case names; empty if no complete response arrived. Secrets are
            masked in their values.
    """

    call: int
    operation: str
    attempt: int
    seconds: float
    status: int | None = None
    fault: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict, eq=False, repr=False)


@public
@attrs.frozen(kw_only=True)
class Waiting:
    """A call waits before its next request.

    Attributes:
        call: The number of the call.
        operation: The call.
        seconds: How long; for a wait on the call budget, the minimum; for a connection, 0, since it is not known.
        reason: ``"retry"`` after a failed attempt, ``"budget"`` for a free slot in the call budget, ``"connection"``
            for a free one of `max_connections`.
    """

    call: int
    operation: str
    seconds: float
    reason: Literal["retry", "budget", "connection"]


@public
@attrs.frozen(kw_only=True)
class PageReceived:
    """A page of a listing has arrived.

    Attributes:
        job: The number of the listing.
        account_id: The account that is listed.
        rows: Rows on the page.
        new: How many of them have not been yielded before.
    """

    job: int

    account_id: str
    rows: int
    new: int


@public
@attrs.frozen(kw_only=True)
class ListingRestarted:
    """A page token expired, and the listing restarts from the first page.

    Attributes:
        job: The number of the listing.
        account_id: The account that is listed.
        reason: ``"age"`` if the token was too old to be used, ``"answer"`` if the service refused it.
        yielded: Rows yielded so far; the new walk skips them.
    """

    job: int

    account_id: str
    reason: Literal["age", "answer"]
    yielded: int


@public
@attrs.frozen(kw_only=True)
class ListingDrifted:
    """A listing ended, and its total shows that the listing changed while it was read.

    Attributes:
        job: The number of the listing.
        account_id: The account that is listed.
        reported: The total that the service reported last.
        yielded: Rows yielded.
    """

    job: int

    account_id: str
    reported: int
    yielded: int


@public
@attrs.frozen(kw_only=True)
class WatchPassed:
    """A watch has gone through all of its accounts once more.

    Attributes:
        job: The number of the watch.
        accounts: How many accounts there were.
        failing: How many of them are set aside.
        seconds: How long the pass took.
        lag: Seconds since the account was looked at that has waited longest.
    """

    job: int
    accounts: int
    failing: int
    seconds: float
    lag: float


@public
@attrs.frozen(kw_only=True)
class FieldsUnreadable:
    """A response has values that are not as documented. The fields are empty, and the models' `unreadable` has them.

    Attributes:
        call: The number of the call.
        operation: The call, as in ``"meetings.list"``.
        account_id: The account that it is about; ``None`` if it is about no account.
        fields: The fields, as in ``"Meeting.duration"``, each with the number of models in which it could not be read.
    """

    call: int
    operation: str
    account_id: str | None
    fields: tuple[tuple[str, int], ...]


@public
@attrs.frozen(kw_only=True)
class RowsSkipped:
    """Rows of a page have no identity, and are left out, as ``on_unreadable="skip"`` says.

    Attributes:
        job: The number of the listing; ``None`` for a single page.
        account_id: The account that is listed.
        rows: How many rows of the page these are.
        path: The first place that could not be read, as in ``$.data.meetings[3].id``.
        reason: What is wrong there.
    """

    job: int | None
    account_id: str
    rows: int
    path: str
    reason: str


@public
@attrs.frozen(kw_only=True)
class BudgetStoreFailed:
    """The store of a shared call budget failed. This process counts its calls alone for a while.

    Attributes:
        fault: The store's error.
        seconds: Seconds until the store is asked again.
    """

    fault: str
    seconds: float


Event: TypeAlias = (
    JobStarted
    | JobEnded
    | CallStarted
    | CallEnded
    | AttemptStarted
    | AttemptEnded
    | Waiting
    | PageReceived
    | ListingRestarted
    | ListingDrifted
    | WatchPassed
    | FieldsUnreadable
    | RowsSkipped
    | BudgetStoreFailed
)
"""Every event that ``on_event`` can receive."""
