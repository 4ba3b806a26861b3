"""Numbers that the call budget, the plans and the client's settings share."""

import math
from typing import Final

WINDOW: Final = 300.0
"""Seconds over which the service counts a key's calls."""
GUARD: Final = 1.0
"""The most seconds for which a call holds its slot beyond the window by default, since delays and clocks vary. It is
also how exact headers in whole seconds are."""
_GUARD_PART: Final = 0.02
"""The part of a short window that is enough for that: delays from the response on hardly matter, and clocks less."""
CONNECTIONS: Final = 100
"""The default of a client's ``max_connections``: how many calls it has in flight at once."""
MAX_CALLS: Final = 10**9
"""The largest number of calls that can be given as a limit; far more than any plan sells."""


def guard_of(window: float) -> float:
    """Return the seconds for which a call holds its slot beyond a window, unless the user sets them."""
    return min(GUARD, window * _GUARD_PART)


def portion(limit: int, share: float) -> int:
    """Return the part of a limit that a program with this share may spend: whole calls, and at least one."""
    return max(1, math.floor(limit * share + 1e-9))  # 100 * 0.29 is 28.999999999999996
