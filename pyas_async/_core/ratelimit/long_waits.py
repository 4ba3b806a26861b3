"""When a wait for the call budget is worth a warning, and what the warning says: values and rules, no clock."""

import math
from typing import Final

from pyas_async._base_errors import about, in_seconds

LONG: Final = 10.0
"""Seconds from which a wait is worth a warning."""
AGAIN: Final = 60.0
"""Seconds between two warnings during one wait."""
_ADVICE: Final = (
    "Nothing has failed: the program goes on by itself. To wait less, make fewer calls, or use a larger plan "
    "(`python -m pyas_async.plans` estimates both); to end a wait, use deadline= or asyncio.timeout()"
)


class LongWaits:
    """Decides when to warn that calls wait for one budget. All of its calls have one warning together.

    Attributes:
        again_at: When the next warning may come, if one came before.
    """

    __slots__ = ("again_at",)

    def __init__(self) -> None:
        self.again_at: float = -math.inf

    def check_at(self, since: float) -> float:
        """Return when `is_due` may be true next; `since` is when the call that waits longest began to wait."""
        return max(since + LONG, self.again_at)

    def is_due(self, now: float, *, since: float, left: float) -> bool:
        """Whether to warn now, which counts as a warning.

        Args:
            now: The time.
            since: When the call that waits longest began to wait.
            left: The seconds for which the last call in the queue waits from now, as far as that is known.
        """
        if now < self.again_at or (left < LONG and now < since + LONG):
            return False
        self.again_at = now + AGAIN
        return True

    def end(self) -> None:
        """No call waits: the next long wait has a warning at once."""
        self.again_at = -math.inf


def warning(why: str, *, waiting: int, first: float, last: float, waited: float) -> str:
    """Write the warning.

    Args:
        why: Why no call is sent.
        waiting: The number of calls that wait.
        first: The seconds until the first of them may be sent; 0 if that is not known.
        last: The seconds until the last of them may be sent; 0 if that is not known.
        waited: The seconds for which the oldest of them has waited.
    """
    times = []
    if waiting == 1 and last:
        times.append(f"for about {about(last)}")
    elif last:
        times += [f"the first for about {about(first)}", f"the last for about {about(last)}"]
    if waited >= 1:
        times.append(f"{in_seconds(math.floor(waited))} so far")
    calls = "1 call waits" if waiting == 1 else f"{waiting:,} calls wait{',' if last else ''}"
    return f"{why}: {' '.join([calls, ', '.join(times)]).rstrip()}. {_ADVICE}"
