"""Assertions on the calls made, and the messages of those that fail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import anyio
import pytest

from pyas_async import Attendee, MeetingCreate, MeetingUpdate, NotFoundError
from pyas_async.sandbox import OPERATIONS
from pyas_async.testing import Offline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def pyas() -> Iterator[Offline]:
    """Return a service that has seen each call of the API, and one more."""
    with Offline(meetings=4, max_page_size=2) as made:

        async def use() -> None:
            meetings = made.client.meetings
            new = MeetingCreate(
                type=2,
                title="Stand-up",
                description="",
                start_date=datetime(2026, 1, 6, 9, tzinfo=UTC),
                attendees=[Attendee("ada@example.com")],
            )
            await meetings.iter_all(start_date=date(2020, 1, 31)).collect()
            created = await meetings.create(new)
            await meetings.get(created.uuid or "")
            await meetings.update(created.id or 0, MeetingUpdate(title="Sit-down", waiting_room=False))
            await meetings.delete("81")

        async def rest() -> None:
            await made.client.accounts.oauth_url(state="s")
            await made.client.accounts.connect(code="c", name="n")

        async def all_of_it() -> None:
            with pytest.raises(NotFoundError):
                await use()
            await rest()

        anyio.run(all_of_it)
        yield made


def test_operations(pyas: Offline) -> None:
    """The calls are in order, under the client's names, and include each call of the API."""
    expected = [
        "meetings.list",
        "meetings.list",
        "meetings.create",
        "meetings.get",
        "meetings.update",
        "meetings.delete",
        "accounts.oauth_url",
        "accounts.connect",
    ]
    assert expected == pyas.calls.operations
    assert set(OPERATIONS) == set(expected)


def test_fields(pyas: Offline) -> None:
    """A call is selected by its fields in query, path or body, and by its response."""
    calls, account = pyas.calls, pyas.account_id
    created = pyas.calls.of("meetings.update")[0].path.rpartition("/")[2]

    calls.assert_made("meetings.list", times=2, account_id=account, max_results=300, start_date="01-31-2020")
    calls.assert_made("meetings.create", title="Stand-up", account_id=account, type=2, status=200)
    calls.assert_made("meetings.create", attendees=[{"email": "ada@example.com"}], description="")
    calls.assert_made("meetings.update", times=1, meeting_id=int(created), waiting_room=False)
    calls.assert_made("meetings.delete", meeting_id="81", status=404)
    calls.assert_made("meetings.get", meeting_id=pyas.sandbox.rows(account)[-1]["uuid"])
    calls.assert_made("accounts.connect", code="c", name="n")
    calls.assert_made("accounts.oauth_url", state="s")
    calls.assert_none("meetings.create", title="Sit-down")
    calls.assert_none("meetings.list", status=500)
    calls.assert_none("meetings.list", meeting_id="81")


def test_dates_and_what_is_not_there(pyas: Offline) -> None:
    """A date, or an instant in any zone, matches its sent form; None matches an unsent field."""
    calls, start = pyas.calls, datetime(2026, 1, 6, 4, tzinfo=timezone(timedelta(hours=-5)))

    calls.assert_made("meetings.list", times=2, start_date=date(2020, 1, 31), end_date=None)
    calls.assert_made("meetings.create", start_date=start, recurrence=None)
    calls.assert_made("meetings.list", times=1, next_page_token=None)
    calls.assert_none("meetings.create", start_date=start + timedelta(seconds=1))
    calls.assert_none("meetings.create", start_date=date(2026, 1, 6))
    calls.assert_none("meetings.list", start_date=start)
    calls.assert_none("meetings.update", start_date=start)
    calls.assert_none("meetings.create", title=None)


def test_failing(pyas: Offline) -> None:
    """A failed assertion lists the calls that were seen."""
    with pytest.raises(AssertionError) as caught:
        pyas.calls.assert_made("meetings.create", times=2, title="Stand-up")
    lines = str(caught.value).splitlines()
    assert "expected 2 calls of meetings.create with title='Stand-up', saw 1. Calls seen: 8" == lines[0]
    assert 9 == len(lines)
    assert "  6. DELETE /zoom/meetings/81?accountId=" == lines[6].partition(pyas.account_id)[0]
    assert lines[6].endswith(" -> 404")
    claims: list[tuple[Callable[[], None], str]] = [
        (lambda: pyas.calls.assert_made("meetings.get", meeting_id=1), "at least 1 call of meetings.get with meeting_"),
        (lambda: pyas.calls.assert_made("meetings.list", times=1), "expected 1 call of meetings.list, saw 2"),
        (lambda: pyas.calls.assert_none("meetings.list"), "expected no call of meetings.list. Calls seen: 8"),
        (pyas.calls.assert_none, "expected no call. Calls seen: 8"),
    ]
    for claim, said in claims:
        with pytest.raises(AssertionError, match=said):
            claim()


def test_mistakes(pyas: Offline) -> None:
    """An unknown call or field is an error, not a failed assertion, above all in `assert_none`."""
    with pytest.raises(ValueError, match=r"no call 'meetings\.lits'; there are meetings\.list, "):
        pyas.calls.assert_none("meetings.lits")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no field topic; they carry account_id, "):
        pyas.calls.assert_made("meetings.create", topic="Stand-up")
    values: list[object] = [Attendee("ada@example.com"), [Attendee("ada@example.com")], ({},), {"a": object()}]
    for value in values:
        with pytest.raises(TypeError, match=r"^attendees: calls carry text, .*; got "):
            pyas.calls.assert_none("meetings.create", attendees=value)
    with pytest.raises(ValueError, match=r"^start_date: calls carry aware datetimes; got "):
        pyas.calls.assert_none("meetings.create", start_date=datetime(2026, 1, 6, 9))  # noqa: DTZ001


def test_picking(pyas: Offline) -> None:
    """The calls are a sequence, and a selection does not change later."""
    listed = pyas.calls.of("meetings.list")

    assert (8, 2) == (len(pyas.calls), len(listed))
    assert [pyas.calls[0], pyas.calls[1]] == list(listed)
    assert list(listed[:1]) == [listed[0]]
    listed.assert_made("meetings.list", times=2)
    listed.assert_none("meetings.create")


def test_none_and_many() -> None:
    """No call is shown as none; of very many, the first and the last are shown."""
    with Offline(meetings=0) as pyas:
        assert "Calls seen: none" == str(pyas.calls)

        async def often() -> None:
            for _ in range(50):
                await pyas.client.meetings.list()

        anyio.run(often)

        lines = str(pyas.calls).splitlines()
        assert ("Calls seen: 50", "  ...", 42) == (lines[0], lines[21], len(lines))
        assert [" 20", " 31"] == [lines[20][:5].rstrip(".")[-3:], lines[22][:5].rstrip(".")[-3:]]
