"""The calls: ids that stay in their part of the path, filters in the page's form, and no contradictory arguments."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.strategies import brisk, words
from core.tools import NOON
from pyas_async import UNSET, DecodeError, InvalidArgumentError, ListType, MeetingCreate, MeetingUpdate
from pyas_async._core import codec
from pyas_async._core.calls.endpoints import (
    account,
    connect,
    create_meeting,
    delete_meeting,
    get_meeting,
    list_filters,
    list_meetings,
    meeting_path,
    oauth_url,
    update_meeting,
)
from pyas_async._core.calls.messages import Call, Repeat

if TYPE_CHECKING:
    from collections.abc import Callable

MEETING = MeetingCreate("Übung", NOON, duration=45)
WRITTEN = (
    '{"accountId":"acc","meetingData":{"title":"Übung","startDate":"2026-11-22T12:00:00Z","description":"","type":2,'
    '"duration":45,"attendees":[]}}'
)
HERE = ("accountId", "acc")
CALLS: dict[str, tuple[Callable[[], Call[Any]], dict[str, Any]]] = {
    "meetings.list": (
        lambda: list_meetings("acc", (("type", "live"),), max_results=1, page_number=10),
        {
            "method": "GET",
            "path": "/zoom/meetings",
            "query": (HERE, ("type", "live"), ("maxResults", "1"), ("pageNumber", "10")),
            "read": codec.read_page,
            "account": "acc",
        },
    ),
    "meetings.list of a walk": (
        lambda: list_meetings(
            "acc", (("startDate", "01-31-2026"),), max_results=300, next_page_token="tok", not_after=12.5
        ),
        {
            "method": "GET",
            "path": "/zoom/meetings",
            "query": (HERE, ("startDate", "01-31-2026"), ("maxResults", "300"), ("nextPageToken", "tok")),
            "read": codec.read_page,
            "secrets": ("tok",),
            "account": "acc",
            "has_page_token": True,
            "not_after": 12.5,
        },
    ),
    "meetings.get": (
        lambda: get_meeting("acc", 81),
        {
            "method": "GET",
            "path": "/zoom/meetings/81",
            "query": (HERE,),
            "read": codec.read_detail,
            "account": "acc",
            "meeting_id": 81,
        },
    ),
    "meetings.create": (
        lambda: create_meeting("acc", MEETING),
        {
            "method": "POST",
            "path": "/zoom/meetings",
            "body": WRITTEN.encode(),
            "read": codec.read_detail,
            "repeat": Repeat.CREATE,
            "account": "acc",
        },
    ),
    "meetings.update": (
        lambda: update_meeting("acc", "uu==", MeetingUpdate(title="Übung")),
        {
            "method": "PATCH",
            "path": "/zoom/meetings/uu%3D%3D",
            "body": '{"accountId":"acc","meetingData":{"title":"Übung"}}'.encode(),
            "read": codec.read_updated,
            "repeat": Repeat.WRITE,
            "account": "acc",
            "meeting_id": "uu==",
        },
    ),
    "meetings.delete": (
        lambda: delete_meeting("acc", 81),
        {
            "method": "DELETE",
            "path": "/zoom/meetings/81",
            "query": (HERE,),
            "read": codec.read_nothing,
            "repeat": Repeat.WRITE,
            "account": "acc",
            "meeting_id": 81,
        },
    ),
    "accounts.oauth_url": (
        lambda: oauth_url("s"),
        {
            "method": "GET",
            "path": "/zoom/oauth",
            "query": (("state", "s"),),
            "secrets": ("s",),
            "read": codec.read_oauth_url,
        },
    ),
    "accounts.connect": (
        lambda: connect("c0de", "Ada"),
        {
            "method": "POST",
            "path": "/zoom/connect",
            "body": b'{"code":"c0de","name":"Ada"}',
            "secrets": ("c0de",),
            "read": codec.read_account,
            "repeat": Repeat.CREATE,
        },
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    """Each call is sent as the page says, has its name for errors, and is repeated only if that is safe."""
    make, fields = CALLS[name]

    assert Call(operation=name.partition(" ")[0], **fields) == make()


@pytest.mark.parametrize(
    ("refused", "field", "expected", "got"),
    [
        (lambda: account(None), "account_id", "a connected account", "None"),
        (lambda: account(UNSET), "account_id", "a connected account", "<nothing>"),
        (lambda: account(" "), "account_id", "a string that is not blank", "' '"),
        (lambda: meeting_path(True), "meeting_id", "a meeting's number", "True"),
        (lambda: meeting_path(0), "meeting_id", "a meeting's number", "0"),
        (lambda: meeting_path(2**64), "meeting_id", "a meeting's number", "18446744073709551616"),
        (lambda: meeting_path(".."), "meeting_id", "a meeting's number", "'..'"),
        (lambda: meeting_path(""), "meeting_id", "a string that is not blank", "''"),
        (lambda: list_meetings(" ", ()), "account_id", "a string that is not blank", "' '"),
        (lambda: list_meetings("acc", (), max_results=0), "max_results", "a whole number >= 1", "0"),
        (lambda: list_meetings("acc", (), page_number=0), "page_number", "a whole number >= 1", "0"),
        (lambda: list_meetings("acc", (), next_page_token=""), "next_page_token", "an earlier page", "str"),
        (lambda: list_meetings("acc", (), next_page_token=7), "next_page_token", "an earlier page", "int"),  # type: ignore[arg-type]
        (lambda: list_meetings("acc", (), next_page_token="t", page_number=2), "page_number", "next_page_token", "2"),
        (lambda: get_meeting(" ", 1), "account_id", "a string that is not blank", "' '"),
        (lambda: create_meeting("acc", 5), "meeting", "MeetingCreate", "5"),  # type: ignore[arg-type]
        (lambda: create_meeting(" ", MEETING), "account_id", "a string that is not blank", "' '"),
        (lambda: update_meeting("acc", 1, 5), "changes", "MeetingUpdate", "5"),  # type: ignore[arg-type]
        (lambda: update_meeting("acc", 1, MeetingUpdate()), "changes", "at least one field", "MeetingUpdate"),
        (lambda: update_meeting(" ", 1, MeetingUpdate(title="t")), "account_id", "a string that is not blank", "' '"),
        (lambda: delete_meeting(" ", 1), "account_id", "a string that is not blank", "' '"),
        (lambda: connect(" ", "Ada"), "code", "Zoom", "str"),
        (lambda: connect("c0de", " "), "name", "a string that is not blank", "' '"),
        (lambda: oauth_url(" "), "state", "a string that is not blank", "str"),
    ],
)
def test_refusals(refused: Callable[[], object], field: str, expected: str, got: str) -> None:
    """An invalid argument is refused: the error has its name, what is expected, and what was given."""
    with pytest.raises(InvalidArgumentError) as caught:
        refused()
    error = caught.value

    assert field == error.field
    assert expected in error.expected
    assert got in error.got


@pytest.mark.parametrize(
    ("meeting_id", "segment"),
    [
        (1, "1"),
        (2**64 - 1, "18446744073709551615"),
        ("a/b==", "a%2Fb%3D%3D"),
        ("/a", "%252Fa"),
        ("a//b", "a%252F%252Fb"),
    ],
)
def test_segments(meeting_id: int | str, segment: str) -> None:
    """Any number of 64 bits can be a meeting id; an id that begins with a slash, or contains two, is encoded twice."""
    assert f"/zoom/meetings/{segment}" == meeting_path(meeting_id)


def test_no_state() -> None:
    """If no state is given, none is sent."""
    assert () == oauth_url(None).query


def test_refusals_say_what_to_do() -> None:
    """The error for a missing account id or a wrong page token says where to get one."""
    for refused, hint in (
        (lambda: account(UNSET), "PYAS_ACCOUNT_ID"),
        (lambda: account(None), "leave account_id out"),
        (lambda: list_meetings("acc", (), next_page_token=""), "None asks for the first page"),
        (lambda: list_meetings("acc", (), next_page_token="t", page_number=2), "tokens are the safer way"),
    ):
        with pytest.raises(InvalidArgumentError, match=hint):
            refused()


@brisk
@given(st.integers(1, 2**63) | words)
@example("/a//b==")
@example("a/b?c#d;e%2F")
@example("...")
@example("%2e%2e")
def test_meeting_path(meeting_id: int | str) -> None:
    """An id never leaves its segment of the path, and decodes to itself: twice where Zoom wants two encodings."""
    assume(not {".", ".."} & set(re.split(r"[/\\]", str(meeting_id))) and str(meeting_id).isprintable())
    path = meeting_path(meeting_id)
    name = str(meeting_id)
    segment = path.removeprefix("/zoom/meetings/")

    assert path.startswith("/zoom/meetings/")
    assert re.fullmatch(r"[A-Za-z0-9._~%-]+", segment)
    twice = name.startswith("/") or "//" in name
    assert name == (unquote(unquote(segment)) if twice else unquote(segment))


@pytest.mark.parametrize(
    ("meeting_id", "held"),
    [(81, True), ("81", True), ("0081", True), ("uuid-of-81==", False), ("٨١", False), ("9" * 5_000, False)],
)
@pytest.mark.parametrize(
    "make", [get_meeting, lambda account, number: update_meeting(account, number, MeetingUpdate(title="t"))]
)
def test_answer_to_a_number(make: Callable[..., Call[Any]], meeting_id: int | str, held: bool) -> None:
    """A get by number or by digits accepts only the meeting with that number; a uuid is not compared."""
    call = make("acc", meeting_id)

    assert 81 == call.read(b'{"meeting": {"id": 81, "uuid": "another"}}').id
    if held:
        with pytest.raises(DecodeError, match="expected meeting 81, got 82"):
            call.read(b'{"meeting": {"id": 82}}')
    else:
        assert 82 == call.read(b'{"meeting": {"id": 82}}').id


@pytest.mark.parametrize(
    "wrong",
    [
        *("", " ", ".", "..", "../x", "a/../b", "a/.", "a\\..\\b", "a\0", "a\r\nb", "\ud800"),
        *(0, -1, True, 1.0, None, b"1"),
    ],
)
def test_meeting_id_refusals(wrong: Any) -> None:  # noqa: ANN401  (type checkers would reject it)
    """An object that cannot be a meeting id is refused."""
    with pytest.raises(InvalidArgumentError, match="meeting_id"):
        meeting_path(wrong)


@brisk
@given(
    st.none() | st.dates(date(1000, 1, 1)),
    st.none() | st.from_regex(r"[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ][0-9]{2,4}", fullmatch=True),
    st.none() | st.sampled_from(ListType),
)
def test_filters(start: date | None, end: str | None, kind: ListType | None) -> None:
    """Filters are sent with the page's names: dates as MM-DD-YYYY, digits unchanged, only those given."""
    expected = {"startDate": start and f"{start:%m-%d-%Y}", "endDate": end, "type": kind and kind.value}
    given_filters = list_filters(start_date=start, end_date=end, type=kind)

    assert {name: value for name, value in expected.items() if value} == dict(given_filters)


def test_filter_refusals() -> None:
    """A datetime, an end before its start and an unknown type are refused."""
    wrong: list[dict[str, Any]] = [
        {"start_date": NOON},
        {"start_date": "yesterday"},
        {"end_date": NOON},
        {"end_date": date(2025, 1, 1)},
        {"type": "LIVE"},
        {"type": 1},
    ]
    for change in wrong:
        with pytest.raises(InvalidArgumentError) as caught:
            list_filters(**{"start_date": date(2026, 1, 1), "end_date": None, "type": None} | change)
        assert next(iter(change)) == caught.value.field


def test_token_or_number() -> None:
    """A page token and a page number are never sent together."""
    with pytest.raises(InvalidArgumentError, match="page_number"):
        list_meetings("acc", (), next_page_token="tok", page_number=2)


def test_secrets_are_not_echoed() -> None:
    """A refused OAuth code or page token does not show in the refusal."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(b"hush-5ecret", "name")  # type: ignore[arg-type]

    assert "hush" not in str(caught.value)
