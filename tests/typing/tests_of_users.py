"""The testing tools in users' tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_type

from pyas_async import PyasClient
from pyas_async.sandbox import Operation, Sandbox, SeenRequest
from pyas_async.testing import Calls, Clock, Offline


async def offline() -> None:
    """Every tool is typed, and literals are checked."""
    with Offline(meetings=3, plan="developer", seed=1) as pyas:
        assert_type(pyas.client, PyasClient)
        assert_type(pyas.new_client(account_id="acc", deadline=None, max_connections=5), PyasClient)
        assert_type(pyas.sandbox, Sandbox)
        assert_type(pyas.clock, Clock)
        assert_type(pyas.clock.now, datetime)
        assert_type(pyas.calls, Calls)
        assert_type(pyas.calls[0], SeenRequest)
        assert_type(pyas.calls.operations, list[Operation | None])
        pyas.clock.advance(3)
        pyas.clock.advance(timedelta(minutes=15))
        pyas.sandbox.fail_next("lost", times=2, operation="meetings.create")
        pyas.sandbox.fail_next(503, body={"error": "down"}, headers={"Retry-After": "1"})
        pyas.calls.assert_made("meetings.list", times=1, max_results=300)
    async with Offline() as entered:
        assert_type(entered, Offline)


def mistakes(pyas: Offline) -> None:
    """An unknown literal, which would make a test meaningless, is a type error."""
    Offline(plan="gold")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Offline(meeting=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pyas.new_client(retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pyas.sandbox.fail_next("explode")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pyas.sandbox.fail_next(operation="list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pyas.calls.assert_none("meetings.lits")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pyas.clock.now = pyas.clock.now + timedelta(1)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
