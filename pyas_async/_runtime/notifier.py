"""A notification that can be given again and again."""

import anyio


class Notifier:
    """Wakes all tasks that wait for a change.

    Look at the state, then `wait`, with nothing awaited in between: so no change is missed.
    """

    def __init__(self) -> None:
        # Made by the first that waits: a notifier may be made before there is an event loop.
        self._event: anyio.Event | None = None

    def notify(self) -> None:
        """Wake all tasks that wait now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait for the next `notify`."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
