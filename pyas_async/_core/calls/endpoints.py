"""The calls of the API: method, path, arguments, whether the call may be repeated, and how its response is read.

The service's documentation: ``accountId`` is sent in the query of GET and DELETE, and in the JSON body of POST and
PATCH.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pyas_async import _checks
from pyas_async._core import codec
from pyas_async._core.calls.messages import Call, Repeat
from pyas_async._core.dates import DATE_FORMAT, filter_date, is_written_day, read_day
from pyas_async.errors import InvalidArgumentError
from pyas_async.models import ListType, Page
from pyas_async.options import UNSET, MeetingId

if TYPE_CHECKING:
    from pyas_async.models import ConnectedAccount, MeetingCreate, MeetingDetail, MeetingUpdate

_MEETINGS = "/zoom/meetings"
MAX_PAGE_SIZE = 300
"""Zoom's maximum of `max_results`."""
MAX_IN_URL = 12_000
"""The most characters of a value in a URL, encoded. httpx refuses URLs of more than 65,536 characters. A call has up to
three such values (an account id and two dates, or an account id and a meeting id), and perhaps a page token."""
MAX_PAGE_TOKEN = 24_000
"""The most characters of a page token, encoded."""
_ID = "a meeting's number, its digits, or its uuid"
_SHORT = MAX_IN_URL // 12
"""A text of at most this many characters fits: each becomes up to four bytes, and each byte three characters."""
_DIGITS = 20
"""Digits of the largest number of 64 bits; a longer number is not a meeting's."""


def fits_url(value: str, maximum: int = MAX_IN_URL) -> bool:
    """Whether a value, encoded, is short enough for a URL."""
    return len(value) <= _SHORT or len(quote(value, safe="", errors="replace")) <= maximum


def url_text(field: str, value: object) -> str:
    """Check that a value is text that is not blank and fits into a URL, and return it."""
    text = _checks.text(field, value)
    return text if len(text) <= _SHORT else _check_length(field, text)


def _check_length(field: str, value: str, maximum: int = MAX_IN_URL) -> str:
    if not fits_url(value, maximum):
        length = len(quote(value, safe="", errors="replace"))
        got = f"<{length:,} characters>"
        raise InvalidArgumentError(field, f"at most {maximum:,} characters, encoded as in a URL", got)
    return value


def account(value: object) -> str:
    """Check an account id, and return it.

    Raises:
        InvalidArgumentError: If it is missing (``UNSET``), not a text, or too long for a URL.
    """
    if value is None or value is UNSET:
        expected = "the id of a connected account"
        if value is UNSET:
            hint = "Give account_id=, or bind it: PyasClient(account_id=…), PYAS_ACCOUNT_ID, client.for_account(…)"
            raise InvalidArgumentError("account_id", expected, "<nothing>", hint=hint)
        # A program that has lost track of its tenant must not get the meetings of another one.
        hint = "None does not stand for the client's own account: leave account_id out to use that"
        raise InvalidArgumentError("account_id", expected, value, hint=hint)
    text = _checks.text("account_id", value)  # without `url_text`, since every call comes here
    return text if len(text) <= _SHORT else _check_length("account_id", text)


def plain_id(meeting_id: object) -> MeetingId:
    """Return a meeting's id as an int or text: numbers may be of another type, such as numpy's.

    Raises:
        InvalidArgumentError: If it is neither.
    """
    if type(meeting_id) is int:  # as most are, and every call comes here twice
        return meeting_id
    plain = meeting_id if isinstance(meeting_id, str) else _checks.as_int(meeting_id)
    if plain is None:
        raise InvalidArgumentError("meeting_id", _ID, meeting_id)
    return plain


def meeting_path(meeting_id: object) -> str:
    """Return the path of a meeting. Its id is encoded whole, so that it cannot change the rest of the path.

    Zoom: a uuid that begins with ``/`` or contains ``//`` must be encoded twice.

    Raises:
        InvalidArgumentError: If the id cannot be that of a meeting.
    """
    plain = plain_id(meeting_id)
    if isinstance(plain, int) and not 0 < plain < 2**64:
        raise InvalidArgumentError("meeting_id", _ID, meeting_id)
    name = _checks.text("meeting_id", str(plain))
    # The segments "." and ".." lead to another path, even if they are encoded: some servers decode a path before they
    # resolve it. No uuid has dots or characters that cannot be printed.
    if {".", ".."} & set(re.split(r"[/\\]", name)) or not name.isprintable():
        raise InvalidArgumentError("meeting_id", _ID, meeting_id)
    encoded = quote(name, safe="")
    if name.startswith("/") or "//" in name:
        encoded = quote(encoded, safe="")
    if len(encoded) > MAX_IN_URL:
        raise InvalidArgumentError("meeting_id", _ID, f"<{len(encoded):,} characters, encoded as in a URL>")
    return f"{_MEETINGS}/{encoded}"


def _meeting_number(meeting_id: MeetingId) -> int | None:
    """Return the number that an id is, which the response must have as well; ``None`` for a uuid.

    A uuid is not compared: each instance of a meeting has its own, and the pages do not say which one is returned.
    """
    if isinstance(meeting_id, int):
        return meeting_id
    return int(meeting_id) if meeting_id.isascii() and meeting_id.isdigit() and len(meeting_id) <= _DIGITS else None


def list_filters(
    *,
    start_date: date | str | None,
    end_date: date | str | None,
    type: ListType | str | None,
    date_format: str = DATE_FORMAT,
) -> tuple[tuple[str, str], ...]:
    """Check the filters of a listing, and return them as query parameters.

    Args:
        start_date: The first day.
        end_date: The last day.
        type: Which meetings to list.
        date_format: How the client writes a day.

    Raises:
        InvalidArgumentError: If one cannot be a filter, or the end is before the start.
    """
    start = None if start_date is None else _day("start_date", start_date, date_format)
    end = None if end_date is None else _day("end_date", end_date, date_format)
    _checks.ordered("end_date", start, end)
    kind = None if type is None else _checks.member("type", ListType, type)
    query = []
    if start is not None:
        query.append(("startDate", _check_length("start_date", filter_date(start, date_format))))
    if end is not None:
        query.append(("endDate", _check_length("end_date", filter_date(end, date_format))))
    if kind is not None:
        query.append(("type", kind.value))
    return tuple(query)


def _day(field: str, value: object, date_format: str) -> date | str:
    """Check a day of a filter; text in the service's own format stays text."""
    expected = "a datetime.date, or text such as '2026-01-31'"
    if isinstance(value, datetime):
        raise InvalidArgumentError(field, expected, value, hint="The service filters by day: pass .date() of it")
    if isinstance(value, str):
        text = _checks.text(field, value)
        if (day := read_day(text.strip())) is not None:
            return day
        if is_written_day(text.strip(), date_format):
            return text
        hint = (
            "Other text is sent only if it is digits with separators, such as 01-31-2026. If the service expects "
            "another format, set date_format= of the client, or PYAS_DATE_FORMAT"
        )
        raise InvalidArgumentError(field, expected, value, hint=hint)
    if not isinstance(value, date):
        raise InvalidArgumentError(field, expected, value)
    return value


def list_meetings(
    account_id: str,
    filters: tuple[tuple[str, str], ...],
    *,
    max_results: int | None = None,
    next_page_token: str | None = None,
    page_number: int | None = None,
    not_after: float | None = None,
) -> Call[Page]:
    """GET /zoom/meetings."""
    query = [("accountId", account(account_id)), *filters]
    if max_results is not None:
        query.append(("maxResults", str(_checks.whole_number("max_results", max_results, minimum=1))))
    if next_page_token is not None:
        hint = "None asks for the first page"
        _checks.secret("next_page_token", next_page_token, "a page token of an earlier page", blank=True, hint=hint)
        query.append(("nextPageToken", _check_length("next_page_token", next_page_token, MAX_PAGE_TOKEN)))
    if page_number is not None:
        if next_page_token is not None:
            hint = "The service takes one or the other; tokens are the safer way"
            raise InvalidArgumentError("page_number", "no value together with next_page_token", page_number, hint=hint)
        query.append(("pageNumber", str(_checks.whole_number("page_number", page_number, minimum=1))))
    return Call(
        operation="meetings.list",
        method="GET",
        path=_MEETINGS,
        query=tuple(query),
        read=codec.read_page,
        steps=codec.page_steps,
        secrets=() if next_page_token is None else (next_page_token,),
        account=account_id,
        has_page_token=next_page_token is not None,
        not_after=not_after,
    )


def get_meeting(account_id: str, meeting_id: MeetingId) -> "Call[MeetingDetail]":
    """GET /zoom/meetings/:id."""
    meeting_id = plain_id(meeting_id)
    return Call(
        operation="meetings.get",
        method="GET",
        path=meeting_path(meeting_id),
        query=(("accountId", account(account_id)),),
        read=partial(codec.read_detail, number=_meeting_number(meeting_id)),
        account=account_id,
        meeting_id=meeting_id,
    )


def create_meeting(account_id: str, meeting: "MeetingCreate") -> "Call[MeetingDetail]":
    """POST /zoom/meetings."""
    from pyas_async.models.requests import MeetingCreate  # noqa: PLC0415 -- many programs only read

    if not isinstance(meeting, MeetingCreate):
        hint = "Build one: MeetingCreate(title=…, start_date=…)"
        raise InvalidArgumentError("meeting", "a MeetingCreate", meeting, hint=hint)
    return Call(
        operation="meetings.create",
        method="POST",
        path=_MEETINGS,
        body=_json({"accountId": account(account_id), "meetingData": codec.to_dict(meeting)}),
        read=codec.read_detail,
        repeat=Repeat.CREATE,
        account=account_id,
    )


def update_meeting(account_id: str, meeting_id: MeetingId, changes: "MeetingUpdate") -> "Call[MeetingDetail | None]":
    """PATCH /zoom/meetings/:id."""
    meeting_id = plain_id(meeting_id)
    from pyas_async.models.requests import MeetingUpdate  # noqa: PLC0415 -- many programs only read

    if not isinstance(changes, MeetingUpdate):
        hint = "Build one: MeetingUpdate(title=…)"
        raise InvalidArgumentError("changes", "a MeetingUpdate", changes, hint=hint)
    if not (document := codec.to_dict(changes)):
        raise InvalidArgumentError("changes", "a MeetingUpdate with at least one field set", changes)
    return Call(
        operation="meetings.update",
        method="PATCH",
        path=meeting_path(meeting_id),
        body=_json({"accountId": account(account_id), "meetingData": document}),
        read=partial(codec.read_updated, number=_meeting_number(meeting_id)),
        repeat=Repeat.WRITE,
        account=account_id,
        meeting_id=meeting_id,
    )


def delete_meeting(account_id: str, meeting_id: MeetingId) -> Call[None]:
    """DELETE /zoom/meetings/:id."""
    meeting_id = plain_id(meeting_id)
    return Call(
        operation="meetings.delete",
        method="DELETE",
        path=meeting_path(meeting_id),
        query=(("accountId", account(account_id)),),
        read=codec.read_nothing,
        repeat=Repeat.WRITE,
        account=account_id,
        meeting_id=meeting_id,
    )


def oauth_url(state: str | None) -> Call[str]:
    """GET /zoom/oauth."""
    query: tuple[tuple[str, str], ...] = ()
    if state is not None:
        query = (("state", _check_length("state", _checks.secret("state", state, "a string that is not blank"))),)
    return Call(
        operation="accounts.oauth_url",
        method="GET",
        path="/zoom/oauth",
        query=query,
        secrets=() if state is None else (state,),
        read=codec.read_oauth_url,
    )


def connect(code: str, name: str) -> "Call[ConnectedAccount]":
    """POST /zoom/connect: an OAuth code works once, so it is a create."""
    _checks.secret("code", code, "the code that Zoom sent the user back with")
    return Call(
        operation="accounts.connect",
        method="POST",
        path="/zoom/connect",
        body=_json({"code": code, "name": _checks.text("name", name)}),
        secrets=(code,),
        read=codec.read_account,
        repeat=Repeat.CREATE,
    )


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
