"""`take_listed`: the accounts that have reached their end, in step with checkpoints."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from pyas_async import PyasClient
from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

UNKNOWN = "no-such-account"


@pytest.mark.parametrize("stride", [1, 3, 5, 100])
async def test_each_account_is_returned_once(stride: int) -> None:
    """However often the iteration is left and resumed, each account comes once: at its last row, or soon after."""
    returned: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    with Sandbox(accounts=4, meetings=5) as sandbox:
        sandbox.add_account(meetings=0)
        ids = [*sandbox.account_ids[:2], UNKNOWN, *sandbox.account_ids[2:]]
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            PyasClient(sandbox.api_key, http_client=http) as client,
        ):
            resume, done = None, False
            while not done:
                async with client.meetings.iter_accounts(ids, page_size=2, max_concurrency=3, resume=resume) as pairs:
                    for _ in range(stride):
                        pair = await anext(pairs, None)
                        if pair is None:
                            done = True
                            break
                        rows[pair[0]] += 1
                    listed, checkpoint = pairs.take_listed(), pairs.checkpoint()
                    assert [] == pairs.take_listed()
                returned.update(listed)
                assert all(rows[account_id] == 5 for account_id in listed if account_id != sandbox.account_ids[-1])
                resume = str(checkpoint)

        assert Counter(sandbox.account_ids) == returned
