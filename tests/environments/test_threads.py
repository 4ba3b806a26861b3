"""Event loops in several threads, each with a client of its own, work side by side, also without the GIL."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from pyas_async import PyasClient
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS = 4
ROWS = 500


@pytest.fixture
def switching_often() -> Iterator[None]:
    """Let threads take turns after a few microseconds, so that they meet in more places."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switching_often")
def test_loops_in_several_threads() -> None:
    """Threads on asyncio and trio list, read and create at the same time; each gets exactly what it asked for."""
    together = threading.Barrier(THREADS)
    found: dict[int, tuple[list[int], list[int]]] = {}
    expected: dict[int, list[int]] = {}

    async def work(number: int, sandbox: Sandbox, url: str) -> None:
        (account,) = sandbox.account_ids
        expected[number] = sorted(row["id"] for row in sandbox.rows(account))
        async with PyasClient(sandbox.api_key, base_url=url, account_id=account) as client:
            together.wait(60)
            listed = [row.id async for row in client.meetings.iter_all(page_size=50)]
            read = [outcome.unwrap().id for outcome in await client.meetings.get_many(set(listed[:50]))]
            found[number] = sorted(listed), sorted(read)

    def run(number: int) -> None:
        with Sandbox(accounts=1, meetings=ROWS, seed=number) as sandbox, sandbox.serve() as url:
            anyio.run(work, number, sandbox, url, backend="trio" if number % 2 else "asyncio")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(found) == list(range(THREADS))
    for number, (listed, read) in found.items():
        assert expected[number] == listed
        assert set(read) < set(listed)
        assert read
