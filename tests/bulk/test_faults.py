"""Over real sockets, with a fault in every tenth response: each item has exactly one outcome, and it is true."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bulk.faulty import FAULTS, Faulty, faulty
from bulk.tools import awaited, streamed
from pyas_async import (
    DecodeError,
    MeetingCreate,
    MeetingUpdate,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    ServerError,
)
from runtime.socket_server import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bulk.tools import Read
    from pyas_async import Outcome, PyasClient

pytestmark = pytest.mark.anyio
either_way = pytest.mark.parametrize("read", [awaited, streamed])
ITEMS = 95
"""Enough for a fault of each kind, without counting what is tried again."""
KINDS = {fault.__name__ for fault in FAULTS}


@pytest.fixture
def service() -> Iterator[Faulty]:
    """Serve meetings with a fault in every tenth response."""
    with faulty(150) as front:  # rows: a series has several
        yield front


@pytest.fixture
async def client(service: Faulty) -> AsyncIterator[PyasClient]:
    """Return a client of it, with the default retries, but without waits between them."""
    async with client_of(service.url, account_id=service.account_id) as made:
        yield made


def ids_of(service: Faulty) -> list[int]:
    """Return the ids of the service's meetings."""
    return list(dict.fromkeys(row["id"] for row in service.sandbox.rows(service.account_id)))


def check_one_each(keys: list[Any], outcomes: list[Outcome[Any, Any]], service: Faulty) -> None:
    """Check that each item has exactly one outcome, and that the faults have occurred."""
    assert Counter(keys) == Counter(outcome.key for outcome in outcomes)
    assert {"ok", "failed"} == {outcome.state for outcome in outcomes} - {"unknown"}
    assert [outcome.ok for outcome in outcomes] == [outcome.error is None for outcome in outcomes]
    assert KINDS == set(service.faults)


def check_truth(outcome: Outcome[Any, Any], *, done: bool) -> None:
    """Check that the write state of an outcome is true; after two faults of one write it may be unknown."""
    said = "done" if outcome.error is None else outcome.error.write_state
    assert said in ({"done", "unknown"} if done else {"rejected", "unknown"}), outcome


def errors_of(outcomes: list[Outcome[Any, Any]]) -> Counter[str]:
    """Count the errors by class and write state."""
    return Counter(
        f"{type(outcome.error).__name__} {outcome.error.write_state}" for outcome in outcomes if outcome.error
    )


@either_way
async def test_get(read: Read, service: Faulty, client: PyasClient) -> None:
    """Reads are retried; only those fail whose response would be the same again."""
    ids = ids_of(service)[:ITEMS]
    run = client.meetings.get_many(ids)
    outcomes = await read(run)

    check_one_each(ids, outcomes, service)
    assert {NotFoundError, RateLimitError, DecodeError} == {type(one.error) for one in outcomes if one.error}
    assert all(outcome.key == outcome.value.id for outcome in outcomes if outcome.ok)
    assert run.stats.ok + run.stats.failed == len(ids)
    assert run.stats.calls > len(ids)


@either_way
async def test_create(read: Read, service: Faulty, client: PyasClient) -> None:
    """No meeting is created twice, and each outcome is right about whether its meeting exists."""
    start = datetime(2031, 1, 1, tzinfo=UTC)
    before = set(ids_of(service))
    meetings = [
        MeetingCreate(type=2, title=f"Bulk {number}", description="", start_date=start) for number in range(ITEMS)
    ]
    outcomes = await read(client.meetings.create_many(meetings))

    check_one_each(list(range(ITEMS)), outcomes, service)
    rows = [row for row in service.sandbox.rows(service.account_id) if row["id"] not in before]
    there = Counter(row["topic"] for row in rows)
    assert 1 == max(there.values())
    for outcome in outcomes:
        check_truth(outcome, done=f"Bulk {outcome.key}" in there)
        assert (outcome.state == "unknown") == bool(outcome.error and outcome.error.write_state in ("unknown", "done"))
    assert {
        "ServerError unknown",
        "OutcomeUnknownError unknown",
        "RateLimitError rejected",
        "NotFoundError rejected",
        "DecodeError done",
    } == set(errors_of(outcomes))


@either_way
async def test_update(read: Read, service: Faulty, client: PyasClient) -> None:
    """Updates are retried: all that were not rejected have been carried out."""
    ids = ids_of(service)[:ITEMS]
    outcomes = await read(client.meetings.update_many((number, MeetingUpdate(title=f"New {number}")) for number in ids))

    check_one_each(ids, outcomes, service)
    assert {NotFoundError, RateLimitError, DecodeError} >= {type(one.error) for one in outcomes if one.error}
    for outcome in outcomes:
        document = service.sandbox.document(service.account_id, outcome.key)
        check_truth(outcome, done=document["topic"] == f"New {outcome.key}")


@either_way
async def test_delete(read: Read, service: Faulty, client: PyasClient) -> None:
    """Deletions are retried; one whose meeting is gone because an earlier attempt deleted it has succeeded."""
    ids = ids_of(service)[:ITEMS]
    outcomes = await read(client.meetings.delete_many(ids))

    check_one_each(ids, outcomes, service)
    left = set(ids_of(service))
    for outcome in outcomes:
        check_truth(outcome, done=outcome.key not in left)
    # Which responses get a fault is random: the call that should get a 404 may never have been made.
    assert {type(one.error) for one in outcomes if one.error} <= {NotFoundError, RateLimitError}


async def test_without_retries(service: Faulty) -> None:
    """Without retries, every fault fails exactly one item."""
    ids = ids_of(service)[:ITEMS]
    async with client_of(service.url, account_id=service.account_id, retry=None) as client:
        outcomes = await client.meetings.delete_many(ids)

    check_one_each(ids, outcomes, service)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    assert len(service.faults) - service.faults.count("no_json") == len(failed)
    assert {type(one.error) for one in failed} <= {ServerError, OutcomeUnknownError, NotFoundError, RateLimitError}
