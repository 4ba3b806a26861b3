"""Bulk runs: the types of their outcomes, and the ways in which they cannot be used."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Literal, assert_type

from pyas_async import (
    BulkRun,
    BulkStats,
    MeetingCreate,
    MeetingDetail,
    MeetingId,
    MeetingUpdate,
    Outcome,
    PyasClient,
    PyasError,
)


async def keys_and_values(
    client: PyasClient, new: Iterable[MeetingCreate], changes: Mapping[int, MeetingUpdate]
) -> None:
    """Each of the four methods types keys and values, whether awaited, collected or streamed."""
    assert_type(client.meetings.get_many([1, "2"]), BulkRun[MeetingId, MeetingDetail])
    assert_type(client.meetings.create_many(new), BulkRun[int, MeetingDetail])
    assert_type(client.meetings.update_many(changes), BulkRun[MeetingId, MeetingDetail | None])
    assert_type(client.meetings.delete_many([1]), BulkRun[MeetingId, None])
    assert_type(await client.meetings.get_many([1]), list[Outcome[MeetingId, MeetingDetail]])
    assert_type(await client.meetings.create_many(new).collect(), list[Outcome[int, MeetingDetail]])
    assert_type(client.meetings.create_many(dict(enumerate(new))), BulkRun[int, MeetingDetail])
    assert_type(client.meetings.create_many({str(one.title): one for one in new}), BulkRun[str, MeetingDetail])
    run = client.meetings.update_many(changes)
    async with run as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Outcome[MeetingId, MeetingDetail | None])
            assert_type(outcome.unwrap(), MeetingDetail | None)
    assert_type(run.stats, BulkStats)
    assert_type(run.collected, list[Outcome[MeetingId, MeetingDetail | None]])


async def no_way(client: PyasClient) -> None:
    """A run is awaited or entered. A bare loop, which would leave calls running, is a type error."""
    run = client.meetings.get_many([1])
    async for _ in run:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    for _ in run:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    len(run)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def outcomes_narrow(outcome: Outcome[int, MeetingDetail]) -> None:
    """A check narrows an outcome: its value, its error, its state."""
    assert_type(outcome.key, int)
    assert_type(outcome.ok, bool)
    assert_type(outcome.unwrap().topic, str | None)
    outcome.value.topic  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    if outcome.value is not None:
        assert_type(outcome.value, MeetingDetail)
    if outcome.error is not None:
        assert_type(outcome.error, PyasError)
        assert_type(outcome.error.write_state, Literal["not_sent", "rejected", "done", "unknown"] | None)
    match outcome.state:
        case "ok" | "failed" | "unknown":
            pass
        case state:
            assert_type(state, Literal["not_started"])
    if outcome.state == "fine":  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
        pass
    outcome.value = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def show(outcomes: Iterable[Outcome[object, object]], run: BulkRun[MeetingId, object]) -> None:
    """Accept outcomes of anything."""
    print(list(outcomes), run)
    tell(outcomes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def tell(outcomes: Iterable[Outcome[int, MeetingDetail]]) -> None:
    """Accept outcomes of creates."""
    print(list(outcomes))


def covariance(created: list[Outcome[int, MeetingDetail]], run: BulkRun[int, MeetingDetail]) -> None:
    """A function of general outcomes accepts specific ones, and not the other way round."""
    show(created, run)
    tell(created)


def inputs(
    client: PyasClient,
    ids: AsyncIterable[int],
    digits: Mapping[str, MeetingUpdate],
    pairs: Iterable[tuple[int, MeetingUpdate]],
    change: MeetingUpdate,
) -> None:
    """Ids and items come from any iterable, asynchronous or not, with either kind of id."""
    client.meetings.get_many(ids)
    client.meetings.get_many({"1", "2"})
    client.meetings.get_many(str(number) for number in range(3))
    client.meetings.update_many(digits)
    client.meetings.update_many(pairs)
    client.meetings.update_many({1: change})
    client.meetings.get_many(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.get_many([1.5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.meetings.get_many([1], "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.meetings.create_many({1: change})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.meetings.create_many([change])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
    client.meetings.update_many([1, 2])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.meetings.update_many({1: {"title": "t"}})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.delete_many([None])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
