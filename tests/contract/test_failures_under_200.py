"""A response that says that the call failed is an error, whatever its status is, and a write is not done then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from contract.tools import CREATED, DETAIL, HANG, Json, Reply, Service
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    DecodeError,
    MeetingCreate,
    MeetingUpdate,
    NotFoundError,
    PermissionDeniedError,
    PyasError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient

pytestmark = pytest.mark.anyio

NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
READS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "list": lambda client: client.meetings.list(),
    "iter_all": lambda client: client.meetings.iter_all().collect(),
    "get": lambda client: client.meetings.get(81),
    "oauth_url": lambda client: client.accounts.oauth_url(),
}
WRITES: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "create": lambda client: client.meetings.create(NEW),
    "create, reconcile": lambda client: client.meetings.create(NEW, on_unknown="reconcile"),
    "update": lambda client: client.meetings.update(81, MeetingUpdate(title="x")),
    "delete": lambda client: client.meetings.delete(81),
    "connect": lambda client: client.accounts.connect(code="c0de", name="n"),
}
each_call = pytest.mark.parametrize("name", READS | WRITES)
OPTIONAL = {name: WRITES[name] for name in ("update", "delete")}
"""The calls whose response may be without a result."""

FALSE = [False, "false", "False", " FALSE ", "no", "No", "n", "f", "off", 0, 0.0, "0", "failed", "error"]
FAILURES: list[Json | list[Any]] = [
    {"errors": [{"msg": "Nope", "param": "startDate"}]},
    {"errors": {"startDate": ["Nope"]}},
    {"error": "Nope"},
    {"error": "Nope", "success": None},
    {"error": {"code": 300, "message": "Nope", "errors": [{"field": "start_time", "message": "Nope"}]}},
    {"code": 3001, "message": "Nope"},
    {"code": "3001", "message": "Nope"},
    {"code": 200, "message": "Nope. No permission."},
    {"code": "E_FAILED", "message": "Nope"},
    {"statusCode": 400, "message": ["Nope", "Never"]},
    {"statusCode": 404, "message": "Nope", "error": "Not Found"},
    {"status": 409, "title": "Conflict", "message": "Nope"},
    {"status": "error", "message": "Nope"},
    {"status": "fail", "data": {"message": "Nope"}},
    {"errorCode": 7, "errorMessage": "Nope"},
    {"error_message": "Nope"},
    {"ok": False, "error": "Nope"},
    {"Success": False, "Message": "Nope"},
    {"data": {"error": "Nope"}},
    {"data": {"success": False, "message": "Nope"}},
    {"data": {"code": 300, "message": "Nope"}},
    {"id": "request-1", "error": {"message": "Nope"}},
    {"uuid": "u", "code": 300, "message": "Nope"},
    [{"message": "Nope", "errorCode": "INVALID"}],
]
SUCCESSES: list[Json] = [
    {},
    {"success": True, "error": None},
    {"success": "true", "errors": ["a warning"]},
    {"success": 1, "code": 300, "message": "kept"},
    {"success": True, "code": 200, "message": "Nope"},
    {"errors": [], "error": ""},
    {"error": None, "errors": None, "code": 0, "message": "OK"},
    {"error": False, "message": "Meeting deleted"},
    {"error": "false"},
    {"code": 200, "message": "Meeting deleted successfully"},
    {"code": 204, "message": "Updated"},
    {"code": "SUCCESS", "message": "no problem"},
    {"message": "Meeting was updated"},
    {"status": "ok"},
    {"status": 200, "message": "done"},
    {"statusCode": "204", "message": "done"},
    {"ok": True},
    {"data": {}},
    {"data": [], "success": None},
    {"result": "deleted"},
]


async def fail(name: str, document: object) -> PyasError:
    """Make a call that is answered with a document under 200, and return its error."""
    service = Service(Reply(200, document))
    async with service.client(retry=None) as client:
        with pytest.raises(PyasError) as caught:
            await (READS | WRITES)[name](client)
    assert 1 == len(service.requests)
    assert ("rejected" if name in WRITES else None) == caught.value.write_state
    return caught.value


@each_call
@pytest.mark.parametrize("document", FAILURES, ids=str)
async def test_errors(name: str, document: object) -> None:
    """A document that describes an error and has no result is that error, for every call."""
    error = await fail(name, document)

    assert isinstance(error, APIStatusError)
    assert 200 == error.status
    assert "Nope" in error.message


@each_call
@pytest.mark.parametrize("word", FALSE, ids=repr)
async def test_spellings_of_false(name: str, word: object) -> None:
    """``success`` is false in every spelling, also beside what looks like a result."""
    for more in ({"error": "Nope"}, {"message": "Nope", "meeting": DETAIL, "data": {"meetings": [DETAIL]}}):
        error = await fail(name, {"success": word} | more)

        assert isinstance(error, APIStatusError)
        assert "Nope" == error.message


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("document", SUCCESSES, ids=str)
async def test_successes(name: str, document: object) -> None:
    """What does not say that it failed is a success of an update or a delete, whose response may be anything."""
    async with Service(Reply(200, document)).client(retry=None) as client:
        assert await OPTIONAL[name](client) is None


@pytest.mark.parametrize("word", [True, "true", "Yes", 1, "1", None, "", "ok", [], {}], ids=repr)
async def test_other_words(word: object) -> None:
    """Any other value of ``success``, and none, is no error beside a meeting."""
    async with Service(Reply(200, {"success": word, "meeting": DETAIL, "errors": ["a warning"]})).client() as client:
        assert 81 == (await client.meetings.get(81)).id
        updated = await client.meetings.update(81, MeetingUpdate(title="x"))
        assert updated is not None
        assert await OPTIONAL["delete"](client) is None


async def test_no_result_and_no_error() -> None:
    """A create that is answered with neither a meeting nor an error has been done, and cannot be read."""
    async with Service(Reply(200, {"message": "welcome"})).client(retry=None) as client:
        with pytest.raises(DecodeError) as caught:
            await client.meetings.create(NEW)
    assert "done" == caught.value.write_state


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"success": False, "error": "Invalid account id. Account Not Found", "code": 404}, NotFoundError),
        ({"error": "Unauthorized. Invalid API key.", "code": "401"}, AuthenticationError),
        ({"code": 403, "message": "No scope"}, PermissionDeniedError),
        ({"error": {"code": 400, "message": "Bad"}}, BadRequestError),
        ({"message": "Too many requests! Slow down", "code": 429, "error": "Rate limit exceeded"}, RateLimitError),
        ({"code": 3001, "message": "Meeting does not exist"}, APIStatusError),
        ({"code": 500, "message": "Internal error"}, APIStatusError),
    ],
)
async def test_class(document: Json, kind: type[APIStatusError]) -> None:
    """The error is of the class that its code describes; `status` stays that of HTTP."""
    error = await fail("delete", document)

    assert kind is type(error)
    assert isinstance(error, APIStatusError)
    assert 200 == error.status


async def test_limit_under_200() -> None:
    """The limit of the key is a limit under any status: the call, which was not carried out, is tried again."""
    limited = Reply(200, {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"})
    service = Service(limited, CREATED)
    async with service.client() as client:
        assert 81 == (await client.meetings.create(NEW)).id
    assert 2 == len(service.requests)


@pytest.mark.parametrize(
    "gone",
    [
        Reply(404, {"code": 3001, "message": "Meeting does not exist"}),
        Reply(400, {"code": 3001, "message": "Meeting does not exist: 81"}),
        Reply(410, {"message": "Gone"}),
        Reply(200, {"success": False, "code": 404, "error": "Not Found"}),
        Reply(200, {"code": 3001, "message": "Meeting does not exist"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body}",
)
async def test_delete_after_a_lost_response(gone: Reply) -> None:
    """A delete that finds no meeting after an attempt without a response is done, however the service says so."""
    async with Service(HANG, gone).client(timeout=0.02) as client:
        assert await OPTIONAL["delete"](client) is None
