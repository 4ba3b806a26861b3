"""The paths on which a response is read: each makes equal models, with equal documents and unknown fields."""

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
from pyas_async import DecodeError, Meeting, MeetingDetail, Page, to_dict
from pyas_async._core.codec import converter, decoding, read_detail, read_page
from pyas_async._core.codec.pages import page_steps, read_page_fast, read_page_tolerantly, read_row_by_row, run_steps
from pyas_async._core.codec.responses import read_detail_fast, read_detail_tolerantly

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
    """Draw documents whose fields are as documented, except for a few."""
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


def attempt(read: Callable[[bytes], Any], body: bytes) -> Any:  # noqa: ANN401  (a model, or the path of a failure)
    """Read a response, or return the path of the failure."""
    try:
        return read(body)
    except DecodeError as error:
        return error.path


def known(model: Any) -> Any:  # noqa: ANN401  (a value of a model)
    """Return everything that a model and the models in it keep of the response: fields, documents, unknown fields."""
    if isinstance(model, tuple):
        return [known(item) for item in model]
    if not attrs.has(type(model)):
        return model
    inside = {name: known(getattr(model, name)) for name in attrs.fields_dict(type(model)) if name != "_source"}
    return inside | {"document": to_dict(model), "extra": model.extra}


@brisk
@given(_pages)
def test_three_paths_to_a_page(data: dict[str, Any]) -> None:
    """At once, row by row, and tolerantly: each path that ends makes an equal page with equal documents."""
    body = encode({"success": True, "data": data})
    whole = attempt(read_page_tolerantly, body)
    found = [page for page in (read_page_fast(body), run_steps(read_row_by_row(body))) if page is not None]

    assert whole == attempt(read_page, body)
    assert whole == attempt(lambda body: run_steps(page_steps(body)), body)
    for page in found:
        assert whole == page
        assert known(whole) == known(page)


@brisk
@given(details | clean(_DETAIL, details), st.sampled_from(["meeting", "data", "both"]))
def test_two_paths_to_a_detail(document: dict[str, Any], where: str) -> None:
    """The fast and the tolerant path make equal meetings with equal documents, down to the models inside."""
    body = encode({"data": {"meeting": document}} if where == "both" else {"success": True, where: document})
    slow, quick = attempt(read_detail_tolerantly, body), read_detail_fast(body)

    assert slow == attempt(read_detail, body)
    if quick is not None:
        assert slow == quick
        assert known(slow) == known(quick)


@pytest.mark.parametrize("odd", [{}, {"duration": "30"}, {"agenda": 5, "zak": 1}], ids=["fast", "odd", "odder"])
def test_path_of_a_page(odd: dict[str, Any]) -> None:
    """Cattrs does not read a page that is as documented; of a page with an odd row, it reads that row only."""
    body = page_of(_ROW, _ROW | {"uuid": "v"} | odd, _ROW | {"uuid": "w"})
    structure = converter.ModelConverter.structure
    with mock.patch.object(converter.ModelConverter, "structure", autospec=True, side_effect=structure) as spy:
        page = read_page(body)

    assert (["v"] if odd else []) == [call.args[1]["uuid"] for call in spy.mock_calls if call.args[2] is Meeting]
    assert [_ROW, _ROW | {"uuid": "v"} | odd, _ROW | {"uuid": "w"}] == [to_dict(row) for row in page]


@brisk
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=6))
def test_odd_rows_anywhere(runs: list[tuple[int, bool]]) -> None:
    """Whichever rows of a page are odd, and however many in a row: each is read as if it were alone."""
    odd = [is_odd for length, is_odd in runs for _ in range(length)]
    rows = [_ROW | {"uuid": str(number)} | ({"duration": "30"} if is_odd else {}) for number, is_odd in enumerate(odd)]
    body = page_of(*rows)
    page = run_steps(read_row_by_row(body))

    assert page is not None
    assert read_page_tolerantly(body) == page
    assert rows == [to_dict(row) for row in page]


def test_most_odd_rows_skip_the_fast_path() -> None:
    """Where every row is odd, trying the fast path on each would take a sixth of the time for the page."""
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
def test_steps_of_a_page(odd: dict[str, Any], steps: int) -> None:
    """A page of odd rows is read in steps of 50 rows, so that other tasks can run; a page as documented in one."""
    body = page_of(*[_ROW | {"uuid": str(number)} | odd for number in range(300)])

    assert steps == len(list(page_steps(body)))


def test_path_of_a_detail() -> None:
    """Cattrs does not read a meeting that is as documented."""
    with mock.patch.object(converter.ModelConverter, "structure", side_effect=AssertionError):
        detail = read_detail(encode({"success": True, "meeting": _DETAIL}))

    assert {"rooms": [1]} == detail.settings.breakout_room.extra  # type: ignore[union-attr]


@pytest.mark.parametrize("cls", [Meeting, MeetingDetail])
def test_the_converter_takes_the_fast_path(cls: type[Meeting]) -> None:
    """The converter's loads hook makes models of bytes, and uses its other hooks only where msgspec refuses."""
    loads = converter.model_converter().get_loads_hook(cls)
    with mock.patch.object(converter.ModelConverter, "structure", side_effect=AssertionError):
        fast = loads(encode(_DETAIL))

    tolerant = loads(encode(_DETAIL | {"id": "1"}))
    assert fast == tolerant
    assert _DETAIL == to_dict(fast)
    assert _DETAIL | {"id": "1"} == to_dict(tolerant)


def test_the_converter_reads_what_the_fast_path_does_not_support() -> None:
    """Classes with fields that are named differently in JSON are read by the hooks."""
    page = converter.model_converter().loads(encode({"next_page_token": "", "meetings": [_ROW]}), Page)

    assert page.next_page_token is None
    assert [_ROW] == [to_dict(row) for row in page]


def test_a_row_is_pickled_without_its_page() -> None:
    """A pickled row has its own document, without the other rows of the page."""
    page = read_page(page_of(_ROW, {"id": 2, "topic": "beside"}))
    pickled = pickle.dumps(page.meetings[0])

    assert b"beside" not in pickled
    assert _ROW == to_dict(pickle.loads(pickled))


def test_msgspec_has_seen_a_model_before() -> None:
    """The fast path is as strict if other code has made msgspec look at a model before."""
    msgspec.json.decode(b'{"id": 1}', type=Meeting)
    with pytest.raises(msgspec.ValidationError):
        decoding.decoder(Meeting).decode(b'{"id": 1, "start_time": "2026-11-22T08:00:00"}')


def test_msgspec_sees_whole_models() -> None:
    """Other code that decodes our models with msgspec gets whole ones: the fast path leaves the classes unchanged."""
    meeting = msgspec.json.decode(b'{"id": 1, "start_time": "2026-11-22T08:00:00"}', type=Meeting)

    assert {} == meeting.extra
    assert meeting.start_time is not None
    assert "_source" in attrs.fields_dict(Meeting)
