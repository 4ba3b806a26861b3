"""Our client and other ways to do the same: each is an async context manager that yields the function under test.

The function takes a size, whose meaning depends on the section, and returns the amount of work, in most sections the
number of meetings. A function that measures its own time returns that as well, with the names of `suite.contest.Turn`.
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
    """The service's addresses, the ids that it knows, and the folder of the generated client.

    Attributes:
        url: Responds at once.
        slow_url: Responds after the latency.
        encrypted_url: Responds at once, over TLS.
        authority: The file of the certificate authority of that address.
        ids: Meetings that the service knows.
        generated: The folder of the generated client.
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
    """Import a peer, named ``module.function``, and no other, so that it has its process to itself."""
    module, _, function = name.partition(".")
    return cast("Peer", getattr(importlib.import_module(f"{__name__}.{module}"), function))
