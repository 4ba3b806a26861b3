"""The client's requests and the sandbox's responses match docs/openapi.yaml, and that matches the page.

This is the quick form of ``nox -s contract``, which uses schemathesis and Prism.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from contract.tools import sample
from openapi.calls import ACCOUNT, CHANGES, NEW, make_every_call
from openapi.document import Document
from pyas_async import (
    Attendee,
    ConnectedAccount,
    ListType,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    MeetingUpdate,
    Page,
    PyasClient,
    Recurrence,
)
from pyas_async.models._source import wire_name
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
DOCUMENT = Document()
CLOSED = Document(closed=True)
"""The document, without further properties."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop is enough, since the requests do not depend on it."""
    return "asyncio"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a sandbox with the account of the page's example."""
    with Sandbox(accounts=0, daily_writes=None) as made:
        made.add_account(ACCOUNT, meetings=40)
        yield made


async def test_client_and_sandbox(sandbox: Sandbox) -> None:
    """Every request of the client and every response of the sandbox matches the document; every operation is used."""
    faults: list[str] = []
    seen: set[str] = set()

    async def look(response: httpx.Response) -> None:
        request = response.request
        method, path = request.method, request.url.raw_path.decode().partition("?")[0]
        sent = json.loads(request.content) if request.content else None
        came = json.loads(await response.aread() or "null")
        seen.add(DOCUMENT.operation(method, path)[1]["operationId"])
        # The client sends nothing that the document does not name; a response may have more.
        for found in (
            CLOSED.faults_of_request(method, path, dict(request.url.params), sent),
            DOCUMENT.faults_of_answer(method, path, response.status_code, came),
        ):
            faults.extend(f"{method} {path}: {fault}" for fault in found)

    hooks = {"response": [look]}
    async with httpx.AsyncClient(transport=sandbox.transport(), event_hooks=hooks) as http:
        client = PyasClient(sandbox.api_key, account_id=ACCOUNT, http_client=http)
        await make_every_call(client)
        # The page does not show the responses to these two.
        sandbox.update_answer, sandbox.delete_answer = "meeting", "no_content"
        made = await client.meetings.create(NEW[0])
        await client.meetings.update(made.id, CHANGES[0])
        await client.meetings.delete(made.id)

    assert [] == faults
    operations = [
        item[method] for item in DOCUMENT.content["paths"].values() for method in item if method != "parameters"
    ]
    assert {operation["operationId"] for operation in operations} == seen


GOOD: Json = {"type": 2, "title": "t", "description": "", "startDate": "2031-04-26T19:51:48Z"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": 4}, "body.meetingData.type: 4 is not one of"),
        ({"title": " "}, "body.meetingData.title: ' ' does not match"),
        ({"startDate": "2031-04-26"}, "is not a 'date-time'"),
        ({"startDate": "2031-04-26T19:51:48"}, "is not a 'date-time'"),
        ({"timeZone": "Mars/Base"}, "is not a 'iana-time-zone'"),
        ({"recurrence": {"type": "daily", "interval": 1}}, "should not be valid under"),
        ({"type": 8, "recurrence": {"type": "daily", "interval": 1, "dayOfMonth": 1}}, "not valid under any"),
        ({"attendees": [{"mail": "a@b"}]}, "'email' is a required property"),
        ({"topic": "t"}, "'topic' was unexpected"),
    ],
)
def test_document_refuses(changes: Json, said: str) -> None:
    """The document refuses what the API refuses."""
    body = {"accountId": ACCOUNT, "meetingData": GOOD | changes}
    faults = CLOSED.faults_of_request("POST", "/zoom/meetings", {}, body)
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "accountId is missing"),
        ({"accountId": ACCOUNT, "startDate": "2031-04-26"}, "startDate: '2031-04-26' does not match"),
        ({"accountId": ACCOUNT, "startDate": "02-30-2031"}, "startDate: '02-30-2031' is not a 'month-day-year'"),
        ({"accountId": ACCOUNT, "maxResults": "0"}, "maxResults: 0 is less than the minimum"),
        ({"accountId": ACCOUNT, "maxResults": "x"}, "maxResults: 'x' is not of type 'integer'"),
        ({"accountId": ACCOUNT, "page": "1"}, "page is not in the document"),
    ],
)
def test_document_refuses_queries(query: dict[str, str], said: str) -> None:
    """The document refuses an invalid query."""
    faults = DOCUMENT.faults_of_request("GET", "/zoom/meetings", query, None)
    assert any(said in fault for fault in faults), faults


def test_examples_of_the_page() -> None:
    """The page's own examples match the document."""
    created = sample("create_request")
    created["meetingData"]["startDate"] = "2023-04-26T19:51:48Z"  # the page has a placeholder there
    series = {"accountId": ACCOUNT, "meetingData": GOOD | {"type": 8, "recurrence": sample("recurrence")}}
    changed = {"accountId": ACCOUNT, "meetingData": sample("update_request")}

    for method, path, sent in (
        ("POST", "/zoom/meetings", created),
        ("POST", "/zoom/meetings", series),
        ("PATCH", "/zoom/meetings/1", changed),
    ):
        assert [] == CLOSED.faults_of_request(method, path, {}, sent)
    for method, path, came in (
        ("GET", "/zoom/meetings", sample("list")),
        ("GET", "/zoom/meetings/1", sample("get")),
        ("POST", "/zoom/meetings", sample("create")),
    ):
        assert [] == DOCUMENT.faults_of_answer(method, path, 200, came)


async def test_refusals(sandbox: Sandbox) -> None:
    """The error responses of the service's pages, as the sandbox sends them, are in the document with their shapes."""
    cases: list[tuple[str, str, Json, int]] = [
        ("GET", "/zoom/meetings", {"params": {"accountId": ACCOUNT, "type": "x"}}, 400),
        ("GET", "/zoom/meetings", {"params": {"accountId": ACCOUNT, "nextPageToken": "dead"}}, 400),
        ("GET", "/zoom/meetings", {"headers": {"x-api-key": "wrong"}}, 401),
        ("GET", "/zoom/meetings", {"params": {"accountId": "unknown"}}, 404),
        ("GET", "/zoom/meetings/1", {"params": {"accountId": ACCOUNT}}, 404),
        ("DELETE", "/zoom/meetings/1", {"params": {"accountId": ACCOUNT}}, 404),
        ("POST", "/zoom/meetings", {"json": {"accountId": ACCOUNT}}, 400),
        ("PATCH", "/zoom/meetings/1", {"content": "{"}, 400),
        ("POST", "/zoom/connect", {"json": {}}, 400),
        ("GET", "/zoom/oauth", {"headers": {"x-api-key": ""}}, 401),
    ]
    key = {"x-api-key": sandbox.api_key}
    async with httpx.AsyncClient(transport=sandbox.transport(), base_url="http://sandbox", headers=key) as client:
        for method, path, more, status in cases:
            answer = await client.request(method, path, **more)
            assert (status, []) == (answer.status_code, DOCUMENT.faults_of_answer(method, path, status, answer.json()))
        sandbox.rate_limit()
        for path in ("/zoom/meetings", "/zoom/oauth"):
            answer = await client.get(path)
            assert (429, []) == (answer.status_code, DOCUMENT.faults_of_answer("GET", path, 429, answer.json()))
            documented = DOCUMENT.content["components"]["responses"]["TooManyRequests"]["headers"]
            assert {name.lower() for name in documented} <= {name.lower() for name in answer.headers}


def test_names() -> None:
    """The document and the models have the same fields under the same names."""
    schemas = DOCUMENT.content["components"]["schemas"]

    def named(*names: str) -> set[str]:
        parts = [part for name in names for part in schemas[name].get("allOf", [schemas[name]])]
        return {field for part in parts for field, schema in part.get("properties", {}).items() if schema is not False}

    def fields(model: type) -> set[str]:
        return {wire_name(field) for field in attrs.fields(model) if not field.name.startswith("_")}

    assert fields(MeetingCreate) == named("MeetingData")
    assert fields(MeetingUpdate) == named("MeetingChanges")
    assert fields(Attendee) == named("Attendee")
    assert fields(Recurrence) == named("DailyRecurrence", "WeeklyRecurrence", "MonthlyRecurrence")
    assert fields(Meeting) == named("Meeting")
    assert fields(MeetingDetail) == named("Meeting", "MeetingDetail")
    assert fields(ConnectedAccount) == named("Account")
    # Zoom has more settings than the page's example.
    assert named("Settings") <= fields(MeetingSettings)
    page = schemas["ListAnswer"]["properties"]["data"]["properties"]
    assert fields(Page) == set(page)
    (types,) = (
        part for part in DOCUMENT.content["paths"]["/zoom/meetings"]["get"]["parameters"] if part.get("name") == "type"
    )
    assert [kind.value for kind in ListType] == types["schema"]["enum"]


def test_guesses_are_marked() -> None:
    """A guess has a reason in a sentence, and a fact from another source than the page names its source."""
    found: list[tuple[str, str]] = []

    def walk(part: Any, place: str) -> None:  # noqa: ANN401  (JSON)
        for name, entry in (
            part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        ):
            if str(name).startswith("x-"):
                found.append((str(name), entry))
            walk(entry, f"{place}/{name}")

    walk(DOCUMENT.content, "")

    assert {"x-guess", "x-source"} == {name for name, _ in found}
    assert {"vendor", "Zoom"} == {entry for name, entry in found if name == "x-source"}
    guesses = [entry for name, entry in found if name == "x-guess"]
    assert len(guesses) > 20
    assert all(re.fullmatch(r"[\w\"`][^\n]{12,}\.", guess.strip()) for guess in guesses)


# The page's own bounds of values: days of a month, and months.
_BOUNDED_BY_THE_PAGE = {"MonthlyRecurrence/properties/dayOfMonth", "MonthlyRecurrence/properties/month"}


def test_bounds_are_guesses() -> None:
    """Every bound on a value has a guess, or another source, beside it or above it."""
    bounds = {"minimum", "maximum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "not"}
    found: dict[bool, set[str]] = {True: set(), False: set()}

    def walk(part: Any, place: str, *, marked: bool) -> None:  # noqa: ANN401  (JSON)
        if isinstance(part, dict):
            marked = marked or not {"x-guess", "x-source"}.isdisjoint(part)
            if bounds & part.keys():
                found[marked].add(place)
        for name, entry in (
            part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        ):
            walk(entry, f"{place}/{name}", marked=marked)

    for name, schema in DOCUMENT.content["components"]["schemas"].items():
        walk(schema, name, marked=False)
    walk(DOCUMENT.content["paths"], "", marked=False)

    assert _BOUNDED_BY_THE_PAGE == {place.partition("/anyOf/")[0] for place in found[False]}
    assert len(found[True]) > 10


def test_response_examples() -> None:
    """An example of a response has only what the page shows, and matches the document."""

    def part_of(small: object, whole: object) -> bool:
        if isinstance(small, dict) and isinstance(whole, dict):
            return all(name in whole and part_of(entry, whole[name]) for name, entry in small.items())
        return small == whole

    examples = DOCUMENT.content["components"]["examples"]
    for name, method, path in (
        ("list", "GET", "/zoom/meetings"),
        ("get", "GET", "/zoom/meetings/1"),
        ("create", "POST", "/zoom/meetings"),
    ):
        shown = examples[f"{name}Answer"]["value"]
        assert part_of(shown, sample(name))
        assert [] == DOCUMENT.faults_of_answer(method, path, 200, shown)
    for name in ("createRequest", "createWeekly"):
        assert [] == CLOSED.faults_of_request("POST", "/zoom/meetings", {}, examples[name]["value"])
    assert [] == CLOSED.faults_of_request("PATCH", "/zoom/meetings/1", {}, examples["updateRequest"]["value"])
