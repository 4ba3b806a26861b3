"""The async Python SDK for Pyas's Zoom meetings API.

::

    async with PyasClient() as client:  # the key from PYAS_API_KEY
        async for meeting in client.meetings.iter_all(account_id="acc"):
            print(meeting.start_time, meeting.topic)

What is listed in ``__all__`` is public, and nothing else is; the sandbox is in `pyas_async.sandbox`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from pyas_async._core.pagination.listing_state import IterationStats
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async._version import __version__
from pyas_async.accounts import Accounts
from pyas_async.checkpoints import Checkpoint
from pyas_async.client import PyasClient
from pyas_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    BudgetTimeoutError,
    CheckpointError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    FieldError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    PageTokenExpiredError,
    PaginationError,
    PaginationIncompleteError,
    PaginationLoopError,
    PermissionDeniedError,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    WrongEventLoopError,
)
from pyas_async.meetings import Meetings
from pyas_async.models import ListType, Meeting, MeetingType, Page
from pyas_async.options import UNSET, MeetingId, Priority, RetryPolicy, Unset

if TYPE_CHECKING:
    from pyas_async._core.accounts import AccountsStats
    from pyas_async._core.codec.documents import from_dict, to_dict
    from pyas_async._core.ratelimit.store import BudgetLease, BudgetReport, BudgetStore
    from pyas_async._runtime.accounts.iterator import AccountsIterator
    from pyas_async._runtime.bulk.run import BulkRun
    from pyas_async.events import (
        AttemptEnded,
        AttemptStarted,
        BudgetStoreFailed,
        CallEnded,
        CallStarted,
        Event,
        JobEnded,
        JobStarted,
        ListingDrifted,
        ListingRestarted,
        PageReceived,
        Waiting,
    )
    from pyas_async.models import (
        Attendee,
        BreakoutRoom,
        ConnectedAccount,
        CountriesOrRegions,
        MeetingCreate,
        MeetingDetail,
        MeetingSettings,
        MeetingUpdate,
        Occurrence,
        Recurrence,
        TrackingField,
        ZoomRecurrence,
    )
    from pyas_async.outcomes import BulkStats, Outcome

__all__ = [
    "UNSET",
    "APIStatusError",
    "Accounts",
    "AccountsIterator",
    "AccountsStats",
    "AttemptEnded",
    "AttemptStarted",
    "Attendee",
    "AuthenticationError",
    "BadRequestError",
    "BreakoutRoom",
    "BudgetLease",
    "BudgetReport",
    "BudgetStore",
    "BudgetStoreFailed",
    "BudgetTimeoutError",
    "BulkRun",
    "BulkStats",
    "CallEnded",
    "CallStarted",
    "Checkpoint",
    "CheckpointError",
    "ClientClosedError",
    "ConfigurationError",
    "ConnectedAccount",
    "CountriesOrRegions",
    "DecodeError",
    "Event",
    "FieldError",
    "InvalidArgumentError",
    "IterationStats",
    "JobEnded",
    "JobStarted",
    "ListType",
    "ListingDrifted",
    "ListingRestarted",
    "Meeting",
    "MeetingCreate",
    "MeetingDetail",
    "MeetingId",
    "MeetingIterator",
    "MeetingSettings",
    "MeetingType",
    "MeetingUpdate",
    "Meetings",
    "NotFoundError",
    "Occurrence",
    "Outcome",
    "OutcomeUnknownError",
    "Page",
    "PageReceived",
    "PageTokenExpiredError",
    "PaginationError",
    "PaginationIncompleteError",
    "PaginationLoopError",
    "PermissionDeniedError",
    "Priority",
    "PyasClient",
    "PyasError",
    "RateBudget",
    "RateLimitError",
    "RateLimitSnapshot",
    "Recurrence",
    "RequestTimeoutError",
    "RetryPolicy",
    "ServerError",
    "TrackingField",
    "TransportError",
    "Unset",
    "Waiting",
    "WrongEventLoopError",
    "ZoomRecurrence",
    "__version__",
    "from_dict",
    "to_dict",
]

# What a program that lists meetings does not need is loaded when somebody asks for it: half of what there is to load.
_LATER = {
    "AccountsIterator": "_runtime.accounts.iterator",
    "AccountsStats": "_core.accounts",
    "AttemptEnded": "events",
    "AttemptStarted": "events",
    "Attendee": "models.requests",
    "BreakoutRoom": "models.settings",
    "BudgetLease": "_core.ratelimit.store",
    "BudgetReport": "_core.ratelimit.store",
    "BudgetStore": "_core.ratelimit.store",
    "BudgetStoreFailed": "events",
    "BulkRun": "_runtime.bulk.run",
    "BulkStats": "outcomes",
    "CallEnded": "events",
    "CallStarted": "events",
    "ConnectedAccount": "models.accounts",
    "CountriesOrRegions": "models.settings",
    "Event": "events",
    "JobEnded": "events",
    "JobStarted": "events",
    "ListingDrifted": "events",
    "ListingRestarted": "events",
    "MeetingCreate": "models.requests",
    "MeetingDetail": "models.details",
    "MeetingSettings": "models.settings",
    "MeetingUpdate": "models.requests",
    "Occurrence": "models.details",
    "Outcome": "outcomes",
    "PageReceived": "events",
    "Recurrence": "models.recurrence",
    "TrackingField": "models.details",
    "Waiting": "events",
    "ZoomRecurrence": "models.details",
    "from_dict": "_core.codec.documents",
    "to_dict": "_core.codec.documents",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever has that name)
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# A name is where users import it from: in tracebacks, in pickles, in the reference. Those above say so themselves.
for _public_thing in [globals()[_name] for _name in __all__ if _name not in _LATER]:
    if getattr(_public_thing, "__module__", "").startswith(f"{__name__}.") and not isinstance(_public_thing, Unset):
        _public_thing.__module__ = __name__
