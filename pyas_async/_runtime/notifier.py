"""A signal that can be given again and again."""

import anyio


class Notifier:
    """Wakes all who wait for a change. Look, then wait, without anything in between: no ring is missed."""

    def __init__(self) -> None:
        """Hang it up; it may ring before there is an event loop."""
        self._event: anyio.Event | None = None

    def notify(self) -> None:
        """Say that something has changed."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
