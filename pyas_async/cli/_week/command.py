"""The command ``pyas meetings week``."""

from datetime import UTC, datetime
from typing import Annotated, Final

from cyclopts import Parameter

from pyas_async import Meeting
from pyas_async._moments import in_zone, plus_days
from pyas_async.cli._client import client_for, require_account
from pyas_async.cli._documents import document_of
from pyas_async.cli._errors import CommandError
from pyas_async.cli._options import COMMON, Account, Common, Zone
from pyas_async.cli._output import plural, say, stdout, write_json
from pyas_async.cli._runner import perform_async
from pyas_async.cli._times import parse_day, parse_zone, zone_name
from pyas_async.cli._week.grid import NARROWEST, grid
from pyas_async.cli._week.layout import DAYS, lay_out, week_of
from pyas_async.cli._week.texts import agenda, summary, timeless

EXAMPLES: Final = """\
Examples:
  pyas meetings week
  pyas meetings week 2026-12-01 --time-zone Europe/Berlin
  pyas meetings week --agenda
"""
_FOR_A_PIPE: Final = 120
_WIDEST: Final = 240


def show_week(
    day: Annotated[str | None, Parameter(metavar="DAY")] = None,
    /,
    *,
    account: Account = None,
    time_zone: Zone = None,
    agenda_only: Annotated[bool, Parameter(name="--agenda", negative="", show_default=False)] = False,
    hour_lines: Annotated[int, Parameter(metavar="LINES")] = 2,
    common: Common = COMMON,
) -> int:
    """Show a week of meetings as a calendar.

    Args:
        day: A day of the week: YYYY-MM-DD. Default: today.
        account: The account to show; default: PYAS_ACCOUNT_ID.
        time_zone: Show times in this zone, such as Europe/Berlin; default: this machine's.
        agenda_only: Write a list, in which nothing is cut; the default if the terminal is too narrow for a grid.
        hour_lines: Lines for each hour, 1 to 6.
        common: Options of every command.
    """

    async def work() -> None:
        zone = parse_zone(time_zone)
        if not 1 <= hour_lines <= 6:
            raise CommandError(f"--hour-lines: expected 1 to 6, got {hour_lines}")
        utc = datetime.now(UTC)
        now = in_zone(utc, zone) or utc
        monday = week_of(now.date() if day is None else parse_day("", day))
        # One more day on both sides, since it is not documented in which time zone the service's days are.
        first, last = plus_days(monday, -1), plus_days(monday, DAYS)
        async with client_for(require_account(account)) as client:
            listing = client.meetings.iter_all(start_date=first, end_date=last, on_unreadable="skip")
            meetings = await listing.collect()
        week = lay_out(meetings, monday, zone, lines=hour_lines)
        if common.json:
            write_json(
                *(document_of(meeting) for meeting in _of_week(meetings, [block.meeting for block in week.blocks]))
            )
            return
        console = stdout()
        width = min(console.width if console.width < _WIDEST or console.is_terminal else _FOR_A_PIPE, _WIDEST)
        name = zone_name(zone)
        lines = agenda(week, now, name) if agenda_only or width < NARROWEST else grid(week, width, now, name)
        for line in (*lines, *timeless(week)):
            if not console.is_terminal:
                line.rstrip()
            console.print(line, soft_wrap=True)
        say(f"{summary(week)}, {plural(listing.stats.calls, 'call')}")

    return perform_async(work, common)


def _of_week(meetings: list[Meeting], timed: list[Meeting]) -> list[Meeting]:
    """Return the meetings of the week, and those without a time, in the order of the listing."""
    keep = set(map(id, timed))
    return [meeting for meeting in meetings if meeting.start_time is None or id(meeting) in keep]
