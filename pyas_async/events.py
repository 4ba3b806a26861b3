"""What ``on_event`` is told: one typed event for each thing the client does.

Events carry no secrets: no key, no query string, no body.
"""

from typing import Literal, TypeAlias

import attrs

from pyas_async._public import public


@public
@attrs.frozen(kw_only=True)
class AttemptStarted:
    """A request goes out.

    Attributes:
        operation: The call, as in ``"meetings.get"``.
        attempt: 1 for the first request of the call.
    """

    operation: str
    attempt: int


@public
@attrs.frozen(kw_only=True)
class AttemptEnded:
    """An answer came, or none will.

    Attributes:
        operation: The call.
        attempt: Which request of the call.
        seconds: From sending to the last byte, or to the fault.
        status: The HTTP status; ``None`` if no whole answer arrived.
        fault: What the network said, if no whole answer arrived.
    """

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
        operation: The call.
        seconds: How long; for a wait on the call budget, how long at least.
        reason: ``"retry"`` after a failed attempt, ``"budget"`` for room in the call budget.
    """

    operation: str
    seconds: float
    reason: Literal["retry", "budget"]


@public
@attrs.frozen(kw_only=True)
class PageReceived:
    """A page of a listing arrived.

    Attributes:
        account_id: Whose listing.
        rows: Rows on the page.
        new: Rows among them that were not yielded before.
    """

    account_id: str
    rows: int
    new: int


@public
@attrs.frozen(kw_only=True)
class ListingRestarted:
    """A page token died, and the listing is walked again from its start.

    Attributes:
        account_id: Whose listing.
        reason: ``"age"`` if the token was too old to be tried, ``"answer"`` if the service refused it.
        yielded: Rows yielded so far, which the new walk skips.
    """

    account_id: str
    reason: Literal["age", "answer"]
    yielded: int


@public
@attrs.frozen(kw_only=True)
class ListingDrifted:
    """A listing ended, and its total says that it changed while it was walked.

    Attributes:
        account_id: Whose listing.
        reported: The total that the service reported last.
        yielded: Rows yielded.
    """

    account_id: str
    reported: int
    yielded: int


Event: TypeAlias = AttemptStarted | AttemptEnded | Waiting | PageReceived | ListingRestarted | ListingDrifted
"""Everything that ``on_event`` can be told."""
