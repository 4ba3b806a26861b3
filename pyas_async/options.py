"""Words for how a call is made: the unset sentinel, priorities, retries."""

import enum
import sys
from typing import Final, Literal, TypeAlias, TypeGuard

import attrs

from pyas_async.errors import ConfigurationError, shown

_MOST = 10**9
"""Attempts; far more than anybody makes."""
Priority: TypeAlias = Literal["interactive", "bulk"]
"""Who goes first when the call budget is short: ``"interactive"`` before ``"bulk"``."""

MeetingId: TypeAlias = int | str
"""A meeting's number (an ``int`` or its digits) or its uuid."""

OnUnknown: TypeAlias = Literal["raise", "reconcile"]
"""What to do when nobody can tell whether a create took place: say so, or look for the meeting."""


class Unset(enum.Enum):
    """The type of `UNSET`; an enum, so that type checkers can narrow with ``is``."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        """Unset is never true, so ``value or default`` reads as expected."""
        return False

    def __repr__(self) -> str:
        """Show the name that users write."""
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Marks "not given", where ``None`` is a value of its own."""

MAX_CONCURRENCY: Final = 16
"""Calls of a bulk run, or accounts of an iteration, that are under way at a time unless one says otherwise."""


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number that one can reckon with: finite, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _positive(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    if not is_number(value) or value < 0:
        msg = f"RetryPolicy.{attribute.name}: expected seconds >= 0, got {shown(value)}"
        raise ConfigurationError(msg)


def _at_least_one(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
        msg = f"RetryPolicy.{attribute.name}: expected a whole number from 1 to {_MOST:,}, got {shown(value)}"
        raise ConfigurationError(msg)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a call is tried, and how long the pauses between are.

    The pause after attempt *n* is drawn evenly from 0 to ``min(cap, base * 2 ** (n - 1))`` seconds (full jitter),
    unless the service names a time of its own. What may be repeated is not a matter of policy: reads, updates and
    deletes are; a create only when it provably never reached the service, or was turned away with 429.

    Attributes:
        max_attempts: Requests per call at most, the first included.
        base: Seconds; the ceiling of the first pause.
        cap: Seconds; no drawn pause is longer.
    """

    max_attempts: int = attrs.field(default=4, validator=_at_least_one)
    base: float = attrs.field(default=0.5, validator=_positive)
    cap: float = attrs.field(default=30.0, validator=_positive)

    @classmethod
    def none(cls) -> "RetryPolicy":
        """Never try again: every call is one request."""
        return cls(max_attempts=1)
