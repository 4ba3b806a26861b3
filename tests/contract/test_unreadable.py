"""What the service writes wrongly costs itself alone: a value its field, a row without an identity that row."""

from __future__ import annotations

import logging
import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.tools import ACCOUNT, DETAIL, KEY, Reply, Service, listing, over, rows_of
from core.strategies import brisk
from core.tools import NOON
from pyas_async import (
    Checkpoint,
    DecodeError,
    FieldsUnreadable,
    InvalidArgumentError,
    MeetingCreate,
    MeetingIterator,
    MeetingUpdate,
    PaginationError,
    RowsSkipped,
    to_dict,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyas_async import Event, PyasClient

Json = dict[str, Any]
CELLS: list[tuple[str, Any]] = [
    ("duration", 1.5), ("duration", 30.5), ("duration", "abc"), ("duration", True), ("duration", []),
    ("start_time", "garbage"), ("start_time", "Invalid date"), ("start_time", 1700000000000),
    ("created_at", "x"), ("type", "x"), ("topic", {}), ("topic", []), ("agenda", False), ("agenda", []), ("uuid", {}),
    ("settings", []), ("occurrences", [None]),
]  # fmt: skip
ROWS: list[Any] = [None, 5, "row", [], {}, {"uuid": "u"}, {"id": "one"}, {"id": 1.5, "topic": "t"}]
"""Rows without an identity."""
each_cell = pytest.mark.parametrize(("field", "value"), CELLS, ids=repr)


class Pages:
    """A service that lists rows page by page. Its tokens can be made to expire."""

    def __init__(self, rows: list[Any], size: int) -> None:
        self.rows, self.size = rows, size
        self.expired: set[str] = set()
        self.issued = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request for a page."""
        token = request.url.params.get("nextPageToken", "")
        if token in self.expired:
            return httpx.Response(400, json={"code": 300, "message": "The next page token is invalid or expired."})
        begin = int(token.rpartition("-")[2] or 0)
        end = begin + self.size
        self.issued += 1
        data: Json = {"meetings": self.rows[begin:end], "total_records": len(self.rows)}
        if end < len(self.rows):
            data["next_page_token"] = f"token{self.issued}-{end}"
        return httpx.Response(200, json={"success": True, "data": data})

    def expire(self) -> None:
        """Make all tokens that were handed out expire."""
        self.expired = {f"token{n}-{end}" for n in range(self.issued + 1) for end in range(len(self.rows) + 1)}

    @asynccontextmanager
    async def client(self) -> AsyncIterator[PyasClient]:
        """Open a client of the service."""
        async with over(httpx.MockTransport(self.answer)) as client:
            yield client


@pytest.mark.anyio
@each_cell
async def test_calls(field: str, value: object) -> None:
    """An unreadable value ends no list, get, create or update; it is told once a call, and stands in `unreadable`."""
    told: list[Event] = []
    document = {**DETAIL, field: value}
    answers = [listing([document]), *([Reply(200, {"success": True, "data": document})] * 3)]
    service = Service(*answers)
    async with over(httpx.MockTransport(service.answer), on_event=told.append) as client:
        page = await client.meetings.list()
        got = await client.meetings.get(81)
        made = await client.meetings.create(MeetingCreate("t", NOON))
        updated = await client.meetings.update(81, MeetingUpdate(title="t"))

    assert updated is not None
    for meeting in (got, made, updated):
        assert {field: value} == meeting.unreadable
        assert document == to_dict(meeting)
    if field not in ("settings", "occurrences"):
        assert {field: value} == page.meetings[0].unreadable
    assert 4 - (field in ("settings", "occurrences")) == sum(isinstance(event, FieldsUnreadable) for event in told)


@pytest.mark.anyio
async def test_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """One line a call names the fields and how often each could not be read; no value is shown."""
    rows = [row | {"duration": "hush-5ecret"} for row in rows_of(1, 2, 3)]
    service = Service(listing([*rows, {"id": 4, "topic": []}], page_size=[]))
    with caplog.at_level(logging.WARNING, "pyas_async"):
        async with service.client() as client:
            assert 4 == len(await client.meetings.iter_all(verify_total="off").collect())

    (record,) = [record for record in caplog.records if getattr(record, "pyas_event", "") == "FieldsUnreadable"]
    assert "Meeting.duration (3 times), Meeting.topic, Page.page_size" in record.getMessage()
    assert "hush" not in record.getMessage()


@pytest.mark.anyio
@pytest.mark.parametrize("row", ROWS, ids=repr)
async def test_a_row_without_identity(row: object) -> None:
    """The rows before it come first, then an error; the next step goes on behind it. ``"skip"`` leaves it out."""
    service = Pages([*rows_of(1), row, *rows_of(2, 3)], size=300)
    async with service.client() as client:
        meetings, ids, errors = client.meetings.iter_all(), [], []
        while True:
            try:
                ids.append((await anext(meetings)).id)
            except DecodeError as error:
                errors.append((len(ids), error))
            except StopAsyncIteration:
                break
        assert [1, 2, 3] == ids
        ((before, raised),) = errors
        assert (1, "$.data.meetings[1]") == (before, raised.path[:18])
        assert isinstance(raised.checkpoint, Checkpoint)
        assert 1 == raised.checkpoint.items
        assert (3, 1, 0) == (meetings.stats.items, meetings.stats.unreadable, meetings.stats.missing)

        skipping = client.meetings.iter_all(on_unreadable="skip", verify_total="raise")
        assert [1, 2, 3] == [meeting.id for meeting in await skipping.collect()]
        assert (3, 1, 0) == (skipping.stats.items, skipping.stats.unreadable, skipping.stats.missing)

        with pytest.raises(DecodeError) as caught:
            await client.meetings.list()
        assert (raised.path, raised.reason, None) == (caught.value.path, caught.value.reason, caught.value.checkpoint)
        page = await client.meetings.list(on_unreadable="skip")
        assert [1, 2, 3] == [meeting.id for meeting in page]
        assert service.rows == to_dict(page)["meetings"] == page.unreadable["meetings"]


@pytest.mark.anyio
async def test_equal_rows_without_identity() -> None:
    """Equal rows without an identity are several rows, also where a walk begins anew."""
    service = Pages([None, *rows_of(1), None, None, *rows_of(2), None], size=2)
    async with service.client() as client:
        skipping = client.meetings.iter_all(on_unreadable="skip", verify_total="repair")
        ids = []
        async for meeting in skipping:
            ids.append(meeting.id)
            service.expire()
        assert ([1, 2], 4, 0) == (ids, skipping.stats.unreadable, skipping.stats.missing)
        assert skipping.stats.restarts


@pytest.mark.anyio
async def test_pages_and_collect() -> None:
    """`pages` divides a page at a row that raises, not where rows are skipped; `collect` and `first` raise as well."""
    service = Pages([*rows_of(1, 2), None, *rows_of(3), {}, *rows_of(4)], size=5)
    async with service.client() as client:
        pages, found = client.meetings.iter_all().pages(), []
        for _ in range(5):
            try:
                found.append([meeting.id for meeting in await anext(pages)])
            except DecodeError:
                found.append([])
        assert [[1, 2], [], [3], [], [4]] == found

        skipping = client.meetings.iter_all(on_unreadable="skip").pages()
        assert [[1, 2, 3], [4]] == [[meeting.id for meeting in page] async for page in skipping]
        with pytest.raises(DecodeError) as caught:
            await client.meetings.iter_all().collect()
        rest = client.meetings.iter_all(resume=caught.value.checkpoint)
        assert 3 == (await anext(rest)).id
        service.rows.insert(0, "odd")
        with pytest.raises(DecodeError):
            await client.meetings.iter_all().first()


async def take(meetings: MeetingIterator, into: list[Any], *, most: int) -> DecodeError | None:
    """Take at most this many rows; return the error of an unreadable row, if one comes before."""
    try:
        for _ in range(most):
            into += [(await anext(meetings)).id]
    except DecodeError as error:
        return error
    except StopAsyncIteration:
        into.append("end")
    return None


rows = st.lists(st.booleans(), max_size=14).map(
    lambda odd: [{"topic": f"odd {n}"} if is_odd else rows_of(n)[0] for n, is_odd in enumerate(odd)]
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@brisk
@given(rows, st.integers(1, 5), st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), max_size=6))
def test_broken_off_anywhere(backend: str, rows: list[Json], size: int, steps: list[tuple[int, bool, bool]]) -> None:
    """Broken off and resumed anywhere, with live and dead tokens: each row is yielded, or raised, once and in order."""
    service = Pages(rows, size)
    done: list[Any] = []

    async def step(resume: str | None, most: int, *, prefetch: bool) -> str:
        async with service.client() as client:
            meetings = client.meetings.iter_all(account_id=ACCOUNT, resume=resume, verify_total="off")
            if prefetch:
                async with meetings:
                    error = await take(meetings, done, most=most)
                    checkpoint = meetings.checkpoint()
            else:
                error = await take(meetings, done, most=most)
                checkpoint = meetings.checkpoint()
            if error is not None:
                done.append(error.path.partition("]")[0].rpartition("[")[2])
                assert str(error.checkpoint) == str(checkpoint) == str(pickle.loads(pickle.dumps(error)).checkpoint)
            return str(checkpoint)

    async def run() -> None:
        resume = None
        for most, prefetch, expire in steps:
            if "end" not in done:
                resume = await step(resume, most, prefetch=prefetch)
            if expire:
                service.expire()
        while "end" not in done:
            resume = await step(resume, 100, prefetch=False)

    anyio.run(run, backend=backend)
    expected = [row["id"] if "id" in row else str(n % size) for n, row in enumerate(rows)]
    assert [*expected, "end"] == done


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@brisk
@given(rows, st.integers(1, 5), st.none() | st.integers(1, 6), st.integers(0, 14))
def test_skipping(backend: str, rows: list[Json], size: int, most: int | None, taken: int) -> None:
    """With ``"skip"``, the meetings are yielded in order; what was passed is counted, and is passed when resumed."""
    service = Pages(rows, size)
    good = [row["id"] for row in rows if "id" in row]
    wanted = good[:most]

    async def run() -> None:
        async with service.client() as client:
            meetings = client.meetings.iter_all(on_unreadable="skip", max_items=most)
            first: list[Any] = []
            await take(meetings, first, most=taken)
            stats, resume = meetings.stats, str(meetings.checkpoint())
            first = [number for number in first if number != "end"]
            assert (wanted[:taken], len(first)) == (first, stats.items)
            passed = [row for row in rows if row.get("id") not in good[len(first) :]]
            assert 0 <= stats.unreadable <= sum("id" not in row for row in passed)
            rest = client.meetings.iter_all(on_unreadable="skip", resume=resume)
            assert good[len(first) :] == [meeting.id for meeting in await rest.collect()]
            assert len(rows) - len(good) == rest.stats.unreadable + stats.unreadable

    anyio.run(run, backend=backend)


@pytest.mark.anyio
async def test_many_accounts() -> None:
    """A row without an identity fails the listing of its account there; resumed, the listing goes on behind the row."""
    service = Pages([*rows_of(1), None, *rows_of(2)], size=300)
    async with service.client() as client:
        async with client.meetings.iter_accounts(["a", "b"]) as pairs:
            first = [(account, meeting.id) async for account, meeting in pairs]
        assert {("a", 1), ("b", 1)} == set(first)
        assert {"a", "b"} == set(pairs.failures)
        assert all(isinstance(error, DecodeError) for error in pairs.failures.values())
        async with client.meetings.iter_accounts(["a", "b"], resume=str(pairs.checkpoint())) as rest:
            assert {("a", 2), ("b", 2)} == {(account, meeting.id) async for account, meeting in rest}
        async with client.meetings.iter_accounts(["a", "b"], on_unreadable="skip") as skipping:
            assert 4 == len([pair async for pair in skipping])
        assert ({}, 2, 0) == (skipping.failures, skipping.stats.unreadable, skipping.stats.missing)


@pytest.mark.anyio
async def test_skipped_rows_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """Skipped rows are told and logged once a page, with the place and the reason of the first."""
    told: list[Event] = []
    page: list[Any] = [None, *rows_of(1), {"id": "hush"}, *rows_of(2)]
    service = Service(listing(page, total_records=4))
    with caplog.at_level(logging.WARNING, "pyas_async"):
        async with over(httpx.MockTransport(service.answer), on_event=told.append) as client:
            await client.meetings.iter_all(on_unreadable="skip").collect()
            await client.meetings.list(on_unreadable="skip")

    one, single = [event for event in told if isinstance(event, RowsSkipped)]
    assert (2, "$.data.meetings[0]", "expected an object, got null") == (one.rows, one.path, one.reason)
    assert (True, None) == (bool(one.job), single.job)
    assert 2 == sum("skipped 2 rows" in record.getMessage() for record in caplog.records)


@pytest.mark.anyio
@pytest.mark.parametrize("token", [True, 1.5, ["t"], {"t": 1}], ids=repr)
async def test_a_token_that_cannot_be_read(token: object) -> None:
    """The rows of the page come first; then an error says that the rest cannot be reached."""
    service = Service(listing(rows_of(1, 2), "a"), listing(rows_of(3), token))  # type: ignore[arg-type]
    async with service.client() as client:
        meetings = client.meetings.iter_all()
        assert [1, 2, 3] == [(await anext(meetings)).id for _ in range(3)]
        with pytest.raises(PaginationError, match="not text"):
            await anext(meetings)
        assert not meetings.checkpoint().done
        assert 1 == len(await client.meetings.iter_all(max_items=1).collect())


@pytest.mark.anyio
async def test_tokens_beside_the_data() -> None:
    """A token beside `data`, and one in camel case, lead to the next page."""
    script = [
        Reply(200, {"success": True, "data": {"meetings": rows_of(1)}, "nextPageToken": "a"}),
        Reply(200, {"success": True, "data": {"meetings": rows_of(2), "nextPageToken": "b"}}),
        Reply(200, {"success": True, "data": {"meetings": rows_of(3)}, "next_page_token": "c"}),
        Reply(200, {"success": True, "data": []}),
    ]
    service = Service(*script)
    async with service.client() as client:
        assert [1, 2, 3] == [meeting.id async for meeting in client.meetings.iter_all()]
    assert [None, "a", "b", "c"] == [request.url.params.get("nextPageToken") for request in service.requests]


@pytest.mark.anyio
async def test_the_error_of_a_row_shows_no_secret() -> None:
    """What the call sent is masked in the excerpt of a row, as in every other text."""
    odd = {"topic": f"{KEY} and the-page-token", "password": "hush-5ecret", "x": "opaque-header-value"}
    service = Service(listing(rows_of(1), "the-page-token"), listing([odd]))
    async with service.client() as client:
        meetings = client.with_options(headers={"x-trace": "opaque-header-value"}).meetings.iter_all()
        await anext(meetings)
        with pytest.raises(DecodeError) as caught:
            await anext(meetings)
    shown = str(caught.value) + caught.value.excerpt
    assert "topic" in shown
    assert not [secret for secret in (KEY, "the-page-token", "hush", "opaque") if secret in shown]


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["ignore", None, True])
async def test_refused(value: Any) -> None:  # noqa: ANN401  (what type checkers refuse)
    """Any other value of `on_unreadable` is refused before anything is sent."""
    service = Service()
    async with service.client() as client:
        with pytest.raises(InvalidArgumentError, match="on_unreadable"):
            client.meetings.iter_all(on_unreadable=value)
        with pytest.raises(InvalidArgumentError, match="on_unreadable"):
            client.meetings.iter_accounts(["a"], on_unreadable=value)
        with pytest.raises(InvalidArgumentError, match="on_unreadable"):
            await client.meetings.list(on_unreadable=value)
    assert [] == service.requests
