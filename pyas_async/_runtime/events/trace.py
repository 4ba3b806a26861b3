"""The state of a call while it is under way."""

from datetime import datetime

import attrs


@attrs.define(eq=False)
class CallTrace:
    """The state of a call, or of all calls of a listing, so far.

    Attributes:
        job: The number of the job that makes the calls; ``None`` if no handler had subscribed when it began.
        call: The number of the call under way, or of the last one; 0 if no handler had subscribed.
        requests: Requests sent.
        sent_at: When the last request was sent (aware, UTC); ``None`` before the first.
        cancelled: Whether the call was cancelled before a request was sent.
    """

    job: int | None = None
    call: int = 0
    requests: int = 0
    sent_at: datetime | None = None
    cancelled: bool = False
