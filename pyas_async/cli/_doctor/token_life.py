"""Checks that take a quarter of an hour: how long a page token is valid, and the response to an expired one."""

from collections.abc import Callable
from typing import Final

from pyas_async.cli._doctor.calls import CLOCK, Calls
from pyas_async.cli._doctor.findings import Finding, Masker
from pyas_async.cli._doctor.pages import invalid_token

TTL: Final = 900.0
_BEFORE: Final = 885.0
_AFTER: Final = 910.0


async def expiry(calls: Calls, size: int, masker: Masker, report: Callable[[float], None]) -> list[Finding]:
    """Use one token shortly before it should expire, and another shortly after.

    Args:
        calls: Makes the calls.
        size: A page size of which the listing has two pages.
        masker: Learns the tokens.
        report: Called now and then with the remaining seconds.
    """
    assumed = "a page token is valid for 15 minutes"
    if not size:
        seen = "the account has too few meetings for two pages, so there is no token"
        return [Finding(check="token-life", state="unclear", assumed=assumed, seen=seen)]
    tokens = []
    for _ in range(2):
        page = (await calls.list(max_results=size)).value
        arrived_at = CLOCK.now()
        if page is None or page.next_page_token is None:
            return [Finding(check="token-life", state="unclear", assumed=assumed, seen="no token was returned")]
        masker.learn(page.next_page_token)
        tokens.append((page.next_page_token, arrived_at))
    (first, first_at), (second, second_at) = tokens
    await _wait(first_at + _BEFORE, report)
    early = await calls.list(max_results=size, next_page_token=first)
    if early.value is None:
        seen = f"one of {_BEFORE:.0f} s was refused: {type(early.error).__name__}"
        change = "Set PyasClient(page_token_ttl=600): tokens that may have expired are then not tried."
        found = Finding(check="token-life", state="differs", assumed=assumed, seen=seen, change=change)
        return [found, invalid_token("expired-token", "a token that had expired", None, early.error)]
    masker.learn(early.value.next_page_token or "")
    await _wait(second_at + _AFTER, report)
    late = await calls.list(max_results=size, next_page_token=second)
    if late.value is not None and first != second:
        masker.learn(late.value.next_page_token or "")
        seen = f"one of {_BEFORE:.0f} s was accepted, and another of {_AFTER:.0f} s still was"
        return [Finding(check="token-life", state="holds", assumed=f"{assumed}, at least", seen=seen)]
    if late.value is not None:
        seen = f"one of {_AFTER:.0f} s was accepted, but it had been used before, which may have extended its life"
        return [Finding(check="token-life", state="unclear", assumed=assumed, seen=seen)]
    seen = f"one of {_BEFORE:.0f} s was accepted, one of {_AFTER:.0f} s was not"
    found = Finding(check="token-life", state="holds", assumed=assumed, seen=seen)
    return [found, invalid_token("expired-token", "a token that had expired", None, late.error)]


async def _wait(until: float, report: Callable[[float], None]) -> None:
    while (left := until - CLOCK.now()) > 0:
        report(left)
        await CLOCK.sleep(min(left, 5.0))
