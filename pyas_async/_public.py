"""What users import from the package's front door says so, also where the front door loads it only when it is asked."""

from typing import Any, TypeVar

T = TypeVar("T")


def public(thing: T) -> T:
    """Say of a class or function that it is `pyas_async`'s: in tracebacks, in pickles, in the reference."""
    anything: Any = thing
    anything.__module__ = "pyas_async"
    return thing
