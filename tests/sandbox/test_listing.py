"""The list call: pages, sizes, numbers, filters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pyas_async.sandbox import Sandbox
from sandbox.tools import NOW, Clock, client_of, flat, keys, list_all, list_page

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio


def begin(row: dict[str, Any]) -> datetime:
    """Return the time that the filters use."""
    return datetime.fromisoformat(row.get("start_time") or row["created_at"])


def end(row: dict[str, Any]) -> float:
    """Return the end of a meeting in epoch seconds."""
    return begin(row).timestamp() + float(row.get("duration", 0)) * 60


@pytest.mark.parametrize("size", [1, 7, 30, 99, 100, 101, 300])
async def test_pages_are_the_truth(sandbox: Sandbox, client: httpx.AsyncClient, account: str, size: int) -> None:
    """Pages of any size together hold every row of the account once, in order."""
    pages = await list_all(client, account, maxResults=size)
    assert flat(pages) == sandbox.rows(account)
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("meetings", [0, 1, 29, 30, 31])
async def test_default_size(clock: Clock, meetings: int) -> None:
    """By default a page has 30 rows, and a token only if more rows follow."""
    with Sandbox(accounts=1, meetings=meetings, clock=clock) as sandbox:
        async with client_of(sandbox) as client:
            answer = (await list_page(client, sandbox.account_ids[0])).json()
    data = answer["data"]
    assert (answer["success"], list(data)) == (True, ["page_size", "total_records", "next_page_token", "meetings"])
    assert (data["page_size"], data["total_records"], len(data["meetings"])) == (30, meetings, min(meetings, 30))
    assert (data["next_page_token"] != "") == (meetings > 30)


async def test_size_above_the_cap(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """A page size above the cap is reduced and reported, or refused."""
    sandbox.max_page_size = 50
    cut = (await list_page(client, account, maxResults=300)).json()["data"]
    sandbox.oversize = "refuse"
    refused = await list_page(client, account, maxResults=51)
    assert (cut["page_size"], len(cut["meetings"])) == (50, 50)
    entry = {"msg": "Invalid value", "param": "maxResults", "location": "query", "value": "51"}
    assert (refused.status_code, refused.json()) == (400, {"errors": [entry]})
    assert (await list_page(client, account, maxResults=50)).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maxResults", "0"), ("maxResults", "-1"), ("maxResults", "ten"), ("maxResults", ""), ("pageNumber", "0"),
        ("pageNumber", "x"), ("type", "past"), ("type", ""), ("startDate", "2026-11-22"), ("startDate", "13-01-2026"),
        ("startDate", "02-30-2026"), ("endDate", "1-1-2026"), ("endDate", "01/01/2026"), ("endDate", "01-01-0000"),
    ],
)  # fmt: skip
async def test_bad_value(client: httpx.AsyncClient, account: str, name: str, value: str) -> None:
    """An invalid value is refused by name, and shown."""
    answer = await list_page(client, account, **{name: value})
    entry = {"msg": "Invalid value", "param": name, "location": "query", "value": value}
    assert (answer.status_code, answer.json()) == (400, {"errors": [entry]})


async def test_every_fault_is_told(client: httpx.AsyncClient) -> None:
    """A request with several faults gets all of them."""
    answer = await client.get("/zoom/meetings", params={"type": "x", "maxResults": "0", "startDate": "y"})
    assert [entry["param"] for entry in answer.json()["errors"]] == ["accountId", "type", "startDate", "maxResults"]


async def test_page_numbers(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """Pages by number are the same pages, without tokens; past the end they are empty."""
    pages = [
        (await list_page(client, account, maxResults=40, pageNumber=number)).json()["data"] for number in (1, 2, 3, 4)
    ]
    assert flat(page["meetings"] for page in pages) == sandbox.rows(account)
    assert [page["next_page_token"] for page in pages] == [""] * 4
    assert pages[3]["meetings"] == []


async def test_page_numbers_ignored(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """If numbers are ignored, each of them gives the first page, with its token."""
    sandbox.page_numbers = "ignore"
    page = (await list_page(client, account, maxResults=40, pageNumber=2)).json()["data"]
    assert page["meetings"] == sandbox.rows(account)[:40]
    assert page["next_page_token"] != ""


async def test_number_and_token(client: httpx.AsyncClient, account: str) -> None:
    """A page number together with a token is refused."""
    token = (await list_page(client, account)).json()["data"]["next_page_token"]
    answer = await list_page(client, account, pageNumber=2, nextPageToken=token)
    assert (answer.status_code, answer.json()["errors"][0]["param"]) == (400, "pageNumber")


async def test_types(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """The types follow the clock: scheduled is every row, and a row is previous or upcoming, and live while it runs."""
    rows = sandbox.rows(account)
    listed = {
        kind: flat(await list_all(client, account, type=kind))
        for kind in ("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings")
    }
    assert listed["scheduled"] == rows
    assert listed["live"] == [row for row in rows if begin(row).timestamp() <= NOW < end(row)]
    assert listed["upcoming"] == listed["upcoming_meetings"] == [row for row in rows if end(row) > NOW]
    assert listed["previous_meetings"] == [row for row in rows if end(row) <= NOW]
    assert all(listed.values())


async def test_types_follow_the_clock(sandbox: Sandbox, client: httpx.AsyncClient, account: str, clock: Clock) -> None:
    """An upcoming meeting is a previous one two years later."""
    clock.now += 2 * 366 * 86_400
    assert flat(await list_all(client, account, type="upcoming")) == []
    assert flat(await list_all(client, account, type="previous_meetings")) == sandbox.rows(account)


@pytest.mark.parametrize(
    "days",
    [
        ("10-01-2026", None),
        (None, "12-31-2026"),
        ("10-01-2026", "12-31-2026"),
        ("01-01-2030", None),
        ("12-31-2026", "10-01-2026"),
    ],
)
async def test_dates(
    sandbox: Sandbox, client: httpx.AsyncClient, account: str, days: tuple[str | None, str | None]
) -> None:
    """Dates are inclusive UTC days; a row without a start is compared by its creation time."""
    first, last = (
        None if day is None else datetime.strptime(day, "%m-%d-%Y").replace(tzinfo=UTC).date() for day in days
    )
    query = {name: day for name, day in zip(("startDate", "endDate"), days, strict=True) if day is not None}
    expected = [
        row
        for row in sandbox.rows(account)
        if (first is None or begin(row).date() >= first) and (last is None or begin(row).date() <= last)
    ]
    assert flat(await list_all(client, account, maxResults=7, **query)) == expected


async def test_dates_at_their_edges(sandbox: Sandbox, client: httpx.AsyncClient, account: str) -> None:
    """The first and the last second of a day belong to that day only."""
    starts = ["2031-05-04T23:59:59Z", "2031-05-05T00:00:00Z", "2031-05-05T23:59:59Z", "2031-05-06T00:00:00Z"]
    for start in starts:
        sandbox.add_meeting(account, {"start_time": start})
    rows = flat(await list_all(client, account, startDate="05-05-2031", endDate="05-05-2031"))
    assert [row["start_time"] for row in rows] == starts[1:3]


async def test_accounts_are_apart(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """Accounts share no rows."""
    first, second = [flat(await list_all(client, account)) for account in sandbox.account_ids]
    assert not set(keys(first)) & set(keys(second))
