"""Models as fields of pydantic: what is written of them, and what is not."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from core.codec.test_documents import accepted, models_and_documents
from core.codec.test_secret_fields import LINK, SECRET_NAMES, TEXTS, planted
from core.strategies import brisk, page_of
from pyas_async import Meeting, MeetingCreate, MeetingDetail, MeetingUpdate, Page, from_dict, to_dict
from pyas_async._core.codec import read_page
from secrecy.planted import PASSCODE, leaks

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Holder(BaseModel):
    """A model of pydantic with fields of ours."""

    detail: MeetingDetail
    page: Page


@brisk
@given(models_and_documents)
def test_what_is_written(case: tuple[type[Any], dict[str, Any]]) -> None:
    """A model is written as ``to_dict(…, secrets=False)`` writes it, odd values included, and without a warning."""
    cls, document = case
    model = accepted(cls, document)
    adapter: TypeAdapter[Any] = TypeAdapter(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written = adapter.dump_json(model)

    assert to_dict(model, secrets=False) == json.loads(written) == adapter.dump_python(model)
    assert to_dict(model) == adapter.dump_python(model, context={"secrets": True})
    assert to_dict(model, secrets=False) == to_dict(adapter.validate_json(written))


@pytest.mark.parametrize(
    "odd",
    [
        {"settings": []},
        {"settings": {"breakout_room": 5, "jbh_time": "5"}},
        {"occurrences": {}},
        {"occurrences": [5, {"duration": "x"}]},
        {"recurrence": "weekly"},
        {"start_time": 5, "duration": 30.5, "topic": {}, "type": "two"},
        {"tracking_fields": None, "settings": None},
    ],
)
def test_odd_documents(odd: dict[str, Any]) -> None:
    """A document with values of other types than documented is written as it came, without a warning."""
    adapter, document = TypeAdapter(MeetingDetail), {"id": 1, **odd}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert document == adapter.dump_python(adapter.validate_python(document))


@brisk
@given(planted, st.sampled_from(SECRET_NAMES), st.sampled_from(TEXTS))
def test_no_secrets(unknown: object, name: str, text: str) -> None:
    """No secret is written by default, at whichever depth of a container, of a model or of its unknown fields."""
    document = {
        "id": 1,
        "join_url": LINK,
        "agenda": text,
        name: PASSCODE,
        "settings": {"x": unknown, name: PASSCODE},
        "occurrences": [{name: PASSCODE, "x": unknown}],
        "y": unknown,
    }
    page = read_page(page_of({"id": 1, "topic": text, name: PASSCODE, "x": unknown}, x=unknown))
    holder = Holder(detail=from_dict(MeetingDetail, document), page=page)

    assert set() == leaks(holder.model_dump_json())
    assert set() == leaks(json.dumps(holder.model_dump(), ensure_ascii=False))
    assert leaks(holder.model_dump_json(context={"secrets": True}))
    assert set() == leaks(json.dumps(TypeAdapter(MeetingDetail).dump_python(document), ensure_ascii=False))  # type: ignore[arg-type]


def test_options() -> None:
    """The options of a serialization hold inside of a model as well."""
    model = from_dict(
        MeetingDetail,
        {"id": 1, "topic": None, "settings": {"audio": None, "jbh_time": 5}, "occurrences": [{"status": None}]},
    )
    adapter = TypeAdapter(MeetingDetail)

    assert {"id": 1, "settings": {"jbh_time": 5}, "occurrences": [{}]} == adapter.dump_python(model, exclude_none=True)
    assert {"id": 1, "topic": None} == adapter.dump_python(model, include={"id", "topic"})
    assert {"id": 1, "settings": {"audio": None}} == adapter.dump_python(
        model, exclude={"topic": True, "occurrences": True, "settings": {"jbh_time"}}
    )


def test_requests() -> None:
    """A request is written as it would be sent, whole: its texts are for the invited."""
    new = MeetingCreate(type=2, title="t", description=f"Passcode: {PASSCODE}", start_date=NOON)
    changes = MeetingUpdate(time_zone=None, title="t")

    assert to_dict(new) == TypeAdapter(MeetingCreate).dump_python(new)
    assert {"title": "t", "timeZone": None} == TypeAdapter(MeetingUpdate).dump_python(changes)


def test_what_is_no_model() -> None:
    """What is not a model is written with pydantic's own warning, as with its own models."""
    with pytest.warns(UserWarning, match="expected a Meeting, got a int"):
        assert 5 == TypeAdapter(Meeting).dump_python(5)  # type: ignore[arg-type]
