"""Checks of single meetings: whether both of their ids work, and which of their fields the models do not know."""

from collections.abc import Iterable

from pyas_async import Meeting, MeetingDetail, NotFoundError, Page
from pyas_async.cli._doctor.calls import Calls
from pyas_async.cli._doctor.findings import Finding, Masker, undecided


async def details(calls: Calls, whole: Page, masker: Masker) -> list[Finding]:
    """Get one meeting by its number and by its uuid."""
    row = next((one for one in whole.meetings if one.start_time is not None), None)
    row = row or next(iter(whole.meetings), None)
    if row is None:
        return [Finding(check="ids", state="unclear", seen="the account has no meeting")]
    masker.learn(row.id, row.uuid, row.topic or "")
    by_id = await calls.get(row.id)
    by_uuid = await calls.get(row.uuid) if row.uuid else None
    assumed = "a meeting is found by its number and by its uuid"
    unanswered = next((one for one in (by_id, by_uuid) if one is not None and not one.answered), None)
    seen = []
    for name, result in (("number", by_id), ("uuid", by_uuid)):
        if result is None:
            seen.append("rows have no uuid")
        elif result.value is None:
            seen.append(f"by its {name}: {result.failure}")
        elif result.value.id != row.id:
            seen.append(f"its {name} leads to another meeting")
    # If neither finds it, it may have been deleted since it was listed.
    missing = by_id.value is None and by_uuid is not None and isinstance(by_uuid.error, NotFoundError)
    if unanswered is not None:
        found = undecided("ids", unanswered, assumed=assumed)
    elif missing:
        found = Finding(check="ids", state="unclear", assumed=assumed, seen="; ".join(seen))
    elif not seen:
        found = Finding(check="ids", state="holds", assumed=assumed, seen="a meeting was found by each of them")
    else:
        change = "Use the numbers." if by_id.value is not None else "Please report it."
        found = Finding(check="ids", state="differs", assumed=assumed, seen="; ".join(seen), change=change)
    detail = by_id.value or (None if by_uuid is None else by_uuid.value)
    return [found, unknown_fields(whole.meetings, detail)]


def unknown_fields(rows: Iterable[Meeting], detail: MeetingDetail | None) -> Finding:
    """List the names of the fields that the models do not know, without their values."""
    of_rows = sorted({name for row in rows for name in row.extra})
    of_detail = [] if detail is None else sorted({*detail.extra, *(detail.settings.extra if detail.settings else ())})
    if detail is None:
        found = f"the rows have fields that the models do not know: {', '.join(of_rows)}" if of_rows else ""
        seen = "; ".join(filter(None, (found, "no details were read")))
        return Finding(check="fields", state="unclear", seen=seen)
    if not of_rows and not of_detail:
        return Finding(check="fields", state="noted", seen="the models know every field")
    parts = [f"{what}: {', '.join(names)}" for what, names in (("rows", of_rows), ("details", of_detail)) if names]
    seen = f"fields that the models do not know, and keep in `extra`; {'; '.join(parts)}"
    return Finding(check="fields", state="noted", seen=seen)
