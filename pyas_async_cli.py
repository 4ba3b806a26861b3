"""The script ``pyas``.

It stands outside of the package, whose import loads the client. That takes tenths of a second, in which Ctrl-C would be
answered with a traceback from wherever it strikes: so this module imports next to nothing before it heeds the signal.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130


def main() -> int:
    """Run `pyas_async.cli.main` as all that a process does; return its exit code.

    Ctrl-C ends the process at once, and without a word, while the command is loaded and again when it has ended.
    """
    before = signal.getsignal(signal.SIGINT)
    # Where a shell has switched it off, as for what it runs in the background, it stays off.
    heeded = before is signal.default_int_handler
    try:
        if heeded:
            signal.signal(signal.SIGINT, _leave)
        from pyas_async import cli  # noqa: PLC0415  (the signal is heeded first)

        with suppress(ImportError):  # an extra that is not installed: the command says so
            import pyas_async.cli._app  # noqa: F401, PLC0415  (while the signal is heeded)
        signal.signal(signal.SIGINT, before)
        code = cli.main()
        if heeded:
            signal.signal(signal.SIGINT, _leave)
    except KeyboardInterrupt:  # between two of these lines
        return _INTERRUPTED
    return code


def _leave(_number: int, _frame: FrameType | None) -> None:
    # No exception: a library may catch one, and what Python calls by itself, such as a weak reference's callback, has
    # it written to stderr and goes on. There is nothing yet, or nothing any more, that would have to be put in order.
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    raise SystemExit(main())
