"""Rows of `to_row` in DataFrames: whatever two listings hold, their frames have the same types and fit together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, details, rows
from pyas_async import DecodeError, Meeting, MeetingDetail, from_dict, row_types, to_row

PANDAS: dict[type, str] = {int: "Int64", str: "str", bool: "boolean", datetime: "datetime64[us, UTC]"}
"""The types of pandas that can have gaps."""


def read(cls: type[Any], documents: list[dict[str, Any]]) -> list[Any]:
    """Make models of the documents that can be read."""
    models = []
    for document in documents:
        try:
            models.append(from_dict(cls, document))
        except DecodeError:
            continue
    return models


def in_polars(cls: type[Any], models: list[Any]) -> pl.DataFrame:
    """Make a frame as the documentation shows."""
    schema: Any = {
        name: pl.Datetime("us", "UTC") if kind is datetime else kind for name, kind in row_types(cls).items()
    }
    return pl.DataFrame(map(to_row, models), schema=schema)


def in_pandas(cls: type[Any], models: list[Any]) -> pd.DataFrame:
    """Make a frame as the documentation shows."""
    types = {name: PANDAS[kind] for name, kind in row_types(cls).items()}
    return pd.DataFrame(map(to_row, models), columns=list(types), dtype="object").astype(types)


batches = st.sampled_from([(Meeting, rows), (MeetingDetail, details)]).flatmap(
    lambda case: st.tuples(st.just(case[0]), st.lists(case[1], max_size=4), st.lists(case[1], max_size=4))
)


@brisk
@given(batches)
def test_two_listings_in_polars(case: tuple[type[Any], list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """The frames of any two listings have one schema, so that they can be put together, and hold each value."""
    cls, *both = case
    first, second = ((models := read(cls, documents), in_polars(cls, models)) for documents in both)

    assert first[1].schema == second[1].schema
    joined = pl.concat([first[1], second[1]])
    assert [to_row(model) for model in (*first[0], *second[0])] == joined.to_dicts()


@brisk
@given(batches)
def test_two_listings_in_pandas(case: tuple[type[Any], list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """So have those in pandas."""
    cls, *both = case
    first, second = ((models := read(cls, documents), in_pandas(cls, models)) for documents in both)

    assert list(first[1].dtypes) == list(second[1].dtypes)
    joined = pd.concat([first[1], second[1]])
    expected = [to_row(model) for model in (*first[0], *second[0])]
    found: list[Any] = joined.astype("object").where(joined.notna(), None).to_dict("records")
    assert expected == [
        {name: cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell for name, cell in row.items()}
        for row in found
    ]


@brisk
@given(batches)
def test_without_a_schema(case: tuple[type[Any], list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """Without a schema, a column has the type of its values or, if it has none, no type: no other one."""
    cls, documents, _ = case
    models, whole = read(cls, documents), in_polars(cls, [])
    frame = pl.DataFrame(map(to_row, models))

    if models:
        assert whole.columns == frame.columns == list(pd.DataFrame(map(to_row, models)).columns)
    for name in frame.columns:
        assert frame.schema[name] in (whole.schema[name], pl.Null)


@pytest.mark.parametrize("gap", [1, 150])
def test_late_values(gap: int) -> None:
    """Values that come after many rows without any are of the column's type as well."""
    late = from_dict(Meeting, {"id": 2, "topic": "t", "start_time": "2026-11-22T12:00:00Z", "duration": 30})
    models = [from_dict(Meeting, {"id": 1})] * gap + [late]
    inferred = pl.DataFrame(map(to_row, models), infer_schema_length=None)

    for frame in (inferred, in_polars(Meeting, models)):
        assert ("t", datetime(2026, 11, 22, 12, 30, tzinfo=UTC)) == (frame["topic"][gap], frame["end_time"][gap])
    expected: list[object] = [pl.String, pl.Datetime("us", "UTC"), pl.Int64]
    assert expected == [inferred.schema[name] for name in ("topic", "end_time", "duration")]
    assert "30" == str(in_pandas(Meeting, models)["duration"].iloc[gap])


def test_sentinel_times() -> None:
    """Times at the edges of the calendar, which the service uses for none, fit as well."""
    starts = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
    models = [from_dict(Meeting, {"id": 1, "start_time": start, "duration": 30}) for start in starts]

    assert [1, 9999, None] == in_polars(Meeting, models)["start_time"].dt.year().to_list()
    assert [1, 9999] == [moment.year for moment in in_pandas(Meeting, models)["start_time"][:2]]
