"""The types of bulk runs. mypy checks this file like a user's code; the tests show that the types are true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_type

import pytest

from bulk.tools import CHANGE, Counted, meeting
from pyas_async import BulkRun, BulkStats, InvalidArgumentError, MeetingDetail, MeetingId, Outcome, PyasError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyas_async import MeetingUpdate, PyasClient

pytestmark = pytest.mark.anyio


async def test_results(client: PyasClient) -> None:
    """The types of each of the four methods say what the keys and values of its outcomes are."""
    got = client.meetings.get_many([1, "2"])
    created = client.meetings.create_many([meeting(1)])
    updated = client.meetings.update_many({1: CHANGE})
    deleted = client.meetings.delete_many([1])

    runs: list[object] = [
        assert_type(got, BulkRun[MeetingId, MeetingDetail]),
        assert_type(created, BulkRun[int, MeetingDetail]),
        assert_type(updated, BulkRun[MeetingId, MeetingDetail | None]),
        assert_type(deleted, BulkRun[MeetingId, None]),
    ]
    assert {BulkRun} == {type(run) for run in runs}
    assert_type(await got, list[Outcome[MeetingId, MeetingDetail]])
    assert_type(await created.collect(), list[Outcome[int, MeetingDetail]])
    assert_type(created.collected[0].unwrap(), MeetingDetail)
    assert_type((await updated)[0].unwrap(), MeetingDetail | None)
    async with deleted as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Outcome[MeetingId, None])
    assert_type(deleted.stats, BulkStats)


async def test_inputs(client: PyasClient) -> None:
    """Numbers, strings or both are accepted as ids, from sync and async iterables, and a mapping of pairs."""
    numbers: list[int] = [1, 2]
    digits: Iterable[str] = ("1", "2")
    by_number: dict[int, MeetingUpdate] = {1: CHANGE}
    by_digits: Mapping[str, MeetingUpdate] = {"1": CHANGE}
    pairs: list[tuple[int, MeetingUpdate]] = [(1, CHANGE)]
    for run in (
        client.meetings.get_many(numbers),
        client.meetings.get_many(digits),
        client.meetings.get_many(Counted(2).asynchronous()),
        client.meetings.get_many(number for number in numbers),
    ):
        assert 2 == len(await run)
    for updates in (
        client.meetings.update_many(by_number),
        client.meetings.update_many(by_digits),
        client.meetings.update_many(pairs),
        client.meetings.update_many((number, CHANGE) async for number in Counted(1).asynchronous()),
    ):
        assert 1 == len(await updates)


def keys(outcomes: Iterable[Outcome[object, object]]) -> list[object]:
    """Return the keys of outcomes of any type."""
    return [outcome.key for outcome in outcomes]


async def test_outcomes(client: PyasClient) -> None:
    """An outcome can be passed to a function that takes any outcome, and its parts are typed."""
    outcomes = await client.meetings.create_many([meeting(1)])

    assert [0] == keys(outcomes)
    assert_type(outcomes[0].state, Literal["ok", "failed", "unknown", "not_started"])
    assert_type(outcomes[0].error, PyasError | None)
    assert_type(outcomes[0].value, MeetingDetail | None)
    assert_type(outcomes[0].key, int)
    assert_type(outcomes[0].ok, bool)


async def test_mistakes(client: PyasClient) -> None:
    """What type checkers reject is rejected at run time as well."""
    outcomes = [
        *await client.meetings.get_many([1.5]),  # type: ignore[list-item]
        *await client.meetings.create_many([CHANGE]),  # type: ignore[list-item]
        *await client.meetings.update_many([1]),  # type: ignore[list-item]
        *await client.meetings.delete_many([None]),  # type: ignore[list-item]
    ]

    assert [InvalidArgumentError] * 4 == [type(outcome.error) for outcome in outcomes]
    with pytest.raises(InvalidArgumentError):
        await client.meetings.get_many(1)  # type: ignore[arg-type]
