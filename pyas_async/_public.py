"""How public names are presented: the module that they report, the ones that are imported on first use, and hints.

The hints are for common mistakes, such as ``for`` instead of ``async for``.
"""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_METHODS = {
    "loop": ("__iter__", "__next__", "__contains__"),
    "async_loop": ("__aiter__", "__anext__"),
    "wait": ("__await__",),
    "block": ("__enter__", "__exit__"),
    "async_block": ("__aenter__", "__aexit__"),
    "index": ("__getitem__",),
    "count": ("__len__", "__getitem__"),
}
"""The methods that Python calls for each use of an object."""


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


def explains(**hints: str) -> Callable[[type[C]], type[C]]:
    """Make a class raise a `TypeError` with a hint for uses that it does not have.

    Python's own error says what is missing, not what to write. Type checkers do not see the methods that are added, so
    they refuse these uses as before.

    Args:
        hints: What to write instead, by the use: ``loop`` (``for`` and ``in``), ``async_loop`` (``async for``),
            ``wait`` (``await``), ``block`` (``with``), ``async_block`` (``async with``), ``index`` (``x[0]``), or
            ``count`` (``len(x)`` and ``x[0]``).
    """

    def complete(cls: type[C]) -> type[C]:
        for use, hint in hints.items():
            for name in _METHODS[use]:
                setattr(cls, name, _raiser(name, hint))
        if "count" in hints:
            cls.__bool__ = lambda _: True  # type: ignore[attr-defined]  # otherwise `if x:` asks for the length
        return cls

    return complete


def _raiser(name: str, hint: str) -> Callable[..., NoReturn]:
    def method(*_: object) -> NoReturn:
        raise TypeError(hint)

    method.__name__ = name
    method.__doc__ = f"Raise a `TypeError`: {hint}."
    return method


def usage(hint: str) -> Callable[[F], F]:
    """Make a method that is called with wrong arguments say how it is called: at the call, or when it is awaited.

    Args:
        hint: How to call it.
    """

    def complete(method: F) -> F:
        def explained(error: TypeError, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
            try:
                inspect.signature(method).bind(*args, **kwargs)
            except TypeError:
                return TypeError(f"{error}. {hint}")
            return error  # the arguments were not the reason

        # Tracebacks show local variables, and arguments may be secrets, so these functions delete them.
        @functools.wraps(method)
        async def call_async(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- the arguments of any method
            failure: TypeError | None = None
            coroutine: Any = None
            try:
                coroutine = method(*args, **kwargs)
            except TypeError as error:
                failure = explained(error, args, kwargs)
            del args, kwargs
            if failure is not None:
                raise failure
            return await coroutine

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as above
            try:
                return method(*args, **kwargs)
            except TypeError as error:
                failure = explained(error, args, kwargs)
            del args, kwargs
            raise failure

        decorated: Any = call_async if inspect.iscoroutinefunction(method) else call
        return decorated  # type: ignore[no-any-return]

    return complete
