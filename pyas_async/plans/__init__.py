"""What the service's plans sell, and what a job takes on each of them: no call is made, and no key needed.

``python -m pyas_async.plans --accounts 400 --pages 3`` prints it, and so does ``pyas plan``.
"""

from pyas_async.plans._cli import main
from pyas_async.plans._estimate import Estimate, estimate
from pyas_async.plans._plan import DEVELOPER, GROWTH, PLANS, SCALE, Plan
from pyas_async.plans._table import table

__all__ = ["DEVELOPER", "GROWTH", "PLANS", "SCALE", "Estimate", "Plan", "estimate", "main", "table"]
