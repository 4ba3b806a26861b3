"""A stand-in for the Pyas Zoom-meetings service, for development and tests.

Its rules are written from the service's documentation alone. It shares no code with the client, so that a mistake in
one does not hide the same mistake in the other. In a test::

    with Sandbox(meetings=1000, token_ttl=60) as sandbox:
        http = httpx.AsyncClient(transport=sandbox.transport())

`pyas_async.testing` combines it with a clock that the test moves, and with clients.

To serve it over a socket, use ``with sandbox.serve() as url:``, or run ``python -m pyas_async.sandbox --help`` or
``pyas sandbox`` for a separate process. It needs the extra ``pyas_async[sandbox]``.
"""

from pyas_async.sandbox._cli import main
from pyas_async.sandbox._extras import MissingExtraError
from pyas_async.sandbox._faults import Fault
from pyas_async.sandbox._responses import EXPIRED_ANSWERS, ExpiredAnswer
from pyas_async.sandbox._sandbox import Sandbox
from pyas_async.sandbox._seen import OPERATIONS, Operation, SeenRequest
from pyas_async.sandbox._settings import Settings

__all__ = [
    "EXPIRED_ANSWERS",
    "OPERATIONS",
    "ExpiredAnswer",
    "Fault",
    "MissingExtraError",
    "Operation",
    "Sandbox",
    "SeenRequest",
    "Settings",
    "main",
]
