"""The ways in which an answer is read: whichever is taken, the models are equal, and so is all that they know."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any
from unittest import mock

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inside
from core.strategies import brisk, details, encode, page_of, pages, rows
from pyas_async import DecodeError, Meeting, MeetingDetail, Page, from_dict, to_dict
from pyas_async._core.codec import converter, native, read_detail, read_page
from pyas_async._core.codec.pages import finished, page_steps, read_at_once, read_whole, row_by_row
from pyas_async._core.codec.responses import read_quickly, read_slowly

if TYPE_CHECKING:
    from collections.abc import Callable

_ROW = {"id": 1, "uuid": "u", "type": 8, "start_time": "2026-11-22T08:00:00Z", "duration": 30, "pmi": {"x": [1]}}
_DETAIL: dict[str, Any] = {
    **_ROW,
    "password": "",
    "settings": {"host_video": True, "breakout_room": {"enable": True, "rooms": [1]}, "new": 1},
    "occurrences": [{"occurrence_id": "1", "start_time": "2026-11-22T08:00:00Z", "seats": 2}, {"duration": 5}],
    "recurrence": {"type": 1, "end_date_time": "2026-11-22T08:00:00+01:00", "odd": None},
    "tracking_fields": [{"field": "f", "visible": True, "hue": 3}],
}


def clean(document: dict[str, Any], odd: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw documents that are as documented, but for a few fields."""
    return st.tuples(st.lists(st.sampled_from(list(document))), odd, st.integers(0, 2)).map(
        lambda drawn: {
            **{name: value for name, value in document.items() if name not in drawn[0] or name == "id"},
            **dict(list(drawn[1].items())[: drawn[2]]),
        }
    )


_pages = pages | st.fixed_dictionaries(
    {"meetings": st.lists(clean(_ROW, rows), max_size=3)},
    optional={"next_page_token": st.sampled_from(["", "tok", None]), "page_size": st.sampled_from([30, "30", ""])},
)


def attempt(read: Callable[[bytes], Any], body: bytes) -> Any:  # noqa: ANN401  (a model, or the place of a failure)
    """Read, or tell the place where that failed."""
    try:
        return read(body)
    except DecodeError as error:
        return error.path


def known(model: Any) -> Any:  # noqa: ANN401  (whatever is in a model)
    """Tell all that a model and those inside it know of what came: their documents, and what no field names."""
    if isinstance(model, tuple):
        return [known(item) for item in model]
    if not attrs.has(type(model)):
        return model
    inside = {name: known(getattr(model, name)) for name in attrs.fields_dict(type(model)) if name != "_source"}
    return inside | {"document": to_dict(model), "extra": model.extra}


@brisk
@given(_pages)
def test_three_ways_to_a_page(data: dict[str, Any]) -> None:
    """At once, row by row, and as a whole: equal pages that know the same, wherever a way is taken to its end."""
    body = encode({"success": True, "data": data})
    whole = attempt(read_whole, body)
    found = [page for page in (read_at_once(body), finished(row_by_row(body))) if page is not None]

    assert whole == attempt(read_page, body)
    assert whole == attempt(lambda body: finished(page_steps(body)), body)
    for page in found:
        assert whole == page
        assert known(whole) == known(page)


@brisk
@given(details | clean(_DETAIL, details), st.sampled_from(["meeting", "data", "both"]))
def test_two_ways_to_a_detail(document: dict[str, Any], where: str) -> None:
    """The quick way and the slow one make equal meetings that know the same, down to the models inside."""
    body = encode({"data": {"meeting": document}} if where == "both" else {"success": True, where: document})
    slow, quick = attempt(read_slowly, body), read_quickly(body)

    assert slow == attempt(read_detail, body)
    if quick is not None:
        assert slow == quick
        assert known(slow) == known(quick)


@pytest.mark.parametrize("odd", [{}, {"duration": "30"}, {"agenda": 5, "zak": 1}], ids=["fast", "odd", "odder"])
def test_which_way_a_page_takes(odd: dict[str, Any]) -> None:
    """What is as documented never meets cattrs; of a page with an odd row, that row alone does."""
    body = page_of(_ROW, _ROW | {"uuid": "v"} | odd, _ROW | {"uuid": "w"})
    with mock.patch.object(converter.Reader, "structure", autospec=True, side_effect=converter.Reader.structure) as met:
        page = read_page(body)

    assert (["v"] if odd else []) == [call.args[1]["uuid"] for call in met.mock_calls if call.args[2] is Meeting]
    assert [_ROW, _ROW | {"uuid": "v"} | odd, _ROW | {"uuid": "w"}] == [to_dict(row) for row in page]


@brisk
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=6))
def test_odd_rows_anywhere(runs: list[tuple[int, bool]]) -> None:
    """Whichever rows of a page are odd, and how many at a stretch: each is read as if it were alone."""
    odd = [is_odd for length, is_odd in runs for _ in range(length)]
    rows = [_ROW | {"uuid": str(number)} | ({"duration": "30"} if is_odd else {}) for number, is_odd in enumerate(odd)]
    body = page_of(*rows)
    page = finished(row_by_row(body))

    assert page is not None
    assert read_whole(body) == page
    assert rows == [to_dict(row) for row in page]


def test_a_page_of_odd_rows_is_not_tried_row_by_row() -> None:
    """Where every row is odd, trying the fast way with each would cost a sixth of the page."""
    tried: list[object] = []

    def refuse(data: object) -> Meeting:
        tried.append(data)
        raise ValueError

    body = page_of(*[_ROW | {"uuid": str(number), "duration": "30"} for number in range(300)])
    with mock.patch(inside.ROW_LOADERS, return_value=(refuse, inside.row_loaders()[1])):
        page = read_page(body)

    assert 300 == len(page)
    assert 30 >= len(tried)


@pytest.mark.parametrize(("odd", "steps"), [({}, 0), ({"duration": "30"}, 7)], ids=["fast", "odd"])
def test_others_have_their_turn(odd: dict[str, Any], steps: int) -> None:
    """A page of odd rows is read in steps of 50 rows; a page as documented in one."""
    body = page_of(*[_ROW | {"uuid": str(number)} | odd for number in range(300)])

    assert steps == len(list(page_steps(body)))


def test_which_way_a_detail_takes() -> None:
    """A detail as it is documented never meets cattrs."""
    with mock.patch.object(converter.Reader, "structure", side_effect=AssertionError):
        detail = read_detail(encode({"success": True, "meeting": _DETAIL}))

    assert {"rooms": [1]} == detail.settings.breakout_room.extra  # type: ignore[union-attr]


def test_which_reader_a_document_meets() -> None:
    """A document that fits is read once, by the quicker reader; only of one that does not is the place looked for."""
    readers: list[bool] = []

    def reader(*, detailed: bool) -> converter.Reader:
        readers.append(detailed)
        return made[detailed]

    made = {detailed: converter.reader(detailed=detailed) for detailed in (False, True)}
    with mock.patch(inside.CONVERTER_READER, reader):
        assert 1 == from_dict(Meeting, {"id": "1"}).id
        assert [False] == readers
        with pytest.raises(DecodeError, match=r"\$\.id"):
            from_dict(Meeting, {"id": "one"})

    assert [False, False, True] == readers


@pytest.mark.parametrize("cls", [Meeting, MeetingDetail])
def test_the_converter_goes_the_fast_way(cls: type[Meeting]) -> None:
    """The converter's own loads hook makes models of bytes, without its other hooks where they are not needed."""
    loads = converter.reader(detailed=False).get_loads_hook(cls)
    with mock.patch.object(converter.Reader, "structure", side_effect=AssertionError):
        fast = loads(encode(_DETAIL))

    tolerant = loads(encode(_DETAIL | {"id": "1"}))
    assert fast == tolerant
    assert _DETAIL == to_dict(fast)
    assert _DETAIL | {"id": "1"} == to_dict(tolerant)


def test_the_converter_reads_what_goes_no_fast_way() -> None:
    """Classes whose fields have other names on the wire are read by the hooks."""
    page = converter.reader(detailed=False).loads(encode({"next_page_token": "", "meetings": [_ROW]}), Page)

    assert page.next_page_token is None
    assert [_ROW] == [to_dict(row) for row in page]


def test_a_row_travels_without_its_page() -> None:
    """Pickled, a row takes its own document along, and not that of the rows beside it."""
    page = read_page(page_of(_ROW, {"id": 2, "topic": "beside"}))
    pickled = pickle.dumps(page.meetings[0])

    assert b"beside" not in pickled
    assert _ROW == to_dict(pickle.loads(pickled))


def test_whoever_comes_first() -> None:
    """What msgspec keeps of a model that somebody gave it before us makes the fast way no less strict."""
    msgspec.json.decode(b'{"id": 1}', type=Meeting)
    with pytest.raises(msgspec.ValidationError):
        native.decoder(Meeting).decode(b'{"id": 1, "start_time": "2026-11-22T08:00:00"}')


def test_msgspec_finds_the_models_whole() -> None:
    """Who decodes our models with msgspec gets whole ones: how the fast way looks at them is its own business."""
    meeting = msgspec.json.decode(b'{"id": 1, "start_time": "2026-11-22T08:00:00"}', type=Meeting)

    assert {} == meeting.extra
    assert meeting.start_time is not None
    assert "_source" in attrs.fields_dict(Meeting)
