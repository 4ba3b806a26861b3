"""Other ways to do the same, and ours: each is an async context manager that gives what does the work.

What does the work takes a size, as the section says, and returns how many meetings it had in hand.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias, cast

import attrs

KEY: Final = "benchmark-key"
PAGE: Final = 300
LISTING: Final = "rows"


@attrs.frozen
class Where:
    """Where the service is: its addresses by latency, and ids that it knows."""

    url: str
    slow_url: str
    ids: list[int]


Act: TypeAlias = Callable[[int], Awaitable[int]]
Peer: TypeAlias = Callable[[Where], AbstractAsyncContextManager[Act]]


def find(name: str) -> Peer:
    """Import a peer, named ``module.function``: none but this one, so that it has its process to itself."""
    module, _, function = name.partition(".")
    return cast("Peer", getattr(importlib.import_module(f"{__name__}.{module}"), function))
