"""A server on a real socket, in a separate thread. Only this module imports uvicorn."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import ASGIApp

# Seconds that running requests may still take when the server stops; then they are cancelled.
_GRACE: Final = 0.25
_POLL_INTERVAL: Final = 0.002
# Longer than clients keep idle connections, so that the client closes them: no request meets a socket just closed.
_KEEP_ALIVE: Final = 75


class _Server(uvicorn.Server):
    """uvicorn's server, started and stopped by another thread, without uvicorn's polling every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready: Final = threading.Event()
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_for_requests()
        for task in list(self.server_state.tasks):
            task.cancel()
        await self._wait_for_requests()

    async def _wait_for_requests(self) -> None:
        deadline = asyncio.get_running_loop().time() + _GRACE
        while self.server_state.connections or self.server_state.tasks:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_POLL_INTERVAL)

    def stop(self) -> None:
        """Stop the server. Called from another thread, after `ready` is set."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)


@contextmanager
def serve(app: ASGIApp, host: str, port: int) -> Generator[str]:
    """Serve an application as long as the context lasts, and yield its base URL; port 0 takes a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # A response is sent in two writes, and the second would wait 40 ms for the acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # The application writes the Date header by its own clock.
        date_header=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
    )
    server = _Server(config)
    thread = threading.Thread(target=_run(server, listener), name="pyas-sandbox", daemon=True)
    try:
        thread.start()
        server.ready.wait()
        if server.failure is not None:
            message = f"the sandbox's server did not start: {server.failure!r}"
            raise RuntimeError(message) from server.failure
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join()
        listener.close()


def _run(server: _Server, listener: socket.socket) -> Callable[[], None]:
    def run() -> None:
        try:
            server.run(sockets=[listener])
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for this one
            server.failure = error
        finally:
            server.ready.set()

    return run
