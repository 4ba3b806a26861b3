"""Asking the store that several processes share: one question at a time, within bounds, and what follows if it fails.

It is loaded for those who have a store.
"""

from collections.abc import Callable

import anyio
import anyio.lowlevel

from pyas_async._core.ratelimit.store_share import StoreShare
from pyas_async._runtime.clock import Clock


class StoreClient:
    """A client's way to the store of its budget."""

    def __init__(self, sharing: StoreShare, on_alone: Callable[[str, float], None] | None) -> None:
        """Stand before a store.

        Args:
            sharing: The budget that it counts.
            on_alone: Is told what was wrong with the store, and for how many seconds it is not asked.
        """
        self._sharing = sharing
        self._on_alone = on_alone
        self._under_way: set[anyio.CancelScope] = set()

    async def ask(self, seconds: float, clock: Clock, then: Callable[[], None]) -> None:
        """Tell the store what there is to tell, and ask it for the places that are wanted.

        A store that fails must not end a call: then this process counts alone for a while.

        Args:
            seconds: For how long whoever asks can wait, at most.
            clock: Tells the time.
            then: Is called when the answer is there, or is not awaited any more.
        """
        leases, began = self._sharing.leases, clock.now()
        report = self._sharing.report(began)
        scope = anyio.move_on_after(min(seconds, leases.patience))
        self._under_way.add(scope)
        leases.asking, lease, fault = True, None, None
        try:
            with scope:
                lease = await leases.store.lease(report)
                fault = self._sharing.leased(report, lease, clock.now())
        except Exception as error:  # noqa: BLE001  (it is the user's code)
            fault = f"raised {type(error).__name__}"
        finally:
            self._under_way.discard(scope)
            leases.asking = False
            now = clock.now()
            if lease is None and fault is None:
                fault = leases.waited(now - began)
            if fault is not None:
                self._goes_alone(fault, self._sharing.failed(now))
            # Cancelled or not, whoever slept until the answer must look again.
            then()
        # A store that answers without waiting, and gives nothing, must not keep the event loop to itself.
        await anyio.lowlevel.checkpoint()

    def stop(self) -> None:
        """Wait for no answer any more."""
        for scope in self._under_way:
            scope.cancel()

    def _goes_alone(self, fault: str, seconds: float) -> None:
        if self._on_alone is not None:
            self._on_alone(fault, seconds)
