"""The options of an iterator, and a checkpoint with what is known at its position."""

from __future__ import annotations

import attrs

from pyas_async import Checkpoint
from pyas_async._core.pagination.listing_state import OnExpired, VerifyTotal
from walk.listing import Filters, Key, ShortRepr


@attrs.frozen(kw_only=True, repr=False)
class IteratorOptions(ShortRepr):
    """The options of an iterator; `prefetch` is ``None`` for one that is not opened with ``async with``."""

    filters: Filters = ()
    page_size: int = 3
    max_items: int | None = None
    prefetch: bool | None = None
    on_expired: OnExpired = "restart"
    verify_total: VerifyTotal = "warn"
    ttl: float = 900.0


@attrs.frozen(kw_only=True)
class KeptCheckpoint:
    """A checkpoint, and what is known there: the rows yielded, and the tokens known to have expired."""

    checkpoint: Checkpoint | str
    token: str | None
    finished: bool
    page_size: int
    filters: Filters
    done: frozenset[Key]
    expired: frozenset[str]
    arrived_wall: float
