"""The format of days in filters is the client's: from its argument, else from the environment, else MM-DD-YYYY."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract.tools import KEY, Service, in_process, listing
from pyas_async import CheckpointError, PyasClient
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio
DAY = date(2026, 1, 31)


async def one_page(client: PyasClient, day: Any) -> None:  # noqa: ANN401  (a date or text)
    """List a page."""
    await client.meetings.list(start_date=day)


async def all_pages(client: PyasClient, day: Any) -> None:  # noqa: ANN401
    """List all pages."""
    await client.meetings.iter_all(start_date=day).collect()


async def accounts(client: PyasClient, day: Any) -> None:  # noqa: ANN401
    """List an account among many."""
    async with client.meetings.iter_accounts(["a"], start_date=day) as pairs:
        async for _ in pairs:
            raise AssertionError


async def changes(client: PyasClient, day: Any) -> None:  # noqa: ANN401
    """Find out what has changed."""
    async for _ in client.meetings.changes(start_date=day):
        raise AssertionError


@pytest.mark.parametrize("call", [one_page, all_pages, accounts, changes])
@pytest.mark.parametrize("day", [DAY, "2026-01-31", "20260131"])
@pytest.mark.parametrize(
    ("argument", "variable", "sent"),
    [
        (None, None, "01-31-2026"),
        ("%d-%m-%Y", None, "31-01-2026"),
        (None, "%Y-%m-%d", "2026-01-31"),
        ("%d/%m/%y", "%Y-%m-%d", "31/01/26"),
    ],
)
async def test_format(
    call: Callable[[PyasClient, Any], Awaitable[None]],
    day: Any,  # noqa: ANN401
    argument: str | None,
    variable: str | None,
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A date and an ISO day are written in the client's format, in every listing."""
    if variable is not None:
        monkeypatch.setenv("PYAS_DATE_FORMAT", variable)
    service = Service(listing([]))
    async with service.client() as given:
        client = given if argument is None else given.with_options(date_format=argument)
        await call(client, day)
    assert [sent] == [request.url.params["startDate"] for request in service.requests]


@pytest.mark.parametrize("text", ["31.01.2026", "31 Jan 2026"])
async def test_own_format(text: str) -> None:
    """Text that is already in the client's format, or has digits with separators, is sent as it is."""
    service = Service(listing([]))
    async with service.client() as client:
        await client.with_options(date_format="%d %b %Y").meetings.list(end_date=text)
    assert [text] == [request.url.params["endDate"] for request in service.requests]


async def test_argument() -> None:
    """The argument of a client holds for its views, and a view may have another format."""
    service = Service(listing([]), listing([]), listing([]))
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:
        client = PyasClient(KEY, account_id="a", http_client=http, date_format="%d-%m-%Y")
        await client.for_account("b").meetings.list(start_date=DAY)
        await client.with_options(date_format=None).meetings.list(start_date=DAY)
        await client.meetings.list(start_date=DAY)
    assert ["31-01-2026", "01-31-2026", "31-01-2026"] == [r.url.params["startDate"] for r in service.requests]


async def test_checkpoint() -> None:
    """A listing resumes with the same day, be it a date or an ISO day, but not in another format."""
    async with Service().client() as client:
        checkpoint = client.meetings.iter_all(start_date=DAY).checkpoint()
        assert "startDate=01-31-2026" in repr(client.meetings.iter_all(start_date="2026-01-31", resume=checkpoint))
        with pytest.raises(CheckpointError, match="startDate"):
            client.with_options(date_format="%Y-%m-%d").meetings.iter_all(start_date=DAY, resume=checkpoint)


@pytest.mark.parametrize("form", ["%m-%d-%Y", "%d-%m-%Y", "%Y-%m-%d", "%d.%m.%y", "%Y%m%d"])
async def test_sandbox(form: str) -> None:
    """A sandbox expects the format that it is set to, and refuses others, so that a program can be tested with it."""
    with Sandbox(accounts=1, meetings=40, api_key=KEY, date_format=form) as sandbox:
        async with in_process(sandbox) as client:
            view = client.with_options(date_format=form)
            rows = await view.meetings.iter_all().collect()
            day = max(row.start_time for row in rows if row.start_time is not None).date()
            assert 1 <= len(await view.meetings.iter_all(start_date=day).collect()) < len(rows)
        assert form in repr(sandbox.date_format)
