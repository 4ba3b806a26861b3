"""Checks that take a quarter of an hour: how long a page token is valid, and the response to an expired one."""

from collections.abc import Callable
from typing import Final

from pyas_async import Page
from pyas_async.cli._doctor.calls import CLOCK, CallResult, Calls
from pyas_async.cli._doctor.findings import Finding, Masker, undecided
from pyas_async.cli._doctor.pages import invalid_token

TTL: Final = 900.0
_BEFORE: Final = 885.0
_AFTER: Final = 910.0
_ASSUMED: Final = "a page token is valid for 15 minutes"
_EXPIRED: Final = "a token that had expired"


async def expiry(calls: Calls, size: int, masker: Masker, report: Callable[[float], None]) -> list[Finding]:
    """Use one token shortly before it should expire, and another shortly after.

    Args:
        calls: Makes the calls.
        size: A page size of which the listing has two pages.
        masker: Learns the tokens.
        report: Called now and then with the remaining seconds.
    """
    if not size:
        seen = "the account has too few meetings for two pages, so there is no token"
        return [Finding(check="token-life", state="unclear", assumed=_ASSUMED, seen=seen)]
    tokens = []
    for _ in range(2):
        result = await calls.list(max_results=size)
        arrived_at = CLOCK.now()
        if result.value is None:
            return [undecided("token-life", result, assumed=_ASSUMED)]
        if result.value.next_page_token is None:
            return [Finding(check="token-life", state="unclear", assumed=_ASSUMED, seen="no token was returned")]
        masker.learn(result.value.next_page_token)
        tokens.append((result.value.next_page_token, arrived_at))
    (first, first_at), (second, second_at) = tokens
    await _wait(first_at + _BEFORE, report)
    early = await calls.list(max_results=size, next_page_token=first)
    if early.value is None:
        return _refused_early(early)
    masker.learn(early.value.next_page_token or "")
    await _wait(second_at + _AFTER, report)
    late = await calls.list(max_results=size, next_page_token=second)
    if late.value is not None:
        masker.learn(late.value.next_page_token or "")
    return _after_its_end(late, used_before=first == second)


def _refused_early(early: CallResult[Page]) -> list[Finding]:
    """Judge why a token brought no page shortly before it should expire."""
    if not early.answered:
        return [undecided("token-life", early, assumed=_ASSUMED)]
    seen = f"one of {_BEFORE:.0f} s was refused: {type(early.error).__name__}"
    change = "Set PyasClient(page_token_ttl=600): tokens that may have expired are then not tried."
    found = Finding(check="token-life", state="differs", assumed=_ASSUMED, seen=seen, change=change)
    return [found, invalid_token("expired-token", _EXPIRED, early)]


def _after_its_end(late: CallResult[Page], *, used_before: bool) -> list[Finding]:
    """Judge what a token brought shortly after it should have expired."""
    accepted = f"one of {_BEFORE:.0f} s was accepted"
    if not late.answered:
        return [undecided("token-life", late, assumed=_ASSUMED, before=accepted)]
    if late.value is None:
        seen = f"{accepted}, one of {_AFTER:.0f} s was not"
        found = Finding(check="token-life", state="holds", assumed=_ASSUMED, seen=seen)
        return [found, invalid_token("expired-token", _EXPIRED, late)]
    if used_before:
        seen = f"one of {_AFTER:.0f} s was accepted, but it had been used before, which may have extended its life"
        return [Finding(check="token-life", state="unclear", assumed=_ASSUMED, seen=seen)]
    seen = f"{accepted}, and another of {_AFTER:.0f} s still was"
    return [Finding(check="token-life", state="holds", assumed=f"{_ASSUMED}, at least", seen=seen)]


async def _wait(until: float, report: Callable[[float], None]) -> None:
    while (left := until - CLOCK.now()) > 0:
        report(left)
        await CLOCK.sleep(min(left, 5.0))
