"""The error tree: which error a response becomes, what it says, and that it survives pickle."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import pyas_async
from contract.tools import Reply, Service
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    BudgetTimeoutError,
    CheckpointError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    FieldError,
    InvalidArgumentError,
    Meeting,
    MeetingCreate,
    NotFoundError,
    OutcomeUnknownError,
    PageTokenExpiredError,
    PaginationError,
    PaginationIncompleteError,
    PaginationLoopError,
    PermissionDeniedError,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    WrongEventLoopError,
    from_dict,
)

pytestmark = pytest.mark.anyio

NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
TOO_MANY = {"message": "Too many requests! Try again.", "code": 429, "error": "Rate limit exceeded"}
HOST_DAY = {
    "code": 429,
    "message": "You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests permitted for "
    "this particular user.",
}


async def error_of(answer: Reply) -> APIStatusError:
    """Get a meeting once, and return the error that the response becomes."""
    service = Service(answer)
    async with service.client(retry=None) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.meetings.get(81)
    assert 1 == len(service.requests)
    return caught.value


def bad(name: str) -> Reply:
    """Answer as a validator that has the field under this key."""
    return Reply(400, {"errors": [{"msg": "Invalid value", name: "startDate", "location": "query", "value": "x"}]})


SHAPES = [
    (Reply(401, {"error": "Unauthorized. Invalid API key."}), AuthenticationError, "Unauthorized. Invalid API key."),
    (Reply(403, {"success": False, "error": "No scope"}), PermissionDeniedError, "No scope"),
    (
        Reply(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404}),
        NotFoundError,
        "Invalid account id. Account Not Found",
    ),
    (Reply(404, {"success": False, "error": "Not Found", "code": 404}), NotFoundError, "Not Found"),
    (Reply(404, {"code": 3001, "message": "Meeting does not exist"}), NotFoundError, "Meeting does not exist"),
    (bad("param"), BadRequestError, "Invalid value"),
    (bad("path"), BadRequestError, "Invalid value"),
    (Reply(400, {"success": False, "error": {"code": 300, "message": "Odd thing"}}), BadRequestError, "Odd thing"),
    (Reply(400, {"errors": [{"msg": "A"}], "error": "B", "message": "C"}), BadRequestError, "A"),
    (Reply(400, {"error": "B", "message": "C"}), BadRequestError, "B"),
    (Reply(400, {"errors": [], "message": "C"}), BadRequestError, "C"),
    (Reply(400, {"errors": None, "error": None, "message": "C"}), BadRequestError, "C"),
    (Reply(400), BadRequestError, "Bad Request"),
    (Reply(400, []), BadRequestError, "Bad Request"),
    (Reply(400, {"errors": "broken", "error": 7}), BadRequestError, ""),
    (Reply(200, {"success": False, "error": "Nope", "code": 1}), APIStatusError, "Nope"),
    (Reply(302, None, {"location": "https://elsewhere.example/"}), APIStatusError, ""),
    (Reply(409, {"message": "Conflict here"}), APIStatusError, "Conflict here"),
    (Reply(418, "teapot"), APIStatusError, ""),
    (Reply(500, {"message": "Boom"}), ServerError, "Boom"),
    (Reply(502, "<html><h1>502 Bad Gateway</h1></html>"), ServerError, ""),
    (Reply(503), ServerError, "Service Unavailable"),
    (Reply(504, '{"cut'), ServerError, ""),
    (Reply(599), ServerError, ""),
    (Reply(429, TOO_MANY), RateLimitError, "Rate limit exceeded"),
]


@pytest.mark.parametrize(("answer", "kind", "message"), SHAPES)
async def test_answer_becomes_error(answer: Reply, kind: type[APIStatusError], message: str) -> None:
    """The status decides the class; the message is errors[].msg, else error, else message, else the status line."""
    error = await error_of(answer)
    assert kind is type(error)
    assert answer.status == error.status
    assert message in error.message
    assert error.message
    assert error.message in str(error)
    assert str(answer.status) in str(error)
    assert error.write_state is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": 3001, "message": "m"}, 3001),
        ({"code": "E7", "message": "m"}, "E7"),
        ({"success": False, "error": "m", "code": 404}, 404),
        ({"error": "m"}, None),
    ],
)
async def test_code(body: dict[str, Any], code: object) -> None:
    """`code` is the body's, which need not be the HTTP status."""
    assert (404, code) == ((error := await error_of(Reply(404, body))).status, error.code)


@pytest.mark.parametrize("name", ["param", "path"])
async def test_field_errors(name: str) -> None:
    """The field errors of a validator are kept, whatever key it has for the field."""
    assert (FieldError("Invalid value", "startDate"),) == (await error_of(bad(name))).errors


async def test_several_field_errors() -> None:
    """Every field error is kept; one without a field has ``None``."""
    body = {"errors": [{"msg": "A", "param": "x"}, {"msg": "B", "path": "y"}, {"msg": "C"}]}
    assert [("A", "x"), ("B", "y"), ("C", None)] == [
        (error.message, error.field) for error in (await error_of(Reply(400, body))).errors
    ]


NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=9)  # so that the time that the tests take does not matter
JAVASCRIPT = LATER.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        pytest.param({"Retry-After": "600"}, 600, 600, id="seconds"),
        pytest.param({"Retry-After": "0"}, 0, 0, id="none"),
        pytest.param({"Retry-After": "12.345"}, 12.345, 12.345, id="fraction"),
        pytest.param({"Retry-After": LATER.strftime("%a, %d %b %Y %H:%M:%S GMT")}, 30_000, 32_400, id="HTTP date"),
        pytest.param({"Retry-After": LATER.strftime("%Y-%m-%dT%H:%M:%SZ")}, 30_000, 32_400, id="ISO date-time"),
        pytest.param({"Retry-After": LATER.isoformat()}, 30_000, 32_400, id="ISO date-time with offset"),
        pytest.param({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": JAVASCRIPT}, 30_000, 32_400, id="reset"),
        pytest.param({"Retry-After": "7.5", "X-RateLimit-Reset": JAVASCRIPT}, 7.5, 7.5, id="both"),
    ],
)
async def test_retry_after(headers: dict[str, str], least: float, most: float) -> None:
    """`retry_after` is in seconds, whatever form the header has."""
    error = await error_of(Reply(429, TOO_MANY, headers))
    assert isinstance(error, RateLimitError)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("text", [None, "", "soon", "nan", "inf", "-5", "2026-99-99T00:00:00Z"])
async def test_no_retry_after(text: str | None) -> None:
    """A header without a meaning is None, or no wait; it raises nothing."""
    error = await error_of(Reply(429, TOO_MANY, {} if text is None else {"Retry-After": text}))
    assert isinstance(error, RateLimitError)
    assert error.retry_after in {None, 0}


@pytest.mark.parametrize(
    ("answer", "scope"),
    [
        (Reply(429, TOO_MANY), "key"),
        (Reply(429, TOO_MANY, {"Retry-After": "1"}), "key"),
        (Reply(429, {"message": "slow"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": JAVASCRIPT}), "key"),
        (Reply(429, HOST_DAY), "host_day"),
        (Reply(429, HOST_DAY, {"Retry-After": "2026-11-23T00:00:00Z"}), "host_day"),
        (Reply(429), "unknown"),
    ],
)
async def test_scope_of_a_limit(answer: Reply, scope: str) -> None:
    """A 429 says which limit it is: the key's, by Pyas's body or headers, or Zoom's for the host and day."""
    error = await error_of(answer)
    assert isinstance(error, RateLimitError)
    assert scope == error.scope


ERRORS: list[PyasError] = [
    PyasError("m"),
    ConfigurationError("m"),
    InvalidArgumentError("field", "a number", "x", hint="h"),
    CheckpointError("checkpoint", "a checkpoint", "x"),
    *[
        kind("m", status=400, code="c", errors=(FieldError("a", "b"),), request_id="r")
        for kind in (
            APIStatusError, AuthenticationError, BadRequestError, NotFoundError, PageTokenExpiredError,
            PermissionDeniedError, ServerError,
        )
    ],
    RateLimitError("m", status=429, code=7, retry_after=1.5, scope="host_day"),
    TransportError("m"),
    RequestTimeoutError("m"),
    DecodeError("m", path="$.a[0]", excerpt="x" * 600),
    OutcomeUnknownError(
        "m", operation="meetings.update", meeting_id=7, sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        candidates=[from_dict(Meeting, {"id": 1, "uuid": "u"})],
    ),
    BudgetTimeoutError("m", retry_after=2.0),
    PaginationError("m"),
    PaginationLoopError("m"),
    PaginationIncompleteError("m"),
    ClientClosedError("m"),
    WrongEventLoopError("m"),
]  # fmt: skip


def test_every_error_is_here() -> None:
    """The list above has every public error."""
    public = {getattr(pyas_async, name) for name in pyas_async.__all__}
    assert {thing for thing in public if isinstance(thing, type) and issubclass(thing, Exception)} == set(
        map(type, ERRORS)
    )


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(error: PyasError, protocol: int) -> None:
    """Each error survives pickle with all of its attributes."""
    error.write_state = "unknown"
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(error) is type(back)
    assert (str(error), repr(error), error.args, vars(error)) == (str(back), repr(back), back.args, vars(back))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_copy(error: PyasError) -> None:
    """Each error can be copied."""
    for back in (copy.copy(error), copy.deepcopy(error)):
        assert (type(error), str(error), vars(error)) == (type(back), str(back), vars(back))


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (InvalidArgumentError, (PyasError, ValueError)),
        (CheckpointError, (InvalidArgumentError,)),
        *[
            (kind, (APIStatusError,))
            for kind in (
                BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError, RateLimitError, ServerError,
                PageTokenExpiredError,
            )
        ],
        (RequestTimeoutError, (TransportError, TimeoutError)),
        (BudgetTimeoutError, (PyasError, TimeoutError)),
        (PaginationLoopError, (PaginationError,)),
        (PaginationIncompleteError, (PaginationError,)),
        *[
            (kind, (PyasError,))
            for kind in (
                ConfigurationError, APIStatusError, TransportError, DecodeError, OutcomeUnknownError, PaginationError,
                ClientClosedError, WrongEventLoopError,
            )
        ],
    ],
)  # fmt: skip
def test_tree(kind: type[Exception], bases: tuple[type[Exception], ...]) -> None:
    """Each error has its place in the tree that is documented."""
    assert bases == kind.__bases__


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Reply(400, {"error": "x"}), "rejected"),
        (Reply(401, {"error": "x"}), "rejected"),
        (Reply(404, {"error": "x"}), "rejected"),
        (Reply(429, HOST_DAY), "rejected"),
        (Reply(500), "unknown"),
        (Reply(200, "what?"), "done"),
    ],
)
async def test_write_state(answer: Reply, state: str) -> None:
    """An error of a create says whether the write took place; that of a read has no write state."""
    async with Service(answer).client() as client:
        with pytest.raises(PyasError) as written:
            await client.meetings.create(NEW)
        with pytest.raises(PyasError) as read:
            await client.with_options(retry=None).meetings.get(81)
    assert (state, None) == (written.value.write_state, read.value.write_state)
    assert (None, None) == (written.value.checkpoint, read.value.checkpoint)
