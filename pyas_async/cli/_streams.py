"""The standard streams: made sure to exist, and to accept every character."""

import codecs
import io
import os
import sys
from typing import Final

from rich.cells import cell_len

_REPLACEMENTS: Final = dict(zip("│─┼▎▸⋮…·“”‘’–—", "|-+#>:.-\"\"''--", strict=True))  # noqa: RUF001  (on purpose)
_ERRORS: Final = "pyas-like"


def prepare_streams() -> None:
    """Make the standard streams safe to use.

    If the parent process has closed one of them, Python has none, and it is replaced by the null device. If the
    encoding of one is not UTF-8, a title in another script must not fail the command: a character that cannot be
    encoded is replaced by a similar one, or by question marks of the same width.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order, so that no file that is opened later gets the file number of a standard stream.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (open until exit)
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


def discard_stdout() -> None:
    """Discard the output that is still buffered: it cannot be written, and Python would report that on exit."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, sys.stdout.fileno())
    os.close(null_device)
