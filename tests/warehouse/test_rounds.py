"""Rounds over accounts into DuckDB: loading, refreshing, failures and bounds."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pyas_async import (
    CheckpointError,
    InvalidArgumentError,
    Meeting,
    MeetingUpdate,
    NotFoundError,
    PyasClient,
    from_dict,
    to_dict,
)
from pyas_async.integrations.dlt import _reader, _source, load_meetings
from pyas_async.sandbox import Sandbox
from warehouse.worker import ask, load, pipeline_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CURRENT = "SELECT count(*) FROM meetings AS m JOIN accounts AS a USING (account_id) WHERE m.round >= a.round"


@pytest.fixture
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve three accounts with 60 meetings each."""
    with Sandbox(accounts=3, meetings=60) as sandbox, sandbox.serve() as url:
        yield sandbox, url


def test_refresh(tmp_path: Path, served: tuple[Sandbox, str]) -> None:
    """The next round updates rows, adds none twice, and shows which are gone; failed accounts are reported."""
    sandbox, url = served
    first, second, third = sandbox.account_ids
    ids = [first, "unknown", second, third]
    loaded = load(tmp_path, url, ids, slice_calls=100)
    assert (1, 180, 3, 1) == (loaded.round, loaded.rows, loaded.accounts, loaded.slices)
    assert {"unknown": NotFoundError} == {account_id: type(error) for account_id, error in loaded.failures.items()}
    assert len(sandbox.requests) == loaded.calls
    assert [("unknown", 1, "NotFoundError")] == ask(tmp_path, "SELECT account_id, round, error FROM failures")

    gone, changed = sandbox.rows(first)[0], sandbox.rows(second)[0]
    sandbox.remove_row(first, 0)

    async def change() -> None:
        async with PyasClient(sandbox.api_key, base_url=url, account_id=second) as client:
            await client.meetings.update(changed["id"], MeetingUpdate(title="changed"))

    asyncio.run(change())
    sandbox.add_meeting(third)

    def again() -> Iterator[str]:
        yield from ids

    loaded = load(tmp_path, url, again(), slice_calls=100)
    assert (2, 180) == (loaded.round, loaded.rows)
    assert [(181, 181)] == ask(tmp_path, "SELECT count(*), count(DISTINCT row_key) FROM meetings")
    assert [(180,)] == ask(tmp_path, CURRENT)
    assert [(1,)] == ask(tmp_path, f"SELECT round FROM meetings WHERE id = {gone['id']}")  # noqa: S608  (a number)
    assert [(changed["id"],)] == ask(tmp_path, "SELECT id FROM meetings WHERE topic = 'changed'")


def test_nothing_is_lost_of_a_row(tmp_path: Path) -> None:
    """Unknown fields, odd characters and huge numbers are kept in the document, and in columns as far as possible."""
    row: dict[str, Any] = {
        "id": 2**64,
        "uuid": "odd",
        "topic": "nul \0, a private \uf026 and \U0001f600",
        "start_time": "2026-02-03T04:05:06Z",
        "brand_new": {"deep": [1.0, {"er": None}]},
    }
    meeting = from_dict(Meeting, row)
    slice_ = _reader.Slice(
        pairs=[("acc", meeting)], listed=[], failures={}, checkpoint=None, calls=1, last=True, error=None
    )
    pipeline_in(tmp_path).run(_source.source_of(lambda: _source.items(slice_, 1)))
    [(number, topic, start, text)] = ask(tmp_path, "SELECT id, topic, start_time, document FROM meetings")
    assert (None, "nul \ufffd, a private \uf026 and \U0001f600") == (number, topic)
    assert datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC) == start
    assert row == json.loads(text) == to_dict(from_dict(Meeting, json.loads(text)))


def test_page_size_of_a_round_that_continues(tmp_path: Path, served: tuple[Sandbox, str]) -> None:
    """A round keeps the page size that it began with, if none is given then; another one is refused."""
    sandbox, url = served
    client = partial(PyasClient, sandbox.api_key, base_url=url)

    def ids() -> Iterator[str]:
        yield sandbox.account_ids[0]
        msg = "the database of accounts is gone"
        raise LookupError(msg)

    with pytest.raises(LookupError):
        load_meetings(pipeline_in(tmp_path), ids(), client=client, page_size=10, slice_calls=2)
    with pytest.raises(CheckpointError, match="page_size=300, got <one with 10>"):
        load_meetings(pipeline_in(tmp_path), sandbox.account_ids, client=client, page_size=300)
    load_meetings(pipeline_in(tmp_path), sandbox.account_ids, client=client)

    assert {"10"} == {request.query["maxResults"] for request in sandbox.requests}
    assert [(180,)] == ask(tmp_path, CURRENT)


@pytest.mark.parametrize("bound", ["slice_rows", "slice_calls", "slice_seconds"])
def test_empty_slice(bound: str, tmp_path: Path) -> None:
    """A slice without room for any row is refused, since it would be loaded for ever."""
    with pytest.raises(InvalidArgumentError, match=bound):
        load(tmp_path, "http://127.0.0.1:1", ["acc"], **{bound: 0})
