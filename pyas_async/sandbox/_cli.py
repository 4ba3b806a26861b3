"""The sandbox as a process: it prints one JSON line, and serves until it receives a signal."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import shlex
import signal
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pyas_async.sandbox._extras import MissingExtraError
from pyas_async.sandbox._responses import EXPIRED_ANSWERS
from pyas_async.sandbox._sandbox import Sandbox
from pyas_async.sandbox._settings import LAST_PORT, PLAN_CALLS
from pyas_async.sandbox._times import DATE_FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_KEPT_REQUESTS: Final = 1000
_USAGE_ERROR: Final = 2
_PROG: Final = "python -m pyas_async.sandbox"


def main(arguments: Sequence[str] | None = None, *, prog: str = _PROG) -> int:
    """Serve a sandbox until SIGINT or SIGTERM; return the exit code.

    Args:
        arguments: The command's arguments; default: those of the process.
        prog: The command's name in its help.
    """
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    # The handlers come before anything slow: an early signal must end the process as quietly as a late one. A handler
    # may run while the main thread holds the lock of what it waits on; `SimpleQueue.put` allows that.
    stop: queue.SimpleQueue[None] = queue.SimpleQueue()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.put(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    settings = vars(options)
    db = None if options.db is None else str(Path(options.db).absolute())
    host, port = settings.pop("host"), settings.pop("port")
    try:
        with Sandbox(keep_requests=_KEPT_REQUESTS, **settings) as sandbox, sandbox.serve(host, port) as url:
            facts = {"url": url, "api_key": sandbox.api_key, "account_ids": sandbox.account_ids, "db": db}
            sys.stdout.write(json.dumps(facts) + "\n")
            sys.stdout.flush()
            if sys.stdout.isatty():
                _print_exports(url, sandbox)
            # Each wait has a timeout: on Windows, a wait without one does not notice signals.
            while True:
                with contextlib.suppress(queue.Empty):
                    stop.get(timeout=1.0)
                    break
    except (ValueError, OSError, MissingExtraError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return _USAGE_ERROR
    return 0


def _print_exports(url: str, sandbox: Sandbox) -> None:
    """Write to stderr what a person can type in another terminal; programs read the JSON line."""
    settings = {"PYAS_BASE_URL": url, "PYAS_API_KEY": sandbox.api_key}
    if sandbox.account_ids:
        settings["PYAS_ACCOUNT_ID"] = sandbox.account_ids[0]
    if sandbox.date_format != DATE_FORMAT:
        settings["PYAS_DATE_FORMAT"] = sandbox.date_format
    if not _is_this_machine(url):
        # The client sends no key in plain http to another host unless it is told to.
        settings["PYAS_INSECURE_HTTP"] = "1"
    exports = "".join(f"  export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    sys.stderr.write(f"In another terminal:\n{exports}Ctrl-C ends the sandbox.\n")


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve a stand-in for the Pyas Zoom-meetings service. Prints one JSON line (url, api_key, "
        "account_ids, db) once it accepts connections. SIGINT or SIGTERM ends it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=_port, default=0, help="port to listen on; 0 is a free one")
    add("--accounts", type=int, default=3, help="number of generated accounts")
    add("--meetings", type=int, default=100, help="listed rows of each account")
    add("--seed", type=int, default=0, help="the same seed makes the same data")
    add("--db", default=None, help="SQLite file that keeps the data across restarts")
    add("--api-key", default="sandbox-key", help="key that requests carry in x-api-key")
    add("--token-ttl", type=float, default=900.0, help="seconds until a page token expires")
    add("--plan", choices=list(PLAN_CALLS), default="none", help="plan whose rate limit holds")
    add("--window", type=float, default=300.0, help="seconds in a window of the rate limit")
    add("--latency", type=float, default=0.0, help="seconds before each response")
    add("--page-size-cap", type=int, default=300, dest="max_page_size", help="largest page that is served")
    add("--oversize", choices=["clamp", "refuse"], default="clamp", help="what happens to requests for larger pages")
    add("--page-numbers", choices=["honour", "ignore"], default="honour", help="what happens to pageNumber")
    add(
        "--date-format",
        default=os.environ.get("PYAS_DATE_FORMAT", DATE_FORMAT),
        metavar="FORMAT",
        help="how filters write a day, as for strftime; PYAS_DATE_FORMAT sets it, too",
    )
    expired = f"answer to an invalid page token: {', '.join(EXPIRED_ANSWERS)}"
    # With a metavar, since argparse does not wrap a list of choices.
    add("--expired-answer", choices=list(EXPIRED_ANSWERS), default="zoom_400", metavar="ANSWER", help=expired)
    add("--update-answer", choices=["meeting", "success", "empty", "no_content"], default="success", help="to PATCH")
    add("--delete-answer", choices=["success", "empty", "no_content"], default="success", help="to DELETE")
    add("--daily-writes", type=_limit, default=100, help="creates and updates per account and day, or 'none'")
    return parser


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LAST_PORT)) else -1
    if not 0 <= port <= LAST_PORT:
        message = f"must be a whole number from 0 to {LAST_PORT}; got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return port


def _limit(text: str) -> int | None:
    return None if text == "none" else int(text)
