"""Serves the example application on a socket, in a thread, over a sandbox."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from pyas_async.sandbox import Sandbox

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "web"
sys.path.append(str(EXAMPLE))

import webapp  # noqa: E402 -- from the folder added above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Server(uvicorn.Server):
    """uvicorn's server, without its polls of a tenth of a second."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 -- an ASGI application
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:  # noqa: ANN401 -- as uvicorn has it
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(*, meetings: int = 700, **settings: Any) -> Iterator[tuple[str, Sandbox]]:  # noqa: ANN401 -- a client's
    """Serve the application over a sandbox of one account, and yield its address."""
    with Sandbox(accounts=1, meetings=meetings) as sandbox, sandbox.serve() as url:
        app = webapp.make_app(
            **{"api_key": sandbox.api_key, "base_url": url, "account_id": sandbox.account_ids[0], **settings}
        )
        server = _Server(app)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert server.ready.wait(10)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}", sandbox
        finally:
            server.should_exit = True
            thread.join()


def until(ready: Callable[[], object], seconds: float = 20) -> None:
    """Wait for an event in another thread, or in a browser."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
