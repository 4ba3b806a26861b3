"""Values that are not as documented: each costs its own field alone, and comes back as it came."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, encode, page_of
from pyas_async import ConnectedAccount, DecodeError, Meeting, MeetingDetail, Page, from_dict, to_dict
from pyas_async._core.codec import (
    read_account,
    read_detail,
    read_page,
    read_updated,
    row_error,
    token_is_lost,
    unreadable_names,
    unreadable_rows,
)
from pyas_async._core.codec.pages import read_page_tolerantly
from pyas_async.models._base import Model
from pyas_async.models._source import wire_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "hush-5ecret"
ODD: list[Any] = [1.5, 30.5, "abc", True, False, 0, -1, 2**70, "", " ", [], {}, [1], {"a": SECRET}, [None], [[]], None]
"""Values of every JSON type; most of them match no field, and each matches some."""
ODD_DATES: list[Any] = ["garbage", "Invalid date", 1700000000000, "x", "2026-02-30T08:00:00Z", "0001-01-01T00:00:00"]
GOOD: dict[str, Any] = {
    "id": 81, "uuid": "u81==", "host_id": "h", "topic": "Planning", "type": 2, "start_time": "2026-11-22T08:11:36Z",
    "duration": 30, "timezone": "Europe/Berlin", "agenda": "next", "created_at": "2026-11-01T08:11:36Z",
    "join_url": "https://zoom.example/j/81", "new_field": {"x": [1]},
}  # fmt: skip
DETAIL: dict[str, Any] = {
    **GOOD,
    "host_email": "ada@example.com", "password": "p", "pre_schedule": False,
    "settings": {"host_video": True, "jbh_time": 5, "audio": "voip", "breakout_room": {"enable": True, "rooms": [1]}},
    "occurrences": [{"occurrence_id": "1", "start_time": "2026-11-22T08:11:36Z", "duration": 5}, {"status": "deleted"}],
    "recurrence": {"type": 2, "repeat_interval": 1, "weekly_days": "1,3", "end_date_time": "2026-12-22T08:11:36Z"},
    "tracking_fields": [{"field": "f", "value": "v", "visible": True}],
}  # fmt: skip
ACCOUNT: dict[str, Any] = {"accountId": "acc", "email": "ada@example.com", "name": "n", "scopes": ["a", "b"]}
PAGE: dict[str, Any] = {"page_size": 30, "total_records": 1, "next_page_token": "tok", "meetings": [GOOD]}


def model_in(kind: Any) -> Any:  # noqa: ANN401  (an annotation; a class of models)
    """Return the class of the models that a field holds, if it holds models."""
    return next((part for part in (kind, *getattr(kind, "__args__", ())) if attrs.has(part)), None)


def cells(cls: type[Model], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every field of a model and of the models in it, but for the identities."""
    for field in attrs.fields(cls):
        name = wire_name(field)
        if field.name == "_source" or (cls is not Page and name in ("id", "accountId")):
            continue
        yield (*path, name)
        if (inner := model_in(field.type)) is not None:
            many = str(field.type).startswith("tuple")
            yield from cells(inner, (*path, name, 0) if many else (*path, name))


def with_cell(document: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Return the document with a value at a path; objects and lists on the way are made if they are missing."""
    changed = copy.deepcopy(document)
    place: Any = changed
    for step, after in itertools.pairwise(path):
        empty: Any = [{}] if isinstance(after, int) else {}
        place = place[step] if isinstance(step, int) else place.setdefault(step, empty)
    place[path[-1]] = value
    return changed


CASES: list[tuple[type[Model], dict[str, Any], tuple[Any, ...]]] = [
    (cls, document, path)
    for cls, document in ((Meeting, GOOD), (MeetingDetail, DETAIL), (ConnectedAccount, ACCOUNT), (Page, PAGE))
    for path in cells(cls)
]
cases = st.tuples(st.sampled_from(CASES), st.sampled_from(ODD + ODD_DATES))


def plain(model: Any) -> Any:  # noqa: ANN401  (a value of a model)
    """Return all that a model says, down to the models in it."""
    if isinstance(model, tuple):
        return [plain(item) for item in model]
    if not isinstance(model, Model):
        return model
    fields = {
        field.name: plain(getattr(model, field.name)) for field in attrs.fields(type(model)) if field.name[0] != "_"
    }
    return fields | {"unreadable": model.unreadable, "extra": model.extra, "document": to_dict(model)}


def differing(one: Any, other: Any) -> list[str]:  # noqa: ANN401  (two models of one class)
    """Return the names of the fields in which two models differ."""
    return [
        field.name
        for field in attrs.fields(type(one))
        if getattr(one, field.name) != getattr(other, field.name) and field.name[0] != "_"
    ]


@pytest.mark.parametrize("odd", ODD + ODD_DATES, ids=repr)
def test_every_cell_of_every_model(odd: object) -> None:
    """A value of any type in any field costs that field alone, and the document comes back as it came."""
    for cls, document, path in CASES:
        changed = with_cell(document, path, odd)
        model = from_dict(cls, changed)
        beside = differing(model, from_dict(cls, document))

        assert set(beside) <= {
            path[0] if path[0] != "accountId" else "account_id",
            *(["start_time"] if "timezone" in path else []),
        }, path
        assert changed == to_dict(model), path
        assert SECRET not in repr(model), path
        assert SECRET not in repr(model.unreadable), path


@brisk
@given(cases)
def test_unreadable_values_stay(case: tuple[tuple[type[Model], dict[str, Any], tuple[Any, ...]], object]) -> None:
    """An unreadable value is still there after pickle, copies, a change of another field, and from_dict of to_dict."""
    (cls, document, path), odd = case
    model = from_dict(cls, with_cell(document, path, odd))

    for copied in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        from_dict(cls, to_dict(model)),
        attrs.evolve(model),
    ):
        assert plain(model) == plain(copied)


@brisk
@given(cases.filter(lambda case: case[0][0] in (Meeting, MeetingDetail)), st.booleans())
def test_all_paths_agree(case: tuple[tuple[type[Model], dict[str, Any], tuple[Any, ...]], object], alone: bool) -> None:
    """On every path of a list, a get, a create and an update, a meeting with an odd value is read as from_dict does."""
    (cls, document, path), odd = case
    changed = with_cell(document, path, odd)
    expected = plain(from_dict(cls, changed))
    if cls is MeetingDetail:
        body = encode({"success": True, "meeting": changed} if alone else {"data": {"meeting": changed}})
        assert expected == plain(read_detail(body)) == plain(read_updated(body))
        return
    body = page_of(changed) if alone else page_of({"id": 1}, changed, GOOD)
    for page in (read_page(body), read_page_tolerantly(body)):
        assert expected == plain(page.meetings[0 if alone else 1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", 1.5),
        ("duration", "abc"),
        ("duration", True),
        ("start_time", "garbage"),
        ("start_time", "Invalid date"),
        ("start_time", 1700000000000),
        ("created_at", "x"),
        ("type", "x"),
        ("uuid", {}),
        ("topic", {}),
        ("topic", 1.5),
        ("agenda", False),
        ("agenda", []),
        ("settings", []),
        ("settings", "on"),
        ("occurrences", {}),
        ("occurrences", [None, 5]),
        ("password", {"x": SECRET}),
    ],
    ids=repr,
)
def test_what_is_unreadable(field: str, value: object) -> None:
    """The attribute is empty, and the value stands under its name in `unreadable`, which the ``repr`` names."""
    meeting = read_detail(encode({"success": True, "data": {**DETAIL, field: value}}))

    assert getattr(meeting, field) in (None, "", ())
    assert {field: value} == meeting.unreadable
    assert f"unreadable=<{field}>" in repr(meeting)
    assert [f"MeetingDetail.{field}"] == unreadable_names(meeting)


@pytest.mark.parametrize("value", [None, "", 30, "30", 30.0, " 30 "])
def test_what_is_not_unreadable(value: object) -> None:
    """Missing and blank values, digits for a number: these are read as meant, and are not listed."""
    assert {} == read_page(page_of({"id": 1, "duration": value})).meetings[0].unreadable


def test_unreadable_inside() -> None:
    """A nested model has its own mapping; the models around it are whole."""
    meeting = from_dict(MeetingDetail, with_cell(DETAIL, ("settings", "breakout_room"), False))

    assert meeting.settings is not None
    assert ({}, {"breakout_room": False}) == (meeting.unreadable, meeting.settings.unreadable)
    assert (None, True) == (meeting.settings.breakout_room, meeting.settings.host_video)
    assert ["MeetingSettings.breakout_room"] == unreadable_names(meeting)


def test_an_unreadable_item_costs_itself() -> None:
    """Of a list, the items that can be read are read; the whole list is in `unreadable`, and comes back as it came."""
    occurrences = [5, {"occurrence_id": "1", "new": 1}, None, {"occurrence_id": "2", "duration": "x"}]
    meeting = from_dict(MeetingDetail, {"id": 1, "occurrences": occurrences})

    assert ["1", "2"] == [occurrence.occurrence_id for occurrence in meeting.occurrences]
    assert {"occurrences": occurrences} == meeting.unreadable
    assert {"duration": "x"} == meeting.occurrences[1].unreadable
    assert {"id": 1, "occurrences": occurrences} == to_dict(meeting)
    shorter = attrs.evolve(meeting, occurrences=meeting.occurrences[:1])
    assert ({}, occurrences[1:2]) == (shorter.unreadable, to_dict(shorter)["occurrences"])


def test_a_changed_field_is_not_unreadable() -> None:
    """A new value replaces the unreadable one; other changes leave it."""
    meeting = from_dict(Meeting, {"id": 1, "duration": "abc"})
    changed, other = attrs.evolve(meeting, duration=30), attrs.evolve(meeting, topic="t")

    assert ({}, {"id": 1, "duration": 30}) == (changed.unreadable, to_dict(changed))
    assert ({"duration": "abc"}, {"id": 1, "duration": "abc", "topic": "t"}) == (other.unreadable, to_dict(other))


def test_unreadable_belongs_to_the_caller() -> None:
    """The caller may change what `unreadable` returns; the model does not change with it."""
    meeting = from_dict(Meeting, {"id": 1, "topic": {"x": 1}})
    meeting.unreadable["topic"]["x"] = 2

    assert {"topic": {"x": 1}} == meeting.unreadable
    assert {} == Meeting(id=1).unreadable


@pytest.mark.parametrize("odd", [1.5, True, [], {}, "x"], ids=repr)
def test_numbers_of_a_page(odd: object) -> None:
    """A page size and a total that are no numbers are unreadable, and end no listing."""
    for read in (read_page, read_page_tolerantly):
        page = read(page_of(GOOD, page_size=odd, total_records=odd, token="tok"))
        assert (None, None, "tok", 1) == (page.page_size, page.total_records, page.next_page_token, len(page))
        assert {"page_size": odd, "total_records": odd} == page.unreadable


ROWS: list[Any] = [
    None,
    5,
    "x",
    [],
    [GOOD],
    {},
    {"uuid": "u"},
    {"id": "one"},
    {"id": None},
    {"id": 1.5},
    {"id": [1]},
    {"id": True},
]


@brisk
@given(
    st.lists(st.sampled_from(ROWS) | st.integers(1, 9).map(lambda number: GOOD | {"id": number}), max_size=8),
    st.booleans(),
)
def test_rows_without_identity(rows: list[Any], whole: bool) -> None:
    """A row without a usable id is no meeting: the page says where it is and why; the others are read."""
    body = page_of(*rows)
    page = (read_page_tolerantly if whole else read_page)(body)
    odd = {index: row for index, row in enumerate(rows) if row in ROWS}

    assert [row["id"] for row in rows if row not in ROWS] == [meeting.id for meeting in page]
    assert list(odd) == [row.index for row in unreadable_rows(page)]
    assert to_dict(page)["meetings"] == rows
    assert ({"meetings": rows} if odd else {}) == page.unreadable
    for row in unreadable_rows(page):
        error = row_error(page, row)
        assert error.path.startswith(f"$.data.meetings[{row.index}]")
        assert "expected" in error.reason or "is missing" in error.reason


@pytest.mark.parametrize(
    ("document", "token"),
    [
        ({"data": {"meetings": [], "nextPageToken": "a"}}, "a"),
        ({"data": {"meetings": []}, "next_page_token": "a"}, "a"),
        ({"data": {"meetings": []}, "nextPageToken": "a"}, "a"),
        ({"data": {"meetings": [], "next_page_token": "a", "nextPageToken": "b"}}, "a"),
        ({"data": {"meetings": [], "nextPageToken": "b"}, "next_page_token": "a"}, "a"),
        ({"data": {"meetings": [], "next_page_token": "a"}, "next_page_token": "b"}, "a"),
        ({"data": {"meetings": [], "next_page_token": ""}, "nextPageToken": "a"}, "a"),
        ({"data": {"meetings": [], "next_page_token": None, "nextPageToken": ""}}, None),
        ({"meetings": [], "nextPageToken": "a"}, "a"),
        ({"data": [], "next_page_token": "a"}, "a"),
        ({"data": {"meetings": [], "next_page_token": 5}}, "5"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("odd", [{}, {"total_records": "x"}], ids=["fast", "tolerant"])
def test_where_a_token_is(document: dict[str, Any], token: str | None, odd: dict[str, Any]) -> None:
    """The token is found in `data` or beside it, under its name or in camel case; its name wins."""
    if isinstance(document.get("data"), dict):
        document = document | {"data": document["data"] | odd}
    body = encode({"success": True} | document)
    page = read_page(body)

    assert token == page.next_page_token == read_page_tolerantly(body).next_page_token
    assert token == from_dict(Page, to_dict(page)).next_page_token
    assert "nextPageToken" not in page.extra or "data" not in document
    assert not token_is_lost(page)
    assert None is from_dict(Page, to_dict(attrs.evolve(page, next_page_token=None))).next_page_token


@pytest.mark.parametrize(
    ("token", "lost"),
    [(False, False), ([], False), ({}, False), (0, False), (True, True), (1.5, True), ({"t": 1}, True)],
)
@pytest.mark.parametrize("name", ["next_page_token", "nextPageToken"])
def test_a_token_that_is_no_text(token: object, lost: bool, name: str) -> None:
    """An empty value of any type means the end; any other one that is no text means that there is more."""
    page = read_page(encode({"data": {"meetings": [GOOD], name: token}}))

    assert (None if token != 0 or token is False else "0") == page.next_page_token or token == 0
    assert lost == token_is_lost(page)
    assert {"data": {"meetings": [GOOD], name: token}}["data"] == to_dict(page)


@pytest.mark.parametrize("beside", [{}, {"success": True}, {"success": True, "total_records": 0}])
def test_an_empty_list_is_an_empty_page(beside: dict[str, Any]) -> None:
    """An empty list as `data` is a page without rows."""
    page = read_page(encode({**beside, "data": []}))

    assert ((), None, {**beside, "data": []}) == (page.meetings, page.next_page_token, to_dict(page))


@pytest.mark.parametrize("data", [[GOOD], {}, "x", 5, None])
def test_no_page(data: object) -> None:
    """An answer without a list of meetings is no page: it must not be taken for an empty one."""
    with pytest.raises(DecodeError, match="no list of meetings"):
        read_page(encode({"success": True, "data": data}))


@pytest.mark.parametrize(
    ("read", "document", "path"),
    [
        (read_detail, {"meeting": {"topic": "long " * 400, "id": "one", "agenda": "after"}}, "$.meeting.id"),
        (read_detail, {"x": "y" * 2_000, "data": {"topic": "t", "uuid": "u"}}, "$.data.id"),
        (
            read_account,
            {"x": "y" * 2_000, "data": {"account": {"a": 1, "accountId": [], "z": 1}}},
            "$.data.account.accountId",
        ),
    ],
)
def test_what_an_excerpt_shows(read: Callable[[bytes], object], document: dict[str, Any], path: str) -> None:
    """The excerpt shows what stands around the place that the path names, and the message shows it as well."""
    with pytest.raises(DecodeError) as caught:
        read(encode(document))

    error = caught.value
    assert path == error.path
    name = path.rpartition(".")[2]
    wanted = f'"{name}": ' if f'"{name}"' in str(document).replace("'", '"') else '{"topic": "t"'
    assert wanted in error.excerpt
    assert wanted in str(error)
    assert len(error.excerpt) <= 500


@brisk
@given(st.integers(0, 299), st.booleans(), st.integers(0, 3))
def test_the_excerpt_of_a_row(index: int, compact: bool, blanks: int) -> None:
    """The excerpt of an unreadable row shows that row, wherever it is, and however the JSON is written."""
    rows: list[Any] = [{"topic": f'say "{number}" [, {{', "id": number} for number in range(300)]
    rows[index] = {"topic": 'here \\" it is', "id": "odd one"}
    document = {"data": {"first": [1, {}], "meetings": rows}}
    body = json.dumps(document, indent=blanks or None, separators=(",", ":") if compact else None).encode()
    page = read_page(body)
    (row,) = unreadable_rows(page)
    error = row_error(page, row)

    assert f"$.data.meetings[{index}].id" == error.path
    assert "odd one" in error.excerpt
    assert "odd one" in str(error)


def test_excerpts_cut_no_secret() -> None:
    """However far a secret is from the place that could not be read, no part of it is shown."""
    from pyas_async._core.redact import redact  # noqa: PLC0415

    for distance in range(0, 1_300, 7):
        password = "hush" * 300
        row = {
            "password": password,
            "topic": "t" * distance,
            "id": "x",
            "after": "u" * distance,
            "pstn_password": password,
        }
        page = read_page(page_of({"id": 1, "password": password}, row))
        error = row_error(page, unreadable_rows(page)[0]).masked(redact)
        assert "hush" not in str(error) + error.excerpt


BERLIN_8 = datetime(2026, 7, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Berlin", 6), ("Asia/Tokyo", 23), (None, 8), ("Mars/Olympus", 8), ({}, 8)]
)
def test_local_times_inside(zone: object, hour: int) -> None:
    """Times without an offset inside a meeting are read in its time zone, as its own start is."""
    naive = "2026-07-01T08:00:00"
    document = {
        "id": 1, "timezone": zone, "start_time": naive, "created_at": naive,
        "occurrences": [{"start_time": naive}, {"start_time": "2026-07-01T08:00:00Z"}],
        "recurrence": {"end_date_time": naive},
    }  # fmt: skip
    for meeting in (from_dict(MeetingDetail, document), read_detail(encode({"meeting": document}))):
        assert meeting.recurrence is not None
        local = [meeting.start_time, meeting.occurrences[0].start_time, meeting.recurrence.end_date_time]
        assert [hour] * 3 == [moment.astimezone(UTC).hour for moment in local if moment]
        assert [8, 8] == [
            moment.astimezone(UTC).hour for moment in (meeting.created_at, meeting.occurrences[1].start_time) if moment
        ]
        assert document == to_dict(meeting)
        assert meeting == pickle.loads(pickle.dumps(meeting))


zones = st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC", None, ""])
texts = st.sampled_from(["2026-07-01T08:00:00", "2026-10-25T02:30:00", "2026-03-29T02:30:00", "2026-07-01T08:00:00Z"])


@brisk
@given(zones, zones, texts)
def test_another_time_zone_moves_no_instant(before: str | None, after: str | None, text: str) -> None:
    """A changed time zone, and the way through a document, leave every instant. Changed back, all is as it was."""
    document = {
        "id": 1, "timezone": before, "start_time": text, "created_at": text,
        "occurrences": [{"start_time": text, "new": 1}], "recurrence": {"end_date_time": text},
    }  # fmt: skip
    meeting = from_dict(MeetingDetail, document)
    changed = attrs.evolve(meeting, timezone=after)
    again = from_dict(MeetingDetail, to_dict(changed))
    back = attrs.evolve(again, timezone=before)

    def instants(meeting: MeetingDetail) -> list[datetime]:
        assert meeting.recurrence is not None
        moments = [
            meeting.start_time,
            meeting.created_at,
            meeting.occurrences[0].start_time,
            meeting.recurrence.end_date_time,
        ]
        return [moment.astimezone(UTC) for moment in moments if moment is not None]

    assert (
        instants(meeting)
        == instants(changed)
        == instants(again)
        == instants(back)
        == instants(from_dict(MeetingDetail, to_dict(back)))
    )
    assert {"start_time": to_dict(changed)["occurrences"][0]["start_time"], "new": 1} == to_dict(changed)[
        "occurrences"
    ][0]
    assert document == to_dict(attrs.evolve(changed, timezone=before))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Amsterdam", "Asia/Tokyo", "America/New_York", None])
def test_local_times_at_the_edge(text: str, zone: str | None) -> None:
    """The first and the last second that a date can name are read and written in every time zone."""
    document = {"id": 1, "timezone": zone, "start_time": text, "occurrences": [{"start_time": text}]}
    meeting = from_dict(MeetingDetail, document)
    (occurrence,) = meeting.occurrences

    assert document == to_dict(meeting)
    assert occurrence == from_dict(type(occurrence), to_dict(occurrence))
    moved = attrs.evolve(meeting, timezone="Asia/Tokyo")
    assert moved == from_dict(MeetingDetail, to_dict(moved))


def test_an_occurrence_alone() -> None:
    """The document of an occurrence that is taken out of its meeting says the same instant."""
    meeting = from_dict(
        MeetingDetail, {"id": 1, "timezone": "Europe/Berlin", "occurrences": [{"start_time": "2026-07-01T08:00:00"}]}
    )
    (occurrence,) = meeting.occurrences

    assert BERLIN_8 == occurrence.start_time == from_dict(type(occurrence), to_dict(occurrence)).start_time
