"""The calls: ids that stay in their place, filters in the page's form, and nothing that contradicts itself."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.strategies import brisk, words
from core.tools import NOON
from pyas_async import InvalidArgumentError, ListType
from pyas_async._core.endpoints import connect, list_filters, list_meetings, meeting_path


@brisk
@given(st.integers(1, 2**63) | words)
@example("/a//b==")
@example("a/b?c#d;e%2F")
@example("...")
@example("%2e%2e")
def test_meeting_path(meeting_id: int | str) -> None:
    """A meeting's id never leaves its segment of the path, and decodes to itself: twice where Zoom wants it twice."""
    assume(not {".", ".."} & set(re.split(r"[/\\]", str(meeting_id))) and str(meeting_id).isprintable())
    path = meeting_path(meeting_id)
    name = str(meeting_id)
    segment = path.removeprefix("/zoom/meetings/")

    assert path.startswith("/zoom/meetings/")
    assert re.fullmatch(r"[A-Za-z0-9._~%-]+", segment)
    twice = name.startswith("/") or "//" in name
    assert name == (unquote(unquote(segment)) if twice else unquote(segment))


@pytest.mark.parametrize(
    "wrong",
    [
        *("", " ", ".", "..", "../x", "a/../b", "a/.", "a\\..\\b", "a\0", "a\r\nb", "\ud800"),
        *(0, -1, True, 1.0, None, b"1"),
    ],
)
def test_meeting_id_refusals(wrong: Any) -> None:  # noqa: ANN401  (what type checkers refuse)
    """What is no meeting's id is refused."""
    with pytest.raises(InvalidArgumentError, match="meeting_id"):
        meeting_path(wrong)


@brisk
@given(st.none() | st.dates(date(1000, 1, 1)), st.none() | words, st.none() | st.sampled_from(ListType))
def test_filters(start: date | None, end: str | None, kind: ListType | None) -> None:
    """Filters go out under the page's names: dates as MM-DD-YYYY, strings untouched, nothing that was not given."""
    expected = {"startDate": start and f"{start:%m-%d-%Y}", "endDate": end, "type": kind and kind.value}
    given_filters = list_filters(start_date=start, end_date=end, type=kind)

    assert {name: value for name, value in expected.items() if value} == dict(given_filters)


def test_filter_refusals() -> None:
    """A moment is no day, an end is not before its start, a type is one of the page's words."""
    wrong: list[dict[str, Any]] = [{"start_date": NOON}, {"end_date": date(2025, 1, 1)}, {"type": "LIVE"}, {"type": 1}]
    for change in wrong:
        with pytest.raises(InvalidArgumentError, match=next(iter(change))):
            list_filters(**{"start_date": date(2026, 1, 1), "end_date": None, "type": None} | change)


def test_token_or_number() -> None:
    """A page token and a page number never travel together."""
    with pytest.raises(InvalidArgumentError, match="page_number"):
        list_meetings("acc", (), next_page_token="tok", page_number=2)


def test_secrets_are_not_echoed() -> None:
    """A refused OAuth code or page token does not show in the refusal."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(b"hush-5ecret", "name")  # type: ignore[arg-type]

    assert "hush" not in str(caught.value)
