"""From the bytes of a response to the model in it.

The envelope differs from call to call (`data`, `meeting`, `data.account`), and the vendor's pages contradict one
another. So each function looks in the documented place first, and then in the other known places.
``"success": false`` is an error under any status; a missing ``success`` is fine.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pyas_async._core.codec import decoding
from pyas_async._core.codec.decoding import parse
from pyas_async._core.codec.unreadable import UnmaskedDecodeError, unreadable

if TYPE_CHECKING:
    from pyas_async.models import ConnectedAccount, MeetingDetail

T = TypeVar("T")


class NotSuccessError(Exception):
    """A response with a success status says that the call has failed. The exchange handles it; callers never see it.

    Attributes:
        document: The response, which says why.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        super().__init__("the response describes an error")


class WrongMeetingError(UnmaskedDecodeError):
    """The response is about another meeting than the request was, so the outcome of the request is unknown.

    The exchange handles it; callers see a plain `DecodeError`.
    """


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a response.

    Raises:
        DecodeError: If it is not an object.
        NotSuccessError: If it says that it is an error.
    """
    from pyas_async._core.codec.failures import says_no  # noqa: PLC0415 -- what the fast path reads does not need it

    document = parse(body)
    if isinstance(document, list) and document and all(map(_is_complaint, document)):
        raise NotSuccessError({"errors": document})
    if not isinstance(document, dict):
        msg = "expected an object"
        raise unreadable(msg, body)
    if says_no(document.get("success")):
        raise NotSuccessError(document)
    return document


def _is_complaint(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(name), str) for name in ("message", "msg"))


def check_failure(document: dict[str, Any]) -> None:
    """Check a document in which no result was found.

    Raises:
        NotSuccessError: If it describes an error.
    """
    from pyas_async._core.codec.failures import describes_failure  # noqa: PLC0415 -- see `parse_object`

    if describes_failure(document):
        raise NotSuccessError(document)


def structure_at(cls: type[T], value: object, path: str, body: bytes) -> T:
    """Make a model of a value that was found under a path of a response.

    Raises:
        DecodeError: If it has no identity.
    """
    from pyas_async._core.codec.converter import structure  # noqa: PLC0415 -- loads cattrs
    from pyas_async._core.codec.hooks import StructureError  # noqa: PLC0415 -- as above

    try:
        return structure(cls, value)
    except StructureError as error:
        failure = error
    raise unreadable(failure.reason, body, path + failure.path)


def _find_meeting(document: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Find the meeting and its path: in `meeting`, in `data` (or a `meeting` in it), or the bare object.

    Raises:
        NotSuccessError: If there is none, and the document describes an error. An error may have an `id` as well.
    """
    if isinstance(found := document.get("meeting"), dict):
        return found, "$.meeting"
    if isinstance(data := document.get("data"), dict):
        if isinstance(found := data.get("meeting"), dict):
            return found, "$.data.meeting"
        if "id" in data or "uuid" in data:
            return data, "$.data"
    check_failure(document)
    if "id" in document or "uuid" in document:
        return document, "$"
    return None, "$"


_envelope_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@functools.cache
def _detail_loader() -> Callable[[bytes], "MeetingDetail"]:
    from pyas_async.models import MeetingDetail  # noqa: PLC0415 -- a program that only lists does not need it

    return decoding.loader(MeetingDetail)


def read_detail_fast(body: bytes) -> "MeetingDetail | None":
    """Read a meeting in one of the documented places on the fast path; ``None`` if it refuses anything."""
    try:
        envelope = _envelope_decoder.decode(body)
        if "success" in envelope and bytes(envelope["success"]) != b"true":
            return None
        if (found := envelope.get("meeting")) is None:
            found = envelope["data"]
            found = _envelope_decoder.decode(found).get("meeting", found)
        return _detail_loader()(found)
    except Exception:  # noqa: BLE001  (`read_detail_tolerantly` meets the same fault, and says where it is)
        return None


def read_detail(body: bytes, number: int | None = None) -> "MeetingDetail":
    """Read the response to a get or a create.

    Args:
        body: The response.
        number: The number of the requested meeting, if it was requested by number.

    Raises:
        DecodeError: If it has no meeting.
        WrongMeetingError: If it has another meeting.
        NotSuccessError: If it says that it is an error.
    """
    meeting = read_detail_fast(body)
    if meeting is None or number not in (None, meeting.id):
        return read_detail_tolerantly(body, number)
    return meeting


def read_detail_tolerantly(body: bytes, number: int | None = None) -> "MeetingDetail":
    """Read a meeting in any known place on the tolerant path, and say what is wrong with the response.

    Raises:
        DecodeError: If it has no meeting.
        WrongMeetingError: If it has another meeting than the requested one.
        NotSuccessError: If it says that it is an error.
    """
    document = parse_object(body)
    found, path = _find_meeting(document)
    if found is None:
        msg = "no meeting found"
        raise unreadable(msg, body)
    return _meeting_of(found, path, body, number)


def read_updated(body: bytes, number: int | None = None) -> "MeetingDetail | None":
    """Read the response to an update. It may have the meeting, or be empty.

    Args:
        body: The response.
        number: The number of the changed meeting, if the request named it by number.

    Raises:
        DecodeError: If it is something else, such as a proxy's page.
        WrongMeetingError: If it has another meeting.
        NotSuccessError: If it says that it is an error.
    """
    if not body.strip() or body.strip() == b"null":
        return None
    document = parse_object(body)
    found, path = _find_meeting(document)
    return None if found is None else _meeting_of(found, path, body, number)


def _meeting_of(found: dict[str, Any], path: str, body: bytes, number: int | None) -> "MeetingDetail":
    from pyas_async.models import MeetingDetail  # noqa: PLC0415 -- see `_detail_loader`

    meeting = structure_at(MeetingDetail, found, path, body)
    if number is not None and meeting.id != number:
        reason = f"expected meeting {number}, got {meeting.id}: this is the response to another request"
        raise unreadable(reason, body, f"{path}.id", WrongMeetingError)
    return meeting


def read_nothing(body: bytes) -> None:
    """Check the response to a delete, which has no content that matters.

    Raises:
        DecodeError: If it is neither a JSON object nor empty; a proxy's page, for example.
        NotSuccessError: If it says that it is an error.
    """
    if body.strip() and body.strip() != b"null":
        _find_meeting(parse_object(body))


def read_account(body: bytes) -> "ConnectedAccount":
    """Read the response to a connect.

    Raises:
        DecodeError: If it has no account.
        NotSuccessError: If it says that it is an error.
    """
    document = parse_object(body)
    found, path = document.get("data", document), "$.data" if "data" in document else "$"
    if isinstance(found, dict) and "account" in found:
        found, path = found["account"], f"{path}.account"
    if not isinstance(found, dict) or "accountId" not in found:
        check_failure(document)
    from pyas_async.models import ConnectedAccount  # noqa: PLC0415 -- see `_detail_loader`

    return structure_at(ConnectedAccount, found, path, body)


def read_oauth_url(body: bytes) -> str:
    """Read the URL on which a user grants the app access to Zoom.

    Raises:
        DecodeError: If the response has no URL.
        NotSuccessError: If it says that it is an error.
    """
    document = parse_object(body)
    data = document.get("data")
    url = document.get("url") or (data.get("url") if isinstance(data, dict) else None)
    if not isinstance(url, str):
        check_failure(document)
        msg = "no address found"
        raise unreadable(msg, body, "$.url")
    return url
