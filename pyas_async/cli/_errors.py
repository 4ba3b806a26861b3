"""Errors as users see them: an exit code, a line of text, and a hint."""

import errno
from enum import IntEnum

from pyas_async import (
    AuthenticationError,
    BudgetTimeoutError,
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PyasError,
    RateLimitError,
    ServerError,
    TransportError,
)


class Exit(IntEnum):
    """The exit codes. Scripts depend on the numbers: new ones may be added, but none may change."""

    OK = 0
    FAILED = 1
    """The service refused, or another failure without a code of its own."""
    USAGE = 2
    """The command was called or set up wrongly; nothing was sent."""
    REFUSED = 3
    """The key is not valid, or has no right to this."""
    NOT_FOUND = 4
    """No such meeting or account."""
    LIMITED = 5
    """A limit of the service is used up: the same command may succeed later."""
    UNREACHABLE = 6
    """The network or the service failed: the same command may succeed when repeated."""
    UNKNOWN = 7
    """A write was sent, and it is unknown whether it took place. Check before you try again."""
    INCOMPLETE = 8
    """A part was done: some meetings or accounts failed, or a check did not hold."""
    INTERRUPTED = 130
    """Ctrl-C, with the code that shells use."""
    BROKEN_PIPE = 141
    """The reader of stdout has closed it, with the code that shells use."""
    TERMINATED = 143
    """SIGTERM, with the code that shells use."""


class CommandError(Exception):
    """An error of the command, shown without a traceback.

    Attributes:
        message: What is wrong.
        hint: What to do; may be empty.
        code: The exit code.
    """

    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


_CODES: tuple[tuple[type[PyasError], Exit], ...] = (
    (ConfigurationError, Exit.USAGE),
    (InvalidArgumentError, Exit.USAGE),
    (OutcomeUnknownError, Exit.UNKNOWN),
    (AuthenticationError, Exit.REFUSED),
    (PermissionDeniedError, Exit.REFUSED),
    (NotFoundError, Exit.NOT_FOUND),
    (RateLimitError, Exit.LIMITED),
    (BudgetTimeoutError, Exit.LIMITED),
    (ServerError, Exit.UNREACHABLE),
    (TransportError, Exit.UNREACHABLE),
)
_HINTS = {
    Exit.REFUSED: "Check PYAS_API_KEY: keys expire, and have scopes.",
    Exit.UNKNOWN: "It may have taken place. Look before you try again: pyas meetings list",
}
# Failures to write. Those to files have the name of the file.
_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF, errno.EIO)
# The commands' options for the library's arguments.
_OPTIONS = {
    "account_id": "--account",
    "end_date": "--end",
    "max_concurrency": "--at-once",
    "max_items": "--limit",
    "meeting_id": "id",
    "meeting_ids": "id",
    "start_date": "--start",
}


def code_of(error: BaseException) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, CommandError):
        return error.code
    if getattr(error, "write_state", None) == "unknown":
        return Exit.UNKNOWN
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAILED)


def text_of(error: BaseException) -> tuple[str, str]:
    """Return an error's message, and a hint, which may be empty."""
    if isinstance(error, CommandError):
        return error.message, error.hint
    hint = _HINTS.get(code_of(error), "")
    if isinstance(error, InvalidArgumentError):
        name = error.field.partition("[")[0]
        option = _OPTIONS.get(name, "--" + name.replace("_", "-"))
        return f"{option}: expected {error.expected}, got {error.got}", hint
    if isinstance(error, PyasError):
        return str(error), hint
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or ("standard output" if error.errno in _WRITE_ERRORS else "")
        return (f"{where}: {error.strerror}" if where else error.strerror), ""
    return f"{type(error).__name__}: {error}", "This is a bug in pyas. With --debug, it shows where."
