"""Series: from the page's fields to Zoom's numbers, and to one row for each occurrence."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tools import WEEKLY, create, keys

if TYPE_CHECKING:
    import httpx

    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def series(
    client: httpx.AsyncClient, account: str, recurrence: dict[str, object], **changes: object
) -> dict[str, Any]:
    """Create a series and return its detail."""
    answer = await create(client, account, type=8, recurrence=recurrence, **changes)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


async def test_weekly_series(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A weekly series has Zoom's numbers, an occurrence for each named day, and a row for each occurrence."""
    words: dict[str, object] = WEEKLY | {"daysOfWeek": ["wednesday", "sunday"], "endDate": "2026-12-13T23:00:00Z"}
    made = await series(client, account, words)
    assert made["recurrence"] == {
        "type": 2,
        "repeat_interval": 1,
        "weekly_days": "1,4",
        "end_date_time": "2026-12-13T23:00:00Z",
    }
    days = ["2026-12-02", "2026-12-06", "2026-12-09", "2026-12-13"]
    assert [occurrence["start_time"] for occurrence in made["occurrences"]] == [f"{day}T10:00:00Z" for day in days]
    assert {(item["duration"], item["status"]) for item in made["occurrences"]} == {(30, "available")}
    rows = sandbox.rows(account)[100:]
    assert [row["start_time"] for row in rows] == [f"{day}T10:00:00Z" for day in days]
    assert {row["id"] for row in rows} == {made["id"]}
    assert len({row["uuid"] for row in rows}) == 4


async def test_daily_series_keeps_its_hour(client: httpx.AsyncClient, account: str) -> None:
    """A series keeps its local time when the offset of its zone changes."""
    words: dict[str, object] = {"type": "daily", "interval": "2", "endDate": "2027-03-31T00:00:00Z"}
    made = await series(client, account, words, startDate="2027-03-26T09:00:00+01:00", timeZone="Europe/Berlin")
    starts = ["2027-03-26T08:00:00Z", "2027-03-28T07:00:00Z", "2027-03-30T07:00:00Z"]
    assert [occurrence["start_time"] for occurrence in made["occurrences"]] == starts


async def test_monthly_series_skips_short_months(client: httpx.AsyncClient, account: str) -> None:
    """A month without the day has no occurrence."""
    words: dict[str, object] = {"type": "monthly", "interval": 1, "dayOfMonth": "31", "endDate": "2027-06-01T00:00:00Z"}
    made = await series(client, account, words)
    assert made["recurrence"]["monthly_day"] == 31
    assert [item["start_time"][:10] for item in made["occurrences"]] == [
        "2026-12-31",
        "2027-01-31",
        "2027-03-31",
        "2027-05-31",
    ]


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly"])
async def test_series_without_an_end(client: httpx.AsyncClient, account: str, kind: str) -> None:
    """A series without an end has ten occurrences from its first day on, evenly spaced."""
    made = await series(client, account, {"type": kind, "interval": 1})
    starts = [item["start_time"] for item in made["occurrences"]]
    assert (made["recurrence"]["end_times"], len(starts), starts[0]) == (10, 10, "2026-12-01T10:00:00Z")
    assert all(first < second for first, second in pairwise(starts))


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly"])
async def test_series_of_a_vast_interval(client: httpx.AsyncClient, account: str, kind: str) -> None:
    """An interval beyond the calendar leaves only the first occurrence."""
    made = await series(client, account, {"type": kind, "interval": 10**15})
    assert len(made["occurrences"]) == 1


async def test_series_without_words(client: httpx.AsyncClient, account: str) -> None:
    """A series of fixed times without a recurrence is one occurrence."""
    made = (await create(client, account, type=8)).json()["data"]
    assert ("recurrence" in made, len(made["occurrences"])) == (False, 1)


async def test_recurrence_without_fixed_times(client: httpx.AsyncClient, account: str) -> None:
    """A series without fixed times may have a recurrence, and has no occurrences."""
    made = (await create(client, account, type=3, recurrence=WEEKLY)).json()["data"]
    assert (made["recurrence"]["weekly_days"], "occurrences" in made) == ("4", False)


async def test_rescheduled_series(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A new recurrence changes the rows of a series; the remaining ones keep their uuid and position."""
    made = await series(client, account, WEEKLY | {"endDate": "2026-12-10T00:00:00Z"})
    before = sandbox.rows(account)
    words = {"type": "daily", "interval": 1, "endDate": "2026-12-04T23:00:00Z"}
    url = f"/zoom/meetings/{made['id']}"
    answer = await client.patch(url, json={"accountId": account, "meetingData": {"recurrence": words}})
    assert answer.status_code == 200
    rows = sandbox.rows(account)
    assert [row["start_time"][:10] for row in rows[100:]] == ["2026-12-02", "2026-12-03", "2026-12-04"]
    assert [row["uuid"] for row in rows[100:102]] == [row["uuid"] for row in before[100:102]]
    assert sandbox.document(account, made["id"])["recurrence"]["type"] == 1


async def test_series_becomes_one_meeting(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """An update to the type of a single meeting leaves one row and no recurrence."""
    made = await series(client, account, WEEKLY)
    url = f"/zoom/meetings/{made['id']}"
    await client.patch(url, json={"accountId": account, "meetingData": {"type": 2}})
    now = sandbox.document(account, made["id"])
    assert (now["type"], "recurrence" in now, "occurrences" in now) == (2, False, False)
    assert keys(sandbox.rows(account)[100:]) == [(made["id"], made["uuid"], made["start_time"])]
