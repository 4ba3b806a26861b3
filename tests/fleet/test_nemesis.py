"""Whatever happens to Redis, the workers that share a key never spend more than its limit in any window."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from fleet.nemesis import ACTIONS, LIMIT, most_in_a_window, nemesis, workers
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


async def rounds_of(
    folder: Path, seed: int, actions: list[str], *, number: int, window: float
) -> tuple[list[float], list[str]]:
    """Let faults happen, with random pauses between them; return the moments of all calls, and what was done."""
    chance = random.Random(seed)
    with Sandbox(accounts=1, meetings=1) as sandbox:
        async with nemesis(folder, chance, window) as enemy:
            async with workers(sandbox, enemy.relay.port, window, number) as moments:
                await asyncio.sleep(1.2 * window)
                for action in actions:
                    await enemy.act(action)
                    await asyncio.sleep(chance.choice([0.0, 0.1, 0.5, 1.0]) * window + chance.random())
                await asyncio.sleep(1.2 * window)
            return list(moments), enemy.done


@pytest.mark.parametrize("action", ["flush", "restart", "fail over"])
def test_data_are_lost_without_an_outage(tmp_path: Path, action: str) -> None:
    """If Redis loses its data and goes on at once, no window has more calls than the limit, and calls go on."""
    moments, done = asyncio.run(rounds_of(tmp_path, 1, [action], number=5, window=3.0))

    assert [action] == done
    assert LIMIT < len(moments)
    assert LIMIT >= most_in_a_window(moments, 3.0)


@pytest.mark.long
@pytest.mark.parametrize("number", [3, 10])
def test_a_hundred_rounds(tmp_path: Path, number: int) -> None:
    """After a hundred faults at random, killed, emptied, paused, restored and replaced, it is still so."""
    chance = random.Random(number)
    actions = [chance.choice(ACTIONS) for _ in range(100)]
    moments, done = asyncio.run(rounds_of(tmp_path, number, actions, number=number, window=5.0))

    assert actions == done
    assert LIMIT * 20 < len(moments)
    assert LIMIT >= most_in_a_window(moments, 5.0)
