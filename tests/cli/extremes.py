"""Rows with values at the ends of what a service can send, and a service that lists them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from runtime.socket_server import document, wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime.socket_server import Seen

Json = dict[str, Any]

ZONES: Final = ("UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu", "Pacific/Pago_Pago")
"""Zones on both sides of UTC, which move a moment at either end of the calendar beyond it."""
MOMENTS: Final = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00.000001-12:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-12:00",
    "9999-12-31T23:59:59+14:00",
)
NUMBERS: Final = (0, -1, 2**31, 10**10, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63) - 1)
USUAL: Final = {
    "id": 81,
    "uuid": "usual",
    "topic": "Usual",
    "type": 2,
    "start_time": "2026-03-02T09:00:00Z",
    "duration": 30,
}

ANSWER: Final[Json] = {}
"""The service's answer to a write."""


def rows() -> list[Json]:
    """Return a row for each extreme value of each field, and a usual one before and after them."""
    odd: list[Json] = [{"start_time": moment} for moment in MOMENTS]
    odd += [{"created_at": moment} for moment in MOMENTS]
    odd += [{"start_time": moment, "created_at": moment, "duration": 10**12} for moment in MOMENTS]
    odd += [{name: number} for name in ("duration", "type") for number in NUMBERS]
    odd += [{"id": number} for number in NUMBERS if number > 0]
    numbered = [{**USUAL, "id": 1000 + index, "uuid": f"u{index}", **row} for index, row in enumerate(odd)]
    dates = [{"occurrence_id": str(index), "start_time": moment} for index, moment in enumerate(MOMENTS)]
    series = [
        {
            **USUAL,
            "id": 2000 + index,
            "uuid": f"s{index}",
            "occurrences": dates,
            "recurrence": {"end_date_time": moment},
        }
        for index, moment in enumerate(MOMENTS)
    ]
    return [USUAL, *numbered, *series, {**USUAL, "id": 82, "uuid": "last"}]


def deep() -> Json:
    """Return a row with an unknown field that is nested too deep to be written."""
    value: list[Any] = []
    for _ in range(150):
        value = [value]
    return {**USUAL, "id": 99, "uuid": "deep", "new": value}


@contextmanager
def service(listed: Sequence[Json]) -> Iterator[str]:
    """Serve these rows as a listing of one page, and each as a meeting of its own; yields the address."""

    def respond(seen: Seen) -> bytes:
        if seen.method in ("POST", "PATCH") or (ANSWER and seen.target.startswith("/zoom/meetings/81?")):
            return document({"success": True, "data": ANSWER})
        number = seen.target.partition("?")[0].rpartition("/")[2]
        if number == "meetings":
            data = {"page_size": 300, "total_records": len(listed), "next_page_token": "", "meetings": listed}
            return document({"success": True, "data": data})
        return document({"success": True, "meeting": next(row for row in listed if str(row["id"]) == number)})

    with wire(respond) as server:
        yield server.url
