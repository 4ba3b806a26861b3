"""Pagination machines in a given state, and errors to give them."""

from __future__ import annotations

from pyas_async import (
    AuthenticationError,
    BadRequestError,
    Meeting,
    NotFoundError,
    Page,
    PageTokenExpiredError,
    PyasError,
    RateLimitError,
    ServerError,
    TransportError,
)
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine

EXPIRED = PageTokenExpiredError("expired", status=400, code=300)
TOO_OLD = PageTokenExpiredError("too old", status=0)
UNCLEAR = NotFoundError("Not Found", status=404)
SIZE = BadRequestError("maxResults is too large", status=400)
OTHERS: list[PyasError] = [
    AuthenticationError("no", status=401),
    RateLimitError("slow down"),
    ServerError("down", status=500),
    TransportError("reset"),
]


def page(*ids: int, token: str | None = None, total: int | None = None) -> Page:
    """Make a page of rows with these ids."""
    return Page(meetings=tuple(Meeting(id=number) for number in ids), next_page_token=token, total_records=total)


def following(rules: ListingRules | None = None, now: float = 0.0) -> PaginationMachine:
    """Make a machine that follows a token."""
    machine = PaginationMachine(rules or ListingRules())
    machine.on_page(page(1, token="a"), now, now)
    return machine
