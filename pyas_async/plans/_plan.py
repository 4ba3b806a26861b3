"""The plans that the service sells: the one place with their numbers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from pyas_async import _checks
from pyas_async.errors import InvalidArgumentError
from pyas_async.limits import MAX_CALLS, WINDOW

DAY: Final = 86_400.0
"""Seconds of a day."""


def _name(_: object, attribute: "attrs.Attribute[str]", value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(attribute.name, "a string that is not blank", value)


_UNIT: Final = "a whole number of calls"


def _calls(value: int) -> int:
    return _checks.whole_number("calls", value, minimum=1, maximum=MAX_CALLS, digits=False, unit=_UNIT)


def _monthly(value: int | None) -> int | None:
    if value is None:
        return None
    return _checks.whole_number("monthly", value, minimum=1, maximum=MAX_CALLS, digits=False, unit=_UNIT)


def _window(value: float) -> float:
    return _checks.number("window", value, above=True, maximum=DAY, unit="seconds")


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
    calls: int = attrs.field(converter=_calls)
    window: float = attrs.field(default=WINDOW, converter=_window)
    monthly: int | None = attrs.field(default=None, converter=_monthly)


DEVELOPER: Final = Plan("developer", 100, monthly=2_000)
GROWTH: Final = Plan("growth", 3_000)
SCALE: Final = Plan("scale", 5_000)
PLANS: Final[Mapping[str, Plan]] = MappingProxyType({plan.name: plan for plan in (DEVELOPER, GROWTH, SCALE)})
"""The plans by name, smallest first."""
