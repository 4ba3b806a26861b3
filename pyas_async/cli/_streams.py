"""The standard streams: made sure to exist, and to accept every character."""

import codecs
import io
import os
import sys
from typing import Final

from rich.cells import cell_len

_REPLACEMENTS: Final = dict(zip("│─┼▎▸⋮…·“”‘’–—", "|-+#>:.-\"\"''--", strict=True))  # noqa: RUF001  (on purpose)
_ERRORS: Final = "pyas-like"


def prepare_streams(*, may_drop: bool = False) -> None:
    """Make the standard streams safe to use.

    If the parent process has closed one of them, Python has none, and it is replaced by the null device. Writing to
    stdout then fails, as it does in other programs; messages to stderr are dropped. If the encoding of one is not
    UTF-8, a title in another script must not fail the command: a character that cannot be encoded is replaced by a
    similar one, or by question marks of the same width.

    Args:
        may_drop: Whether what is written to a closed stdout is dropped as well.
    """
    output = os.O_WRONLY if may_drop else os.O_RDONLY
    for name, mode, access in (("stdin", "r", os.O_RDONLY), ("stdout", "w", output), ("stderr", "w", os.O_WRONLY)):
        if getattr(sys, name) is None:
            # In this order, so that no file that is opened later gets the file number of a standard stream.
            number = os.open(os.devnull, access)
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (open until exit)
    codecs.register_error(_ERRORS, _replace_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and "utf" not in stream.encoding.lower():
            stream.reconfigure(errors=_ERRORS)


def _replace_characters(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks by others of the same width."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_REPLACEMENTS.get(character, "?" * cell_len(character)) for character in lacking), error.end


def check_stdout() -> None:
    """Check that stdout can be written to, before a call whose result would be lost otherwise.

    Raises:
        OSError: If it cannot, as if it were written to.
    """
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # a replacement without a file
        return
    os.write(number, b"")


def discard_stdout() -> None:
    """Discard the output that is still buffered: it cannot be written, and Python would report that on exit."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, sys.stdout.fileno())
    os.close(null_device)
