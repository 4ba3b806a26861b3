"""``pyas meetings create``, ``update`` and ``delete``."""

from typing import Annotated

from cyclopts import Parameter

from pyas_async import Meeting, MeetingCreate, MeetingType, MeetingUpdate, PyasClient
from pyas_async._masking import mask_secrets
from pyas_async.cli._client import client_for, require_account
from pyas_async.cli._display import show_detail
from pyas_async.cli._documents import document_of
from pyas_async.cli._errors import CommandError, Exit
from pyas_async.cli._fields import NO_FIELDS, Fields, read_document, to_create, to_update
from pyas_async.cli._options import COMMON, Account, Common, Flag, Ids
from pyas_async.cli._outcomes import Outcomes, given_ids
from pyas_async.cli._output import say, write_json
from pyas_async.cli._prompts import ask, at_terminal
from pyas_async.cli._runner import perform_async
from pyas_async.cli._streams import check_stdout
from pyas_async.cli._times import format_moment, local_zone, parse_zone, zone_name

CREATE_EXAMPLES = """\
Examples:
  pyas meetings create --title Planning --start 2026-12-01T09:30+01:00
  pyas meetings create --title Standup --start 2026-12-01T09:00 \\
    --time-zone Europe/Berlin --recurrence weekly --day-of-week monday
  pyas meetings create --from-json meeting.json --json | jq .id
"""
UPDATE_EXAMPLES = """\
Examples:
  pyas meetings update 85746065432 --duration 45
  echo '{"timeZone": null}' | pyas meetings update 85746065432 --from-json -
"""
DELETE_EXAMPLES = """\
Examples:
  pyas meetings delete 85746065432
  pyas meetings list --json --end 2020-12-31 | jq .id \\
    | pyas meetings delete - --yes
"""
_RECURRING = (MeetingType.RECURRING, MeetingType.RECURRING_FIXED)
_YES = ("y", "yes")

Document = Annotated[str | None, Parameter(metavar="FILE", allow_leading_hyphen=True)]


def create_meeting(
    *,
    account: Account = None,
    attendee: Annotated[list[str] | None, Parameter(negative="", metavar="EMAIL")] = None,
    fields: Fields = NO_FIELDS,
    from_json: Document = None,
    look_up: Flag = False,
    common: Common = COMMON,
) -> int:
    """Create a meeting.

    A create is never sent again after its response was lost, since the meeting may exist: the exit code is 7.

    Args:
        account: The account to create it in; default: PYAS_ACCOUNT_ID.
        attendee: The e-mail address of a person to invite; may be repeated.
        fields: The meeting's fields.
        from_json: Take all fields from a JSON document instead, named as the API names them; - is stdin.
        look_up: If the response is lost, look for the meeting in the listing.
        common: Options of every command.
    """

    async def work() -> None:
        values = fields.values(attendee or None)
        meeting = to_create(values) if from_json is None else read_document(from_json, MeetingCreate, values)
        check_stdout()
        async with client_for(require_account(account)) as client:
            created = await client.meetings.create(meeting, on_unknown="reconcile" if look_up else "raise")
        if common.json:
            write_json(document_of(created))
        else:
            show_detail(created, parse_zone(meeting.time_zone))

    return perform_async(work, common)


def update_meeting(
    id: str,
    /,
    *,
    account: Account = None,
    attendee: Annotated[list[str] | None, Parameter(negative="--no-attendees", metavar="EMAIL")] = None,
    fields: Fields = NO_FIELDS,
    from_json: Document = None,
    common: Common = COMMON,
) -> int:
    """Change a meeting. Fields that are not given stay as they are.

    Args:
        id: The meeting's number, or uuid.
        account: The meeting's account; default: PYAS_ACCOUNT_ID.
        attendee: The e-mail address of a person to invite; may be repeated. The list replaces the old one.
        fields: The fields to change.
        from_json: Take the changes from a JSON document instead, named as the API names them; - is stdin.
        common: Options of every command.
    """

    async def work() -> None:
        values = fields.values(attendee)
        changes = to_update(values) if from_json is None else read_document(from_json, MeetingUpdate, values)
        check_stdout()
        async with client_for(require_account(account)) as client:
            updated = await client.meetings.update(id, changes)
        if common.json:
            # The service may not send the changed meeting.
            write_json({"id": id} if updated is None else document_of(updated))
        elif updated is None:
            say(f"{id}: changed")
        else:
            show_detail(updated, local_zone())

    return perform_async(work, common)


def delete_meetings(
    *ids: Ids,
    account: Account = None,
    yes: Flag = False,
    common: Common = COMMON,
) -> int:
    """Delete meetings; for recurring meetings, the whole series. In a terminal, it asks first.

    Args:
        ids: The meetings' numbers, or uuids; - reads them from stdin, one per line.
        account: The meetings' account; default: PYAS_ACCOUNT_ID.
        yes: Do not ask. Without a terminal, it is required.
        common: Options of every command.
    """

    async def work() -> int:
        wanted, owner = given_ids(ids), require_account(account)
        if not yes and not at_terminal():
            raise CommandError("without a terminal, a delete cannot be confirmed", hint="Give --yes if you are sure.")
        if common.json:
            check_stdout()
        outcomes = Outcomes()
        async with client_for(owner) as client:
            if not yes and not await _agreed(client, wanted):
                say("Nothing was deleted.")
                return Exit.FAILED
            async with client.meetings.delete_many(wanted) as coming:
                async for outcome in coming:
                    if outcomes.failed(outcome):
                        continue
                    if common.json:
                        write_json({"id": outcome.key, "deleted": True})
                    else:
                        say(f"{outcome.key}: deleted")
        return outcomes.close()

    return perform_async(work, common)


async def _agreed(client: PyasClient, ids: list[str]) -> bool:
    """Ask whether to delete; for a single meeting, the question describes it."""
    what = f"{len(ids):,} meetings; of recurring ones, the whole series"
    if len(ids) == 1:
        what = _described(await client.meetings.get(ids[0]))
    return ask(f"Delete {what}? [y/N]").lower() in _YES


def _described(meeting: Meeting) -> str:
    zone = local_zone()
    start = format_moment(meeting.start_time, zone)
    series = ", the whole series" if meeting.type in _RECURRING else ""
    title = mask_secrets(meeting.topic or "")
    return f"“{title}” ({meeting.id}{f', {start} {zone_name(zone)}' if start else ''}){series}"
