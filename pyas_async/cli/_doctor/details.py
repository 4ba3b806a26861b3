"""Checks of single meetings: whether both of their ids work, and which of their fields the models do not know."""

from collections.abc import Iterable

from pyas_async import Meeting, MeetingDetail, Page
from pyas_async.cli._doctor.calls import Calls
from pyas_async.cli._doctor.findings import Finding, Masker


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
    seen = []
    for name, result in (("number", by_id), ("uuid", by_uuid)):
        if result is None:
            seen.append("rows have no uuid")
        elif result.value is None:
            seen.append(f"by its {name}: {type(result.error).__name__}: {result.error}")
        elif result.value.id != row.id:
            seen.append(f"its {name} leads to another meeting")
    if not seen:
        found = Finding(check="ids", state="holds", assumed=assumed, seen="a meeting was found by each of them")
    else:
        change = "Use the numbers." if by_id.value is not None else "Please report it."
        found = Finding(check="ids", state="differs", assumed=assumed, seen="; ".join(seen), change=change)
    return [found, unknown_fields(whole.meetings, by_id.value)]


def unknown_fields(rows: Iterable[Meeting], detail: MeetingDetail | None) -> Finding:
    """List the names of the fields that the models do not know, without their values."""
    of_rows = sorted({name for row in rows for name in row.extra})
    of_detail = [] if detail is None else sorted({*detail.extra, *(detail.settings.extra if detail.settings else ())})
    if not of_rows and not of_detail:
        return Finding(check="fields", state="noted", seen="the models know every field")
    parts = [f"{what}: {', '.join(names)}" for what, names in (("rows", of_rows), ("details", of_detail)) if names]
    seen = f"fields that the models do not know, and keep in `extra`; {'; '.join(parts)}"
    return Finding(check="fields", state="noted", seen=seen)
