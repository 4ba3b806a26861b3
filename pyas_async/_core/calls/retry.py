"""Whether to try again, and after how long."""

import attrs

from pyas_async.options import RetryPolicy


def pause(policy: RetryPolicy, attempt: int, chance: float) -> float:
    """Draw the pause after the given attempt: full jitter, as AWS's "Exponential Backoff and Jitter" has it.

    Args:
        policy: Its bounds.
        attempt: The attempt that failed, from 1.
        chance: A number from 0 to 1, drawn by the caller.
    """
    # 2.0 ** 1024 overflows; every cap is reached long before 2.0 ** 64.
    ceiling = min(policy.cap, policy.base * 2.0 ** min(attempt - 1, 64))
    return ceiling * chance


@attrs.define
class RetryQuota:
    """Retries that may be spent, so that a dead service is not met by a storm.

    A token bucket: a retry takes one, a success gives some back. Shared by all calls of a client. When it is empty,
    calls fail with their first error.
    """

    capacity: float = 100.0
    refund: float = 0.5
    left: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start full."""
        self.left = self.capacity

    def take(self) -> bool:
        """Take one retry, if there is one."""
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def succeeded(self) -> None:
        """Give some back."""
        if self.left < self.capacity:
            self.left = min(self.capacity, self.left + self.refund)
