"""The service's responses: their envelope, and every error shape that is documented or has been seen."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]
"""A JSON object."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_EXPIRED: Final = "The next page token is invalid or expired."


class ExpiredAnswer(NamedTuple):
    """One way to report an invalid page token: an HTTP status and a body (an object, or plain text)."""

    status: int
    body: Json | str


EXPIRED_ANSWERS: Final[Mapping[str, ExpiredAnswer]] = {
    # Zoom's own message, as in its other lists.
    "zoom_400": ExpiredAnswer(400, {"code": 300, "message": _EXPIRED}),
    "zoom_404": ExpiredAnswer(404, {"code": 300, "message": _EXPIRED}),
    # The same, in the vendor's documented error shapes.
    "pyas_400": ExpiredAnswer(400, {"success": False, "error": _EXPIRED, "code": 400}),
    "pyas_404": ExpiredAnswer(404, {"success": False, "error": _EXPIRED, "code": 404}),
    "pyas_410": ExpiredAnswer(410, {"success": False, "error": _EXPIRED, "code": 410}),
    "errors_msg": ExpiredAnswer(400, {"errors": [{"msg": _EXPIRED, "param": "nextPageToken", "location": "query"}]}),
    "errors_path": ExpiredAnswer(400, {"errors": [{"msg": _EXPIRED, "path": "nextPageToken", "location": "query"}]}),
    "error_object": ExpiredAnswer(400, {"success": False, "error": {"code": 300, "message": _EXPIRED}}),
    # An error with a success status.
    "ok_false": ExpiredAnswer(200, {"success": False, "error": _EXPIRED, "code": 300}),
    "ok_message": ExpiredAnswer(200, {"success": False, "code": 300, "message": _EXPIRED}),
    # Nothing in these says what is wrong.
    "unclear_400": ExpiredAnswer(400, {"success": False, "error": "Bad Request", "code": 400}),
    "unclear_404": ExpiredAnswer(404, {"success": False, "error": "Not Found", "code": 404}),
    "unclear_422": ExpiredAnswer(422, "Unprocessable Entity"),
}
"""Every shape in which the service might report an invalid page token; none is documented for the list call."""


@dataclass(slots=True)
class ApiResponse:
    """A response before it is encoded as HTTP.

    Attributes:
        status: The HTTP status.
        content: The body, encoded.
        media_type: Its ``Content-Type``; None if there is no body.
        headers: Further headers.
        kind: The category under which the statistics count it.
        fate: ``"cut"`` if the connection is closed without a response, ``"hung"`` if no response ever comes.
    """

    status: int
    content: bytes = b""
    media_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    kind: str = "plain"
    delivery: Literal["sent", "cut", "hung"] = "sent"


def encode(document: object) -> str:
    """Encode a value as compact JSON, as JavaScript does: text outside of ASCII is not escaped, unless it is no text.

    JavaScript escapes half a surrogate pair, which UTF-8 cannot encode, and writes ``null`` for a number that is not
    finite, which JSON cannot.
    """
    try:
        text = _ENCODER.encode(document)
    except ValueError:
        document = _finite(document)
        text = _ENCODER.encode(document)
    return text if _is_unicode(text) else _ASCII.encode(document)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in cast("Json", value).items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in cast("list[object]", value)]
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_response(status: int, body: object) -> ApiResponse:
    """Return a response with a JSON body."""
    return ApiResponse(status, encode(body).encode(), "application/json; charset=utf-8")


def expired(shape: str) -> ApiResponse:
    """Return the response to an invalid page token, in the named shape of :data:`EXPIRED_ANSWERS`."""
    status, body = EXPIRED_ANSWERS[shape]
    if isinstance(body, str):
        response = ApiResponse(status, body.encode(), "text/plain; charset=utf-8")
    else:
        response = json_response(status, body)
    response.kind = "expired"
    return response


def fault(param: str, location: str, *value: object) -> Json:
    """Describe an invalid field as the service's validator does; ``value`` is the value, if there was one."""
    entry: Json = {"msg": "Invalid value", "param": param, "location": location}
    if value:
        entry["value"] = value[0]
    return entry


def invalid(faults: list[Json]) -> ApiResponse:
    """Return the response to a request with invalid fields."""
    return json_response(400, {"errors": faults})


def unauthorized() -> ApiResponse:
    """Return the response to a request without the right API key."""
    return json_response(401, {"error": "Unauthorized. Invalid API key."})


def not_found() -> ApiResponse:
    """Return the response to a path that the service does not have."""
    return json_response(404, {"success": False, "error": "Not Found", "code": 404})


def not_allowed(methods: Iterable[str]) -> ApiResponse:
    """Return the response to a method that a path does not have. It is not documented: this follows HTTP."""
    response = json_response(405, {"success": False, "error": "Method Not Allowed", "code": 405})
    response.headers["Allow"] = ", ".join(methods)
    return response


def unknown_account() -> ApiResponse:
    """Return the response to an unknown account id."""
    return json_response(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404})


def unknown_meeting(reference: str) -> ApiResponse:
    """Return the response to a meeting that the account does not have, in Zoom's shape and with Zoom's code."""
    return json_response(404, {"code": 3001, "message": f"Meeting does not exist: {reference}."})


def too_many_calls() -> ApiResponse:
    """Return the response to a call over the rate limit of the API key."""
    body = {"message": "Too many requests! Please try again later.", "code": 429, "error": "Rate limit exceeded"}
    response = json_response(429, body)
    response.kind = "rate_limited"
    return response


def too_many_writes(limit: int) -> ApiResponse:
    """Return the response to a create or an update over Zoom's daily limit: it has no rate-limit headers."""
    message = (
        f"You have exceeded the daily rate limit of ({limit}) for Meeting Create/Update API requests "
        "permitted for this particular user."
    )
    return json_response(429, {"code": 429, "message": message})
