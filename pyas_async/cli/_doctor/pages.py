"""Checks of pages: how large they may be, whether tokens and page numbers lead to the next page, and the row order."""

from collections.abc import Sequence
from typing import Final

from pyas_async import Meeting, Page, PageTokenExpiredError, PyasError
from pyas_async.cli._doctor.calls import CallResult, Calls
from pyas_async.cli._doctor.findings import Finding, Masker

LARGEST: Final = 300
_MODERATE: Final = 100
_SMALL: Final = 10
INVENTED: Final = "pyas-doctor-invented-this"
_REPAIR: Final = "Let listings end with verify_total='repair', in pyas meetings export --repair."
Identity = tuple[int, str, str]


def identities(meetings: Sequence[Meeting]) -> list[Identity]:
    """Return the identities of rows, as the library compares them."""
    return [(one.id, one.uuid, "" if one.start_time is None else one.start_time.isoformat()) for one in meetings]


async def page_size(calls: Calls, first: CallResult[Page]) -> tuple[Finding, Page | None, int | None]:
    """Find the largest page size.

    Args:
        calls: Makes the calls.
        first: The result of a request for 300 rows.

    Returns:
        The finding, the largest page that was returned, and the size that was requested for it.
    """
    assumed = f"a page may have {LARGEST} rows, Zoom's maximum"
    page: Page | None
    asked: int | None
    page, asked = first.value, LARGEST
    for smaller in (_MODERATE, None):
        if page is None:
            page, asked = (await calls.list(max_results=smaller)).value, smaller
    if page is None:
        seen = f"no page was returned, whatever its size: {_describe(first.error)}"
        return Finding(check="page-size", state="unclear", assumed=assumed, seen=seen), None, None
    served = len(page) if page.next_page_token else max(len(page), page.page_size or 0)
    if asked == LARGEST and served >= LARGEST:
        returned = "" if len(page) == LARGEST else f"; {len(page)} were returned"
        seen = f"a page of {page.page_size} rows was granted{returned}"
        return Finding(check="page-size", state="holds", assumed=assumed, seen=seen), page, asked
    if asked == LARGEST and not page.next_page_token and page.page_size is None:
        seen = f"the response does not say its page's size, and had all {len(page)} rows"
        return Finding(check="page-size", state="unclear", assumed=assumed, seen=seen), page, asked
    change = (
        f"Nothing has to be set: listings adapt to the page size. They take {LARGEST / max(served, 1):.0f} times the "
        f"calls: use that in `pyas plan --pages`."
    )
    if asked != LARGEST:
        seen = f"{LARGEST} was refused ({_describe(first.error)}); a page of {served} rows was returned"
        change += f" page_size={asked or served}, in pyas meetings --page-size, saves each listing the refused call."
    else:
        seen = f"{LARGEST} were asked for, and a page has {served}"
    return Finding(check="page-size", state="differs", assumed=assumed, seen=seen, change=change), page, asked


async def page_tokens(calls: Calls, whole: Page, masker: Masker) -> tuple[list[Finding], int]:
    """Check whether a token leads to the rows after its page, and whether the row order is the same in each call.

    Returns:
        The findings, and a page size of which the listing has two pages; 0 if it is too short.
    """
    chain, order = "a page's token leads to the rows after it", "the order of a listing is the same in each call"
    size = min(_SMALL, len(whole) // 2)
    if not size:
        seen = f"the account has {len(whole)} meetings, too few for two pages"
        return [
            Finding(check="page-token", state="unclear", assumed=chain, seen=seen),
            Finding(check="order", state="unclear", assumed=order, seen=seen),
        ], 0
    one = (await calls.list(max_results=size)).value
    token = None if one is None else one.next_page_token
    if one is None or token is None:
        seen = f"a page of {size} of {len(whole)} rows was returned without a token"
        change = "Listings end at their first page: nothing can be set. Please report it."
        return [Finding(check="page-token", state="differs", assumed=chain, seen=seen, change=change)], size
    masker.learn(token)
    result = await calls.list(max_results=size, next_page_token=token)
    if result.value is None:
        seen = f"a token was refused at once: {_describe(result.error)}"
        change = "Listings cannot go beyond their first page: nothing can be set. Please report it."
        return [Finding(check="page-token", state="differs", assumed=chain, seen=seen, change=change)], size
    masker.learn(result.value.next_page_token or "")
    head, tail, all_rows = identities(one.meetings), identities(result.value.meetings), identities(whole.meetings)
    repeated = len(set(head) & set(tail))
    if repeated:
        seen = f"{repeated} of {len(tail)} rows of the second page were on the first, too"
        change = f"Rows that are returned twice are skipped. {_REPAIR}"
        found = Finding(check="page-token", state="differs", assumed=chain, seen=seen, change=change)
    else:
        seen = f"two pages of {len(head)} and {len(tail)} rows, none on both"
        found = Finding(check="page-token", state="holds", assumed=chain, seen=seen)
    if head + tail == all_rows[: len(head) + len(tail)]:
        seen = f"the first {len(head) + len(tail)} rows have the same order in one page and in two"
        return [found, Finding(check="order", state="holds", assumed=order, seen=seen)], size
    seen = "the order of the rows, or the rows themselves, differ from one call to the next"
    change = f"Rows can be missed between pages. {_REPAIR}"
    return [found, Finding(check="order", state="differs", assumed=order, seen=seen, change=change)], size


async def page_number(calls: Calls, whole: Page, size: int) -> Finding:
    """Check whether pages can be requested by number."""
    if not size:
        return Finding(check="page-number", state="unclear", seen="the account has too few meetings for two pages")
    result = await calls.list(max_results=size, page_number=2)
    if result.value is None:
        return Finding(check="page-number", state="noted", seen=f"refused: {_describe(result.error)}")
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
    return invalid_token("unknown-token", "an invented token", result.value, result.error)


def invalid_token(check: str, what: str, page: Page | None, error: PyasError | None) -> Finding:
    """Judge whether the response to an invalid token is recognised as such."""
    assumed = "the response to a token that is not valid says so"
    if page is not None:
        seen = f"{what} was answered with a page of {len(page)} rows, as if nothing were wrong"
        change = "Nothing has to be set: repeated rows are skipped, and tokens near their end are not tried."
        return Finding(check=check, state="differs", assumed=assumed, seen=seen, change=change)
    seen = f"{what} was answered with {_describe(error)}"
    if isinstance(error, PageTokenExpiredError):
        return Finding(check=check, state="holds", assumed=assumed, seen=f"{seen}, which is recognised")
    status = getattr(error, "status", None)
    if isinstance(status, int) and status < 500 and status not in (401, 403, 408, 429):
        change = "Nothing has to be set: the client decides such a case with one more call. Please report it."
    else:
        change = (
            "The client would take it for another failure: set PyasClient(page_token_ttl=600), so that it tries no "
            "token that may have expired. Please report it."
        )
    return Finding(check=check, state="differs", assumed=assumed, seen=seen, change=change)


def total(whole: Page) -> Finding:
    """Check whether the reported total is the number of rows, if one page has all of them."""
    assumed = "the total is about the number of rows"
    if whole.next_page_token is not None:
        seen = f"{whole.total_records:,} rows are reported; a page has {len(whole)} of them"
        return Finding(check="total", state="unclear", assumed=assumed, seen=seen)
    if whole.total_records == len(whole):
        return Finding(check="total", state="holds", assumed=assumed, seen=f"{len(whole)} rows, and as many reported")
    seen = f"{len(whole)} rows were returned, and {whole.total_records} are reported"
    change = "Let listings end with verify_total='off', or warnings of missing rows will mean nothing."
    return Finding(check="total", state="differs", assumed=assumed, seen=seen, change=change)


def _describe(error: PyasError | None) -> str:
    return "no response" if error is None else f"{type(error).__name__}: {error}"
