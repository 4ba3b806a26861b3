"""The service's plans, and estimates of what a job needs on each of them. No call is made, and no key is needed.

``python -m pyas_async.plans --accounts 400 --pages 3`` prints the estimates, and so does ``pyas plan``.
"""

import importlib
from typing import TYPE_CHECKING, Any

from pyas_async.plans._plan import DEVELOPER, GROWTH, PLANS, SCALE, Plan

if TYPE_CHECKING:
    from pyas_async.plans._cli import main
    from pyas_async.plans._estimate import Estimate, estimate
    from pyas_async.plans._table import table

__all__ = ["DEVELOPER", "GROWTH", "PLANS", "SCALE", "Estimate", "Plan", "estimate", "main", "table"]
# Loaded on first use: the client needs the plans, but no estimates.
_LATER = {"Estimate": "_estimate", "estimate": "_estimate", "main": "_cli", "table": "_table"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (an attribute can be anything)
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
