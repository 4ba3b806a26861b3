"""Responses become models: the page's examples, the known envelopes, and fields that are not documented."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from contract.tools import DETAIL, Json, Reply, Service, in_process, listing, sample
from pyas_async import (
    APIStatusError,
    Attendee,
    DecodeError,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingSettings,
    MeetingType,
    MeetingUpdate,
    Page,
    ZoomRecurrence,
    from_dict,
    to_dict,
)

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
STARTS = datetime(2023, 4, 26, 19, 26, 55, tzinfo=UTC)


async def get(document: object) -> MeetingDetail:
    """Get a meeting with this response."""
    async with Service(Reply(200, document)).client() as client:
        return await client.meetings.get("a-uuid==")  # a uuid is not compared with the response


async def get_page(document: object) -> Page:
    """Get a page with this response."""
    async with Service(Reply(200, document)).client() as client:
        return await client.meetings.list()


async def test_list_sample() -> None:
    """The page's list response is read as typed models."""
    page = await get_page(sample("list"))
    [row] = page.meetings
    assert (30, 1) == (page.page_size, page.total_records)
    assert not page.next_page_token
    assert isinstance(row, Meeting)
    assert (3418139842191568, "some-uuid-string", "Test Meeting", 30) == (row.id, row.uuid, row.topic, row.duration)
    assert row.type is MeetingType.SCHEDULED
    assert STARTS == row.start_time
    assert datetime(2023, 4, 26, 12, 26, 57, tzinfo=UTC) == row.created_at
    assert ("some-id-string", "America/Los_Angeles", "This is an example meeting") == (
        row.host_id, row.timezone, row.agenda,
    )  # fmt: skip
    assert row.join_url == "https://us05web.zoom.us/j/81398421915?pwd=Zk9WTzM3SG9Xb1lCZk9MTVFhOU1Fdz09"
    assert not row.extra


async def test_get_sample() -> None:
    """The page's get response is read as typed models, with its settings."""
    detail = await get(sample("get"))
    assert (181328421905, "user@example.com", "", "waiting") == (
        detail.id, detail.host_email, detail.assistant_id, detail.status,
    )  # fmt: skip
    assert STARTS == detail.start_time
    assert ("f0a9n07bk3", "7214044450", "7214044450") == (
        detail.password, detail.h323_password, detail.pstn_password,
    )  # fmt: skip
    assert detail.pre_schedule is False
    assert isinstance(detail.settings, MeetingSettings)
    assert (False, True, 0, 2, "voip") == (
        detail.settings.host_video, detail.settings.waiting_room, detail.settings.jbh_time,
        detail.settings.approval_type, detail.settings.audio,
    )  # fmt: skip
    assert detail.settings.breakout_room is not None
    assert detail.settings.breakout_room.enable is False
    assert detail.settings.approved_or_denied_countries_or_regions is not None
    assert detail.settings.approved_or_denied_countries_or_regions.enable is False
    assert not detail.extra
    assert not detail.settings.extra


async def test_create_sample() -> None:
    """The page's create response is read as a typed model."""
    async with Service(Reply(200, sample("create"))).client() as client:
        made = await client.meetings.create(NEW)
    assert isinstance(made, MeetingDetail)
    assert (2589906727501, datetime(2023, 4, 26, 19, 51, 48, tzinfo=UTC)) == (made.id, made.start_time)


async def test_samples_come_back_unchanged() -> None:
    """`to_dict` returns the document inside each of the page's responses, unchanged."""
    async with Service(Reply(200, sample("create"))).client() as client:
        made = await client.meetings.create(NEW)
    assert sample("list")["data"] == to_dict(await get_page(sample("list")))
    assert sample("get")["meeting"] == to_dict(await get(sample("get")))
    assert sample("create")["data"] == to_dict(made)


@pytest.mark.parametrize("name", ["get", "create"])
async def test_every_field_has_a_name(name: str) -> None:
    """Every field of the page's responses is an attribute of the model, under the page's name."""
    document = sample(name)["meeting" if name == "get" else "data"]
    fields = {field.name for field in attrs.fields(MeetingDetail)}
    settings = {field.name for field in attrs.fields(MeetingSettings)}
    assert (set(), set()) == (set(document) - fields, set(document["settings"]) - settings)


ENVELOPES = [
    pytest.param({"success": True, "meeting": DETAIL}, id="meeting"),
    pytest.param({"meeting": DETAIL}, id="meeting without success"),
    pytest.param({"success": True, "data": DETAIL}, id="data"),
    pytest.param({"success": True, "data": {"meeting": DETAIL}}, id="data.meeting"),
    pytest.param(DETAIL, id="bare"),
    pytest.param({"success": True, **DETAIL}, id="bare with success"),
]


@pytest.mark.parametrize("document", ENVELOPES)
async def test_envelopes(document: Json) -> None:
    """Get, create and update find the meeting in each known envelope."""
    async with Service(Reply(200, document)).client() as client:
        got = await client.meetings.get(81)
        made = await client.meetings.create(NEW)
        changed = await client.meetings.update(81, MeetingUpdate(title="x"))
    assert changed is not None
    assert [(81, "Found")] * 3 == [(meeting.id, meeting.topic) for meeting in (got, made, changed)]
    assert DETAIL == {name: value for name, value in to_dict(got).items() if name != "success"}


async def test_meeting_goes_before_data() -> None:
    """If there are both `meeting` and `data`, `meeting` is used."""
    assert 81 == (await get({"meeting": DETAIL, "data": {"id": 2, "uuid": "other"}})).id


@pytest.mark.parametrize(
    "body",
    [{"success": True}, {}, [], {"data": {}}, {"meeting": None}, "<html>Hello</html>", '{"meeting": {"id"', None],
)
async def test_unreadable_answers(body: object) -> None:
    """A 2xx to a get or a create without a meeting is a decode error with an excerpt; the create is done."""
    async with Service(Reply(200, body)).client() as client:
        with pytest.raises(DecodeError) as got:
            await client.meetings.get(81)
        with pytest.raises(DecodeError) as made:
            await client.meetings.create(NEW)
    assert (None, "done") == (got.value.write_state, made.value.write_state)
    if isinstance(body, str):
        assert body[:10] in got.value.excerpt


@pytest.mark.parametrize("body", ["<html>Hello</html>", '{"data": {"meetings": [', {"data": {"meetings": [7]}}, []])
async def test_unreadable_pages(body: object) -> None:
    """A page that cannot be read is a decode error."""
    with pytest.raises(DecodeError):
        await get_page(body)


async def test_path_of_a_decode_error() -> None:
    """A decode error has the path in the response."""
    rows = [{"id": 1, "uuid": "a"}, {"id": {"no": "number"}, "uuid": "b", "duration": 5}]
    with pytest.raises(DecodeError) as caught:
        await get_page({"success": True, "data": {"meetings": rows}})
    assert caught.value.path == "$.data.meetings[1].id"
    assert len(caught.value.excerpt) <= 500


@pytest.mark.parametrize("value", [None, ...], ids=["null", "missing"])
async def test_absent_fields(value: object) -> None:
    """Any field but id and uuid may be null or missing, and is None then; `to_dict` returns the original document."""
    names = [field.name for field in attrs.fields(Meeting) if field.init and not field.name.startswith("_")]
    absent = [name for name in names if name not in {"id", "uuid"}]
    document: Json = {"id": 1, "uuid": "u"} | ({} if value is ... else dict.fromkeys(absent))
    [row] = (await get_page({"data": {"meetings": [document]}})).meetings
    assert dict.fromkeys(absent) == {name: getattr(row, name) for name in absent}
    assert document == to_dict(row)


@pytest.mark.parametrize("where", ["row", "detail", "settings", "page"])
async def test_unknown_fields(where: str) -> None:
    """Fields that are not documented are kept in `.extra`, and `to_dict` returns them."""
    new = {"a_new_field": {"deep": [1, None, "ä"]}, "other": 1.5}
    if where in {"row", "page"}:
        data = sample("list")["data"]
        (data["meetings"][0] if where == "row" else data).update(new)
        page = await get_page({"success": True, "data": data})
        extra = (page.meetings[0] if where == "row" else page).extra
        assert (data, new) == (to_dict(page), dict(extra))
    else:
        meeting = sample("get")["meeting"]
        (meeting["settings"] if where == "settings" else meeting).update(new)
        detail = await get({"meeting": meeting})
        assert detail.settings is not None
        extra = (detail.settings if where == "settings" else detail).extra
        assert (meeting, new) == (to_dict(detail), dict(extra))


@pytest.mark.parametrize("number", [0, 4, 5, 10, 99, -1])
async def test_type_numbers(number: int) -> None:
    """Any type number is kept, equals its int, and works with repr, pickle, copy and `to_dict`."""
    document = DETAIL | {"type": number}
    detail = await get({"meeting": document})
    assert number == detail.type
    assert isinstance(detail.type, MeetingType)
    assert str(number) in repr(detail.type)
    assert document == to_dict(detail)
    assert [number] * 3 == [pickle.loads(pickle.dumps(detail)).type, copy.deepcopy(detail).type, int(detail.type)]


async def test_odd_values() -> None:
    """Digit strings as ids, unusual and empty times are read, and `to_dict` returns them as they came."""
    document = {
        "id": "3418139842191568", "uuid": "u", "start_time": "", "created_at": "2023-04-26T12:26:57.250Z",
        "duration": 30,
    }  # fmt: skip
    detail = await get({"meeting": document})
    assert (3418139842191568, None) == (detail.id, detail.start_time)
    assert datetime(2023, 4, 26, 12, 26, 57, 250_000, tzinfo=UTC) == detail.created_at
    assert document == to_dict(detail)


async def test_series() -> None:
    """A series has its times in `occurrences`, and its recurrence in Zoom's numbers; tracking fields are read."""
    document = {
        "id": 8, "uuid": "u", "type": 8,
        "occurrences": [
            {"occurrence_id": "1", "start_time": "2026-12-01T10:00:00Z", "duration": 30, "status": "available"},
            {"occurrence_id": "2", "start_time": "2026-12-08T10:00:00Z", "duration": 30, "status": "deleted", "x": 1},
        ],
        "recurrence": {"type": 2, "repeat_interval": 1, "weekly_days": "1,3", "end_date_time": "2027-01-01T00:00:00Z"},
        "tracking_fields": [{"field": "Department", "value": "Büro 7", "visible": True}],
    }  # fmt: skip
    detail = await get({"meeting": document})
    assert detail.start_time is None
    assert ["available", "deleted"] == [occurrence.status for occurrence in detail.occurrences]
    assert datetime(2026, 12, 8, 10, tzinfo=UTC) == detail.occurrences[1].start_time
    assert isinstance(detail.recurrence, ZoomRecurrence)
    assert (2, 1, "1,3") == (detail.recurrence.type, detail.recurrence.repeat_interval, detail.recurrence.weekly_days)
    assert datetime(2027, 1, 1, tzinfo=UTC) == detail.recurrence.end_date_time
    assert ("Department", "Büro 7", True) == attrs.astuple(detail.tracking_fields[0])[-3:]
    assert document == to_dict(detail)


@pytest.mark.parametrize(
    "answer",
    [Reply(204), Reply(200), Reply(202), Reply(200, {"success": True}), Reply(200, {}), Reply(201, {"data": None})],
    ids=["204", "empty", "202", "success", "{}", "null data"],
)
async def test_empty_answers_to_writes(answer: Reply) -> None:
    """Any 2xx to an update or a delete is a success; without a meeting, the result is None."""
    async with Service(answer).client() as client:
        assert await client.meetings.update(81, MeetingUpdate(attendees=[Attendee("a@example.com")])) is None
        deleted: object = await client.meetings.delete(81)  # type: ignore[func-returns-value]
        assert deleted is None


@pytest.mark.parametrize("answer", ["meeting", "success", "empty", "no_content"])
async def test_update_answers(sandbox: Sandbox, answer: Any) -> None:  # noqa: ANN401 - one of the sandbox's words
    """An update returns the meeting if the response has it, else None; it is carried out in both cases."""
    sandbox.update_answer = answer
    row = sandbox.add_meeting(sandbox.account_ids[0])
    async with in_process(sandbox) as client:
        changed = await client.meetings.update(row["id"], MeetingUpdate(title="Changed"))
    assert ("Changed" if answer == "meeting" else None) == (changed and changed.topic)
    assert "Changed" == sandbox.document(sandbox.account_ids[0], row["id"])["topic"]


async def test_success_false_under_200() -> None:
    """A 2xx with ``"success": false`` is an error, also for writes whose response need have no meeting."""
    async with Service(Reply(200, {"success": False, "error": "Nope"})).client() as client:
        for call in (
            client.meetings.get(81),
            client.meetings.list(),
            client.meetings.delete(81),
            client.meetings.update(81, MeetingUpdate(title="x")),
            client.meetings.create(NEW),
        ):
            with pytest.raises(APIStatusError, match="Nope"):
                await call


async def test_changed_fields_show() -> None:
    """After `attrs.evolve`, `to_dict` has the new values of the changed fields, and the others as they came."""
    document = sample("get")["meeting"] | {"new": 1}
    detail = await get({"meeting": document})
    changed = attrs.evolve(detail, topic="Changed", start_time=datetime(2027, 1, 1, tzinfo=UTC))
    out = to_dict(changed)
    assert "Changed" == out["topic"]
    assert datetime(2027, 1, 1, tzinfo=UTC) == datetime.fromisoformat(out["start_time"])
    rest = {"topic", "start_time"}
    assert {k: v for k, v in document.items() if k not in rest} == {k: v for k, v in out.items() if k not in rest}


async def test_secrets_in_repr() -> None:
    """`repr` masks passcodes and links that give access, and shows only the keys of `.extra`."""
    document = sample("get")["meeting"] | {"join_url": "https://x.zoom.us/j/8?pwd=J0inS3cret", "odd": "valu3"}
    shown = repr(await get({"meeting": document}))
    names = ("start_url", "password", "h323_password", "pstn_password", "encrypted_password")
    secrets = [document[name] for name in names] + ["J0inS3cret", "valu3"]
    assert [] == [secret for secret in secrets if secret in shown]
    assert "odd" in shown


def test_from_dict_is_the_reverse() -> None:
    """`from_dict` reads a document in the same way as a response."""
    document = sample("get")["meeting"]
    assert document == to_dict(from_dict(MeetingDetail, document))


def test_models_are_frozen() -> None:
    """Models cannot be changed, and take no other attributes."""
    row = from_dict(Meeting, {"id": 1, "uuid": "u"})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        row.topic = "x"  # type: ignore[misc]
    assert not hasattr(row, "__dict__")


async def test_utf8() -> None:
    """Text in every script is read unchanged."""
    [row] = (await get_page(listing([{"id": 1, "uuid": "u", "topic": "日次 🚀 Übung"}]).body)).meetings
    assert "日次 🚀 Übung" == row.topic
