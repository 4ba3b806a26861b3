"""Which page of the reference has which public names. A test asks that each name has its place."""

REFERENCE = {
    "Client": ["PyasClient", "Meetings", "Accounts", "RateLimitSnapshot"],
    "Listings": [
        "MeetingIterator",
        "IterationStats",
        "AccountsIterator",
        "AccountsStats",
        "Checkpoint",
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
        "BudgetStoreFailed",
    ],
}
"""Of ``pyas_async``."""

VALUES = {
    "Event": "Everything that ``on_event`` can be told: the union of the events.",
    "MeetingId": "A meeting's number, its digits, or a uuid: ``int | str``.",
    "Priority": 'Who goes first when the call budget is short: ``"interactive"`` or ``"bulk"``.',
    "UNSET": "What was not given. It is not ``None``: that may be a value.",
    "__version__": "The version of the package.",
}
"""What is no class and no function, and what there is to say of it."""

MODULES = {
    "Plans": "pyas_async.plans",
    "Sandbox": "pyas_async.sandbox",
    "Testing": "pyas_async.testing",
    "OpenTelemetry": "pyas_async.integrations.opentelemetry",
    "Redis": "pyas_async.integrations.redis",
    "Warehouse": "pyas_async.integrations.dlt",
}
"""Public modules beside it; one that is not there is left out."""

MODULE_VALUES = {
    "pyas_async.plans": {
        "DEVELOPER": "The Developer `Plan`.",
        "GROWTH": "The Growth `Plan`.",
        "SCALE": "The Scale `Plan`.",
        "PLANS": "The plans by name, the smallest first.",
    },
    "pyas_async.sandbox": {
        "Fault": "What `Sandbox.fail_next` can let go wrong on the way, rather than with the service: "
        '``"unreachable"``, ``"dropped"``, ``"hang"``, ``"lost"`` or ``"garbage"``.',
        "Operation": 'A call of the API, as in ``"meetings.list"``: one of ``OPERATIONS``.',
        "OPERATIONS": "The names of all calls of the API, as `SeenRequest` and the faults have them.",
        "EXPIRED_ANSWERS": "Each known form of the answer to a dead page token, an `ExpiredAnswer`, by its name: "
        "``Sandbox(expired_answer=…)`` takes it.",
    },
}
"""What is no class and no function in them, likewise."""
