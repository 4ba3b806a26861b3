"""A service that responds to every call of the API."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyas_async import MeetingCreate
from runtime.socket_server import document, found, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.socket_server import Seen, Wire

START = datetime(2031, 5, 6, 9, 30, tzinfo=UTC)
LOST = MeetingCreate(type=2, title="lost", description="", start_date=START)
"""A meeting whose create is carried out, and gets no response."""
HELD, SLOW, FLAKY = 90, 91, 92
"""Meetings without a response, with a slow response, and with a response every other time."""
ODD, ODD_ROWS = "odd", 101
"""An account whose listing is one page of undocumented rows, which is read in several steps."""
URL = {"url": "https://zoom.example/oauth"}
ACCOUNT = {"account": {"accountId": "acc", "email": "a@example.com", "name": "A", "provider": "zoom"}}


class Service:
    """Responds to every call."""

    def __init__(self) -> None:
        self._fails = False
        self._over = threading.Event()

    @contextmanager
    def serve(self) -> Iterator[Wire]:
        """Serve on a socket."""
        with wire(self._answer) as server:
            yield server
            self._over.set()

    def _answer(self, seen: Seen) -> bytes | None:
        path = seen.target.partition("?")[0]
        what = path.rpartition("/")[2]
        if what in ("oauth", "connect"):
            return document({"success": True, "data": URL if what == "oauth" else ACCOUNT})
        if what == "meetings" and self._is_lost(seen):
            return None if seen.method == "POST" else document({"success": True, "data": {"meetings": [lost_row()]}})
        if seen.query.get("accountId") == ODD:
            return document({"success": True, "data": {"meetings": [odd_row(number) for number in range(ODD_ROWS)]}})
        if what in (str(HELD), str(SLOW)):
            self._over.wait(0.2 if what == str(HELD) else 0.005)
        self._fails = not self._fails if what == str(FLAKY) else self._fails
        if what == str(FLAKY) and self._fails:
            return document({"error": "Service Unavailable"}, 503)
        return None if what == str(HELD) else found(seen)

    @staticmethod
    def _is_lost(seen: Seen) -> bool:
        """Whether the request creates the meeting whose create gets no response, or looks it up."""
        if seen.method == "POST":
            return bool(json.loads(seen.body)["meetingData"]["title"] == LOST.title)
        return "startDate" in seen.query


def odd_row(number: int) -> dict[str, Any]:
    """Return a row that differs from the documented form; many of them take long to read."""
    return {"id": str(number), "uuid": f"u{number}=="}


def lost_row() -> dict[str, Any]:
    """Return the row of the meeting whose create got no response."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    start = f"{START:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": 81,
        "uuid": "u81==",
        "topic": LOST.title,
        "type": 2,
        "start_time": start,
        "duration": LOST.duration,
        "created_at": now,
    }
