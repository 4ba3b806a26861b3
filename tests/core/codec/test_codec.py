"""Reading responses: two paths that agree, and one kind of error for everything that cannot be read."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, encode, json_values, page_of, pages
from pyas_async import DecodeError, Meeting, MeetingType, Page, to_dict
from pyas_async._core.codec import (
    NotSuccessError,
    WrongMeetingError,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_page,
    read_updated,
)
from pyas_async._core.codec.pages import read_page_tolerantly

if TYPE_CHECKING:
    from collections.abc import Callable

READERS = [read_page, read_detail, read_updated, read_nothing, read_account, read_oauth_url]
each_reader = pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
_envelopes = st.dictionaries(
    st.sampled_from(["success", "data", "meeting", "meetings", "account", "url", "id", "uuid"]),
    st.recursive(
        json_values,
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["meetings", "meeting", "account", "url", "id", "next_page_token"]), inner, max_size=3
            )
            | st.lists(inner, max_size=2)
        ),
        max_leaves=5,
    ),
    max_size=4,
)


def attempt(read: Callable[[bytes], Page], body: bytes) -> Page | str:
    """Read a page, or return the path of the failure."""
    try:
        return read(body)
    except DecodeError as error:
        return error.path


@brisk
@given(pages)
def test_both_paths_agree(data: dict[str, Any]) -> None:
    """The fast and the tolerant path make equal pages with equal documents, or report the same path."""
    body = encode({"success": True, "data": data})
    fast, tolerant = attempt(read_page, body), attempt(read_page_tolerantly, body)

    assert tolerant == fast
    if isinstance(fast, Page) and isinstance(tolerant, Page):
        assert to_dict(tolerant) == to_dict(fast) == data
        assert [row.extra for row in tolerant.meetings] == [row.extra for row in fast.meetings]
        assert tolerant.extra == fast.extra


@pytest.mark.parametrize(
    ("row", "field", "expected"),
    [
        ({"id": "42"}, "id", 42),
        ({"id": 1, "type": 77}, "type", 77),
        ({"id": 1, "type": 8}, "type", MeetingType.RECURRING_FIXED),
        ({"id": 1, "type": None}, "type", None),
        ({"id": 1, "start_time": ""}, "start_time", None),
        ({"id": 1, "duration": ""}, "duration", None),
        ({"id": 1, "uuid": None}, "uuid", ""),
        ({"id": 2**63 - 1}, "id", 2**63 - 1),
    ],
)
def test_reading_is_tolerant(row: dict[str, Any], field: str, expected: object) -> None:
    """Digits are numbers, null and an empty date are absent, an unknown type is its number."""
    assert expected == getattr(read_page(page_of(row)).meetings[0], field)


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Berlin", 7), (None, 8), ("Mars/Olympus", 8), ("", 8)], ids=["known", "none", "odd", ""]
)
def test_time_without_offset(zone: str | None, hour: int) -> None:
    """A start without an offset is read in the row's time zone, or as UTC if that is missing or unknown."""
    row = {"id": 1, "start_time": "2026-11-22T08:00:00", "timezone": zone}
    start = read_page(page_of(row)).meetings[0].start_time

    assert start is not None
    assert f"2026-11-22 {hour:02}:00" == f"{start.astimezone(UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize("token", ["", None])
def test_no_token_is_the_end(token: str | None) -> None:
    """An empty token, null and a missing one mean the same: this page is the last."""
    with_token = read_page(encode({"data": {"meetings": [], "next_page_token": token}}))
    without = read_page(encode({"data": {"meetings": []}}))

    assert None is with_token.next_page_token is without.next_page_token


def test_success_may_be_missing() -> None:
    """A response without ``success`` is a success."""
    assert (Meeting(id=1),) == read_page(encode({"data": {"meetings": [{"id": 1}]}})).meetings


@each_reader
def test_success_false(read: Callable[[bytes], object]) -> None:
    """A response that says ``"success": false`` is an error for every call."""
    with pytest.raises(NotSuccessError) as caught:
        read(b'{"success": false, "error": "no", "data": {"meetings": []}}')

    assert "no" == caught.value.document["error"]


@pytest.mark.parametrize(
    "document",
    [
        {"success": True, "meeting": {"id": 5}},
        {"success": True, "data": {"id": 5}},
        {"success": True, "data": {"meeting": {"id": 5}}},
        {"id": 5, "uuid": ""},
    ],
    ids=["meeting", "data", "data.meeting", "bare"],
)
def test_meeting_is_found(document: dict[str, Any]) -> None:
    """The meeting of a get, a create or an update is found in each place that the vendor's pages show."""
    assert 5 == read_detail(encode(document)).id
    assert read_detail(encode(document)) == read_updated(encode(document))


@pytest.mark.parametrize("read", [read_detail, read_updated])
def test_another_meeting(read: Callable[..., object]) -> None:
    """A response with another meeting than the one requested by number is an error that says so."""
    with pytest.raises(WrongMeetingError) as caught:
        read(encode({"success": True, "data": {"meeting": {"id": 666, "topic": "Theirs"}}}), number=81)

    assert "$.data.meeting.id" == caught.value.path
    assert "expected meeting 81, got 666: this is the response to another request" == caught.value.reason
    assert "Theirs" in caught.value.excerpt


@pytest.mark.parametrize("text", [b"9" * 5_000, b"-" + b"9" * 5_000, b"1e999"], ids=["digits", "negative", "exponent"])
def test_numbers_without_bound(text: bytes) -> None:
    """A number that Python cannot hold is ignored in an unknown field, and reported where a number is expected."""
    assert 5 == read_detail(b'{"meeting": {"id": 5, "new": %s}}' % text).id
    with pytest.raises(DecodeError, match="whole number") as caught:
        read_detail(b'{"meeting": {"id": %s}}' % text)

    assert "$.meeting.id" == caught.value.path


@pytest.mark.parametrize("body", [b"", b" \n", b"null", b"{}", b'{"success": true}'])
def test_empty_response_to_an_update(body: bytes) -> None:
    """An update or a delete with an empty response has succeeded."""
    assert read_updated(body) is None
    read_nothing(body)


@each_reader
@pytest.mark.parametrize(
    "body",
    [
        b"<html>504</html>",
        b"[]",
        b'"text"',
        b"NaN",
        b'{"data": NaN}',
        b"[" * 50_000,
        b'{"data": ' * 5_000 + b"1" + b"}" * 5_000,
        b'{"success": true, "data',
    ],
    ids=["html", "list", "text", "nan", "nan inside", "deep", "deeper", "cut"],
)
def test_unreadable(read: Callable[[bytes], object], body: bytes) -> None:
    """Everything that is not a JSON object is one kind of error, with a short excerpt."""
    with pytest.raises(DecodeError) as caught:
        read(body)

    assert "$" == caught.value.path
    assert len(caught.value.excerpt) <= 500


@each_reader
@pytest.mark.parametrize("value", [b"1e999", b'"\xff"', b'"\\ud800"', b"-0", b"1" * 400], ids=range(5))
def test_odd_values(read: Callable[[bytes], object], value: bytes) -> None:
    """Odd JSON is read, or raises DecodeError and nothing else."""
    for body in (b'{"data": ' + value + b"}", b'{"data": {"meetings": [{"id": ' + value + b"}]}}"):
        try:
            read(body)
        except DecodeError as error:
            assert error.path.startswith("$")  # noqa: PT017  (either is fine)


@each_reader
@brisk
@given(body=st.binary(max_size=60) | _envelopes.map(encode) | json_values.map(encode))
def test_one_kind_of_error(read: Callable[[bytes], object], body: bytes) -> None:
    """Any bytes give a value, a DecodeError, or the error for ``"success": false``."""
    try:
        read(body)
    except DecodeError as error:
        assert error.path.startswith("$")  # noqa: PT017  (not every example raises)
    except NotSuccessError:
        pass


@pytest.mark.parametrize("tail", [b"", b', "type": "2"'], ids=["fast", "tolerant"])
def test_byte_order_mark(tail: bytes) -> None:
    """A byte order mark before the JSON is skipped, also when the kept document is read again."""
    page = read_page(b'\xef\xbb\xbf{"data": {"meetings": [{"id": 1, "x": 2' + tail + b'}], "y": 3}}')

    assert {"y": 3} == page.extra
    assert {"x": 2} == page.meetings[0].extra


@pytest.mark.parametrize(
    ("read", "document", "path"),
    [
        (read_page, {"data": {"meetings": {}}}, "$.data.meetings"),
        (read_page, {"data": {}}, "$.data.meetings"),
        (read_page, {"meetings": "x"}, "$.meetings"),
        (read_detail, {"data": {"meeting": {"id": "one"}}}, "$.data.meeting.id"),
        (read_account, {"data": {"account": {}}}, "$.data.account.accountId"),
        (read_account, {"data": {"account": {"accountId": ["a"]}}}, "$.data.account.accountId"),
        (read_oauth_url, {"url": 5}, "$.url"),
    ],
)
def test_path(read: Callable[[bytes], object], document: dict[str, Any], path: str) -> None:
    """The error has the path in the document, with the names that the document uses."""
    with pytest.raises(DecodeError) as caught:
        read(encode(document))

    assert path == caught.value.path
