"""``pyas meetings list`` and ``get``: what there is."""

from pyas_async import ListType, Meeting, MeetingIterator, to_dict
from pyas_async.cli._options import COMMON, Account, Common, Day, Flag, Ids, Zone
from pyas_async.cli._outcomes import Outcomes, given_ids
from pyas_async.cli._output import many, say, status, write_json
from pyas_async.cli._running import perform_async
from pyas_async.cli._service import client_for, whose
from pyas_async.cli._showing import show_detail, show_rows
from pyas_async.cli._times import day_filter, zone_named

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
        account: Whose meetings; else PYAS_ACCOUNT_ID.
        start: From this day on: YYYY-MM-DD. Anything else goes to the service as it is.
        end: Up to this day; likewise.
        type: Which meetings; the service's default is scheduled.
        limit: Stop after so many.
        page_size: Rows a page that are asked for.
        time_zone: Show times in this zone, such as Europe/Berlin, rather than in this machine's.
        common: What every command has.
    """

    async def work() -> None:
        zone = zone_named(time_zone)
        async with client_for(whose(account)) as client:
            listing = client.meetings.iter_all(
                start_date=day_filter("--start", start),
                end_date=day_filter("--end", end),
                type=type,
                max_items=limit,
                page_size=page_size,
            )
            async with listing:
                if common.json:
                    async for page in listing.pages():
                        write_json(*map(to_dict, page.meetings))
                    return
                show_rows(await _collected(listing), zone)
            say(f"{many(listing.stats.items, 'meeting')}, {many(listing.stats.calls, 'call')}")

    return perform_async(work, common)


def get_meetings(
    *ids: Ids,
    account: Account = None,
    secrets: Flag = False,
    time_zone: Zone = None,
    common: Common = COMMON,
) -> int:
    """Show meetings with all their details.

    With --json, a meeting is the whole document that the service sent, secrets included.

    Args:
        ids: The meetings' numbers, or uuids; - reads them from stdin, one a line.
        account: Whose meetings; else PYAS_ACCOUNT_ID.
        secrets: Show passcodes, and the link that lets its bearer in as the host.
        time_zone: Show times in this zone, such as Europe/Berlin, rather than in this machine's.
        common: What every command has.
    """

    async def work() -> int:
        zone, outcomes = zone_named(time_zone), Outcomes()
        async with client_for(whose(account)) as client:
            run = client.meetings.get_many(given_ids(ids))
            if common.json:
                async with run as coming:
                    async for outcome in coming:
                        if not outcomes.failed(outcome):
                            write_json(to_dict(outcome.unwrap()))
            else:
                for number, outcome in enumerate(await run):
                    if not outcomes.failed(outcome):
                        show_detail(outcome.unwrap(), zone, secrets=secrets, first=not number)
        return outcomes.close()

    return perform_async(work, common)


async def _collected(listing: MeetingIterator) -> list[Meeting]:
    """Take all rows; a terminal is told how far it has come."""
    meetings: list[Meeting] = []
    with status("listing") as tell:
        async for page in listing.pages():
            meetings.extend(page.meetings)
            tell(f"listing: {len(meetings):,} meetings")
    return meetings
