"""Interrupts the command at every moment of its start; run as a script.

It starts as the script ``pyas`` does. Before an import, it forks a process that interrupts itself, and waits for its
end.
So one start, which takes half a second, covers all the moments.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import pyas_async_cli

EVERY = 4
"""One of this many imports is interrupted: all 600 would take four seconds."""


def main() -> int:
    """Start the command; write the result of each interrupted process to stdout, one JSON object per line."""
    report = os.dup(1)
    imports = 0

    def strike(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal imports
        if event != "import":
            return
        imports += 1
        if imports % EVERY:
            return
        heard, said = os.pipe()
        pid = os.fork()
        if not pid:
            imports = -1_000_000_000  # a forked process must not fork again
            os.dup2(said, 1)
            os.dup2(said, 2)
            os.close(said)
            os.close(heard)
            os.kill(os.getpid(), signal.SIGINT)
            return
        os.close(said)
        with open(heard, encoding="utf-8") as pipe:  # noqa: PTH123  (it is a descriptor)
            words = pipe.read()
        _, status = os.waitpid(pid, 0)
        line = {"at": arguments[0], "code": os.waitstatus_to_exitcode(status), "words": words}
        os.write(report, (json.dumps(line) + "\n").encode())

    sys.addaudithook(strike)
    return pyas_async_cli.main()


if __name__ == "__main__":
    sys.exit(main())
