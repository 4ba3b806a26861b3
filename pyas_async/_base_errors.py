"""The errors that the lowest modules raise; `pyas_async.errors` has all of them, and the tree.

They have a module of their own because `pyas_async.errors` knows the models, and the models raise some of these.
"""

import copy
import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs

from pyas_async._public import public

if TYPE_CHECKING:
    from pyas_async.checkpoints import Checkpoint

WriteState: TypeAlias = Literal["not_sent", "rejected", "done", "unknown"]
"""What happened to a write that raised: never sent, rejected, carried out, or unknown."""


_MAX_SHOWN = 4_000
"""Characters of a value that are searched for secrets; fewer are shown."""


def _rebuild(cls: type["PyasError"], text: str, state: dict[str, Any]) -> "PyasError":
    error = cls.__new__(cls)
    error.args = (text,)
    error.__dict__.update(state)
    return error


@public
class PyasError(Exception):
    """The root of all errors of this library.

    Attributes:
        checkpoint: The position of an iteration when it raised; ``None`` for everything else.
        write_state: What happened to the write that raised; ``None`` for reads and for errors outside of a call.
        args: JSON values from which ``type(error)(*error.args)`` makes the error anew, as task queues do that store
            results as JSON. They hold everything but the `checkpoint`, which may contain a page token.
    """

    _arguments: ClassVar[Sequence[str]] = ("_text",)
    """The attributes that the constructor takes by position, in its order; the write state comes after them."""
    _usual_state: ClassVar[WriteState | None] = None
    """The write state that the constructor sets unless another is given."""

    def __init__(self, message: str, write_state: WriteState | None = None) -> None:
        super().__init__(message)
        self.checkpoint: Checkpoint | None = None
        self.write_state: WriteState | None = write_state

    @property
    def _text(self) -> str:
        return str(self)

    if TYPE_CHECKING:
        args: tuple[Any, ...]
    else:

        @property
        def args(self) -> tuple[Any, ...]:
            values = [_as_json(getattr(self, name)) for name in self._arguments]
            return tuple(values) if self.write_state == self._usual_state else (*values, self.write_state)

        @args.setter
        def args(self, values: Sequence[Any]) -> None:
            Exception.__init__(self, *values)  # as for every exception, this changes its text

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: it has the checkpoint, and constructors of subclasses may differ."""
        return _rebuild, (type(self), str(self), vars(self))


def _as_json(value: Any) -> Any:  # noqa: ANN401  (an attribute of an error can be anything)
    if isinstance(value, datetime):
        return value.isoformat()
    if attrs.has(type(value)):
        value = attrs.astuple(value)
    return [_as_json(item) for item in value] if isinstance(value, tuple) else value


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
        hint: What to do; may be empty.
    """

    _arguments: ClassVar[Sequence[str]] = ("field", "expected", "got", "hint", "_described")
    _described = True  # `got` of an error is text already

    def __init__(
        self,
        field: str,
        expected: str,
        got: object,
        hint: str = "",
        described: bool = False,  # noqa: FBT001, FBT002  (`args` are passed by position)
        write_state: WriteState | None = None,
    ) -> None:
        """Make the error.

        Args:
            field: See above.
            expected: See above.
            got: The value; or a description of it, if it is text that begins with ``<``.
            hint: See above.
            described: Whether `got` is the text to show in any case.
            write_state: See `PyasError`.
        """
        self.field = field
        self.expected = expected
        if not described:
            got = shorten(_masked(got)) if isinstance(got, str) and got.startswith("<") else shown(got)
        self.got: str = str(got)
        self.hint = hint
        text = f"{field}: expected {expected}, got {self.got}" + (f". {hint}" if hint else "")
        super().__init__(text, write_state)


def located(error: InvalidArgumentError, field: str) -> InvalidArgumentError:
    """Return a copy of an error that names another field, such as one in a list or in another model."""
    copied = copy.copy(error)
    copied.field = field
    copied.args = (field + str(error).removeprefix(error.field),)
    return copied


@public
class DecodeError(PyasError):
    """A response arrived that cannot be read, or that belongs to another request.

    A single value that is not as documented raises nothing: it is in the model's `unreadable`.

    Attributes:
        path: The position in the document, as in ``$.data.meetings[3].start_time``.
        reason: What is wrong there.
        excerpt: The response's text around that position, with secrets masked; 500 characters at most.
    """

    _arguments = ("reason", "path", "excerpt")

    def __init__(self, message: str, path: str = "$", excerpt: str = "", write_state: WriteState | None = None) -> None:
        self.path = path
        self.reason = message
        self.excerpt: str = excerpt[:500]
        where = "the response began" if path == "$" else "there it says"
        super().__init__(
            f"{path}: {message}" + (f"; {where}: {shorten(self.excerpt)}" if self.excerpt else ""), write_state
        )


def shown(got: object) -> str:
    """Write a user's value for a message: without secrets, shortened, and safe even if its ``repr`` raises."""
    try:
        return shorten(_masked(repr(got)[:_MAX_SHOWN]))
    except Exception:  # noqa: BLE001  (the repr is the user's code; that of an int of 5,000 digits raises, too)
        return f"<{type(got).__name__} that cannot be shown>"


def _masked(text: str) -> str:
    from pyas_async._masking import mask_secrets  # noqa: PLC0415 -- only errors need it

    return mask_secrets(text)


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
