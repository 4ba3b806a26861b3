"""Meetings as JSON documents. One that cannot be written as it came costs its other fields, and no other meeting."""

from typing import Any

import attrs

from pyas_async import DecodeError, Meeting, to_dict
from pyas_async.cli._output import say


def document_of(meeting: Meeting) -> dict[str, Any]:
    """Return a meeting's document; only the fields of a row, and a warning, if an unknown field is nested too deep."""
    try:
        return to_dict(meeting)
    except DecodeError as error:
        say(f"pyas: warning: meeting {meeting.id}: fields were left out: {error.reason}")
    known = [field.name for field in attrs.fields(Meeting) if field.name not in ("_source", "extra")]
    return to_dict(Meeting(**{name: getattr(meeting, name) for name in known}))


def unknown_fields(meeting: Meeting) -> dict[str, Any]:
    """Return the unknown fields of a row; none, and a warning, if these are nested too deep."""
    try:
        return dict(meeting.extra)
    except DecodeError as error:
        say(f"pyas: warning: meeting {meeting.id}: unknown fields were left out: {error.reason}")
        return {}
