"""Where responses have their values, what each value may be, and what the error for an unreadable one says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from core.strategies import encode, page_of
from pyas_async import ConnectedAccount, DecodeError, MeetingDetail, MeetingType, to_dict
from pyas_async._core.codec import (
    NotSuccessError,
    read_account,
    read_detail,
    read_nothing,
    read_oauth_url,
    read_page,
    read_updated,
)
from pyas_async._core.codec.decoding import parse
from pyas_async._core.codec.responses import read_detail_fast, read_detail_tolerantly
from pyas_async.models._source import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable


def failure(read: Callable[[bytes], object], body: bytes) -> DecodeError:
    """Return the error that reading a response raises."""
    with pytest.raises(DecodeError) as caught:
        read(body)
    return caught.value


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id", "one", "expected a whole number, got text of 3 characters"),
        ("id", "", "expected a whole number, got empty text"),
        ("id", 1.5, "expected a whole number, got a number"),
        ("id", True, "expected a whole number, got true or false"),
        ("id", {}, "expected a whole number, got an object"),
        ("id", "1" * 20, "expected a whole number, got text of 20 characters"),
        ("id", None, "is missing"),
    ],
)
def test_reasons(field: str, value: object, reason: str) -> None:
    """The error for a value that does not match has its path, what was expected, and the kind of value that came."""
    error = failure(read_detail, encode({"meeting": {field: value}}))

    assert (f"$.meeting.{field}", reason) == (error.path, error.reason)


def test_values_are_not_shown_in_reasons() -> None:
    """A value that does not match may be a secret, so the error has its length only."""
    assert "hush" not in failure(read_detail, encode({"meeting": {"id": "hush-5ecret"}})).reason


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("id", 7.0, 7),
        ("id", " 12 ", 12),
        ("id", "-7", -7),
        ("id", "1" * 19, int("1" * 19)),
        ("uuid", 5, "5"),
        ("type", "2", 2),
        ("type", 77, 77),
        ("type", 8, MeetingType.RECURRING_FIXED),
        ("timezone", "", ""),
        ("topic", "", ""),
        ("password", "", ""),
        ("join_url", "", ""),
        ("created_at", "", None),
        ("settings", "", None),
        ("occurrences", None, ()),
    ],
)
def test_values(field: str, given: object, expected: object) -> None:
    """Digits, floats without a fraction, numbers for text and empty values are read as meant, on both paths."""
    for odd in ({}, {"duration": "30"}):  # the fast path refuses the odd one
        detail = read_detail(encode({"meeting": {"id": 1, field: given} | odd}))
        assert expected == getattr(detail, field)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(True, True), (False, False), (1, True), (0, False), ("TRUE", True), ("false", False), (None, None), ("", None)],
)
def test_flags(given: object, expected: bool | None) -> None:
    """A flag may come as a boolean, as 0 or 1, or as a word in upper or lower case."""
    settings = read_detail(encode({"meeting": {"id": 1, "settings": {"host_video": given}}})).settings

    assert settings is not None
    assert expected is settings.host_video


def test_times_without_offset() -> None:
    """Without an offset, a start is in the meeting's own time zone, and every other date is in UTC."""
    naive = "2026-07-01T08:00:00"
    meeting = read_detail(
        encode({"meeting": {"id": 1, "timezone": "Europe/Berlin", "start_time": naive, "created_at": naive}})
    )

    assert datetime(2026, 7, 1, 8, tzinfo=ZoneInfo("Europe/Berlin")) == meeting.start_time
    assert datetime(2026, 7, 1, 8, tzinfo=UTC) == meeting.created_at
    assert {"id", "timezone", "start_time", "created_at"} == set(to_dict(meeting))
    (occurrence,) = read_detail(encode({"meeting": {"id": 1, "occurrences": [{"start_time": naive}]}})).occurrences
    assert datetime(2026, 7, 1, 8, tzinfo=UTC) == occurrence.start_time


@pytest.mark.parametrize(
    ("read", "document", "path", "reason"),
    [
        (read_page, {"data": {}}, "$.data.meetings", "no list of meetings"),
        (read_page, {"data": {"rows": []}}, "$.data.meetings", "no list of meetings"),
        (read_page, {"success": True}, "$.data.meetings", "no list of meetings"),
        (read_page, {"meetings": 5}, "$.meetings", "expected a list"),
        (read_detail, {"success": True}, "$", "no meeting"),
        (read_detail, {"data": {"meeting": 5}}, "$", "no meeting"),
        (read_detail, {"meeting": 5, "id": "x"}, "$.id", "whole number"),
        (read_detail, {"data": {"uuid": "u"}}, "$.data.id", "is missing"),
        (read_detail, {"uuid": "u"}, "$.id", "is missing"),
        (read_updated, {"data": {"meeting": {"id": "x"}}}, "$.data.meeting.id", "whole number"),
        (read_account, {}, "$.accountId", "is missing"),
        (read_account, {"account": {}}, "$.account.accountId", "is missing"),
        (read_account, {"data": 5}, "$.data", "expected an object"),
        (read_account, {"data": {}}, "$.data.accountId", "is missing"),
        (read_oauth_url, {}, "$.url", "no address"),
        (read_oauth_url, {"data": "https://zoom.us"}, "$.url", "no address"),
        (read_oauth_url, {"data": {"url": 5}}, "$.url", "no address"),
        (read_nothing, [], "$", "expected an object"),
        (read_updated, "text", "$", "expected an object"),
    ],
)
def test_what_is_missing(read: Callable[[bytes], object], document: object, path: str, reason: str) -> None:
    """The error for a response without its content says what is missing, and where; the excerpt is its beginning."""
    body = encode(document)
    error = failure(read, body)

    assert path == error.path
    assert reason in error.reason
    assert body.decode()[:500] == error.excerpt


@pytest.mark.parametrize(
    "document",
    [{"accountId": "a"}, {"data": {"accountId": "a"}}, {"account": {"accountId": "a"}},
     {"data": {"account": {"accountId": "a"}}, "account": 5}],
)  # fmt: skip
def test_where_an_account_is(document: dict[str, Any]) -> None:
    """A connected account is found under ``data.account``, under ``data``, under ``account``, or bare."""
    assert ConnectedAccount(account_id="a") == read_account(encode(document))


@pytest.mark.parametrize(
    "document", [{"url": "u"}, {"data": {"url": "u"}}, {"url": "", "data": {"url": "u"}}, {"url": "u", "data": 5}]
)
def test_where_a_url_is(document: dict[str, Any]) -> None:
    """The URL for a user is found at the top, or under ``data``."""
    assert "u" == read_oauth_url(encode(document))


def test_where_a_page_is() -> None:
    """Rows are found under ``data``, else at the top; the fields of the page are kept, on both paths."""
    for document in (
        {"data": {"meetings": [{"id": 1}], "next_page_token": "t", "page_size": 30, "total_records": 99}},
        {"data": {"meetings": [{"id": "1"}], "next_page_token": "t", "page_size": "30", "total_records": 99}},
        {"data": None, "meetings": [{"id": 1}], "next_page_token": "t", "page_size": 30, "total_records": 99},
    ):
        page = read_page(encode(document))
        assert ([1], "t", 30, 99) == (
            [row.id for row in page.meetings], page.next_page_token, page.page_size, page.total_records,
        )  # fmt: skip


def test_unknown_fields_of_a_page() -> None:
    """Unknown fields of a page are kept, wherever the page was found."""
    for document in ({"data": {"meetings": [], "x": 1}}, {"data": {"meetings": [], "page_size": "3", "x": 1}},
                     {"meetings": [], "x": 1}):  # fmt: skip
        assert {"x": 1} == read_page(encode(document)).extra


@pytest.mark.parametrize(
    "body",
    [
        b'{"success": false, "data": {"meetings": []}}',
        b'{"success": "False", "data": {"meetings": []}}',
        b'{"success": 0, "data": {"meetings": [{"id": "5"}]}}',
        b'{"success": false, "meetings": 5}',
        b'{"error": {"code": 300, "message": "no"}}',
    ],
)
def test_a_page_with_success_false(body: bytes) -> None:
    """A page with a ``success`` that is false, in any spelling, is an error on each path; so is an error's document."""
    with pytest.raises(NotSuccessError):
        read_page(body)


@pytest.mark.parametrize("place", ["meeting", "data"])
@pytest.mark.parametrize("word", ["false", "true", "null", "1", '"no"', '"yes"', "0", "[]"])
def test_a_meeting_with_any_success(place: str, word: str) -> None:
    """Only a ``success`` that is false, in any spelling, makes the response with a meeting an error."""
    body = f'{{"success": {word}, "{place}": {{"id": 1}}}}'.encode()
    if word in ("false", '"no"', "0"):
        with pytest.raises(NotSuccessError):
            read_detail(body)
    else:
        assert 1 == read_detail(body).id
    assert read_detail_fast(body) == (MeetingDetail(id=1) if word == "true" else None)


@pytest.mark.parametrize("inside", [b'{"id": 1}', b'{"meeting": {"id": 1}}'])
def test_a_meeting_in_data(inside: bytes) -> None:
    """The fast path finds a meeting in `data`, bare or under its name, as the tolerant path does."""
    body = b'{"success": true, "data": ' + inside + b"}"

    assert MeetingDetail(id=1) == read_detail_fast(body) == read_detail_tolerantly(body)


def test_depth() -> None:
    """A response may have 100 levels and no more. What counts is the nesting, not the number of values."""
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert parse(opening * (MAX_DEPTH - 1) + b"1" + closing * (MAX_DEPTH - 1))
        deep = failure(parse, opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))
        assert "nested too deep" in deep.reason
    assert MAX_DEPTH * 2 == len(parse(b"[" + b",".join([b"[]"] * MAX_DEPTH * 2) + b"]"))
    assert MAX_DEPTH * 2 == len(parse(b"[" + b",".join([b"{}"] * MAX_DEPTH * 2) + b"]"))


def test_one_error_for_depth() -> None:
    """Too deep for the parser and too deep for our bound is the same error: which comes first depends on Python."""
    reasons = {failure(parse, b"[" * depth + b"]" * depth).reason for depth in (MAX_DEPTH + 1, 100_000)}

    assert 1 == len(reasons)


def test_not_json() -> None:
    """The excerpt has the beginning of what is not JSON, with replacement characters for bytes that are not text."""
    odd = failure(parse, b"<p>\xff</p>")
    long = failure(parse, b"x" * 400 + b"far")
    deep = failure(parse, b"[" * 200_000)

    assert odd.reason.startswith("not JSON: ")
    assert "char 0" in odd.reason
    assert ("<p>\ufffd</p>", "$") == (odd.excerpt, odd.path)
    assert "far" in long.excerpt
    assert "nested too deep" in deep.reason
    assert len(odd.reason) <= 250


def test_the_tolerant_path_keeps_the_document() -> None:
    """A row that was read tolerantly keeps its document, as one that was read fast does."""
    fast, tolerant = (read_page(page_of({"id": number, "x": 1})).meetings[0] for number in (1, "1"))

    assert fast == tolerant
    assert {"x": 1} == fast.extra == tolerant.extra


def test_detail_keeps_its_document() -> None:
    """A meeting keeps the document that the service sent, unknown fields included."""
    detail = read_detail(encode({"meeting": {"id": 1, "x": {"y": None}}}))

    assert isinstance(detail, MeetingDetail)
    assert {"x": {"y": None}} == detail.extra
