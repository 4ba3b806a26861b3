"""Types and settings that say how a call is made: the unset sentinel, priorities, retries."""

import enum
from typing import Final, Literal, TypeAlias

import attrs

from pyas_async import _checks
from pyas_async._base_errors import ConfigurationError
from pyas_async._public import public

_MOST = 10**9
"""An upper bound on attempts, far above any real use."""
Priority: TypeAlias = Literal["interactive", "bulk"]
"""Which calls go first when the call budget is short: ``"interactive"`` before ``"bulk"``."""

MeetingId: TypeAlias = int | str
"""A meeting's number (an ``int`` or its digits) or its uuid."""

OnUnknown: TypeAlias = Literal["raise", "reconcile"]
"""What to do if it is unknown whether a create took place: raise an error, or look for the meeting."""


@public
class Unset(enum.Enum):
    """The type of `UNSET`; an enum, so that type checkers can narrow with ``is``."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        # So that ``value or default`` works.
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Marks an option as not given, where ``None`` has a meaning of its own."""

MAX_CONCURRENCY: Final = 16
"""The default number of concurrent calls of a bulk run, and of accounts of an iteration."""


def _attempts(value: int) -> int:
    name = "RetryPolicy.max_attempts"
    return _checks.whole_number(name, value, minimum=1, maximum=_MOST, digits=False, error=ConfigurationError)


def _base(value: float) -> float:
    return _checks.number("RetryPolicy.base", value, unit="seconds", error=ConfigurationError)


def _cap(value: float) -> float:
    return _checks.number("RetryPolicy.cap", value, unit="seconds", error=ConfigurationError)


@public
@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a call is tried, and how long it pauses between attempts.

    The pause after attempt *n* is random, evenly distributed from 0 to ``min(cap, base * 2 ** (n - 1))`` seconds (full
    jitter), unless the service asks for a certain time. The policy does not decide what may be repeated: reads, updates
    and deletes always may; a create only if it provably never reached the service, or was rejected with 429.

    Attributes:
        max_attempts: The maximum number of requests per call, including the first.
        base: Seconds; the upper bound of the first pause.
        cap: Seconds; the upper bound of every random pause.
    """

    max_attempts: int = attrs.field(default=4, converter=_attempts)
    base: float = attrs.field(default=0.5, converter=_base)
    cap: float = attrs.field(default=30.0, converter=_cap)

    @classmethod
    def none(cls) -> "RetryPolicy":
        """Return a policy without retries: every call is one request."""
        return cls(max_attempts=1)
