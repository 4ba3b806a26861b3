"""The service's plans, and the constants of the client's call budget: the only module with these numbers."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from pyas_async import _checks
from pyas_async.errors import InvalidArgumentError

WINDOW: Final = 300.0
"""Seconds over which the service counts a key's calls."""
GUARD: Final = 1.0
"""Seconds by which a call's slot is released later than computed, since network delays vary."""
CONNECTIONS: Final = 100
"""The default maximum number of connections of a client, and so of calls at a time."""
DAY: Final = 86_400.0
"""Seconds in a day."""
MOST: Final = 10**9
"""An upper bound of calls, far more than any plan sells."""


def portion(limit: int, share: float) -> int:
    """Return the part of a limit that a program with this share may spend: whole calls, at least one."""
    return max(1, math.floor(limit * share + 1e-9))  # 100 * 0.29 is 28.999999999999996


def _name(_: object, attribute: "attrs.Attribute[str]", value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(attribute.name, "a string that is not blank", value)


def _calls(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    _checks.whole_number(attribute.name, value, minimum=1, maximum=MOST, digits=False, unit="a whole number of calls")


def _seconds(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    _checks.number(attribute.name, value, above=True, maximum=DAY, unit="seconds")


@attrs.frozen
class Plan:
    """What a key may spend.

    Attributes:
        name: The plan's name, in lower case.
        calls: Calls per window.
        window: Seconds in a window.
        monthly: Calls per month; ``None`` if there is no monthly limit.

    Raises:
        InvalidArgumentError: If the name is blank or a number is out of bounds.
    """

    name: str = attrs.field(validator=_name)
    calls: int = attrs.field(validator=_calls)
    window: float = attrs.field(default=WINDOW, validator=_seconds)
    monthly: int | None = attrs.field(default=None, validator=attrs.validators.optional(_calls))


DEVELOPER: Final = Plan("developer", 100, monthly=2_000)
GROWTH: Final = Plan("growth", 3_000)
SCALE: Final = Plan("scale", 5_000)
PLANS: Final[Mapping[str, Plan]] = MappingProxyType({plan.name: plan for plan in (DEVELOPER, GROWTH, SCALE)})
"""The plans by name, smallest first."""
