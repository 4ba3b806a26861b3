"""`SyncStore`, where states are kept between rounds."""

from typing import Protocol, runtime_checkable

from pyas_async._core.sync.state import SyncState
from pyas_async._public import public


@public
@runtime_checkable
class SyncStore(Protocol):
    """Keeps the state of each account, for `Meetings.changes` and `Meetings.watch`.

    What `load` returns must be what the last `save` got, or its copy by ``SyncState.parse(str(state))``, even if the
    process was killed in between. `SqliteSyncStore` is one. One round at a time may use an account's state.
    """

    async def load(self, account_id: str) -> SyncState | None:
        """Return the state of an account; ``None`` if there is none."""
        ...

    async def save(self, account_id: str, state: SyncState) -> None:
        """Keep the state of an account instead of the one before, whole or not at all."""
        ...

    async def forget(self, account_id: str) -> None:
        """Delete the state of an account, if there is one."""
        ...
