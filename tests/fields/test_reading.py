"""Models as fields of pydantic: what is accepted, and what is said of the rest."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, validate_call
from pydantic.dataclasses import dataclass

from core.codec.test_documents import accepted, models_and_documents
from core.strategies import brisk, encode
from pyas_async import (
    Attendee,
    InvalidArgumentError,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    MeetingUpdate,
    Page,
    Recurrence,
    from_dict,
    to_dict,
)
from secrecy.planted import PASSCODE, leaks

T = TypeVar("T")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEW: dict[str, Any] = {"type": 2, "title": "Review", "description": "", "startDate": "2026-11-22T12:00:00Z"}


class Envelope(BaseModel, Generic[T]):
    """A generic container."""

    data: T


class Holder(BaseModel):
    """A container with collections."""

    meeting: MeetingDetail
    others: list[Meeting] = []
    named: dict[str, Meeting | None] = {}


@dataclasses.dataclass
class Standard:
    """A dataclass of the standard library."""

    meeting: Meeting


@dataclass
class OfPydantic:
    """A dataclass of pydantic."""

    meeting: Meeting


def errors_of(kind: Any, value: object, **options: Any) -> list[tuple[tuple[int | str, ...], str, str]]:  # noqa: ANN401
    """Return the place, the type and the message of each error of a validation."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value, **options)
    assert "0x" not in str(caught.value)
    return [(error["loc"], error["type"], error["msg"]) for error in caught.value.errors()]


@brisk
@given(models_and_documents)
def test_documents(case: tuple[type[Any], dict[str, Any]]) -> None:
    """A document is read as `from_dict` reads it, from Python and from JSON."""
    cls, document = case
    expected = accepted(cls, document)
    adapter: TypeAdapter[Any] = TypeAdapter(cls)

    for read in (adapter.validate_python(document), adapter.validate_json(encode(document))):
        assert expected == read
        assert to_dict(expected) == to_dict(read)


@pytest.mark.parametrize("strict", [False, True])
def test_instances(strict: bool) -> None:
    """A model is kept as it is, in any container, also in strict mode."""
    detail, row = from_dict(MeetingDetail, {"id": 1, "x": 1}), from_dict(Meeting, {"id": 2, "x": 2})
    holder = Holder.model_validate({"meeting": detail, "others": [row], "named": {"a": row, "b": None}}, strict=strict)

    assert detail is holder.meeting
    assert row is holder.others[0]
    assert row is holder.named["a"]
    assert row is Envelope[list[Meeting]].model_validate({"data": [row]}, strict=strict).data[0]
    assert row is TypeAdapter(Meeting | None).validate_python(row, strict=strict)
    assert row is TypeAdapter(tuple[str, Meeting]).validate_python(("acc", row), strict=strict)[1]
    assert holder == holder.model_copy()


@pytest.mark.parametrize(
    "container",
    [Envelope[Meeting], Holder, Standard, OfPydantic, tuple[str, Meeting], list[Meeting], dict[str, Page], Page | int],
)
@pytest.mark.parametrize("strict", [False, True])
def test_containers(container: Any, strict: bool) -> None:  # noqa: ANN401  (any annotation)
    """Containers of any kind are read from documents, and are equal after a round trip through JSON."""
    row = {"id": 1, "uuid": "ab==", "start_time": "2026-11-22 12:00Z", "x": [1]}
    documents: dict[object, object] = {
        Envelope[Meeting]: {"data": row},
        Holder: {"meeting": row | {"settings": {"y": 1}}, "others": [row], "named": {"a": row}},
        tuple[str, Meeting]: ["acc", row],
        list[Meeting]: [row],
        dict[str, Page]: {"a": {"meetings": [row], "next_page_token": "tok"}},
        Page | int: {"meetings": []},
    }
    adapter: TypeAdapter[Any] = TypeAdapter(container)
    made = adapter.validate_json(encode(documents.get(container, {"meeting": row})), strict=strict)
    again = adapter.validate_json(adapter.dump_json(made))

    assert made == again
    assert adapter.dump_json(made) == adapter.dump_json(again)


def test_calls() -> None:
    """`validate_call` reads the arguments of a function."""

    @validate_call
    def topic(meeting: Meeting, *rest: Meeting) -> list[str | None]:
        return [one.topic for one in (meeting, *rest)]

    assert ["a", "b"] == topic(Meeting(id=1, topic="a"), {"id": 2, "topic": "b"})  # type: ignore[arg-type]


def test_python_values() -> None:
    """A document of Python code may hold times and models, as those of pydantic's own models do."""
    document = {"id": 1, "start_time": NOON, "settings": MeetingSettings(jbh_time=5), "occurrences": ({"duration": 5},)}
    made = TypeAdapter(MeetingDetail).validate_python(document)

    assert (NOON, 5, 5) == (made.start_time, made.settings and made.settings.jbh_time, made.occurrences[0].duration)
    recurrence = Recurrence("weekly", 1)
    new = {**NEW, "type": 8, "startDate": NOON, "attendees": [Attendee("ada@example.com")], "recurrence": recurrence}
    request = TypeAdapter(MeetingCreate).validate_python(new)
    assert (NOON, recurrence) == (request.start_date, request.recurrence)


@pytest.mark.parametrize("union", [Meeting | MeetingDetail, MeetingDetail | Meeting])
def test_unions(union: Any) -> None:  # noqa: ANN401  (any annotation)
    """In a union, a model is taken for what it is, in whichever order its class is named."""
    adapter: TypeAdapter[Any] = TypeAdapter(union)
    for model in (from_dict(MeetingDetail, {"id": 1, "settings": {"x": 1}}), from_dict(Meeting, {"id": 1, "x": 1})):
        assert model is adapter.validate_python(model)
        assert to_dict(model) == adapter.dump_python(model)


def test_narrowing() -> None:
    """The details of a meeting become a row where a row is declared: a response shows no more than it declares."""
    document = {"id": 1, "start_time": "2026-11-22 12:00Z", "new": 1}
    detail = from_dict(MeetingDetail, document | {"host_email": "ada@example.com", "settings": {}})
    row = TypeAdapter(Meeting).validate_python(detail)

    assert Meeting is type(row)
    assert document == to_dict(row)
    assert [((), "invalid_argument", "expected an object, or a Meeting, got a MeetingDetail")] == errors_of(
        Meeting, detail, strict=True
    )


def test_strict_documents() -> None:
    """In strict mode, the values of a document must be of the documented types; times are text or a `datetime`."""
    document = {"id": 1, "duration": 30, "start_time": "2026-11-22T12:00:00Z", "new": object}
    adapter = TypeAdapter(Meeting)
    document["new"] = "kept"

    assert document == to_dict(adapter.validate_python(document, strict=True))
    assert NOON == adapter.validate_python(document | {"start_time": NOON}, strict=True).start_time
    assert 30 == adapter.validate_python(document | {"duration": "30"}).duration
    assert [(("duration",), "int_type", "Input should be a valid integer")] == errors_of(
        Meeting, document | {"duration": "30"}, strict=True
    )

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        new: MeetingCreate

    assert NOON == Strict.model_validate_json(encode({"new": NEW})).new.start_date
    with pytest.raises(ValidationError, match=r"new\.duration"):
        Strict.model_validate({"new": NEW | {"duration": "30"}})


@pytest.mark.parametrize("strict", [False, True])
def test_plain_addresses(strict: bool) -> None:
    """An attendee may be a plain address, and a wrong one has its place."""
    document = NEW | {"attendees": ["ada@example.com", {"email": "bob@example.com"}]}
    made = TypeAdapter(MeetingCreate).validate_python(document, strict=strict)

    assert (Attendee("ada@example.com"), Attendee("bob@example.com")) == made.attendees
    assert [("attendees", 1, "email")] == [
        place for place, _, _ in errors_of(MeetingCreate, NEW | {"attendees": ["ada@example.com", "bob"]})
    ]
    (schema, _) = TypeAdapter(MeetingCreate).json_schema()["properties"]["attendees"]["items"]["anyOf"]
    assert schema["$ref"].endswith("/Attendee")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("end", ["2026-12-31", "2026-12-31T12:00:00Z"])
def test_days_and_moments(end: str, strict: bool) -> None:
    """A recurrence ends on a day or at a moment, and is written as it was read."""
    document = {"type": "daily", "interval": 1, "endDate": end}
    adapter = TypeAdapter(Recurrence)

    assert document == adapter.dump_python(adapter.validate_python(document, strict=strict))


def test_secrets_in_errors() -> None:
    """The errors of a validation show no value of a document, since it may be a secret."""
    document = {"id": {}, "password": PASSCODE, "join_url": [f"https://z.example/j/1?pwd={PASSCODE}"], "start_url": {}}
    for strict in (False, True):
        with pytest.raises(ValidationError) as caught:
            Holder.model_validate({"meeting": document}, strict=strict)
        assert ("meeting", "id") == caught.value.errors()[0]["loc"]
        assert set() == leaks(str(caught.value) + repr(caught.value.errors()) + caught.value.json())
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [5, "text", [1], None, {"id": {1}}, {"id": float("nan")}, {5: 1}, Attendee("a@b")])
@pytest.mark.parametrize("cls", [Meeting, MeetingCreate])
@pytest.mark.parametrize("strict", [False, True])
def test_no_documents(cls: type[Any], value: object, strict: bool) -> None:
    """A value that is no document of the class is refused."""
    assert errors_of(cls, value, strict=strict)


def test_all_that_is_wrong_with_a_request() -> None:
    """Each wrong field of a request is told in our own words, under the names that the sender used."""
    document = {
        "type": 4,
        "titel": "x",
        "title": " ",
        "startDate": "2026-11-22T12:00",
        "duration": 0,
        "timeZone": "Mars/Olympus",
        "attendees": [{"email": "ada@example.com"}, {"email": "ada"}, {"mail": "x"}],
        "recurrence": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "moonday"], "endDate": "soon"},
    }
    errors = errors_of(MeetingCreate, document)

    assert {
        ("type",): "expected one of 1 (INSTANT), 2 (SCHEDULED), 3 (RECURRING), 8 (RECURRING_FIXED), got 4",
        ("title",): "expected a string that is not blank, got ' '",
        ("startDate",): "expected an aware datetime, got '2026-11-22T12:00'",
        ("duration",): "expected a whole number >= 1, got 0",
        ("timeZone",): "expected an IANA time zone name such as 'Europe/Berlin', got 'Mars/Olympus'",
        ("attendees", 1, "email"): "expected an e-mail address, got 'ada'",
        ("attendees", 2, "email"): "expected a value, got nothing",
    }.items() <= {place: message for place, _, message in errors}.items()
    places = [place for place, _, _ in errors]
    assert {("titel",), ("attendees", 2, "mail"), ("recurrence", "daysOfWeek", 1)} < set(places)
    assert ("recurrence", "endDate") in places
    assert len(places) == len(set(places))
    kinds = {place: kind for place, kind, _ in errors}
    assert ("extra_forbidden", "missing") == (kinds["titel",], kinds["attendees", 2, "email"])


@pytest.mark.parametrize(
    ("cls", "document", "place"),
    [
        (MeetingCreate, NEW | {"recurrence": {"type": "daily", "interval": 1}}, ("recurrence",)),
        (
            MeetingCreate,
            NEW | {"type": 8, "recurrence": {"type": "daily", "interval": 1, "dayOfMonth": 1}},
            ("recurrence", "dayOfMonth"),
        ),
        (
            Recurrence,
            {"type": "daily", "interval": 1, "startDate": "2026-11-22T12:00Z", "endDate": "2026-11-21T12:00Z"},
            ("endDate",),
        ),
        (MeetingUpdate, {"title": None}, ("title",)),
        (MeetingUpdate, {"attendees": "ada@example.com"}, ("attendees",)),
        (MeetingUpdate, {"startDate": 5}, ("startDate",)),
        (MeetingUpdate, {"recurrence": []}, ("recurrence",)),
        (MeetingUpdate, {"start_date": "2026-11-22T12:00Z"}, ("start_date",)),
    ],
)
def test_what_is_wrong_with_several_fields(cls: type[Any], document: dict[str, Any], place: tuple[int | str]) -> None:
    """What is wrong only with several fields together, or with the kind of one, has its place as well."""
    assert [place] == [found for found, _, _ in errors_of(cls, document)]


texts = st.sampled_from(["", " ", "t", "x" * 201, "2026-11-22T12:00:00Z", "soon", "Europe/Berlin", "45", "a@b", None])
values = texts | st.booleans() | st.integers(-1, 40) | st.just(2**70) | st.lists(texts, max_size=2)
attendees = st.lists(st.dictionaries(st.sampled_from(["email", "x"]), texts, max_size=2) | texts, max_size=2)
recurrences = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["daily", "weekly", "monthly", "yearly"]),
        "interval": values,
        "startDate": values,
        "endDate": values,
        "dayOfMonth": values,
        "daysOfWeek": values | st.just(["Monday"]),
        "month": values,
    },
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([1, 2, 3, 4, 8, 77, "2", True]),
        "title": values,
        "description": values,
        "startDate": values,
        "duration": values,
        "timeZone": values,
        "waitingRoom": values,
        "attendees": attendees | values,
        "recurrence": recurrences | values,
        "new": values,
    },
)


@brisk
@given(st.sampled_from([MeetingCreate, MeetingUpdate]), requests, st.booleans())
def test_requests(cls: type[Any], document: dict[str, Any], usual: bool) -> None:
    """A request is accepted if `from_dict` accepts it, and is the same then."""
    document = {**NEW, **document} if usual else document
    try:
        expected = from_dict(cls, document)
    except InvalidArgumentError:
        assert errors_of(cls, document)
    else:
        made = TypeAdapter(cls).validate_json(encode(document))
        assert expected == made
        assert expected == TypeAdapter(cls).validate_python(TypeAdapter(cls).dump_python(made))


@brisk
@given(st.sampled_from([MeetingCreate, MeetingUpdate]), requests, st.data())
def test_each_place_is_in_the_document(cls: type[Any], document: dict[str, Any], data: st.DataObject) -> None:
    """The place of an error leads to what was sent, or to where it is missing."""
    try:
        TypeAdapter(cls).validate_python(document)
    except ValidationError as caught:
        error = data.draw(st.sampled_from(caught.errors()))
    else:
        assume(False)
    *path, last = error["loc"]
    found: Any = document
    for step in path:
        found = found[step]

    if isinstance(found, str):  # a plain address, which is the e-mail address of an attendee
        assert "email" == last
    else:
        assert (last in (range(len(found)) if isinstance(found, list) else found)) == (error["type"] != "missing")
