"""What the properties of this folder draw from: documents as the service, and Zoom behind it, may write them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

brisk = settings(max_examples=50, deadline=None)
"""For properties; without a deadline for one example, which a busy machine may miss."""

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abxyé_", max_size=6), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value."""

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)
"""Text that is not blank."""

dates = st.sampled_from(
    [
        "2026-11-22T08:11:36Z",
        "2026-11-22T08:11:36.123Z",
        "2026-11-22T08:11:36.123456789Z",
        "2026-11-22T08:11:36+05:30",
        "2026-11-22T08:11:36-0800",
        "2026-11-22 08:11:36Z",
        "2026-11-22T08:11Z",
        "2026-11-22T08:11:36",
        " 2026-11-22T08:11:36Z ",
        "2026-11-22",
        "20261122T081136Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-10-25T02:30:00",
        "",
        "soon",
    ]
)
"""Dates in usual and odd forms; the last one is none."""
_numbers = st.integers(-5, 2**63) | st.integers(0, 10**12).map(str) | st.sampled_from([3.0, " 12 ", "-7", "", None])
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.none() | st.integers(0, 99)
_types = st.sampled_from([1, 2, 3, 4, 8, 10, 77, -1, 2**40, "2", "99", "", None, 2.0])
_zones = st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Mars/Olympus", "", None, "../..", "UTC"])
_unknown = st.dictionaries(st.sampled_from(["pmi", "new_field", "é", "success"]), json_values, max_size=2)


def _with_unknown(known: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    return unknown | known


rows = st.builds(
    _with_unknown,
    st.fixed_dictionaries(
        {"id": st.integers(1, 2**63) | st.integers(1, 2**63).map(str)},
        optional={
            "uuid": _texts,
            "host_id": _texts,
            "topic": _texts,
            "type": _types,
            "start_time": dates | st.none(),
            "duration": _numbers,
            "timezone": _zones,
            "agenda": _texts,
            "created_at": dates | st.none(),
            "join_url": _texts,
        },
    ),
    _unknown,
)
"""Rows of a listing, most of which can be read."""

_flags = st.sampled_from([True, False, None, 0, 1, "true", "FALSE", ""])
_settings = st.builds(
    _with_unknown,
    st.fixed_dictionaries(
        {},
        optional={
            "host_video": _flags,
            "jbh_time": _numbers,
            "audio": _texts,
            "breakout_room": st.none() | st.fixed_dictionaries({}, optional={"enable": _flags, "rooms": json_values}),
        },
    ),
    _unknown,
)
_occurrences = st.lists(
    st.fixed_dictionaries({}, optional={"occurrence_id": _texts, "start_time": dates, "seats": json_values}), max_size=2
)
details = st.builds(
    _with_unknown,
    st.fixed_dictionaries(
        {"id": st.integers(1, 2**63)},
        optional={
            "uuid": _texts,
            "start_time": dates | st.none(),
            "timezone": _zones,
            "password": _texts,
            "settings": _settings | st.none() | st.just(""),
            "occurrences": _occurrences | st.none(),
            "recurrence": st.none() | st.fixed_dictionaries({}, optional={"type": _numbers, "end_date_time": dates}),
            "tracking_fields": st.none()
            | st.lists(st.fixed_dictionaries({}, optional={"field": _texts, "visible": _flags}), max_size=2),
        },
    ),
    _unknown,
)
"""Meetings in full, most of which can be read."""

pages = st.fixed_dictionaries(
    {"meetings": st.lists(rows, max_size=3)},
    optional={
        "next_page_token": st.sampled_from(["", None, "tok", 5]),
        "page_size": _numbers,
        "total_records": _numbers,
        "from": json_values,
    },
)
"""What a list call answers under ``data``."""


def encode(document: object) -> bytes:
    """Write a document as the service does."""
    return json.dumps(document, ensure_ascii=False).encode()


def page_of(*rows: dict[str, Any], token: str = "", **more: object) -> bytes:
    """Write the answer to a list call."""
    return encode({"success": True, "data": {"meetings": list(rows), "next_page_token": token, **more}})
