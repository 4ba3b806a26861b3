"""Creating takes no more than it needs; errors name the place, the account, or the setting."""

from __future__ import annotations

import inspect
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from contract.tools import Reply, Service
from pyas_async import (
    UNSET,
    Attendee,
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    MeetingCreate,
    MeetingType,
    MeetingUpdate,
    NotFoundError,
    PyasClient,
    Recurrence,
    from_dict,
    to_dict,
)

pytestmark = pytest.mark.anyio
START = datetime(2031, 3, 4, 9, tzinfo=UTC)
DAILY = Recurrence("daily", 1)


def test_title_and_start() -> None:
    """A title and a start are enough, by position as by keyword; the rest is what the page requires."""
    meeting = MeetingCreate("Planning", START)

    assert meeting == MeetingCreate(title="Planning", start_date=START, description="", type=2, attendees=())
    assert {
        "type": 2,
        "title": "Planning",
        "description": "",
        "startDate": "2031-03-04T09:00:00Z",
        "duration": 30,
        "attendees": [],
    } == to_dict(meeting)
    assert meeting == from_dict(MeetingCreate, {"title": "Planning", "startDate": "2031-03-04T09:00:00Z"})


def test_order_of_the_fields() -> None:
    """The fields are taken in the documented order, and all of them by keyword."""
    names = list(inspect.signature(MeetingCreate).parameters)

    assert [
        "title",
        "start_date",
        "description",
        "type",
        "duration",
        "time_zone",
        "waiting_room",
        "attendees",
        "recurrence",
    ] == names
    assert dict.fromkeys(names, UNSET) == attrs.asdict(MeetingUpdate())


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, MeetingType.SCHEDULED),
        ({"recurrence": None}, MeetingType.SCHEDULED),
        ({"recurrence": DAILY}, MeetingType.RECURRING_FIXED),
        ({"recurrence": DAILY, "type": 3}, MeetingType.RECURRING),
        ({"type": MeetingType.INSTANT}, MeetingType.INSTANT),
        ({"type": UNSET}, MeetingType.SCHEDULED),
    ],
)
def test_type(fields: dict[str, Any], kind: MeetingType) -> None:
    """A meeting is scheduled, or recurring with a fixed time if it recurs, unless a type is given."""
    meeting = MeetingCreate("t", START, **fields)

    assert meeting.type is kind
    assert kind == to_dict(meeting)["type"]
    assert meeting == pickle.loads(pickle.dumps(meeting)) == attrs.evolve(meeting)


@pytest.mark.parametrize("wrong", [None, 0, 4, "2", True])
def test_wrong_type(wrong: Any) -> None:  # noqa: ANN401
    """A type that is given must be one; ``None`` is not."""
    with pytest.raises(InvalidArgumentError, match=r"^type: expected one of"):
        MeetingCreate("t", START, type=wrong)


@pytest.mark.parametrize(
    "build", [lambda who: MeetingCreate("t", START, attendees=who), lambda who: MeetingUpdate(attendees=who)]
)
@pytest.mark.parametrize(
    "who", [["ada@example.com", Attendee("bob@example.com")], ("ada@example.com", "bob@example.com")]
)
def test_attendees(build: Any, who: Any) -> None:  # noqa: ANN401
    """Attendees may be plain addresses, in a create as in an update, and in a document."""
    model = build(who)

    assert (Attendee("ada@example.com"), Attendee("bob@example.com")) == model.attendees
    assert [{"email": "ada@example.com"}, {"email": "bob@example.com"}] == to_dict(model)["attendees"]
    read = from_dict(MeetingUpdate, {"attendees": ["ada@example.com", {"email": "bob@example.com"}]})
    assert model.attendees == read.attendees


@pytest.mark.parametrize(
    ("who", "field"),
    [
        (["ada"], "attendees[0].email"),
        (["ada@example.com", ""], "attendees[1].email"),
        (["ada@example.com", "two words@example.com"], "attendees[1].email"),
        ([Attendee("ada@example.com"), 5], "attendees[1]"),
        ([{"email": "ada@example.com"}], "attendees[0]"),
        ([None], "attendees[0]"),
        ("ada@example.com", "attendees"),
        ({"email": "ada@example.com"}, "attendees"),
        (None, "attendees"),
    ],
)
def test_wrong_attendees(who: Any, field: str) -> None:  # noqa: ANN401
    """The error of an attendee names it by its position."""
    for build in (lambda: MeetingCreate("t", START, attendees=who), lambda: MeetingUpdate(attendees=who)):
        with pytest.raises(InvalidArgumentError) as caught:
            build()
        assert field == caught.value.field
        assert str(caught.value).startswith(f"{field}: expected ")


NO_ACCOUNT = {"success": False, "error": "Invalid account id. Account Not Found", "code": 404}


@pytest.mark.parametrize(
    "call",
    [
        lambda meetings: meetings.list(account_id="acc"),
        lambda meetings: meetings.iter_all(account_id="acc").collect(),
        lambda meetings: meetings.get(81, account_id="acc"),
        lambda meetings: meetings.create(MeetingCreate("t", START), account_id="acc"),
        lambda meetings: meetings.update(81, MeetingUpdate(title="t"), account_id="acc"),
        lambda meetings: meetings.delete(81, account_id="acc"),
    ],
)
async def test_which_account(call: Any) -> None:  # noqa: ANN401
    """A 404 about the account says which it was, and keeps the service's own message apart."""
    async with Service(Reply(404, NO_ACCOUNT)).client() as client:
        with pytest.raises(NotFoundError) as caught:
            await call(client.meetings)
    error = caught.value
    assert '404: Invalid account id. Account Not Found (account "acc")' == str(error)
    assert ("acc", NO_ACCOUNT["error"]) == (error.account_id, error.message)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(error), "acc") == (str(copied), copied.account_id)


async def test_which_meeting() -> None:
    """A 404 about a meeting does not speak of the account."""
    async with Service(Reply(404, {"code": 3001, "message": "Meeting does not exist: 81."})).client() as client:
        with pytest.raises(NotFoundError) as caught:
            await client.meetings.get(81)
    assert ("404: Meeting does not exist: 81. (code 3001)", None) == (str(caught.value), caught.value.account_id)


async def test_account_that_would_break_a_log() -> None:
    """An account id in an error cannot begin another line of a log."""
    async with Service(Reply(404, NO_ACCOUNT)).client() as client:
        with pytest.raises(NotFoundError, match=r'\(account "a\\nb"\)$'):
            await client.meetings.list(account_id="a\nb")


async def test_refused_key() -> None:
    """A 401 says where to look."""
    async with Service(Reply(401, {"error": "Unauthorized. Invalid API key."})).client() as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.meetings.get(81)
    assert str(caught.value).startswith("401: Unauthorized. Invalid API key. Check PYAS_API_KEY")
    assert "Unauthorized. Invalid API key." == caught.value.message


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("localhost:8000", "'localhost:8000'"),
        ("api.pyas.io", "'api.pyas.io'"),
        ("ftp://api.pyas.io/x", "'ftp://api.pyas.io/x'"),
        ("https://", "'https://'"),
        ("https://api.pyas.io?key=hunter2", "'https://api.pyas.io…'"),
        ("https://ada:hunter2@api.pyas.io/", "'https://…@api.pyas.io/'"),
        ("https://ada:hun/ter2@api.pyas.io", "'https://…@api.pyas.io'"),
        ("sk_live_hunter2", "'<text that is no address>'"),
        ("https://api.pyas.io:0/", "'https://api.pyas.io:0/'"),
    ],
)
def test_base_url(url: str, got: str) -> None:
    """A `base_url` that is refused is shown, without what may be a secret."""
    with pytest.raises(ConfigurationError, match=r"^base_url: expected an address such as") as caught:
        PyasClient("key", base_url=url)
    assert str(caught.value).endswith(f"got {got}")
