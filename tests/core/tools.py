"""What the tests of this folder share: one moment, and answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyas_async._core.calls.messages import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyas_async import RateBudget

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The wall clock of these tests."""


def answer(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Response:
    """Make an answer; a body that is no bytes is written as JSON."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {} if headers is None else headers, written)


def try_acquire(budget: RateBudget, now: float, *, bulk: bool = False) -> bool:
    """Take a slot if one is free, as the queue does when no other call waits."""
    if budget.wait_time(now, bulk=bulk) != 0:
        return False
    budget.acquire(now, bulk=bulk)
    return True
