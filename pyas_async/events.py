"""What ``on_event`` is told: one typed event for each thing the client does.

Calls, and the jobs that make many of them, are numbered; what belongs together has the same number, and whatever is
under way at the same moment has another. Each call that is begun ends, whatever becomes of it, and so does each job.
What was begun before anybody listened has the number 0.

Events carry no secrets: no key, no query string, no body.
"""

from typing import Literal, TypeAlias

import attrs

from pyas_async._public import public


@public
@attrs.frozen(kw_only=True)
class JobStarted:
    """What makes many calls has begun: a listing, the listings of many accounts, a bulk run.

    Attributes:
        job: Its number; no call, and no other job of the client, has the same.
        within: The job that it is a part of, as a listing is of `Meetings.iter_accounts`; ``None`` if of none.
        operation: What it is, as in ``"meetings.iter_all"``; ``"meetings.reconcile"`` is the search for a meeting whose
            create was not answered.
        account_id: Whose meetings it is about; ``None`` if about those of many.
    """

    job: int
    within: int | None
    operation: str
    account_id: str | None


@public
@attrs.frozen(kw_only=True)
class JobEnded:
    """A job has ended.

    The end of a loop that was left without closing its iterator is noticed when the iterator is garbage, and told
    before the next thing that happens.

    Attributes:
        job: Its number.
        operation: What it was.
        seconds: From its first step to its end, pauses of whoever reads included.
        outcome: ``"ok"`` if it came to its end; ``"failed"`` if an error ended it; ``"left"`` if nobody wanted more.
        error: The name of the error's class, if one ended it.
    """

    job: int
    operation: str
    seconds: float
    outcome: Literal["ok", "failed", "left"]
    error: str | None = None


@public
@attrs.frozen(kw_only=True)
class CallStarted:
    """A call has begun; nothing of it is sent yet.

    Attributes:
        call: Its number; no job, and no other call of the client, has the same.
        job: The job that makes it; ``None`` if it is made by itself.
        operation: Which call, as in ``"meetings.get"``.
        account_id: Whose meetings it is about; ``None`` if it is about nobody's.
    """

    call: int
    job: int | None
    operation: str
    account_id: str | None


@public
@attrs.frozen(kw_only=True)
class CallEnded:
    """A call has ended, one way or another.

    Attributes:
        call: Its number.
        operation: Which call.
        seconds: From its beginning to its end, with all waits.
        attempts: Requests sent for it; 0 if it shared those of another, or was never sent.
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
    """A request goes out.

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
    """An answer came, or none will.

    Attributes:
        call: The number of the call.
        operation: The call.
        attempt: Which request of the call.
        seconds: From sending to the last byte, or to the fault.
        status: The HTTP status; ``None`` if no whole answer arrived.
        fault: What the network said, if no whole answer arrived.
    """

    call: int
    operation: str
    attempt: int
    seconds: float
    status: int | None = None
    fault: str | None = None


@public
@attrs.frozen(kw_only=True)
class Waiting:
    """A call waits before its next request.

    Attributes:
        call: The number of the call.
        operation: The call.
        seconds: How long; for a wait on the call budget, how long at least; for a connection, 0, since nobody knows.
        reason: ``"retry"`` after a failed attempt, ``"budget"`` for room in the call budget, ``"connection"`` for one
            of `max_connections` to be free.
    """

    call: int
    operation: str
    seconds: float
    reason: Literal["retry", "budget", "connection"]


@public
@attrs.frozen(kw_only=True)
class PageReceived:
    """A page of a listing arrived.

    Attributes:
        job: The number of the listing.
        account_id: Whose listing.
        rows: Rows on the page.
        new: Rows among them that were not yielded before.
    """

    job: int

    account_id: str
    rows: int
    new: int


@public
@attrs.frozen(kw_only=True)
class ListingRestarted:
    """A page token died, and the listing is walked again from its start.

    Attributes:
        job: The number of the listing.
        account_id: Whose listing.
        reason: ``"age"`` if the token was too old to be tried, ``"answer"`` if the service refused it.
        yielded: Rows yielded so far, which the new walk skips.
    """

    job: int

    account_id: str
    reason: Literal["age", "answer"]
    yielded: int


@public
@attrs.frozen(kw_only=True)
class ListingDrifted:
    """A listing ended, and its total says that it changed while it was walked.

    Attributes:
        job: The number of the listing.
        account_id: Whose listing.
        reported: The total that the service reported last.
        yielded: Rows yielded.
    """

    job: int

    account_id: str
    reported: int
    yielded: int


@public
@attrs.frozen(kw_only=True)
class BudgetStoreFailed:
    """The store of a shared call budget could not be asked, and this process counts alone for a while.

    Attributes:
        fault: What was wrong with it.
        seconds: How long, before it is asked again.
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
    | BudgetStoreFailed
)
"""Everything that ``on_event`` can be told."""
