"""Interrupts the command at every moment of its start; run as a script.

    python interrupted.py EVERY ARGUMENT...

It starts as the script ``pyas`` does. Where it is about to import something, it forks a process that interrupts itself,
and waits for its end: so one start, which takes half a second, shows them all.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import pyas_async_cli

LARGE = ("anyio", "asyncio", "cyclopts", "httpx", "msgspec", "rich")
"""What takes the most time: the client is loaded, the command, and the event loop. Each is struck, however few are."""


def main() -> int:
    """Start the command; write what became of those that were interrupted to stdout, an object a line.

    Of so many imports as the first argument says one is struck: all 600 would take four seconds.
    """
    every = int(sys.argv.pop(1))
    waited = set(LARGE)
    report = os.dup(1)
    imports = 0

    def strike(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal imports
        if event != "import":
            return
        imports += 1
        package, dot, _ = str(arguments[0]).partition(".")
        if imports % every and not (dot and package in waited):
            return
        waited.discard(package)
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
