"""Models in Litestar, which asks no class for its schema: within models of pydantic, it uses that of the models."""

# Litestar reads the annotations of the handlers, so they are no text here.

from typing import Annotated, Any

from litestar import Litestar, get, post
from litestar.params import Body
from litestar.testing import TestClient
from pydantic import BaseModel

from pyas_async import MeetingCreate, MeetingDetail, from_dict, to_dict
from secrecy.planted import PASSCODE, leaks

DETAIL = from_dict(MeetingDetail, {"id": 1, "password": PASSCODE, "settings": {"host_key": PASSCODE, "audio": "both"}})
NEW = {"type": 2, "title": "Review", "description": "", "startDate": "2026-11-22T12:00:00Z"}


class Shown(BaseModel):
    """A response with a model in it."""

    meeting: MeetingDetail


class New(BaseModel):
    """A body with a request in it."""

    meeting: MeetingCreate


@get("/shown")
async def shown() -> Shown:
    """Return a model within a model of pydantic."""
    return Shown(meeting=DETAIL)


@get("/document")
async def document() -> dict[str, Any]:
    """Return a document."""
    return to_dict(DETAIL, secrets=False)


@post("/new")
async def new(data: Annotated[New, Body()]) -> New:
    """Return what was received."""
    return data


def test_litestar() -> None:
    """Both ways give the API's document without secrets, and refusals have our messages and their places."""
    with TestClient(Litestar([shown, document, new], logging_config=None)) as browser:
        answers = [browser.get("/shown"), browser.get("/document")]
        created = browser.post("/new", json={"meeting": NEW})
        refused = browser.post("/new", json={"meeting": NEW | {"attendees": [{"email": "ada"}]}})

    assert [set(), set()] == [leaks(answer.text) for answer in answers]
    assert {"id": 1, "settings": {"audio": "both"}} == answers[0].json()["meeting"] == answers[1].json()
    assert (201, NEW["startDate"]) == (created.status_code, created.json()["meeting"]["startDate"])
    assert 400 == refused.status_code
    (error,) = refused.json()["extra"]
    assert ("meeting.attendees.0.email", "expected an e-mail address, got 'ada'") == (error["key"], error["message"])
