"""Limits how many requests run at once, in front of the client's own connections."""

import anyio


class ConnectionLimiter:
    """A slot for each connection that may be in use.

    Requests do not wait in httpx's own queue: it loses connections when a waiting request is cancelled. Waiting here
    also
    takes no time from the attempt.
    """

    def __init__(self, limit: int | None) -> None:
        """Allow `limit` requests at once; ``None`` for no limit, for an injected client whose pool has its own."""
        self._limit = limit
        self._free: anyio.Semaphore | None = None

    @property
    def taken(self) -> int:
        """How many slots are in use; 0 if there is no limit."""
        return 0 if self._limit is None or self._free is None else self._limit - self._free.value

    def try_acquire(self) -> bool:
        """Acquire a slot if one is free and no other request waits for it."""
        if self._limit is None:
            return True
        if self._free is None:
            self._free = anyio.Semaphore(self._limit, fast_acquire=True)
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            return False
        return True

    async def acquire(self, limit: float | None) -> bool:
        """Wait for a slot, in order of arrival; return ``False`` if none was free in time."""
        if self.try_acquire():
            return True
        assert self._free is not None  # noqa: S101  (without a limit, `try_acquire` succeeds)
        with anyio.move_on_after(limit):
            await self._free.acquire()
            return True
        return False

    def release(self) -> None:
        """Release a slot."""
        if self._free is not None:
            self._free.release()
