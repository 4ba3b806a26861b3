"""The script ``pyas``.

It is outside of the package, since importing the package loads the client. That takes tenths of a second, during which
Ctrl-C would end in a traceback from some import. So this module imports almost nothing before it handles the signal.
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
    """Run `pyas_async.cli.main` as the only task of a process; return its exit code.

    While the command is loaded, and after it has ended, Ctrl-C ends the process at once and without output.
    """
    before = signal.getsignal(signal.SIGINT)
    # If a shell has disabled SIGINT, as for jobs in the background, it stays disabled.
    handles_sigint = before is signal.default_int_handler
    try:
        if handles_sigint:
            signal.signal(signal.SIGINT, _exit_interrupted)
        from pyas_async import cli  # noqa: PLC0415  (after the handler is set)

        with suppress(ImportError):  # a missing extra: the command reports it
            import pyas_async.cli._app  # noqa: F401, PLC0415  (while the handler is set)
        signal.signal(signal.SIGINT, before)
        code = cli.main()
        if handles_sigint:
            signal.signal(signal.SIGINT, _exit_interrupted)
    except KeyboardInterrupt:  # between two of the lines above
        return _INTERRUPTED
    return code


def _exit_interrupted(_number: int, _frame: FrameType | None) -> None:
    # Not an exception: a library may catch one, and Python writes one that is raised in a callback (such as that of a
    # weak reference) to stderr and continues. At these times there is nothing to clean up.
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    raise SystemExit(main())
