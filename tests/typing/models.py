"""The fields of a meeting, and the tree of errors."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

import attrs

from pyas_async import (
    APIStatusError,
    BreakoutRoom,
    CheckpointError,
    CountriesOrRegions,
    DecodeError,
    InvalidArgumentError,
    Meeting,
    MeetingDetail,
    MeetingSettings,
    NotFoundError,
    Occurrence,
    PaginationError,
    PaginationIncompleteError,
    PyasError,
    TrackingField,
    TransportError,
    ZoomRecurrence,
    from_dict,
    row_types,
    to_dict,
    to_row,
)


def details(meeting: MeetingDetail, row: Meeting) -> None:
    """A detail is a meeting with more fields; an optional field must be checked before its use."""
    rows: list[Meeting] = [meeting, row]
    assert_type(rows[0].join_url, str | None)
    assert_type(meeting.settings, MeetingSettings | None)
    assert_type(meeting.occurrences, tuple[Occurrence, ...])
    assert_type(meeting.tracking_fields, tuple[TrackingField, ...])
    assert_type(meeting.recurrence, ZoomRecurrence | None)
    meeting.settings.waiting_room  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    if meeting.settings is not None:
        assert_type(meeting.settings.waiting_room, bool | None)
        assert_type(meeting.settings.breakout_room, BreakoutRoom | None)
        assert_type(meeting.settings.approved_or_denied_countries_or_regions, CountriesOrRegions | None)
    for occurrence in meeting.occurrences:
        assert_type(occurrence.start_time, datetime | None)
        assert_type(occurrence.end_time, datetime | None)
    assert_type(row.end_time, datetime | None)
    assert_type(attrs.evolve(meeting, topic="other"), MeetingDetail)
    detail: MeetingDetail = row  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(detail)
    row.password  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    meeting.occurrences.append(Occurrence())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def documents(meeting: MeetingDetail) -> None:
    """A model becomes a document or a row, and either may be of any model."""
    assert_type(to_dict(meeting, secrets=False), dict[str, Any])
    assert_type(to_row(meeting), dict[str, Any])
    assert_type(list(map(to_row, [meeting])), list[dict[str, Any]])
    assert_type(row_types(Meeting), dict[str, type])
    assert_type(from_dict(MeetingDetail, to_dict(meeting)), MeetingDetail)
    to_dict(meeting, False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def tree() -> None:
    """Errors have the documented base classes."""
    of_arguments: list[type[ValueError]] = [InvalidArgumentError, CheckpointError]
    of_the_service: list[type[APIStatusError]] = [NotFoundError]
    of_listings: list[type[PaginationError]] = [PaginationIncompleteError]
    all_of_them: list[type[PyasError]] = [*of_the_service, *of_listings, InvalidArgumentError, TransportError]
    print(of_arguments, all_of_them)
    wrong: list[type[APIStatusError]] = [TransportError]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    print(wrong)


def mistakes(mistake: InvalidArgumentError, unread: DecodeError) -> None:
    """The faulty argument, and its position, have typed attributes."""
    assert_type(mistake.field, str)
    assert_type(mistake.expected, str)
    assert_type(unread.path, str)
    assert_type(unread.excerpt, str)
    unread.status  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
