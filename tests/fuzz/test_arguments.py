"""Any argument is accepted, or refused with the documented error before anything is sent."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx

from fuzz.documents import ACCOUNT, DETAIL, LETTERS, NASTY, PAGE, ROW, Draws, Raw, changed, drawn, write
from fuzz.running import fuzz, within_time
from fuzz.test_answers import check_error, check_model
from pyas_async import (
    UNSET,
    Attendee,
    ConfigurationError,
    ConnectedAccount,
    DecodeError,
    InvalidArgumentError,
    ListType,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    MeetingType,
    MeetingUpdate,
    Page,
    PyasClient,
    RateBudget,
    Recurrence,
    RetryPolicy,
    from_dict,
    to_dict,
)
from pyas_async._core.calls import endpoints
from pyas_async._core.redact import redact
from pyas_async.models._base import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async._core.calls.messages import Call

CREATE = {
    "type": 8,
    "title": "t",
    "description": "",
    "startDate": "2026-11-22T12:00:00Z",
    "duration": 30,
    "timeZone": "Europe/Berlin",
    "waitingRoom": True,
    "attendees": [{"email": "ada@example.com"}],
    "recurrence": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "startDate": "2026-11-22T12:00:00Z"},
}
MODELS: list[tuple[type[Any], dict[str, Any]]] = [
    (Meeting, ROW),
    (MeetingDetail, DETAIL),
    (Page, PAGE),
    (ConnectedAccount, ACCOUNT),
    (MeetingSettings, DETAIL["settings"]),
    (MeetingCreate, CREATE),
    (MeetingUpdate, CREATE),
    (Recurrence, CREATE["recurrence"]),  # type: ignore[list-item]
    (Attendee, {"email": "ada@example.com"}),
]


class Odd(tzinfo):
    """A time zone whose offset is unknown or odd."""

    def __init__(self, seconds: float | None) -> None:
        self._offset = None if seconds is None else timedelta(seconds=seconds)

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return the offset."""
        return self._offset

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Return nothing."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """Return nothing."""
        return None


class Text(str):
    """A string whose ``str`` is another one."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\ud800"


class Unshown:
    """An object whose ``repr``, comparison and hash fail."""

    def __repr__(self) -> str:
        raise ValueError("no")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no")

    __hash__ = None  # type: ignore[assignment]


NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PLAIN = [value for value in NASTY if not isinstance(value, Raw)]
VALUES: list[Any] = [
    *PLAIN,
    *(NOON, NOON.replace(tzinfo=None), NOON.date(), NOON.time(), timedelta(days=1), date.min, date.max),
    *(
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
    ),
    *(NOON.replace(tzinfo=Odd(None)), NOON.replace(tzinfo=Odd(0.5)), NOON.replace(tzinfo=ZoneInfo("Europe/Berlin"))),
    *(math.nan, math.inf, -math.inf, Decimal("1.5"), 1j, b"", b"bytes", bytearray(b"x"), memoryview(b"x"), 10**5_000),
    *(
        object(),
        object,
        int,
        len,
        print,
        ...,
        NotImplemented,
        UNSET,
        ZoneInfo("UTC"),
        MeetingType(2),
        ListType.LIVE,
        "live",
    ),
    *(
        (),
        (1,),
        set(),
        {1},
        frozenset(),
        range(3),
        iter([1]),
        [Attendee("a@b.example")],
        Attendee("a@b.example"),
        Unshown(),
    ),
    *(
        "\ud800",
        "a\ud800",
        Text("text"),
        "https://api.pyas.io",
        "http://localhost",
        "monday",
        ["monday"],
        ["monday"] * 9,
    ),
    *(httpx.Timeout(5), httpx.Timeout(None), RetryPolicy(), RateBudget(5), Recurrence("daily", 1), "weekly", "bulk"),
    *({"x-a": "b"}, {"x-api-key": "b"}, {"x": 1}, {1: "x"}, {"é": "x"}, {"x": "é\n"}),
]


def any_of(draws: Draws) -> Any:  # noqa: ANN401  (any value)
    """Draw any value that a user may pass."""
    if draws.number(6):
        return draws.of(VALUES)
    return "".join(draws.of(LETTERS) for _ in range(draws.number(12)))


def given(draws: Draws, **good: Any) -> dict[str, Any]:  # noqa: ANN401
    """Draw arguments: some are valid, some are missing, and one or two can be anything."""
    names = list(good)
    arguments = {name: value for name, value in good.items() if draws.number(5)}
    for _ in range(1 + draws.number(2)):
        arguments[draws.of(names)] = any_of(draws)
    return arguments


def make(draws: Draws, cls: type[Any], **good: Any) -> Any:  # noqa: ANN401
    """Make a request with one or two arguments replaced by anything."""
    arguments = good | given(draws, **good)
    return cls(**arguments)


RECURRENCE: dict[str, Any] = {
    "type": "monthly", "interval": 1, "start_date": NOON, "end_date": NOON, "day_of_month": 3, "days_of_week": None,
    "month": 2,
}  # fmt: skip
REQUEST: dict[str, Any] = {
    "type": 8, "title": "t", "description": "", "start_date": NOON, "duration": 30, "time_zone": "Europe/Berlin",
    "waiting_room": True, "attendees": (), "recurrence": None,
}  # fmt: skip
LIST: dict[str, Any] = {"max_results": 300, "next_page_token": "token", "page_number": None}
FILTERS: dict[str, Any] = {"start_date": date(2026, 1, 1), "end_date": None, "type": "live"}
CALLS: list[Callable[[Draws], Call[Any]]] = [
    lambda draws: endpoints.get_meeting(any_of(draws), any_of(draws)),
    lambda draws: endpoints.delete_meeting("acc", any_of(draws)),
    lambda draws: endpoints.list_meetings(any_of(draws), (), **LIST | given(draws, **LIST)),
    lambda draws: endpoints.list_meetings("acc", endpoints.list_filters(**FILTERS | given(draws, **FILTERS))),
    lambda draws: endpoints.create_meeting("acc", make(draws, MeetingCreate, **REQUEST)),
    lambda draws: endpoints.create_meeting(any_of(draws), any_of(draws)),
    lambda draws: endpoints.update_meeting("acc", any_of(draws), MeetingUpdate(**given(draws, **REQUEST))),
    lambda draws: endpoints.create_meeting(
        "acc", MeetingCreate(**REQUEST | {"recurrence": make(draws, Recurrence, **RECURRENCE)})
    ),
    lambda draws: endpoints.create_meeting("acc", MeetingCreate(**REQUEST | {"attendees": [Attendee(any_of(draws))]})),
    lambda draws: endpoints.oauth_url(any_of(draws)),
    lambda draws: endpoints.connect(any_of(draws), any_of(draws)),
]


@fuzz(drawn(lambda draws: draws, size=16))
def test_calls(draws: Draws) -> None:
    """Arguments raise InvalidArgumentError, or make a request that can be written."""
    with within_time():
        try:
            call = draws.of(CALLS)(draws)
        except InvalidArgumentError as error:
            check_error(error)
            return
        target = call.target
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target
    if call.body is not None:
        json.dumps(json.loads(call.body), allow_nan=False)


def document_of(draws: Draws) -> tuple[type[Any], Any]:
    """Draw a class, and a document for it or for another class."""
    cls, _ = draws.of(MODELS)
    document = draws.of(MODELS)[1] if not draws.number(5) else dict(MODELS)[cls]
    node = changed(draws, [document])
    try:
        return cls, json.loads(write(node)) if draws.number(4) else node
    except (ValueError, RecursionError):
        return cls, node


@fuzz(drawn(document_of))
def test_from_dict(drawn_document: tuple[type[Any], Any]) -> None:
    """A document makes a valid model, or raises DecodeError or InvalidArgumentError."""
    cls, document = drawn_document
    with within_time():
        try:
            model = from_dict(cls, document)
        except (DecodeError, InvalidArgumentError) as error:
            check_error(error)
            return
        if isinstance(model, Model):
            check_model(model)
        else:
            assert model == from_dict(cls, to_dict(model))


CLIENT: dict[str, Any] = {
    "api_key": "fuzzed-key-5b1e", "account_id": "acc", "base_url": "https://api.pyas.io", "timeout": 30, "deadline": 90,
    "retry": None, "budget": None, "priority": "bulk", "single_flight": True, "max_connections": 10,
    "page_token_ttl": 900.0, "http_client": None, "on_event": None,
}  # fmt: skip
VIEW: dict[str, Any] = {name: CLIENT[name] for name in ("timeout", "deadline", "retry", "priority", "single_flight")}
SETTINGS: list[Callable[[Draws], object]] = [
    lambda draws: PyasClient(**{"api_key": "k"} | given(draws, **CLIENT)),
    lambda draws: PyasClient("fuzzed-key-5b1e").with_options(**given(draws, **VIEW, headers={"x-a": "b"})),
    lambda draws: PyasClient("fuzzed-key-5b1e").for_account(any_of(draws)),
    lambda draws: RetryPolicy(**given(draws, max_attempts=3, base=0.5, cap=30.0)),
    lambda draws: RateBudget(**given(draws, limit=100, window=300.0, share=1.0, guard=1.0, store=None)),
]


@fuzz(drawn(lambda draws: draws, size=16))
def test_settings(draws: Draws) -> None:
    """Settings are accepted, or raise ConfigurationError or InvalidArgumentError."""
    with within_time():
        try:
            assert repr(draws.of(SETTINGS)(draws))
        except (ConfigurationError, InvalidArgumentError) as error:
            check_error(error)


def text_of(draws: Draws) -> tuple[str, str]:
    """Draw a secret, and a text of pieces that mixes it with patterns and escapes."""
    secret = "".join(draws.of(LETTERS + "kK&;#") for _ in range(4 + draws.number(30)))
    pieces = [
        '"password": "',
        "pwd=",
        "\\u00",
        "%25",
        "&amp;",
        "\\",
        secret,
        secret[:9],
        '"',
        "authorization: ",
        "x" * 200,
        " ",
    ]
    return "".join(draws.of(pieces) for _ in range(draws.number(30))) * (1 + draws.number(40)), secret


@fuzz(drawn(text_of, size=60))
def test_masks(text_and_secret: tuple[str, str]) -> None:
    """A text is masked within its time, has 500 characters at most, and does not contain the secret."""
    text, secret = text_and_secret
    with within_time():
        shown = redact(text, (secret,))
    assert len(shown) <= 500
    assert secret not in shown
