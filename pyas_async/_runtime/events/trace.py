"""The state of a call while it is in flight."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class CallTrace:
    """The state of a call, or of all calls of a listing, so far.

    Attributes:
        job: The number of the job that makes the calls; ``None`` if no handler had subscribed when it began.
        call: The number of the call in flight, or of the last one; 0 if no handler had subscribed.
        requests: Requests sent.
        sent_at: When the last request was sent (aware, UTC); ``None`` before the first.
        cancelled: Whether the call was cancelled before a request was sent.
    """

    __slots__ = ("call", "cancelled", "job", "requests", "sent_at")

    def __init__(self, job: int | None = None) -> None:
        self.job: int | None = job
        self.call: int = 0
        self.requests: int = 0
        self.sent_at: datetime | None = None
        self.cancelled: bool = False
