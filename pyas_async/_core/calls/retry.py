"""The limits of a call, how long it waits before a retry, and how many retries a client may make."""

import attrs

from pyas_async._base_errors import in_seconds
from pyas_async.options import RetryPolicy


@attrs.frozen(kw_only=True)
class Limits:
    """The limits of a call.

    Attributes:
        timeout: Seconds for one attempt; ``None`` for no limit.
        deadline: Seconds for the whole call; ``None`` for no limit.
        retry: How often it is tried.
        waits_excluded: Whether the deadline excludes waits for the call budget and for a connection, as for bulk calls.
        timeout_setting: Where `timeout` comes from, for messages.
        whole_deadline: The deadline that the user has set, if `deadline` is only what is left of it.
    """

    timeout: float | None
    deadline: float | None
    retry: RetryPolicy
    waits_excluded: bool = False
    timeout_setting: str = "timeout="
    whole_deadline: float | None = None

    @property
    def timeout_text(self) -> str:
        """The timeout as the user has set it, for messages."""
        assert self.timeout is not None  # noqa: S101
        return f"{in_seconds(self.timeout)} ({self.timeout_setting})"

    @property
    def deadline_text(self) -> str:
        """The deadline as the user has set it, for messages."""
        seconds = self.deadline if self.whole_deadline is None else self.whole_deadline
        assert seconds is not None  # noqa: S101
        return f"the call's {in_seconds(seconds)} (deadline=)"


def backoff(policy: RetryPolicy, attempt: int, jitter: float) -> float:
    """Return the seconds to wait after the given attempt: full jitter, as in AWS's "Exponential Backoff and Jitter".

    Args:
        policy: Its bounds.
        attempt: The attempt that failed, from 1.
        jitter: A random number from 0 to 1.
    """
    # 2.0 ** 1024 overflows; every cap is reached long before 2.0 ** 64.
    ceiling = min(policy.cap, policy.base * 2.0 ** min(attempt - 1, 64))
    return ceiling * jitter


class RetryQuota:
    """The retries that all calls of a client may make together, so that a failing service is not flooded.

    A token bucket: a retry spends one token, a success returns a part of one. While it is empty, calls fail with their
    first error.
    """

    def __init__(self, capacity: float = 100.0, refund: float = 0.5) -> None:
        self.capacity: float = capacity
        self.refund: float = refund
        self.left: float = capacity

    def try_spend(self) -> bool:
        """Spend one retry; return whether there was one."""
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def on_success(self) -> None:
        """Return `refund` for a call that succeeded."""
        if self.left < self.capacity:
            self.left = min(self.capacity, self.left + self.refund)
