"""What the service's plans sell, and what a job takes on each of them: no call is made, and no key needed.

``python -m pyas_async.plans --accounts 400 --pages 3`` prints it.
"""

from typing import TYPE_CHECKING, Any

from pyas_async.plans._plan import DEVELOPER, GROWTH, PLANS, SCALE, Plan

if TYPE_CHECKING:
    from pyas_async.plans._estimate import Estimate, estimate
    from pyas_async.plans._table import table

__all__ = ["DEVELOPER", "GROWTH", "PLANS", "SCALE", "Estimate", "Plan", "estimate", "table"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever has that name)
    # The client keeps to the plans, and estimates nothing.
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from pyas_async.plans import _estimate, _table  # noqa: PLC0415 -- see above

    return getattr(_table if name == "table" else _estimate, name)
