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


def _calls(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    _checks.whole_number(
        attribute.name, value, minimum=1, maximum=MAX_CALLS, digits=False, unit="a whole number of calls"
    )


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
