"""Models as bodies and responses of FastAPI, and in the OpenAPI page of the application."""

# FastAPI reads the annotations of the handlers, so they are no text here.

from typing import Annotated, Any, Generic, TypeVar

import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from pyas_async import (
    Attendee,
    ConnectedAccount,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    MeetingUpdate,
    Page,
    Recurrence,
    from_dict,
    to_dict,
)
from secrecy.planted import PASSCODE, leaks

T = TypeVar("T")
NEW: dict[str, Any] = {"type": 2, "title": "Review", "description": "", "startDate": "2026-11-22T12:00:00Z"}
RECURRING = NEW | {"type": 8, "recurrence": {"type": "daily", "interval": 0}}
SETTINGS = {"waiting_room": True, "host_key": PASSCODE, "alternative_hosts": None, "new": {"passcode": PASSCODE}}
DOCUMENT = {
    "id": 81398421915,
    "topic": "Review",
    "start_time": "2026-11-22T12:00:00Z",
    "start_url": f"https://z.example/s/1?zak={PASSCODE}",
    "join_url": f"https://z.example/j/1?pwd={PASSCODE}&omn=1",
    "password": PASSCODE,
    "agenda": f"Passcode: {PASSCODE}",
    "new": [1],
}
ROW = from_dict(Meeting, DOCUMENT)
DETAIL = from_dict(
    MeetingDetail,
    DOCUMENT | {"settings": SETTINGS, "occurrences": [{"occurrence_id": "1", "start_url": PASSCODE}]},
)


class Envelope(BaseModel, Generic[T]):
    """A generic response."""

    data: T


app = FastAPI()


@app.get("/detail")
async def detail() -> MeetingDetail:
    """Return a model."""
    return DETAIL


@app.get("/narrow")
async def narrow() -> Meeting:
    """Return a model of a subclass."""
    return DETAIL


@app.get("/either")
async def either() -> Meeting | MeetingDetail:
    """Return a model of one of two classes."""
    return DETAIL


@app.get("/rows")
def rows() -> list[Meeting]:
    """Return several models."""
    return [ROW]


@app.get("/nothing")
def nothing() -> Meeting | None:
    """Return none."""
    return None


@app.get("/page")
def page() -> Page:
    """Return a page of a listing."""
    return Page(meetings=(ROW,), next_page_token="tok", page_size=30)


@app.get("/envelope", response_model_exclude_none=True)
def envelope() -> Envelope[MeetingDetail]:
    """Return a model within one of pydantic."""
    return Envelope(data=DETAIL)


@app.get("/short", response_model_include={"id", "topic"})
def short() -> MeetingDetail:
    """Return some fields of a model."""
    return DETAIL


@app.get("/documents", response_model=list[MeetingDetail])
def documents() -> Any:  # noqa: ANN401  (the response model says it)
    """Return documents that become models."""
    return [to_dict(DETAIL)]


@app.get("/settings")
def settings() -> MeetingSettings | None:
    """Return a model from inside another one."""
    return DETAIL.settings


@app.get("/account")
def account() -> ConnectedAccount:
    """Return an account."""
    return ConnectedAccount(account_id="acc", scopes=("meeting:read",))


@app.post("/meetings", status_code=201)
async def create(new: Annotated[MeetingCreate, Body()]) -> MeetingCreate:
    """Return the request that was received."""
    return new


@app.patch("/meetings/{meeting_id}")
async def update(meeting_id: int, changes: Annotated[MeetingUpdate, Body()]) -> MeetingUpdate:
    """Return the changes that were received."""
    return changes


@app.post("/embedded")
async def embedded(
    new: Annotated[MeetingCreate, Body(embed=True)], guests: Annotated[list[Attendee], Body()]
) -> list[MeetingCreate]:
    """Return a request for each guest."""
    return [new] * len(guests)


@app.post("/echo")
async def echo(
    meetings: Annotated[list[Meeting], Body()], recurrence: Annotated[Recurrence | None, Body()] = None
) -> list[Meeting]:
    """Return the models that were received."""
    return meetings


@pytest.fixture(scope="module")
def browser() -> TestClient:
    """Return a client of the application."""
    return TestClient(app)


@pytest.mark.parametrize(
    "path", ["detail", "narrow", "either", "rows", "page", "envelope", "short", "documents", "settings"]
)
def test_no_secrets(browser: TestClient, path: str) -> None:
    """No response has a secret in it."""
    answer = browser.get(f"/{path}")

    assert 200 == answer.status_code
    assert set() == leaks(answer.text)


def test_responses(browser: TestClient) -> None:
    """A response has the API's document, unknown fields included, and no more than the declared class has."""
    document, row = to_dict(DETAIL, secrets=False), to_dict(ROW, secrets=False)

    assert document == browser.get("/detail").json() == browser.get("/either").json()
    assert [document] == browser.get("/documents").json()
    assert row == browser.get("/narrow").json()
    assert ("https://z.example/j/1?omn=1", [1]) == (row["join_url"], row["new"])
    assert [row] == browser.get("/rows").json()
    assert browser.get("/nothing").json() is None
    assert {"meetings": [row], "next_page_token": "tok", "page_size": 30} == browser.get("/page").json()
    assert {"waiting_room": True, "new": {}} == browser.get("/envelope").json()["data"]["settings"]
    assert {"id": 81398421915, "topic": "Review"} == browser.get("/short").json()
    assert {"accountId": "acc", "scopes": ["meeting:read"]} == browser.get("/account").json()


def test_bodies(browser: TestClient) -> None:
    """A body in the API's names becomes a request."""
    changes = {"title": "Retro", "timeZone": None}
    answer = browser.post("/meetings", json=NEW | {"attendees": [{"email": "ada@example.com"}]})

    assert (201, "ada@example.com") == (answer.status_code, answer.json()["attendees"][0]["email"])
    assert 30 == answer.json()["duration"]
    assert changes == browser.patch("/meetings/1", json=changes).json()
    guests = [{"email": "ada@example.com"}] * 2
    assert 2 == len(browser.post("/embedded", json={"new": NEW, "guests": guests}).json())
    assert [{"id": 1}] == browser.post("/echo", json={"meetings": [{"id": 1, "password": PASSCODE}]}).json()


@pytest.mark.parametrize(
    ("path", "body", "place", "message"),
    [
        ("meetings", NEW | {"title": ""}, ["title"], "expected a string that is not blank, got ''"),
        ("meetings", NEW | {"startDate": "soon"}, ["startDate"], "expected an aware datetime, got 'soon'"),
        (
            "meetings",
            NEW | {"attendees": [{"email": "ada"}]},
            ["attendees", 0, "email"],
            "expected an e-mail address, got 'ada'",
        ),
        ("meetings", RECURRING, ["recurrence", "interval"], "expected a whole number >= 1, got 0"),
        ("meetings", [], [], "expected an object, or a MeetingCreate, got a list"),
        (
            "embedded",
            {"new": NEW | {"waitingRoom": "yes"}, "guests": []},
            ["new", "waitingRoom"],
            "expected True or False, got 'yes'",
        ),
        (
            "embedded",
            {"new": NEW, "guests": [{"email": "a@b"}, {"email": 5}]},
            ["guests", 1, "email"],
            "expected a string that is not blank, got 5",
        ),
    ],
)
def test_refusals(browser: TestClient, path: str, body: object, place: list[int | str], message: str) -> None:
    """A body that the service would refuse is answered with 422, our own message, and the place in the body."""
    answer = browser.post(f"/{path}", json=body)

    assert 422 == answer.status_code
    (error,) = answer.json()["detail"]
    assert (["body", *place], message) == (error["loc"], error["msg"])


def test_refused_changes(browser: TestClient) -> None:
    """So is a change that the service would refuse; all that is wrong with it is told at once."""
    answer = browser.patch("/meetings/1", json={"duration": -1, "title": None, "color": "red"})

    assert 422 == answer.status_code
    places = [error["loc"] for error in answer.json()["detail"]]
    assert [["body", "duration"], ["body", "title"], ["body", "color"]] == places


def test_openapi_page(browser: TestClient) -> None:
    """The OpenAPI page of the application is valid, and has each model once, by its name and without its secrets."""
    described = browser.get("/openapi.json").json()
    schemas = described["components"]["schemas"]

    assert described["openapi"].startswith("3.1.")
    assert [] == list(OpenAPIV31SpecValidator(described).iter_errors())
    models = [Attendee, ConnectedAccount, Meeting, MeetingCreate, MeetingDetail, MeetingSettings, MeetingUpdate, Page]
    assert {model.__name__ for model in models} <= set(schemas)
    assert [] == [name for name in schemas if name.endswith(("Input", "Output"))]
    assert not {"start_url", "password"} & set(schemas["MeetingDetail"]["properties"])
    body = described["paths"]["/meetings"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "#/components/schemas/MeetingCreate" == body["$ref"]
