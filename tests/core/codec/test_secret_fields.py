"""``to_dict(…, secrets=False)``: what may be shown to participants, however the service nests and names its secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, encode, json_values, page_of, rows
from pyas_async import (
    BreakoutRoom,
    ConnectedAccount,
    CountriesOrRegions,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    Occurrence,
    Page,
    TrackingField,
    ZoomRecurrence,
    from_dict,
    to_dict,
)
from pyas_async._core.codec import read_detail, read_page
from pyas_async._core.codec.secret_fields import is_secret_name, text_without_secrets
from secrecy.planted import PASSCODE, leaks

SECRET_NAMES = [
    "start_url",
    "startUrl",
    "password",
    "h323_password",
    "pstn_password",
    "encrypted_password",
    "encrypted_passcode",
    "h323Passcode",
    "meeting_password",
    "host_key",
    "dynamic_host_key",
    "participant_pin_code",
    "download_access_token",
    "recording-play-passcode",
    "zak",
    "api_key",
    "Authorization",
]
LINK = f"https://zoom.example/j/1?a=1&pwd={PASSCODE}&b=2"
TEXTS = [
    LINK,
    f"https://zoom.example/register?tk={PASSCODE}",
    f"Join here: {LINK}\nMeeting ID: 813 9842 1915\nPasscode: {PASSCODE}",
    f"<a href='https://zoom.example/login?next=%2Fj%2F1%3Fpwd%3D{PASSCODE}'>join</a>",
    f'{{"password": "{PASSCODE}"}}',
    f"Kenncode: {PASSCODE}",
    f"Host Key = {PASSCODE}",
    f"パスコード\uff1a{PASSCODE}",
]
planted = st.recursive(
    st.dictionaries(st.sampled_from(SECRET_NAMES), st.just(PASSCODE) | st.just([{"value": PASSCODE}]), max_size=2)
    | st.sampled_from(TEXTS)
    | json_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abx_", min_size=1, max_size=6), inner),
    max_leaves=8,
)
"""JSON values with passcodes at any depth, in fields and in text."""
MODELS: list[type[Any]] = [
    Meeting,
    MeetingDetail,
    MeetingSettings,
    BreakoutRoom,
    CountriesOrRegions,
    Occurrence,
    TrackingField,
    ZoomRecurrence,
    ConnectedAccount,
    Page,
]


@brisk
@given(planted, planted, planted, st.sampled_from(SECRET_NAMES), st.sampled_from(TEXTS))
def test_no_secret_is_left(inside: object, nested: object, unknown: object, name: str, text: str) -> None:
    """No secret is left at any depth: in fields with and without a name here, in nested models, in links and texts."""
    detail = {
        "id": 1,
        "join_url": LINK,
        "agenda": text,
        "settings": {"x": inside, "breakout_room": {"rooms": nested}},
        "occurrences": [{"occurrence_id": "1", "start_url": PASSCODE, "x": inside}],
        "tracking_fields": [{"field": "f", "value": text}],
        name: PASSCODE,
        "unknown": unknown,
    }
    row = {"id": 1, "topic": text, name: PASSCODE, "x": unknown}
    models = [
        read_detail(encode({"meeting": detail})),
        from_dict(MeetingDetail, detail),
        read_page(page_of(row, x=unknown)),
        from_dict(ConnectedAccount, {"accountId": "acc", "name": text, "x": unknown, name: PASSCODE}),
    ]
    for model in models:
        assert set() == leaks(json.dumps(to_dict(model, secrets=False), ensure_ascii=False))


@brisk
@given(rows)
def test_all_else_stays(row: dict[str, Any]) -> None:
    """A document without secrets is the same with and without them, the text of dates and odd values included."""
    usual = {"id": 1, "type": 2, "start_time": "2026-11-22 08:00Z", "duration": "3", "created_at": None}
    page = read_page(page_of(row | usual))

    assert to_dict(page) == to_dict(page, secrets=False)


@pytest.mark.parametrize("name", SECRET_NAMES)
@pytest.mark.parametrize("value", ["x", 778899, None, ["x"], {"value": "x"}])
def test_secret_fields_are_left_out(name: str, value: object) -> None:
    """A field with the name of a secret is left out, whatever its value; a flag of that name is kept."""
    made = from_dict(MeetingSettings, {"audio": "both", "x": {name: value}, f"{name}_required": True})

    assert {"audio": "both", "x": {}, f"{name}_required": True} == to_dict(made, secrets=False)


def test_named_secrets_are_those_of_the_models() -> None:
    """The fields of the models that ``repr`` masks are secrets by their names, and no others are."""
    page_tokens = {"next_page_token"}
    declared = {field.name for model in MODELS for field in attrs.fields(model) if field.metadata.get("secret")}

    assert {"password", "start_url"} < declared
    named = {field.name for model in MODELS for field in attrs.fields(model) if is_secret_name(field.name)}
    assert declared - page_tokens == named


def test_changed_fields() -> None:
    """A secret that was set since is left out, and other changed fields are written."""
    detail = attrs.evolve(from_dict(MeetingDetail, {"id": 1}), password=PASSCODE, topic=f"Passcode: {PASSCODE}")

    assert {"id": 1, "topic": "Passcode: ***"} == to_dict(detail, secrets=False)


def test_page_token_stays() -> None:
    """The page token stays, since a page in a browser needs it, and it opens nothing without the key."""
    page = read_page(page_of({"id": 1, "join_url": LINK}, token="tok"))
    document = to_dict(page, secrets=False)

    assert "tok" == document["next_page_token"]
    assert "https://zoom.example/j/1?a=1&b=2" == document["meetings"][0]["join_url"]


def test_requests() -> None:
    """A request has no secret fields; passcodes in its texts are masked."""
    start = datetime(2031, 6, 3, 9, tzinfo=UTC)
    new = MeetingCreate(type=2, title="Review", description=f"Passcode: {PASSCODE}", start_date=start)

    assert to_dict(new) | {"description": "Passcode: ***"} == to_dict(new, secrets=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://z.example/j/1?pwd=abcd", "https://z.example/j/1"),
        ("https://z.example/j/1?pwd=abcd&b=2", "https://z.example/j/1?b=2"),
        ("https://z.example/j/1?a=1&pwd=abcd", "https://z.example/j/1?a=1"),
        ("https://z.example/j/1?pwd=abcd&tk=efgh&b=2#top", "https://z.example/j/1?b=2#top"),
        ("https://z.example/j/1?pwd=abcd#top", "https://z.example/j/1#top"),
        ("https://z.example/j/1?omn=1", "https://z.example/j/1?omn=1"),
        ("+16699006833,,81398421915#,,,,*778899# US", "+16699006833,,81398421915#,,,,****# US"),
        ("+16699006833,,81398421915#,,#,778899# US", "+16699006833,,81398421915#,,#,***# US"),
        ("81398421915.778899@zoomcrc.com", "81398421915.***@zoomcrc.com"),
        ("Passcode: 778899, at 9:00", "Passcode: ***, at 9:00"),
        ("密码: 778899", "密码: ***"),
        ("The passcode is with the host, room 1:1", "The passcode is with the host, room 1:1"),
        (r"C:\temp\/x, \u0041", r"C:\temp\/x, \u0041"),
        ("ada@example.com, 30 %", "ada@example.com, 30 %"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    """Passwords are cut out of links, and passcodes masked in invitations; other text stays as it is."""
    assert expected == text_without_secrets(text)
