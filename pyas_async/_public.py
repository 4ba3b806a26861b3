"""How public names are presented: the module that they report, and the ones that are imported on first use."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def public(thing: T) -> T:
    """Set the module of a class or function to `pyas_async`, where users import it from.

    Tracebacks, pickles and the reference then show that name, not the private module of the definition.
    """
    anything: Any = thing
    anything.__module__ = "pyas_async"
    return thing


def lazy_exports(
    package: str, names_by_module: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package some of whose names are imported on first use.

    Type checkers do not see these names here. The package imports them under ``TYPE_CHECKING`` as well, and a test
    compares the two.

    Args:
        package: The package's ``__name__``.
        names_by_module: The lazy names of each module, whose path is relative to the package.
    """
    modules = {name: f"{package}.{module}" for module, names in names_by_module.items() for name in names}

    def __getattr__(name: str) -> Any:  # noqa: ANN401, N807  (a module's attributes have any type)
        if name not in modules:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(importlib.import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)  # found without this function from now on
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*vars(sys.modules[package]), *modules})

    return __getattr__, __dir__
