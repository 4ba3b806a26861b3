"""Shared by the tests of the sandbox: a manual clock, a plain client, and requests as on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyas_async.sandbox import Sandbox

NOW = 1_795_335_096.0
"""Sun Nov 22 2026 08:11:36 UTC."""
DAY = 86_400.0
WEEKLY: dict[str, object] = {
    "type": "weekly",
    "interval": 1,
    "daysOfWeek": ["wednesday"],
    "endDate": "2027-01-01T22:26:39.109Z",
}
"""A recurrence like the page's example."""


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def client_of(sandbox: Sandbox, key: str | None = None) -> httpx.AsyncClient:
    """Make a client that reaches the sandbox in process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox.app),
        base_url="http://sandbox",
        headers={"x-api-key": sandbox.api_key if key is None else key},
    )


async def list_page(client: httpx.AsyncClient, account_id: str, **query: object) -> httpx.Response:
    """Call the list endpoint once."""
    parameters = {name: str(value) for name, value in query.items()}
    return await client.get("/zoom/meetings", params={"accountId": account_id, **parameters})


async def list_all(client: httpx.AsyncClient, account_id: str, **query: object) -> list[list[dict[str, Any]]]:
    """Follow the page tokens to the end; return the pages."""
    pages: list[list[dict[str, Any]]] = []
    token = ""
    while True:
        answer = await list_page(client, account_id, **query, **({"nextPageToken": token} if token else {}))
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        pages.append(data["meetings"])
        token = data["next_page_token"]
        if not token:
            return pages


def flat(pages: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join the rows of pages."""
    return [row for page in pages for row in page]


def keys(rows: Iterable[dict[str, Any]]) -> list[tuple[object, object, object]]:
    """Return the identity of each row."""
    return [(row["id"], row["uuid"], row.get("start_time")) for row in rows]


def meeting_data(**changes: object) -> dict[str, object]:
    """Build the page's example of a ``meetingData`` object, with changes; a field given as `...` is left out."""
    data: dict[str, object] = {
        "type": 2,
        "title": "Test Meeting",
        "description": "This is an example meeting",
        "startDate": "2026-12-01T10:00:00Z",
        "duration": 30,
        "waitingRoom": True,
        "attendees": [{"email": "example@gmail.com"}],
    }
    return {name: value for name, value in (data | changes).items() if value is not ...}


async def create(client: httpx.AsyncClient, account_id: str, **changes: object) -> httpx.Response:
    """Create a meeting."""
    return await client.post("/zoom/meetings", json={"accountId": account_id, "meetingData": meeting_data(**changes)})
