"""The errors that the lowest modules raise; `pyas_async.errors` has all of them, and the tree.

They have a module of their own because `pyas_async.errors` knows the models, and the models raise some of these.
"""

import copy
import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pyas_async._public import public

if TYPE_CHECKING:
    from pyas_async.checkpoints import Checkpoint

WriteState: TypeAlias = Literal["not_sent", "rejected", "done", "unknown"]
"""What happened to a write that raised: never sent, rejected, carried out, or unknown."""


def _rebuild(cls: type["PyasError"], args: tuple[Any, ...], state: dict[str, Any]) -> "PyasError":
    error = cls.__new__(cls, *args)
    error.args = args  # OSError, the base of TimeoutError, does not take them from its constructor's arguments
    error.__dict__.update(state)
    return error


@public
class PyasError(Exception):
    """The root of all errors of this library.

    Attributes:
        checkpoint: The position of an iteration when it raised; ``None`` for everything else.
        write_state: What happened to the write that raised; ``None`` for reads and for errors outside of a call.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.checkpoint: Checkpoint | None = None
        self.write_state: WriteState | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state, since the constructors of subclasses differ."""
        return _rebuild, (type(self), self.args, vars(self))


@public
class ConfigurationError(PyasError):
    """The client cannot be set up like this; the message says which setting and what it may be."""


@public
class InvalidArgumentError(PyasError, ValueError):
    """An argument was refused before anything was sent.

    Attributes:
        field: The argument or model field, as in ``start_date``; with its index in a list, as in ``attendees[2]``.
        expected: What is allowed.
        got: The value that was passed, as text. Secrets are not repeated.
    """

    def __init__(self, field: str, expected: str, got: object, *, hint: str = "") -> None:
        self.field = field
        self.expected = expected
        self.got: str = shorten(got) if isinstance(got, str) and got.startswith("<") else shown(got)
        super().__init__(f"{field}: expected {expected}, got {self.got}" + (f". {hint}" if hint else ""))


def located(error: InvalidArgumentError, field: str) -> InvalidArgumentError:
    """Return a copy of an error that names another field, such as one in a list or in another model."""
    copied = copy.copy(error)
    copied.field = field
    copied.args = (field + str(error).removeprefix(error.field),)
    return copied


@public
class DecodeError(PyasError):
    """A response arrived that does not match the service's documentation, or that belongs to another request.

    Attributes:
        path: The position in the document, as in ``$.data.meetings[3].start_time``.
        reason: What is wrong there.
        excerpt: The response's text around it, with secrets masked; 500 characters at most.
    """

    def __init__(self, message: str, *, path: str = "$", excerpt: str = "") -> None:
        self.path = path
        self.reason = message
        self.excerpt: str = excerpt[:500]
        super().__init__(
            f"{path}: {message}" + (f"; the response began: {shorten(self.excerpt)}" if self.excerpt else "")
        )


def shown(got: object) -> str:
    """Write a user's value for a message: shortened, and safe even if its ``repr`` raises."""
    try:
        return shorten(repr(got))
    except Exception:  # noqa: BLE001  (the repr is the user's code; that of an int of 5,000 digits raises, too)
        return f"<{type(got).__name__} that cannot be shown>"


def in_seconds(seconds: float) -> str:
    """Write a duration as a person would: "30 s", "0.5 s", "3,600 s". Digits beyond milliseconds are dropped."""
    written = f"{seconds:,.3f}".rstrip("0").rstrip(".")
    return f"{seconds:.3g} s" if written in ("0", "-0") and seconds else f"{written} s"


def about(seconds: float) -> str:
    """Write a duration that is an estimate, rounded up: to whole seconds, or to tenths below ten seconds."""
    return in_seconds(math.ceil(seconds * 10) / 10 if seconds < 10 else math.ceil(seconds))


def shorten(text: str, limit: int = 200) -> str:
    """Cut a text, and say how long it was."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
