"""Models and their documents: nothing is lost, changes are written, and secrets are not shown."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.exchanges import GET, play
from core.strategies import brisk, details, encode, page_of, pages, rows
from core.tools import NOON, answer
from pyas_async import (
    Attendee,
    ConnectedAccount,
    DecodeError,
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
from pyas_async._core.codec import read_detail, read_page

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "hush-5ecret"
models_and_documents = (
    st.tuples(st.just(Meeting), rows)
    | st.tuples(st.just(MeetingDetail), details)
    | st.tuples(st.just(Page), pages)
    | st.tuples(
        st.just(ConnectedAccount),
        st.fixed_dictionaries({"accountId": st.text(max_size=3)}, optional={"scopes": st.lists(st.text(max_size=3))}),
    )
)


def accepted(cls: type[Any], document: dict[str, Any]) -> Any:  # noqa: ANN401  (an instance of `cls`)
    """Make a model, or reject the example if the document does not match."""
    try:
        return from_dict(cls, document)
    except DecodeError:
        assume(False)
        raise


@brisk
@given(models_and_documents)
def test_document_round_trip(case: tuple[type[Any], dict[str, Any]]) -> None:
    """``to_dict`` returns the document that the model was made of, with unknown fields, nulls and the text of dates."""
    cls, document = case

    assert document == to_dict(accepted(cls, document))


@brisk
@given(models_and_documents)
def test_model_round_trip(case: tuple[type[Any], dict[str, Any]]) -> None:
    """``from_dict`` is the reverse of ``to_dict``: it makes an equal model."""
    cls, document = case
    model = accepted(cls, document)

    assert model == from_dict(cls, to_dict(model))


@pytest.mark.parametrize("token", ["", None, "tok"])
def test_page_round_trip(token: str | None) -> None:
    """A page, also the last one, is equal after ``to_dict`` and ``from_dict``."""
    page = read_page(encode({"data": {"meetings": [{"id": 1}], "next_page_token": token}}))

    assert page == from_dict(Page, to_dict(page))


def through_pickle(model: object) -> object:
    """Pickle and unpickle."""
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, through_pickle])
@brisk
@given(data=pages)
def test_copies(copier: Callable[[Any], Any], data: dict[str, Any]) -> None:
    """Copies and pickles of a page and of its rows are equal, and keep the whole document."""
    accepted(Page, data)
    page = read_page(encode({"data": data}))

    copied = copier(page)

    assert page == copied
    assert data == to_dict(copied)
    assert [copier(row).extra for row in page.meetings] == [row.extra for row in page.meetings]


def test_result_belongs_to_the_caller() -> None:
    """The caller may change the result of ``to_dict``; the model does not change with it."""
    meeting = from_dict(Meeting, {"id": 1, "x": {"y": 1}})
    to_dict(meeting)["x"]["y"] = 2

    assert {"id": 1, "x": {"y": 1}} == to_dict(meeting)


def test_given_document_belongs_to_the_caller() -> None:
    """The caller may change a document after ``from_dict``; the model does not change with it."""
    document = {"id": 1, "x": [1]}
    meeting = from_dict(Meeting, document)
    document["x"] = 2

    assert {"x": [1]} == meeting.extra


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"topic": "new"}, {"topic": "new"}),
        ({"topic": None}, {"topic": None}),
        ({"duration": 0}, {"duration": 0}),
        ({"agenda": "was absent"}, {"agenda": "was absent"}),
        ({"type": 8}, {"type": 8}),
        ({"topic": "old"}, {}),
    ],
)
def test_evolve(change: dict[str, Any], expected: dict[str, Any]) -> None:
    """Changed fields have their new values in the document, and all others are as they came."""
    document = {"id": "7", "topic": "old", "start_time": "2026-11-22 08:00:00Z", "duration": "30", "x": None}

    assert document | expected == to_dict(attrs.evolve(from_dict(Meeting, document), **change))


def test_evolve_date() -> None:
    """A new date replaces the text of the old one, in the form of RFC 3339."""
    meeting = from_dict(Meeting, {"id": 1, "start_time": "2026-11-22 08:00Z", "created_at": "2026-11-22 07:00Z"})
    changed = attrs.evolve(meeting, start_time=meeting.created_at)

    assert {"id": 1, "start_time": "2026-11-22T07:00:00Z", "created_at": "2026-11-22 07:00Z"} == to_dict(changed)


def test_evolve_inside() -> None:
    """A change inside a nested model is written, and the unknown fields around it stay."""
    document = {
        "id": 1,
        "settings": {"waiting_room": "true", "new": 1, "breakout_room": {"enable": False, "rooms": []}},
    }
    meeting = from_dict(MeetingDetail, document)
    assert meeting.settings is not None
    assert meeting.settings.breakout_room is not None
    room = attrs.evolve(meeting.settings.breakout_room, enable=True)
    changed = attrs.evolve(meeting, settings=attrs.evolve(meeting.settings, breakout_room=room))

    expected = {"waiting_room": "true", "new": 1, "breakout_room": {"enable": True, "rooms": []}}
    assert {"id": 1, "settings": expected} == to_dict(changed)


def test_evolve_rows() -> None:
    """A page whose rows were filtered has the remaining rows in its document, each as it came."""
    page = read_page(page_of({"id": 1, "x": 1}, {"id": "2", "x": 2}))

    assert [{"id": "2", "x": 2}] == to_dict(attrs.evolve(page, meetings=page.meetings[1:]))["meetings"]


def test_made_by_hand() -> None:
    """The document of a model that did not come from the service has the given fields."""
    meeting = MeetingDetail(id=1, settings=MeetingSettings(jbh_time=0))

    assert {"id": 1, "settings": {"jbh_time": 0}} == to_dict(meeting)
    assert {} == meeting.extra


@pytest.mark.parametrize("field", [b'"x": ' + b"9" * 5000, b'"x": 1e999', b'"x": "\xff"', b'"\xff": 1'])
def test_odd_unknown_fields(field: bytes) -> None:
    """An odd unknown field on a readable page breaks neither ``repr`` nor ``extra`` nor ``to_dict``."""
    try:
        page = read_page(b'{"data": {"meetings": [{"id": 1, ' + field + b"}]}}")
    except DecodeError:
        return  # refused at once, which is fine

    assert len(page.meetings[0].extra) == 1
    assert "extra=" in repr(page)
    assert to_dict(page)["meetings"] == json.loads(json.dumps(to_dict(page), allow_nan=False))["meetings"]


@pytest.mark.parametrize("name", ["start_url", "password", "h323_password", "pstn_password", "encrypted_password"])
def test_repr_masks_secrets(name: str) -> None:
    """A ``repr`` does not show a secret, but shows that there is one."""
    shown = repr(from_dict(MeetingDetail, {"id": 1, name: SECRET}))

    assert SECRET not in shown
    assert f"{name}='***'" in shown


def below(frames: int, do: Callable[[], object]) -> object:
    """Call a function from deep in the stack, as a program of many layers may."""
    return below(frames - 1, do) if frames else do()


@pytest.mark.parametrize("depth", [90, 101, 450, 700, 790, 5_000])
@pytest.mark.parametrize("inner", [b"1", b'"\\u00e9"'], ids=["plain", "escaped"])
@pytest.mark.parametrize("place", ["row", "page", "detail"])
def test_deep_documents(place: str, inner: bytes, depth: int) -> None:
    """A readable model has a ``repr`` at any depth of the stack; reading a field that is too deep raises DecodeError.

    Such a field does not make its row unreadable, unless the parser itself cannot skip it.
    """
    odd = b"[" * depth + inner + b"]" * depth
    bodies = {
        "row": b'{"data": {"meetings": [{"id": 1}, {"id": 2, "x": ' + odd + b"}]}}",
        "page": b'{"data": {"meetings": [{"id": 1, "x": [[]]}], "x": ' + odd + b"}}",
        "detail": b'{"meeting": {"id": 1, "x": ' + odd + b"}}",
    }
    try:
        model = (read_detail if place == "detail" else read_page)(bodies[place])
    except DecodeError as error:
        assert depth > 700
        assert "nested too deep" in str(error)  # noqa: PT017  (either is fine)
        return
    odd_one = model.meetings[1] if isinstance(model, Page) and place == "row" else model
    assert below(600, lambda: repr(odd_one))
    assert pickle.loads(pickle.dumps(odd_one)) == odd_one
    for do in (to_dict, lambda model: model.extra):
        if depth < 100:
            assert below(600, lambda do=do: do(odd_one))  # type: ignore[misc]
        else:
            with pytest.raises(DecodeError, match="nested too deep"):
                below(600, lambda do=do: do(odd_one))  # type: ignore[misc]
    with contextlib.nullcontext() if depth < 100 else contextlib.suppress(DecodeError):
        assert odd_one == below(600, lambda: pickle.loads(pickle.dumps(odd_one)))


def test_deep_documents_of_the_user() -> None:
    """A user's document that is too deep is refused."""
    document: dict[str, Any] = {"id": 1}
    for _ in range(150):
        document = {"id": 1, "x": document}
    with pytest.raises(InvalidArgumentError, match="deep"):
        from_dict(Meeting, document)


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"-1" + b"0" * 400 + b".5"], ids=["e", "minus", "long"])
@pytest.mark.parametrize("digits", [b"1", b'"1"'], ids=["fast", "tolerant"])
def test_numbers_beyond_all_floats(number: bytes, digits: bytes) -> None:
    """A number too large for a float is kept as text on both paths; it never becomes infinity."""
    page = read_page(b'{"data": {"meetings": [{"id": ' + digits + b', "x": ' + number + b"}]}}")

    assert {"x": number.decode()} == page.meetings[0].extra
    assert json.dumps(to_dict(page), allow_nan=False)


def test_repr_masks_inside() -> None:
    """Tokens, passwords in links, and the values of unknown fields are hidden, also in nested models."""
    join_url = f"https://zoom.example/j/1?a=1&pwd={SECRET}&b=2"
    row = {"id": 1, "join_url": join_url, "zak": SECRET, "old": {"passcode": SECRET}}
    shown = repr(read_page(page_of(row, token=SECRET)))

    assert SECRET not in shown
    assert "pwd=***&b=2" in shown
    assert "extra=<old, zak>" in shown


@pytest.mark.parametrize(
    "body",
    [
        b'{"meeting": {"id": {}, "password": "hush-5ecret"}}',
        b'{"meeting": {"id": {}, "Password" : "a\\"hush-5ecret"}}',
        b'{"meeting": {"id": {}, "h323_password": 58822335577}}',
        b'{"meeting": {"id": {}, "join_url": "https://z.example/j/1?a=1&pwd=hush-5ecret"}}',
        b'{"meeting": {"id": {}, "join_url": "https://z.example/j/1?a=1\\u0026pwd=hush-5ecret"}}',
        b'{"meeting": {"id": {}, "raw": "{\\"password\\":\\"hush-5ecret\\"}"}}',
        b'{"data": {"id": {}, "next_page_token": "hush-5ecret',
    ],
    ids=["text", "escape", "number", "link", "escaped link", "JSON in text", "cut"],
)
def test_excerpt_masks_secrets(body: bytes) -> None:
    """The excerpt in an error has no secret in it, in whatever form the response wrote it."""
    error = play(GET, [answer(200, body)]).error

    assert isinstance(error, DecodeError)
    assert SECRET not in error.excerpt + str(error)
    assert "58822335577" not in error.excerpt + str(error)


@pytest.mark.parametrize("document", [{"id": float("nan")}, {"id": 1, "x": {1, 2}}, [], None])
def test_no_document(document: Any) -> None:  # noqa: ANN401  (what type checkers refuse)
    """A value that is not a JSON document raises InvalidArgumentError."""
    with pytest.raises(InvalidArgumentError):
        from_dict(Meeting, document)


@pytest.mark.parametrize("digits", ["1_000", "٣", "0x10", "1e3"])
def test_digits_are_digits(digits: str) -> None:
    """A number may come as plain digits, but not in other forms that Python accepts."""
    with pytest.raises(DecodeError):
        from_dict(Meeting, {"id": digits})


@pytest.mark.parametrize(
    ("refused", "field", "expected", "got"),
    [
        (lambda: to_dict(5), "model", "a model of pyas_async", "int"),
        (lambda: from_dict(int, {}), "cls", "a model class", "int"),
        (lambda: from_dict(5, {}), "cls", "a model class", "5"),  # type: ignore[arg-type]
        (lambda: from_dict(Meeting, [1]), "document", "a mapping", "list"),  # type: ignore[arg-type]
        (lambda: from_dict(Meeting, {"id": math.nan}), "document", "a JSON document", "JSON compliant"),
        (lambda: from_dict(Meeting, {"id": {1}}), "document", "a JSON document", "set"),
        (lambda: from_dict(MeetingCreate, {"start": 1}), "start", "startDate", "MeetingCreate"),
        (lambda: from_dict(MeetingCreate, {"type": 2}), "title", "a value", "nothing"),
        (
            lambda: from_dict(MeetingCreate, {"type": 2, "title": "t", "description": ""}),
            "startDate",
            "a value",
            "nothing",
        ),
        (lambda: from_dict(MeetingUpdate, {"title": 5}), "title", "a string", "5"),
        (lambda: from_dict(MeetingUpdate, {"startDate": "soon"}), "start_date", "an aware datetime", "soon"),
        (lambda: from_dict(MeetingUpdate, {"startDate": 5}), "start_date", "an aware datetime", "5"),
        (lambda: from_dict(MeetingUpdate, {"attendees": [5]}), "attendees[0]", "an e-mail address", "5"),
        (lambda: from_dict(MeetingUpdate, {"attendees": ["a@b.c", "x"]}), "attendees[1].email", "an e-mail", "x"),
        (lambda: from_dict(MeetingUpdate, {"attendees": [{"email": "x"}]}), "attendees[0].email", "an e-mail", "x"),
        (lambda: from_dict(MeetingUpdate, {"attendees": [{"mail": "x"}]}), "attendees[0].mail", "email", "Attendee"),
        (lambda: from_dict(MeetingUpdate, {"recurrence": {"interval": 1}}), "recurrence.type", "a value", "nothing"),
    ],
)
def test_refusals(refused: Callable[[], object], field: str, expected: str, got: str) -> None:
    """A wrong model, class or document raises an error with its name, what was expected, and what came."""
    with pytest.raises(InvalidArgumentError) as caught:
        refused()

    assert field == caught.value.field
    assert expected in caught.value.expected
    assert got in caught.value.got


def test_a_request_as_a_document() -> None:
    """A request can be made of the document that it would send, nested models and dates included."""
    noon, later = "2026-11-22T12:00:00Z", "2026-12-22T12:00:00Z"
    document = {
        "type": 8,
        "title": "t",
        "description": "",
        "startDate": noon,
        "duration": 45,
        "attendees": [{"email": "ada@example.com"}],
        "recurrence": {"type": "daily", "interval": 2, "endDate": later},
    }
    made = from_dict(MeetingCreate, document)

    assert NOON == made.start_date
    assert Recurrence("daily", 2, end_date=NOON + timedelta(days=30)) == made.recurrence
    assert (Attendee("ada@example.com"),) == tuple(made.attendees)
    assert document == to_dict(made)


def test_where_a_document_does_not_fit() -> None:
    """The error for a document that does not match has the path, and an excerpt without secrets."""
    with pytest.raises(DecodeError) as caught:
        from_dict(MeetingDetail, {"id": "one", "password": SECRET, "settings": {"jbh_time": "x"}})

    assert ("$.id", True) == (caught.value.path, "whole number" in caught.value.reason)
    assert '"password": "***"' in caught.value.excerpt
    assert SECRET not in caught.value.excerpt


def test_fields_that_were_set_by_hand() -> None:
    """Of a model made by hand, the fields with another value than the default are written."""
    made = MeetingDetail(id=1, topic="t", settings=MeetingSettings(), occurrences=())

    assert {"id": 1, "topic": "t", "settings": {}} == to_dict(made)


@pytest.mark.parametrize("name", ["settings", "occurrences"])
def test_nested_models_keep_their_own_documents(name: str) -> None:
    """A nested model that replaces an equal one is written with its own unknown fields."""
    one, other = ({"x": number} if name == "settings" else [{"x": number}] for number in (1, 2))
    detail = from_dict(MeetingDetail, {"id": 1, name: one})
    donor = from_dict(MeetingDetail, {"id": 1, name: other})

    assert {"id": 1, name: other} == to_dict(attrs.evolve(detail, **{name: getattr(donor, name)}))


def test_dates_are_read_where_they_belong() -> None:
    """Text that looks like a date is read as one only in a field for dates."""
    assert "2026-11-22" == from_dict(MeetingUpdate, {"title": "2026-11-22"}).title
