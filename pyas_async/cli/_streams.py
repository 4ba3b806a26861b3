"""The standard streams as the command wants them: there, and fit for every character."""

import codecs
import io
import os
import sys
from typing import Final

from rich.cells import cell_len

_LIKE: Final = dict(zip("│─┼▎▸⋮…·“”‘’–—", "|-+#>:.-\"\"''--", strict=True))  # noqa: RUF001  (they are meant)
_ERRORS: Final = "pyas-like"


def prepare_streams() -> None:
    """Make the standard streams safe to use; what is right already stays as it is.

    Whoever started the command may have closed them, and Python has none then. And where their encoding is not UTF-8,
    a title in another script must not end the command: what cannot be written becomes question marks, as wide as it is.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order, so that no file that is opened later gets a number that others write to.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (until the end)
    codecs.register_error(_ERRORS, _like)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and "utf" not in stream.encoding.lower():
            stream.reconfigure(errors=_ERRORS)


def _like(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks by something of the same width."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_LIKE.get(character, "?" * cell_len(character)) for character in lacking), error.end


def let_go_of_stdout() -> None:
    """Have what is still buffered go nowhere: it cannot be written, and Python would complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
