"""From the bytes of an answer to the model inside.

Envelopes differ from call to call (`data`, `meeting`, `data.account`), and the vendor's pages differ from one another.
So each reader looks in the documented place first, and then where the facts say it may be as well.
``"success": false`` is an error under any status, a missing ``success`` is fine.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pyas_async._core.codec import native
from pyas_async._core.codec.parsing import parse, unreadable
from pyas_async.errors import DecodeError

if TYPE_CHECKING:
    from pyas_async.models import ConnectedAccount, MeetingDetail

T = TypeVar("T")


class Refused(Exception):  # noqa: N818  (a signal to the exchange, never seen outside)
    """The answer says ``"success": false``, whatever its status says."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Keep the document, which tells why."""
        self.document = document
        super().__init__("success: false")


class Mistaken(DecodeError):  # noqa: N818  (a signal to the exchange, never seen outside)
    """The answer is about another meeting than was asked for: nobody knows whose it is, nor what became of ours."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse an answer.

    Raises:
        DecodeError: If it is no object.
        Refused: If it says that it is an error.
    """
    document = parse(body)
    if not isinstance(document, dict):
        msg = "expected an object"
        raise unreadable(msg, body)
    if document.get("success") is False:
        raise Refused(document)
    return document


def structure_at(cls: type[T], value: object, path: str, body: bytes) -> T:
    """Make a model of what stands at a place of an answer.

    Raises:
        DecodeError: If it does not fit.
    """
    from pyas_async._core.codec.converter import MisfitAtError, structure  # noqa: PLC0415 -- cattrs, if needed

    try:
        return structure(cls, value)
    except MisfitAtError as error:
        failure = error
    raise unreadable(failure.reason, body, path + failure.path)


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


_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])


@functools.cache
def _detail_loader() -> Callable[[bytes], "MeetingDetail"]:
    from pyas_async.models import MeetingDetail  # noqa: PLC0415 -- not every program gets a meeting

    return native.loader(MeetingDetail)


def read_quickly(body: bytes) -> "MeetingDetail | None":
    """Read a meeting in one of the documented places; ``None`` if it is not plain to see there."""
    try:
        envelope = _envelope.decode(body)
        if "success" in envelope and bytes(envelope["success"]) != b"true":
            return None
        if (found := envelope.get("meeting")) is None:
            found = envelope["data"]
            found = _envelope.decode(found).get("meeting", found)
        return _detail_loader()(found)
    except Exception:  # noqa: BLE001  (whatever it was: who reads the whole finds it again, and says where)
        return None


def read_detail(body: bytes, number: int | None = None) -> "MeetingDetail":
    """Read the answer to a get or a create.

    Args:
        body: The answer.
        number: The meeting that was asked for, if it was asked for by number.

    Raises:
        DecodeError: If no meeting is in it.
        Mistaken: If another one is.
        Refused: If it says that it is an error.
    """
    meeting = read_quickly(body)
    if meeting is None or number not in (None, meeting.id):
        return read_slowly(body, number)
    return meeting


def read_slowly(body: bytes, number: int | None = None) -> "MeetingDetail":
    """Read a meeting wherever it is, as tolerantly as can be, and say what is wrong with it.

    Raises:
        DecodeError: If no meeting is in it.
        Mistaken: If another one is than was asked for.
        Refused: If it says that it is an error.
    """
    document = parse_object(body)
    found, path = _find_meeting(document)
    if found is None:
        msg = "no meeting where one belongs"
        raise unreadable(msg, body)
    return _meeting_of(found, path, body, number)


def read_updated(body: bytes, number: int | None = None) -> "MeetingDetail | None":
    """Read the answer to an update: it may hold the meeting, or nothing at all.

    Args:
        body: The answer.
        number: The meeting that was to be changed, if it was named by number.

    Raises:
        DecodeError: If it is something else, such as a proxy's page.
        Mistaken: If it holds another meeting.
        Refused: If it says that it is an error.
    """
    if not body.strip() or body.strip() == b"null":
        return None
    document = parse_object(body)
    found, path = _find_meeting(document)
    return None if found is None else _meeting_of(found, path, body, number)


def _meeting_of(found: dict[str, Any], path: str, body: bytes, number: int | None) -> "MeetingDetail":
    from pyas_async.models import MeetingDetail  # noqa: PLC0415 -- as above

    meeting = structure_at(MeetingDetail, found, path, body)
    if number is not None and meeting.id != number:
        reason = f"expected meeting {number}, got {meeting.id}: the answer belongs to another question"
        raise unreadable(reason, body, f"{path}.id", Mistaken)
    return meeting


def read_nothing(body: bytes) -> None:
    """Read the answer to a delete, of which only its success is of interest.

    Raises:
        DecodeError: If it is something else than JSON or nothing, such as a proxy's page.
        Refused: If it says that it is an error.
    """
    if body.strip() and body.strip() != b"null":
        parse_object(body)


def read_account(body: bytes) -> "ConnectedAccount":
    """Read the answer to a connect.

    Raises:
        DecodeError: If no account is in it.
        Refused: If it says that it is an error.
    """
    document = parse_object(body)
    found, path = document.get("data", document), "$.data" if "data" in document else "$"
    if isinstance(found, dict) and "account" in found:
        found, path = found["account"], f"{path}.account"
    from pyas_async.models import ConnectedAccount  # noqa: PLC0415 -- as above

    return structure_at(ConnectedAccount, found, path, body)


def read_oauth_url(body: bytes) -> str:
    """Read the answer that holds the address where a user allows the app to reach Zoom.

    Raises:
        DecodeError: If no address is in it.
        Refused: If it says that it is an error.
    """
    document = parse_object(body)
    data = document.get("data")
    url = document.get("url") or (data.get("url") if isinstance(data, dict) else None)
    if not isinstance(url, str):
        msg = "no address where one belongs"
        raise unreadable(msg, body, "$.url")
    return url
