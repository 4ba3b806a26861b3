"""The async Python SDK for Pyas's Zoom meetings API.

::

    async with PyasClient() as client:  # the key from PYAS_API_KEY
        async for meeting in client.meetings.iter_all(account_id="acc"):
            print(meeting.start_time, meeting.topic)

What is listed in ``__all__`` is public, and nothing else is; the sandbox is in `pyas_async.sandbox`.
"""

from typing import TYPE_CHECKING

from pyas_async._core.pagination.listing_state import IterationStats
from pyas_async._core.ratelimit.budget import RateBudget, RateLimitSnapshot
from pyas_async._public import lazy_exports
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
    from pyas_async._core.codec.rows import row_types, to_row
    from pyas_async._core.ratelimit.store import BudgetLease, BudgetReport, BudgetStore
    from pyas_async._core.sync.state import SyncState
    from pyas_async._core.sync.store import SyncStore
    from pyas_async._runtime.accounts.iterator import AccountsIterator
    from pyas_async._runtime.bulk.run import BulkRun
    from pyas_async._runtime.sync.feed import ChangeFeed
    from pyas_async._runtime.sync.sqlite_store import SqliteSyncStore
    from pyas_async._runtime.sync.watcher import Watcher
    from pyas_async.changes import Change, ChangeStats, WatchStats
    from pyas_async.events import (
        AttemptEnded,
        AttemptStarted,
        BudgetStoreFailed,
        CallEnded,
        CallStarted,
        Event,
        FieldsUnreadable,
        JobEnded,
        JobStarted,
        ListingDrifted,
        ListingRestarted,
        PageReceived,
        RowsSkipped,
        Waiting,
        WatchPassed,
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
else:
    # About half of the package is not needed by a program that only lists meetings.
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "_core.accounts": ["AccountsStats"],
            "_core.codec.documents": ["from_dict", "to_dict"],
            "_core.codec.rows": ["row_types", "to_row"],
            "_core.ratelimit.store": ["BudgetLease", "BudgetReport", "BudgetStore"],
            "_core.sync.state": ["SyncState"],
            "_core.sync.store": ["SyncStore"],
            "_runtime.accounts.iterator": ["AccountsIterator"],
            "_runtime.bulk.run": ["BulkRun"],
            "_runtime.sync.feed": ["ChangeFeed"],
            "_runtime.sync.sqlite_store": ["SqliteSyncStore"],
            "_runtime.sync.watcher": ["Watcher"],
            "changes": ["Change", "ChangeStats", "WatchStats"],
            "events": [
                "AttemptEnded",
                "AttemptStarted",
                "BudgetStoreFailed",
                "CallEnded",
                "CallStarted",
                "Event",
                "FieldsUnreadable",
                "JobEnded",
                "JobStarted",
                "ListingDrifted",
                "ListingRestarted",
                "PageReceived",
                "RowsSkipped",
                "Waiting",
                "WatchPassed",
            ],
            "models": [
                "Attendee",
                "BreakoutRoom",
                "ConnectedAccount",
                "CountriesOrRegions",
                "MeetingCreate",
                "MeetingDetail",
                "MeetingSettings",
                "MeetingUpdate",
                "Occurrence",
                "Recurrence",
                "TrackingField",
                "ZoomRecurrence",
            ],
            "outcomes": ["BulkStats", "Outcome"],
        },
    )

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
    "Change",
    "ChangeFeed",
    "ChangeStats",
    "Checkpoint",
    "CheckpointError",
    "ClientClosedError",
    "ConfigurationError",
    "ConnectedAccount",
    "CountriesOrRegions",
    "DecodeError",
    "Event",
    "FieldError",
    "FieldsUnreadable",
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
    "RowsSkipped",
    "ServerError",
    "SqliteSyncStore",
    "SyncState",
    "SyncStore",
    "TrackingField",
    "TransportError",
    "Unset",
    "Waiting",
    "WatchPassed",
    "WatchStats",
    "Watcher",
    "WrongEventLoopError",
    "ZoomRecurrence",
    "__version__",
    "from_dict",
    "row_types",
    "to_dict",
    "to_row",
]
