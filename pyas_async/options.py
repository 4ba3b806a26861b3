"""Words for how a call is made: the unset sentinel, priorities, retries."""

import enum
from typing import Final, Literal, TypeAlias

import attrs

from pyas_async import _checks
from pyas_async._public import public
from pyas_async.errors import ConfigurationError

_MOST = 10**9
"""Attempts; far more than anybody makes."""
Priority: TypeAlias = Literal["interactive", "bulk"]
"""Who goes first when the call budget is short: ``"interactive"`` before ``"bulk"``."""

MeetingId: TypeAlias = int | str
"""A meeting's number (an ``int`` or its digits) or its uuid."""

OnUnknown: TypeAlias = Literal["raise", "reconcile"]
"""What to do when nobody can tell whether a create took place: say so, or look for the meeting."""


@public
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


def _seconds(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    _checks.number(f"RetryPolicy.{attribute.name}", value, unit="seconds", error=ConfigurationError)


def _attempts(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    name = f"RetryPolicy.{attribute.name}"
    _checks.whole_number(name, value, minimum=1, maximum=_MOST, digits=False, error=ConfigurationError)


@public
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

    max_attempts: int = attrs.field(default=4, validator=_attempts)
    base: float = attrs.field(default=0.5, validator=_seconds)
    cap: float = attrs.field(default=30.0, validator=_seconds)

    @classmethod
    def none(cls) -> "RetryPolicy":
        """Never try again: every call is one request."""
        return cls(max_attempts=1)
