"""What the service answers: the envelope of an answer, and every error shape that is documented or met."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]
"""A JSON object."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_EXPIRED: Final = "The next page token is invalid or expired."


class ExpiredAnswer(NamedTuple):
    """One way to say that a page token is not valid: an HTTP status and a body (an object, or plain text)."""

    status: int
    body: Json | str


EXPIRED_ANSWERS: Final[Mapping[str, ExpiredAnswer]] = {
    # Zoom's own words, as its sibling lists answer.
    "zoom_400": ExpiredAnswer(400, {"code": 300, "message": _EXPIRED}),
    "zoom_404": ExpiredAnswer(404, {"code": 300, "message": _EXPIRED}),
    # The same, wrapped in the vendor's documented error shapes.
    "pyas_400": ExpiredAnswer(400, {"success": False, "error": _EXPIRED, "code": 400}),
    "pyas_404": ExpiredAnswer(404, {"success": False, "error": _EXPIRED, "code": 404}),
    "pyas_410": ExpiredAnswer(410, {"success": False, "error": _EXPIRED, "code": 410}),
    "errors_msg": ExpiredAnswer(400, {"errors": [{"msg": _EXPIRED, "param": "nextPageToken", "location": "query"}]}),
    "errors_path": ExpiredAnswer(400, {"errors": [{"msg": _EXPIRED, "path": "nextPageToken", "location": "query"}]}),
    "error_object": ExpiredAnswer(400, {"success": False, "error": {"code": 300, "message": _EXPIRED}}),
    # An error that travels under a status of success.
    "ok_false": ExpiredAnswer(200, {"success": False, "error": _EXPIRED, "code": 300}),
    "ok_message": ExpiredAnswer(200, {"success": False, "code": 300, "message": _EXPIRED}),
    # Nothing in these says what was wrong.
    "unclear_400": ExpiredAnswer(400, {"success": False, "error": "Bad Request", "code": 400}),
    "unclear_404": ExpiredAnswer(404, {"success": False, "error": "Not Found", "code": 404}),
    "unclear_422": ExpiredAnswer(422, "Unprocessable Entity"),
}
"""Every shape in which the service might say that a page token is not valid: none is documented for the list call."""


@dataclass(slots=True)
class Answer:
    """An answer before it becomes bytes on a wire.

    Attributes:
        status: The HTTP status.
        content: The body, encoded.
        media_type: Its ``Content-Type``; None where there is no body.
        headers: Further headers.
        kind: What the statistics count it as.
        fate: ``"cut"`` if the connection is closed instead of answering, ``"hung"`` if nothing ever comes.
    """

    status: int
    content: bytes = b""
    media_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    kind: str = "plain"
    fate: Literal["sent", "cut", "hung"] = "sent"


def encode(document: object) -> str:
    """Write a JSON value compactly, text outside ASCII as it is."""
    return _ENCODER.encode(document)


def json_answer(status: int, body: object) -> Answer:
    """Answer with a JSON body."""
    return Answer(status, encode(body).encode(), "application/json; charset=utf-8")


def expired(shape: str) -> Answer:
    """Answer a page token that is not valid, in the named shape of :data:`EXPIRED_ANSWERS`."""
    status, body = EXPIRED_ANSWERS[shape]
    if isinstance(body, str):
        answer = Answer(status, body.encode(), "text/plain; charset=utf-8")
    else:
        answer = json_answer(status, body)
    answer.kind = "expired"
    return answer


def fault(param: str, location: str, *value: object) -> Json:
    """Describe one bad field of a request as the service's validator does; give ``value`` where one came."""
    entry: Json = {"msg": "Invalid value", "param": param, "location": location}
    if value:
        entry["value"] = value[0]
    return entry


def invalid(faults: list[Json]) -> Answer:
    """Answer a request whose fields do not pass."""
    return json_answer(400, {"errors": faults})


def unauthorized() -> Answer:
    """Answer a request without the right API key."""
    return json_answer(401, {"error": "Unauthorized. Invalid API key."})


def not_found() -> Answer:
    """Answer a path that the service does not have."""
    return json_answer(404, {"success": False, "error": "Not Found", "code": 404})


def not_allowed(methods: Iterable[str]) -> Answer:
    """Answer a method that a path does not have: the page is silent, so as HTTP has it."""
    answer = json_answer(405, {"success": False, "error": "Method Not Allowed", "code": 405})
    answer.headers["Allow"] = ", ".join(methods)
    return answer


def unknown_account() -> Answer:
    """Answer an account id that the service does not have."""
    return json_answer(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404})


def unknown_meeting(reference: str) -> Answer:
    """Answer a meeting that the account does not have, in Zoom's shape and with Zoom's code."""
    return json_answer(404, {"code": 3001, "message": f"Meeting does not exist: {reference}."})


def too_many_calls() -> Answer:
    """Answer a call over the rate limit of the API key."""
    body = {"message": "Too many requests! Please try again later.", "code": 429, "error": "Rate limit exceeded"}
    answer = json_answer(429, body)
    answer.kind = "rate_limited"
    return answer


def too_many_writes(limit: int) -> Answer:
    """Answer a create or an update over Zoom's daily limit, which passes through without any header."""
    message = (
        f"You have exceeded the daily rate limit of ({limit}) for Meeting Create/Update API requests "
        "permitted for this particular user."
    )
    return json_answer(429, {"code": 429, "message": message})
