"""Other ways to do the same, and ours: each is an async context manager that gives what does the work.

What does the work takes a size, as the section says, and returns how much it did: of meetings, for the most part. What
takes its own time returns that as well, by the names of `suite.contest.Turn`.
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
    """Where the service is: its addresses, the ids that it knows, and where the generated client is.

    Attributes:
        url: Answers at once.
        slow_url: Answers after a while.
        encrypted_url: Answers at once, encrypted.
        authority: The file of who vouches for that one.
        ids: Meetings that it knows.
        generated: Where the generated client is.
    """

    url: str
    slow_url: str
    encrypted_url: str
    authority: str
    ids: list[int]
    generated: str


Act: TypeAlias = Callable[[int], Awaitable[int | dict[str, float]]]
Peer: TypeAlias = Callable[[Where], AbstractAsyncContextManager[Act]]


def find(name: str) -> Peer:
    """Import a peer, named ``module.function``: none but this one, so that it has its process to itself."""
    module, _, function = name.partition(".")
    return cast("Peer", getattr(importlib.import_module(f"{__name__}.{module}"), function))
