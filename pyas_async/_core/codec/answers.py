"""From the bytes of an answer to the model inside.

Envelopes differ from call to call (`data`, `meeting`, `data.account`), and the vendor's pages differ from one another.
So each reader looks in the documented place first, and then where the facts say it may be as well.
``"success": false`` is an error under any status, a missing ``success`` is fine.
"""

from typing import Any, TypeVar

import msgspec

from pyas_async._core.codec.converter import MisfitAtError, structure
from pyas_async.errors import DecodeError
from pyas_async.models import ConnectedAccount, Meeting, MeetingDetail, Page
from pyas_async.models._source import parse_leniently

T = TypeVar("T")
MAX_DEPTH = 100
"""Objects and lists within one another that an answer may have: so many that Python can also walk through them later,
from within whatever calls."""
_AROUND_ROW = 4
"""Of these, the row itself, the list of rows, `data`, and the answer."""
_EXCERPT = 2_000
"""Bytes of an answer that may be shown: more than the 500 characters that an error holds."""


class Refused(Exception):  # noqa: N818  (a signal to the exchange, never seen outside)
    """The answer says ``"success": false``, whatever its status says."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Keep the document, which tells why."""
        self.document = document
        super().__init__("success: false")


class _PageData(msgspec.Struct):
    meetings: list[msgspec.Raw]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class _PageAnswer(msgspec.Struct):
    data: _PageData
    success: bool | None = None


_page_answer = msgspec.json.Decoder(_PageAnswer)
_row = msgspec.json.Decoder(Meeting)


def parse(body: bytes) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    """Parse JSON.

    Raises:
        DecodeError: If it is none.
    """
    reason = None
    document = None
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            document = parse_leniently(body)
        except RecursionError:
            reason = "nested too deep"
        except ValueError as error:
            reason = str(error)[:200]
    # How deep a parser goes differs from Python to Python; how deep this one goes does not.
    if reason is None and _brackets(body) > MAX_DEPTH and is_too_deep(document):
        reason = "nested too deep"
    if reason is not None:
        raise _unreadable(f"not JSON: {reason}", body)
    return document


def _brackets(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")


def is_too_deep(document: object) -> bool:
    """Whether there are more objects and lists within one another than there may be."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            if isinstance(value, (dict, list))
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _unreadable(message: str, body: bytes, path: str = "$") -> DecodeError:
    # Whoever knows the secrets of the call masks the excerpt: what else is masked before them may tear them apart.
    return DecodeError(message, path=path, excerpt=body[:_EXCERPT].decode("utf-8", "replace"))


def _parse_object(body: bytes) -> dict[str, Any]:
    document = parse(body)
    if not isinstance(document, dict):
        msg = "expected an object"
        raise _unreadable(msg, body)
    if document.get("success") is False:
        raise Refused(document)
    return document


def _structure(cls: type[T], value: object, path: str, body: bytes) -> T:
    try:
        return structure(cls, value)
    except MisfitAtError as error:
        failure = error
    raise _unreadable(failure.reason, body, path + failure.path)


def read_page(body: bytes) -> Page:
    """Read the answer to a list call.

    Raises:
        DecodeError: If it is not what the service documents.
        Refused: If it says that it is an error.
    """
    try:
        answer = _page_answer.decode(body)
        rows = [_fast_row(raw) for raw in answer.data.meetings]
    except (msgspec.MsgspecError, ValueError, RecursionError, _Odd):
        return _read_page_tolerantly(body)
    if answer.success is False or _may_be_deep(body, answer.data.meetings):
        return _read_page_tolerantly(body)
    data = answer.data
    return Page(
        meetings=tuple(rows),
        next_page_token=data.next_page_token or None,
        page_size=data.page_size,
        total_records=data.total_records,
        _source=(body, "data"),
    )


def _may_be_deep(body: bytes, rows: list[msgspec.Raw]) -> bool:
    """Whether somewhere in a page, in what its models do not look into, there are brackets enough to be too deep."""
    outside = _brackets(body) - len(rows)  # a row takes one, and most have no other
    if outside <= MAX_DEPTH:
        return False
    inside = [_brackets(bytes(row)) - 1 for row in rows]
    return outside - sum(inside) > MAX_DEPTH or max(inside, default=0) > MAX_DEPTH - _AROUND_ROW


class _Odd(Exception):  # noqa: N818  (a signal to the tolerant way)
    """A row that the fast way would read otherwise than the tolerant way."""


def _fast_row(raw: msgspec.Raw) -> Meeting:
    row = _row.decode(raw)
    for moment in (row.start_time, row.created_at):
        if moment is not None and moment.tzinfo is None:
            raise _Odd
    object.__setattr__(row, "_source", raw)
    return row


def _read_page_tolerantly(body: bytes) -> Page:
    document = _parse_object(body)
    data, path, source = document.get("data"), "$.data", (body, "data")
    if not isinstance(data, dict) and "meetings" in document:
        data, path, source = document, "$", (body,)  # type: ignore[assignment]
    if not isinstance(data, dict) or "meetings" not in data:
        msg = "no list of meetings where one belongs"
        raise _unreadable(msg, body, f"{path}.meetings")
    page = _structure(Page, data, path, body)
    object.__setattr__(page, "_source", source)
    return page


def _find_meeting(document: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Look for the meeting: under `meeting`, under `data` (or a `meeting` in it), else the bare object."""
    if isinstance(found := document.get("meeting"), dict):
        return found, "$.meeting"
    if isinstance(data := document.get("data"), dict):
        if isinstance(found := data.get("meeting"), dict):
            return found, "$.data.meeting"
        if "id" in data or "uuid" in data:
            return data, "$.data"
    if "id" in document or "uuid" in document:
        return document, "$"
    return None, "$"


def read_detail(body: bytes) -> MeetingDetail:
    """Read the answer to a get or a create.

    Raises:
        DecodeError: If no meeting is in it.
        Refused: If it says that it is an error.
    """
    document = _parse_object(body)
    found, path = _find_meeting(document)
    if found is None:
        msg = "no meeting where one belongs"
        raise _unreadable(msg, body)
    return _structure(MeetingDetail, found, path, body)


def read_updated(body: bytes) -> MeetingDetail | None:
    """Read the answer to an update: it may hold the meeting, or nothing at all.

    Raises:
        DecodeError: If it is something else, such as a proxy's page.
        Refused: If it says that it is an error.
    """
    if not body.strip() or body.strip() == b"null":
        return None
    document = _parse_object(body)
    found, path = _find_meeting(document)
    return None if found is None else _structure(MeetingDetail, found, path, body)


def read_nothing(body: bytes) -> None:
    """Read the answer to a delete, of which only its success is of interest.

    Raises:
        DecodeError: If it is something else than JSON or nothing, such as a proxy's page.
        Refused: If it says that it is an error.
    """
    if body.strip() and body.strip() != b"null":
        _parse_object(body)


def read_account(body: bytes) -> ConnectedAccount:
    """Read the answer to a connect.

    Raises:
        DecodeError: If no account is in it.
        Refused: If it says that it is an error.
    """
    document = _parse_object(body)
    found, path = document.get("data", document), "$.data" if "data" in document else "$"
    if isinstance(found, dict) and "account" in found:
        found, path = found["account"], f"{path}.account"
    return _structure(ConnectedAccount, found, path, body)


def read_oauth_url(body: bytes) -> str:
    """Read the answer that holds the address where a user allows the app to reach Zoom.

    Raises:
        DecodeError: If no address is in it.
        Refused: If it says that it is an error.
    """
    document = _parse_object(body)
    data = document.get("data")
    url = document.get("url") or (data.get("url") if isinstance(data, dict) else None)
    if not isinstance(url, str):
        msg = "no address where one belongs"
        raise _unreadable(msg, body, "$.url")
    return url
