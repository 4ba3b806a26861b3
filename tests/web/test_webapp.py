"""The example application without a browser: its responses, and the calls that it ends when the browser leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pyas_async import RateBudget
from web.serving import serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async.sandbox import Sandbox

NEW = {"title": "A meeting", "start": "2031-05-04T09:00:00+02:00", "duration": 45}


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[httpx.Client, Sandbox]]:
    """Serve the application, and yield a client for it."""
    with serving() as (url, sandbox), httpx.Client(base_url=url, timeout=20) as browser:
        yield browser, sandbox


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Parse server-sent events."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_the_page_and_what_it_needs(place: tuple[httpx.Client, Sandbox]) -> None:
    """The page and its files are served, and it loads nothing from another host."""
    browser, _ = place
    page = browser.get("/").text
    parts = [part for part in page.split('"') if part.startswith("/static/")]
    assert 4 == len(parts)
    texts = [browser.get(part).raise_for_status().text for part in parts]
    assert [] == [text for text in [page, *texts] if "https://" in text]


def test_every_row_arrives_once(place: tuple[httpx.Client, Sandbox]) -> None:
    """A listing arrives row by row, with its progress and its totals."""
    browser, sandbox = place
    with browser.stream("GET", "/api/meetings") as answer:
        assert "text/event-stream" == answer.headers["content-type"].partition(";")[0]
        events = list(events_of(answer.iter_lines()))
    rows = [data for name, data in events if name == "meeting"]
    wanted = [str(row["id"]) for row in sandbox.rows(sandbox.account_ids[0])]
    assert sorted(wanted) == sorted(row["id"] for row in rows)
    assert ("done", {"rows": 700, "pages": 3, "calls": 3, "restarts": 0, "total": 700}) == events[-1]
    assert 700 == sum(name == "progress" for name, _ in events)


def test_restarts_are_told(place: tuple[httpx.Client, Sandbox]) -> None:
    """An expired page token is reported, and every row still arrives once."""
    browser, sandbox = place
    before = browser.get("/api/state").json()["restarts"]
    with browser.stream("GET", "/api/meetings", params={"pace": 2000}) as answer:
        events = events_of(answer.iter_lines())
        next(events)
        sandbox.expire_tokens()
        *_, (name, done) = events
    assert ("done", 700) == (name, done["rows"])
    assert done["restarts"] >= 1
    assert before + done["restarts"] == browser.get("/api/state").json()["restarts"]


def test_browser_leaves(place: tuple[httpx.Client, Sandbox]) -> None:
    """When the browser leaves, the listing ends at once and requests no more pages."""
    browser, sandbox = place
    with browser.stream("GET", "/api/meetings", params={"pace": 1}) as answer:
        events = events_of(answer.iter_lines())  # dropping it would close the connection
        next(events)
        until(lambda: 1 == browser.get("/api/state").json()["listings"])
    until(lambda: 0 == browser.get("/api/state").json()["listings"])
    seen = len(sandbox.requests)
    number = sandbox.rows(sandbox.account_ids[0])[0]["id"]
    browser.get(f"/api/meetings/{number}").raise_for_status()
    assert [f"/zoom/meetings/{number}"] == [request.path for request in sandbox.requests[seen:]]


def test_browser_leaves_while_waiting() -> None:
    """When the browser leaves while the listing waits for the budget, which may take minutes, it leaves the queue."""
    budget = RateBudget(1, guard=0)
    with serving(budget=budget, deadline=None) as (url, sandbox), httpx.Client(base_url=url) as browser:

        def state() -> dict[str, Any]:
            found: dict[str, Any] = browser.get("/api/state").json()
            return found

        with browser.stream("GET", "/api/meetings") as answer:
            events = events_of(answer.iter_lines())
            next(events)
            until(lambda: 1 == state()["waiting"])
            assert (1, 0) == (state()["limit"], state()["remaining"])
        until(lambda: 0 == state()["waiting"] + state()["listings"])
        # A single call leaves the queue as well.
        with pytest.raises(httpx.ReadTimeout):
            browser.get("/api/meetings/1", timeout=0.05)
        until(lambda: 0 == state()["waiting"])
        assert 1 == len(sandbox.requests)


def test_creating(place: tuple[httpx.Client, Sandbox]) -> None:
    """A meeting is created from the form, can be viewed, and none of its secrets leaves the server."""
    browser, sandbox = place
    answer = browser.post("/api/meetings", json=NEW)
    assert 201 == answer.status_code
    made = answer.json()
    document = sandbox.document(sandbox.account_ids[0], int(made["id"]))
    assert ("A meeting", 45) == (document["topic"], document["duration"])
    assert made == browser.get(f"/api/meetings/{made['id']}").json()
    assert "2031-05-04T07:00:00" == made["start"][:19]
    assert not {"password", "start_url"} & set(made)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"title": ""}, 422), ({"start": "2031-05-04T09:00:00"}, 422), ({"duration": -1}, 422), ({}, 503)],
)
def test_errors(place: tuple[httpx.Client, Sandbox], change: dict[str, Any], status: int) -> None:
    """An invalid meeting is refused with a reason, and a temporary refusal of the service is reported as such."""
    browser, sandbox = place
    sandbox.daily_writes = 0
    try:
        answer = browser.post("/api/meetings", json={**NEW, **change})
    finally:
        sandbox.daily_writes = 100
    assert status == answer.status_code
    assert sandbox.api_key not in answer.text
    assert answer.json()


def test_a_listing_that_fails(place: tuple[httpx.Client, Sandbox]) -> None:
    """An error of a listing is its last event, since its response has begun; one of a single call is its status."""
    browser, sandbox = place
    assert 404 == browser.get("/api/meetings/1").status_code
    with browser.stream("GET", "/api/meetings", params={"pace": 2000}) as answer:
        events = events_of(answer.iter_lines())
        next(events)
        sandbox.api_key = "another"
        try:
            *_, (name, said) = events
        finally:
            sandbox.api_key = "sandbox-key"
    assert "failed" == name
    assert "401" in said["message"]
    assert 300 <= said["rows"] < 700
