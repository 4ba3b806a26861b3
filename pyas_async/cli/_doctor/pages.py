"""Checks of pages: how large they may be, whether tokens and page numbers lead to the next page, and the row order."""

from collections.abc import Sequence
from typing import Final

import attrs

from pyas_async import Meeting, Page, PageTokenExpiredError, ServerError
from pyas_async.cli._doctor.calls import CallResult, Calls
from pyas_async.cli._doctor.findings import Finding, Masker, undecided

LARGEST: Final = 300
_MODERATE: Final = 100
_SMALL: Final = 10
INVENTED: Final = "pyas-doctor-invented-this"
_CHAIN: Final = "a page's token leads to the rows after it"
_ORDER: Final = "the order of a listing is the same in each call"
_REPAIR: Final = "Let listings end with verify_total='repair', in pyas meetings export --repair."
Identity = tuple[int, str, str]


def identities(meetings: Sequence[Meeting]) -> list[Identity]:
    """Return the identities of rows, as the library compares them."""
    return [(one.id, one.uuid, "" if one.start_time is None else one.start_time.isoformat()) for one in meetings]


async def page_size(calls: Calls, first: CallResult[Page]) -> tuple[Finding, CallResult[Page], int | None]:
    """Find the largest page size.

    Args:
        calls: Makes the calls.
        first: The result of a request for 300 rows.

    Returns:
        The finding, the result with the largest page that was returned (with an error if none was), and the size that
        was requested for it.
    """
    assumed = f"a page may have {LARGEST} rows, Zoom's maximum"
    asked: int | None
    result, asked = first, LARGEST
    unanswered: CallResult[Page] | None = None
    for smaller in (_MODERATE, None):
        if result.value is None:
            result, asked = await calls.list(max_results=smaller), smaller
            if not result.answered:
                unanswered = unanswered or result
    page = result.value
    if page is None:
        failed = unanswered or first
        return undecided("page-size", failed, assumed=assumed), failed, None
    if unanswered is not None:
        return undecided("page-size", unanswered, assumed=assumed, before=f"{LARGEST} was refused"), result, asked
    served = len(page) if page.next_page_token else max(len(page), page.page_size or 0)
    if asked == LARGEST and served >= LARGEST:
        returned = "" if len(page) == LARGEST else f"; {len(page)} were returned"
        seen = f"a page of {page.page_size} rows was granted{returned}"
        return Finding(check="page-size", state="holds", assumed=assumed, seen=seen), result, asked
    if asked == LARGEST and not page.next_page_token and page.page_size is None:
        seen = f"the response does not say its page's size, and had all {len(page)} rows"
        return Finding(check="page-size", state="unclear", assumed=assumed, seen=seen), result, asked
    change = (
        f"Nothing has to be set: listings adapt to the page size. They take {LARGEST / max(served, 1):.0f} times the "
        f"calls: use that in `pyas plan --pages`."
    )
    if asked != LARGEST:
        seen = f"{LARGEST} was refused ({first.failure}); a page of {served} rows was returned"
        change += f" page_size={asked or served}, in pyas meetings --page-size, saves each listing the refused call."
    else:
        seen = f"{LARGEST} were asked for, and a page has {served}"
    return Finding(check="page-size", state="differs", assumed=assumed, seen=seen, change=change), result, asked


async def page_tokens(calls: Calls, whole: Page, masker: Masker) -> tuple[list[Finding], int]:
    """Check whether a token leads to the rows after its page, and whether the row order is the same in each call.

    Returns:
        The findings, and a page size of which the listing has two pages; 0 if it is too short.
    """
    size = min(_SMALL, len(whole) // 2)
    if not size:
        seen = f"the account has {len(whole)} meetings, too few for two pages"
        return [
            Finding(check="page-token", state="unclear", assumed=_CHAIN, seen=seen),
            Finding(check="order", state="unclear", assumed=_ORDER, seen=seen),
        ], 0
    begun = await calls.list(max_results=size)
    one = begun.value
    if one is None:
        return _untried(begun), size
    token = one.next_page_token
    if token is None:
        seen = f"a page of {size} of {len(whole)} rows was returned without a token"
        change = "Listings end at their first page: nothing can be set. Please report it."
        return [Finding(check="page-token", state="differs", assumed=_CHAIN, seen=seen, change=change)], size
    masker.learn(token)
    result = await calls.list(max_results=size, next_page_token=token)
    if result.value is not None:
        masker.learn(result.value.next_page_token or "")
    return _two_pages(one, result, whole), size


def _two_pages(one: Page, result: CallResult[Page], whole: Page) -> list[Finding]:
    """Compare two consecutive pages with the rows of one large page."""
    if not result.answered:
        return _untried(result)
    if result.value is None:
        seen = f"a token was refused at once: {result.failure}"
        change = "Listings cannot go beyond their first page: nothing can be set. Please report it."
        return [Finding(check="page-token", state="differs", assumed=_CHAIN, seen=seen, change=change)]
    head, tail, all_rows = identities(one.meetings), identities(result.value.meetings), identities(whole.meetings)
    repeated = len(set(head) & set(tail))
    if repeated:
        seen = f"{repeated} of {len(tail)} rows of the second page were on the first, too"
        change = f"Rows that are returned twice are skipped. {_REPAIR}"
        found = Finding(check="page-token", state="differs", assumed=_CHAIN, seen=seen, change=change)
    else:
        seen = f"two pages of {len(head)} and {len(tail)} rows, none on both"
        found = Finding(check="page-token", state="holds", assumed=_CHAIN, seen=seen)
    if head + tail == all_rows[: len(head) + len(tail)]:
        seen = f"the first {len(head) + len(tail)} rows have the same order in one page and in two"
        return [found, Finding(check="order", state="holds", assumed=_ORDER, seen=seen)]
    seen = "the order of the rows, or the rows themselves, differ from one call to the next"
    change = f"Rows can be missed between pages. {_REPAIR}"
    return [found, Finding(check="order", state="differs", assumed=_ORDER, seen=seen, change=change)]


def _untried(result: CallResult[Page]) -> list[Finding]:
    return [undecided("page-token", result, assumed=_CHAIN), undecided("order", result, assumed=_ORDER)]


async def page_number(calls: Calls, whole: Page, size: int) -> Finding:
    """Check whether pages can be requested by number."""
    if not size:
        return Finding(check="page-number", state="unclear", seen="the account has too few meetings for two pages")
    result = await calls.list(max_results=size, page_number=2)
    if not result.answered:
        return undecided("page-number", result)
    if result.value is None:
        return Finding(check="page-number", state="noted", seen=f"refused: {result.failure}")
    rows, all_rows = identities(result.value.meetings), identities(whole.meetings)
    token = "with a token for the next page" if result.value.next_page_token else "without a token for the next page"
    if rows and rows == all_rows[size : size + len(rows)]:
        seen = f"honoured: the second page was returned, {token}"
    elif rows == all_rows[: len(rows)]:
        seen = f"ignored: the first page was returned, {token}"
    else:
        seen = f"neither the first nor the second page was returned, but {len(rows)} rows, {token}"
    return Finding(check="page-number", state="noted", seen=f"{seen}. Listings of the library do not use numbers")


async def unknown_token(calls: Calls, size: int) -> Finding:
    """Check the response to an invented token; most likely it is that to an expired token."""
    result = await calls.list(max_results=size or _SMALL, next_page_token=INVENTED)
    return invalid_token("unknown-token", "an invented token", result)


def invalid_token(check: str, what: str, result: CallResult[Page]) -> Finding:
    """Judge whether the response to an invalid token is recognised as such."""
    assumed = "the response to a token that is not valid says so"
    if result.value is not None:
        seen = f"{what} was answered with a page of {len(result.value)} rows, as if nothing were wrong"
        change = "Nothing has to be set: repeated rows are skipped, and tokens near their end are not tried."
        return Finding(check=check, state="differs", assumed=assumed, seen=seen, change=change)
    if not result.answered:
        # It may also be how the service answers such a token: only the same result again would show that.
        change = ""
        if isinstance(result.error, ServerError):
            change = (
                "Run it again. If this stays so while all else is answered, set PyasClient(page_token_ttl=600), so "
                "that the client tries no token that may have expired, and report it."
            )
        return attrs.evolve(undecided(check, result, assumed=assumed), change=change)
    seen = f"{what} was answered with {result.failure}"
    if isinstance(result.error, PageTokenExpiredError):
        return Finding(check=check, state="holds", assumed=assumed, seen=f"{seen}, which is recognised")
    change = "Nothing has to be set: the client decides such a case with one more call. Please report it."
    return Finding(check=check, state="differs", assumed=assumed, seen=seen, change=change)


def total(whole: Page) -> Finding:
    """Check whether the reported total is the number of rows, if one page has all of them."""
    assumed = "the total is about the number of rows"
    if whole.total_records is None:
        return Finding(check="total", state="unclear", assumed=assumed, seen="no total is reported")
    if whole.next_page_token is not None:
        seen = f"{whole.total_records:,} rows are reported; a page has {len(whole)} of them"
        return Finding(check="total", state="unclear", assumed=assumed, seen=seen)
    if whole.total_records == len(whole):
        return Finding(check="total", state="holds", assumed=assumed, seen=f"{len(whole)} rows, and as many reported")
    seen = f"{len(whole)} rows were returned, and {whole.total_records} are reported"
    change = "Let listings end with verify_total='off', or warnings of missing rows will mean nothing."
    return Finding(check="total", state="differs", assumed=assumed, seen=seen, change=change)
