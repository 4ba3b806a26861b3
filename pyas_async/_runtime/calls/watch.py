"""What whoever makes calls wants to hear of them, or say about them, while they are under way."""

from collections.abc import Callable
from datetime import datetime

import anyio
import attrs

from pyas_async.errors import PyasError


class WithdrawnError(PyasError):
    """The call was let go before anything of it was sent. It comes out of no call of a user's own."""


@attrs.define(eq=False)
class Watch:
    """Watches a call, or the calls of an iteration.

    Attributes:
        job: The number of the job that makes the calls, if somebody is told of it.
        call: The number of the call under way, or of the last one; 0 if nobody was told of it.
        life: Seconds for which a page token can be used, if the calls are those of a listing.
        requests: Requests sent so far.
        under_way: Told when a request is on the wire, or must wait: whoever waits for that need not wait any longer.
        withdrawn: Whether the call is not to be sent any more.
        wait: Around a wait for room in the call budget.
        sent_at: When the last request was sent (aware, UTC); ``None`` before the first.
    """

    life: float | None = None
    job: int | None = None
    call: int = 0
    requests: int = 0
    under_way: Callable[[], None] | None = None
    withdrawn: bool = False
    wait: anyio.CancelScope | None = None

    def withdraw(self) -> None:
        """Let the call go if nothing of it was sent: it raises `WithdrawnError`. Else it goes on."""
        if not self.requests:
            self.withdrawn = True
            if self.wait is not None:
                self.wait.cancel()

    def check(self) -> None:
        """Raise if the call was withdrawn."""
        if self.withdrawn:
            msg = "the call was withdrawn before it was sent"
            raise WithdrawnError(msg)

    sent_at: datetime | None = None

    def tell(self) -> None:
        """Say that the call is under way."""
        if self.under_way is not None:
            self.under_way()
