"""``to_row``: flat rows whose columns have one type each, whatever the service sent."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.test_secret_fields import MODELS, SECRET_NAMES, TEXTS
from core.strategies import brisk, details, json_values, rows
from pyas_async import (
    ConnectedAccount,
    DecodeError,
    InvalidArgumentError,
    Meeting,
    MeetingDetail,
    MeetingSettings,
    MeetingType,
    MeetingUpdate,
    Occurrence,
    Page,
    from_dict,
    row_types,
    to_row,
)
from secrecy.planted import PASSCODE, leaks

SINGLE = [model for model in MODELS if model is not Page]
INNER = {"settings", "recurrence", "breakout_room", "approved_or_denied_countries_or_regions"}
"""Fields that hold another model."""
anything = (
    json_values
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.sampled_from(MeetingType)
    | st.tuples(json_values, st.just(Occurrence()))
)
"""What a user may put into a model, which checks no types."""


def fits(row: dict[str, Any], types: dict[str, type]) -> bool:
    """Whether a row has the columns, and in each nothing or a value of its type that is the same everywhere."""
    return list(types) == list(row) and all(
        value is None
        or (
            type(value) is types[name]
            and (type(value) is not int or abs(value) < 2**63)
            and (type(value) is not datetime or value.tzinfo is UTC)
        )
        for name, value in row.items()
    )


@brisk
@given(st.tuples(st.just(Meeting), rows) | st.tuples(st.just(MeetingDetail), details))
def test_received_models(case: tuple[type[Any], dict[str, Any]]) -> None:
    """A row of what the service sends has the columns of its class, and a value of the column's type or none."""
    cls, document = case
    try:
        model = from_dict(cls, document)
    except DecodeError:
        return

    assert fits(to_row(model), row_types(cls))


@brisk
@given(st.sampled_from(SINGLE), st.data())
def test_models_made_by_hand(cls: type[Any], data: st.DataObject) -> None:
    """So has the row of a model that a user made, whatever is in its fields."""
    names = {field.name for field in attrs.fields(cls) if not field.name.startswith("_")} - INNER - {"extra"}
    values = data.draw(st.fixed_dictionaries(dict.fromkeys(sorted(names), anything)))
    if cls is MeetingDetail:
        values["settings"] = MeetingSettings(jbh_time=2**70, audio=5)  # type: ignore[arg-type]

    assert fits(to_row(cls(**values)), row_types(cls))


@pytest.mark.parametrize("cls", SINGLE)
def test_columns(cls: type[Any]) -> None:
    """Each class has a column, or the columns of a model inside, for each attribute that is no secret."""
    types = row_types(cls)
    secrets = {field.name for field in attrs.fields(cls) if field.metadata.get("secret")}
    names = {field.name for field in attrs.fields(cls) if not field.name.startswith("_")} - {"extra"}

    assert set(types.values()) <= {int, str, bool, datetime}
    assert set() == secrets & set(types)
    for name in names - secrets:
        assert name in types or any(column.startswith(f"{name}_") for column in types)


def test_a_row() -> None:
    """The keys of a meeting's row are its attributes, in their order, and its end."""
    document = {
        "id": "81398421915",
        "uuid": "ab==",
        "topic": "Standup",
        "type": 77,
        "start_time": "2026-03-04T09:00:00",
        "timezone": "Europe/Berlin",
        "duration": 45,
        "join_url": "https://z.example/j/1?pwd=abcd",
        "new": {"nested": 1},
    }
    row = to_row(from_dict(Meeting, document))

    expected = {
        "id": 81398421915,
        "uuid": "ab==",
        "host_id": None,
        "topic": "Standup",
        "type": 77,
        "start_time": datetime(2026, 3, 4, 8, tzinfo=UTC),
        "duration": 45,
        "timezone": "Europe/Berlin",
        "agenda": None,
        "created_at": None,
        "join_url": "https://z.example/j/1",
        "end_time": datetime(2026, 3, 4, 8, 45, tzinfo=UTC),
    }
    assert list(expected.items()) == list(row.items())
    assert int is type(row["type"])


def test_a_row_of_details() -> None:
    """Models inside have columns of their own, or are JSON if there may be several."""
    document = {
        "id": 1,
        "settings": {"waiting_room": True, "breakout_room": {"enable": False, "rooms": []}},
        "occurrences": [{"occurrence_id": "7", "start_url": "x", "duration": 5}],
        "recurrence": {"type": 2, "end_date_time": "2026-12-01T00:00:00+01:00"},
    }
    row = to_row(from_dict(MeetingDetail, document))

    assert (True, False) == (row["settings_waiting_room"], row["settings_breakout_room_enable"])
    assert [{"occurrence_id": "7", "duration": 5}] == json.loads(row["occurrences"])
    assert "[]" == row["tracking_fields"]
    assert (2, datetime(2026, 11, 30, 23, tzinfo=UTC)) == (row["recurrence_type"], row["recurrence_end_date_time"])


def test_a_row_of_an_account() -> None:
    """An account has a row as well: its scopes are JSON."""
    account = from_dict(ConnectedAccount, {"accountId": "acc", "scopes": ["meeting:read", "meeting:write"]})

    assert '["meeting:read", "meeting:write"]' == to_row(account)["scopes"]


@pytest.mark.parametrize("name", SECRET_NAMES)
@pytest.mark.parametrize("text", TEXTS)
def test_no_secrets(name: str, text: str) -> None:
    """No secret gets into a row, from whichever field."""
    inner = [{name: PASSCODE, "field": text}]
    document = {"id": 1, "topic": text, "agenda": text, "join_url": text, name: PASSCODE, "tracking_fields": inner}
    row = to_row(from_dict(MeetingDetail, document | {"settings": {"alternative_hosts": text, name: PASSCODE}}))

    assert set() == leaks(json.dumps(row, default=str, ensure_ascii=False))


def test_csv() -> None:
    """Rows can be written as CSV: every row has every column."""
    meetings = [from_dict(Meeting, {"id": 1}), from_dict(Meeting, {"id": 2, "topic": "t", "x": 1})]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(row_types(Meeting)))
    writer.writeheader()
    writer.writerows(map(to_row, meetings))

    file.seek(0)
    assert ["", "t"] == [line["topic"] for line in csv.DictReader(file)]


@pytest.mark.parametrize("value", [Page(), MeetingUpdate(title="t"), [Meeting(id=1)], ("acc", Meeting(id=1)), None])
def test_what_has_no_row(value: object) -> None:
    """What is not one model of the service is refused, and of a page, the message says where its rows are."""
    with pytest.raises(InvalidArgumentError, match=rf"^model: expected .*got <{type(value).__name__}>") as caught:
        to_row(value)

    assert ("page.meetings" in str(caught.value)) == isinstance(value, Page)


@pytest.mark.parametrize("cls", [Page, MeetingUpdate, int, Meeting(id=1), None])
def test_what_has_no_columns(cls: Any) -> None:  # noqa: ANN401  (what type checkers refuse)
    """A class of which there are no rows is refused."""
    with pytest.raises(InvalidArgumentError, match=r"^cls: expected "):
        row_types(cls)
