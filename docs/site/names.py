"""The pages of the reference, and the public names on each. A test checks that every public name is on a page."""

REFERENCE = {
    "Client": ["PyasClient", "Meetings", "Accounts", "RateLimitSnapshot"],
    "Listings": [
        "MeetingIterator",
        "IterationStats",
        "AccountsIterator",
        "AccountsStats",
        "Checkpoint",
    ],
    "Changes": [
        "ChangeFeed",
        "Change",
        "ChangeStats",
        "Watcher",
        "WatchStats",
        "SyncState",
        "SyncStore",
        "SqliteSyncStore",
    ],
    "Many calls": ["BulkRun", "BulkStats", "Outcome"],
    "Options and budgets": [
        "RetryPolicy",
        "RateBudget",
        "BudgetStore",
        "BudgetReport",
        "BudgetLease",
        "Priority",
        "MeetingId",
        "UNSET",
        "Unset",
        "__version__",
    ],
    "What to ask for": ["MeetingCreate", "MeetingUpdate", "Attendee", "Recurrence", "MeetingType", "ListType"],
    "What comes back": [
        "Page",
        "Meeting",
        "MeetingDetail",
        "MeetingSettings",
        "BreakoutRoom",
        "CountriesOrRegions",
        "Occurrence",
        "TrackingField",
        "ZoomRecurrence",
        "ConnectedAccount",
        "to_dict",
        "from_dict",
        "to_row",
        "row_types",
    ],
    "Errors": [
        "PyasError",
        "ConfigurationError",
        "InvalidArgumentError",
        "CheckpointError",
        "APIStatusError",
        "FieldError",
        "BadRequestError",
        "AuthenticationError",
        "PermissionDeniedError",
        "NotFoundError",
        "RateLimitError",
        "ServerError",
        "PageTokenExpiredError",
        "TransportError",
        "RequestTimeoutError",
        "DecodeError",
        "OutcomeUnknownError",
        "BudgetTimeoutError",
        "PaginationError",
        "PaginationLoopError",
        "PaginationIncompleteError",
        "ClientClosedError",
        "WrongEventLoopError",
    ],
    "Events": [
        "Event",
        "JobStarted",
        "JobEnded",
        "CallStarted",
        "CallEnded",
        "AttemptStarted",
        "AttemptEnded",
        "Waiting",
        "PageReceived",
        "ListingRestarted",
        "ListingDrifted",
        "FieldsUnreadable",
        "RowsSkipped",
        "WatchPassed",
        "BudgetStoreFailed",
    ],
}
"""The names of ``pyas_async``, by the title of their page."""

VALUES = {
    "Event": "The union of all events, which is the type of the argument of ``on_event``.",
    "MeetingId": "A meeting's number, its digits, or a uuid: ``int | str``.",
    "Priority": 'The order of calls when the call budget is short: ``"interactive"`` before ``"bulk"``.',
    "UNSET": "The value of an argument that was not given. It differs from ``None``, which may be a value.",
    "__version__": "The version of the package.",
}
"""Descriptions of the names that are neither classes nor functions."""

MODULES = {
    "Plans": "pyas_async.plans",
    "Sandbox": "pyas_async.sandbox",
    "Testing": "pyas_async.testing",
    "OpenTelemetry": "pyas_async.integrations.opentelemetry",
    "Redis": "pyas_async.integrations.redis",
    "Warehouse": "pyas_async.integrations.dlt",
}
"""Further public modules, by the title of their page; a module that is not installed is left out."""

MODULE_VALUES = {
    "pyas_async.plans": {
        "DEVELOPER": "The Developer `Plan`.",
        "GROWTH": "The Growth `Plan`.",
        "SCALE": "The Scale `Plan`.",
        "PLANS": "The plans by name, the smallest first.",
    },
    "pyas_async.sandbox": {
        "Fault": "The network faults that `Sandbox.fail_next` can cause, as opposed to error responses: "
        '``"unreachable"``, ``"dropped"``, ``"hang"``, ``"lost"`` or ``"garbage"``.',
        "Operation": 'The name of an API operation, such as ``"meetings.list"``: one of ``OPERATIONS``.',
        "OPERATIONS": "The names of all API operations, as used by `SeenRequest` and `Sandbox.fail_next`.",
        "EXPIRED_ANSWERS": "Each known form of the response to an expired page token, an `ExpiredAnswer`, by its name: "
        "``Sandbox(expired_answer=…)`` takes it.",
    },
}
"""Descriptions of the names in these modules that are neither classes nor functions."""
