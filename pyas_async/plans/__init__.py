"""The service's plans, and estimates of what a job needs on each of them. No call is made, and no key is needed.

``python -m pyas_async.plans --accounts 400 --pages 3`` prints the estimates, and so does ``pyas plan``.
"""

from typing import TYPE_CHECKING

from pyas_async._public import lazy_exports
from pyas_async.plans._plan import DEVELOPER, GROWTH, PLANS, SCALE, Plan

if TYPE_CHECKING:
    from pyas_async.plans._cli import main
    from pyas_async.plans._estimate import Estimate, estimate
    from pyas_async.plans._table import table
else:
    # The client reads the plans' numbers and estimates nothing.
    __getattr__, __dir__ = lazy_exports(
        __name__, {"_cli": ["main"], "_estimate": ["Estimate", "estimate"], "_table": ["table"]}
    )

__all__ = ["DEVELOPER", "GROWTH", "PLANS", "SCALE", "Estimate", "Plan", "estimate", "main", "table"]
