"""``pyas meetings list`` and ``get``."""

from pyas_async import DecodeError, ListType, Meeting, MeetingIterator, to_dict
from pyas_async.cli._client import client_for, require_account
from pyas_async.cli._display import show_detail, show_rows
from pyas_async.cli._documents import document_of
from pyas_async.cli._options import COMMON, Account, Common, Day, Flag, Ids, Zone
from pyas_async.cli._outcomes import Outcomes, given_ids
from pyas_async.cli._output import plural, say, status, write_json
from pyas_async.cli._runner import perform_async
from pyas_async.cli._times import day_filter, parse_zone

LIST_EXAMPLES = """\
Examples:
  pyas meetings list --start 2026-01-01 --end 2026-01-31
  pyas meetings list --type upcoming --json | jq -r .topic
"""
GET_EXAMPLES = """\
Examples:
  pyas meetings get 85746065432
  pyas meetings list --json | jq .id | pyas meetings get - --json
"""


def list_meetings(
    *,
    account: Account = None,
    start: Day = None,
    end: Day = None,
    type: ListType | None = None,
    limit: int | None = None,
    page_size: int = 300,
    time_zone: Zone = None,
    common: Common = COMMON,
) -> int:
    """List an account's meetings, over all pages, each once.

    Args:
        account: The account to list; default: PYAS_ACCOUNT_ID.
        start: The first day: YYYY-MM-DD. Digits with separators are sent unchanged.
        end: The last day; likewise.
        type: Which meetings; the service's default is scheduled.
        limit: Stop after this many.
        page_size: Rows to request for a page.
        time_zone: Show times in this zone, such as Europe/Berlin; default: this machine's.
        common: Options of every command.
    """

    async def work() -> None:
        zone = parse_zone(time_zone)
        async with client_for(require_account(account)) as client:
            listing = client.meetings.iter_all(
                start_date=day_filter("--start", start),
                end_date=day_filter("--end", end),
                type=type,
                max_items=limit,
                page_size=page_size,
                on_unreadable="skip",  # the library warns of it
            )
            async with listing:
                if common.json:
                    async for page in listing.pages():
                        write_json(*map(document_of, page.meetings))
                    return
                show_rows(await _collected(listing), zone)
            say(f"{plural(listing.stats.items, 'meeting')}, {plural(listing.stats.calls, 'call')}")

    return perform_async(work, common)


def get_meetings(
    *ids: Ids,
    account: Account = None,
    secrets: Flag = False,
    time_zone: Zone = None,
    common: Common = COMMON,
) -> int:
    """Show meetings with all their details.

    With --json, a meeting is the complete document that the service sent, including secrets.

    Args:
        ids: The meetings' numbers, or uuids; - reads them from stdin, one per line.
        account: The meetings' account; default: PYAS_ACCOUNT_ID.
        secrets: Show passcodes, also in links and texts, and the link that lets its holder in as the host.
        time_zone: Show times in this zone, such as Europe/Berlin; default: this machine's.
        common: Options of every command.
    """

    async def work() -> int:
        zone, outcomes = parse_zone(time_zone), Outcomes()
        async with client_for(require_account(account)) as client:
            run = client.meetings.get_many(given_ids(ids))
            if common.json:
                async with run as coming:
                    async for outcome in coming:
                        if not outcomes.failed(outcome):
                            try:
                                document = to_dict(outcome.unwrap())
                            except DecodeError as error:  # it is nested too deep
                                outcomes.refuse(outcome.key, error)
                            else:
                                write_json(document)
            else:
                for number, outcome in enumerate(await run):
                    if not outcomes.failed(outcome):
                        show_detail(outcome.unwrap(), zone, secrets=secrets, first=not number)
        return outcomes.close()

    return perform_async(work, common)


async def _collected(listing: MeetingIterator) -> list[Meeting]:
    """Collect all rows, with a progress message on a terminal."""
    meetings: list[Meeting] = []
    with status("listing") as update:
        async for page in listing.pages():
            meetings.extend(page.meetings)
            update(f"listing: {len(meetings):,} meetings")
    return meetings
