"""Compares two listings of an account: which rows are new, which have changed, and which are missing.

Rows are matched by ``(id, uuid)``. The dates of a series share both. Among them, rows with the same start are matched
first. These do not move, and split the time into gaps. Within each gap, the remaining rows are matched in the order of
their starts: so a date that has moved is one change, and no date passes one that stays. When a daily series loses its
first date and gets another last one, no other date changes.

The rows of most listings do not change. Equal records are set aside first, which takes a fraction of a microsecond for
each row; only the rows that differ are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import attrs

from pyas_async._core.sync.records import Records
from pyas_async.models import Meeting

Key: TypeAlias = tuple[int, str]
_NO_START = datetime.min.replace(tzinfo=UTC)


@attrs.frozen
class Row:
    """A row with its record."""

    record: bytes
    meeting: Meeting

    @property
    def start(self) -> datetime | None:
        """When the meeting starts."""
        return self.meeting.start_time


@attrs.frozen
class Update:
    """A row that has changed, and the names of its changed fields."""

    before: Row
    after: Row
    fields: tuple[str, ...]


@attrs.frozen
class Comparison:
    """What differs between the state and a listing.

    Attributes:
        created: New rows, in the order of the listing.
        updated: Changed rows, in the order of the listing.
        missing: Rows of the state that the listing does not have, in the order of the state.
    """

    created: Sequence[Row]
    updated: Sequence[Update]
    missing: Sequence[Row]


def compare(old: Iterable[bytes], new: Mapping[bytes, Meeting], records: Records) -> Comparison:
    """Compare the records of a state with the rows of a listing, by their records."""
    known = dict.fromkeys(old)
    removed = [record for record in known if record not in new]
    added = [Row(record, row) for record, row in new.items() if record not in known]
    if not removed:
        return Comparison(added, (), ())
    gone_groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for record in removed:
        row = Row(record, records.read(record))
        gone_groups[row.meeting.id, row.meeting.uuid].append(row)
    new_groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in added:
        new_groups[row.meeting.id, row.meeting.uuid].append(row)
    anchors = _unchanged_starts(new, known, {key for key, rows in new_groups.items() if key in gone_groups})

    updates: dict[bytes, Update] = {}
    kept: set[bytes] = set()
    for key in gone_groups.keys() & new_groups.keys():
        for before, after in match(gone_groups[key], new_groups[key], anchors.get(key, ())):
            fields = records.changed_fields(before.record, after.record)
            kept.add(before.record)
            if fields is None:  # equal, but for the order of the fields, or for ignored ones
                kept.add(after.record)
            else:
                updates[after.record] = Update(before, after, fields)
    return Comparison(
        created=[row for row in added if row.record not in updates and row.record not in kept],
        updated=[updates[row.record] for row in added if row.record in updates],
        missing=[row for rows in gone_groups.values() for row in rows if row.record not in kept],
    )


def _unchanged_starts(
    new: Mapping[bytes, Meeting], known: Mapping[bytes, None], keys: set[Key]
) -> Mapping[Key, Sequence[datetime | None]]:
    """Return the starts of the rows that are equal in both listings, for the meetings of which other rows differ."""
    starts: defaultdict[Key, list[datetime | None]] = defaultdict(list)
    if keys:
        ids = {meeting_id for meeting_id, _ in keys}
        for record, row in new.items():
            if row.id in ids and (row.id, row.uuid) in keys and record in known:
                starts[row.id, row.uuid].append(row.start_time)
    return starts


def match(
    old: Sequence[Row], new: Sequence[Row], unchanged: Iterable[datetime | None] = ()
) -> Iterator[tuple[Row, Row]]:
    """Match the rows of one meeting, old with new. `unchanged` are the starts of rows that are equal in both."""
    by_start = {row.start: row for row in old}
    same = {row.start for row in new if row.start in by_start}
    for row in new:
        if row.start in same:
            yield by_start[row.start], row
    borders = sorted(_at(start) for start in (*same, *unchanged))
    old_gaps = _by_gap((row for row in old if row.start not in same), borders)
    new_gaps = _by_gap((row for row in new if row.start not in same), borders)
    for gap, rows in old_gaps.items():
        yield from zip(rows, new_gaps.get(gap, ()), strict=False)


def _by_gap(rows: Iterable[Row], borders: Sequence[datetime]) -> Mapping[int, Sequence[Row]]:
    """Sort rows by their start, and split them where a border is."""
    gaps: defaultdict[int, list[Row]] = defaultdict(list)
    gap = 0
    for row in sorted(rows, key=lambda row: _at(row.start)):
        while gap < len(borders) and borders[gap] < _at(row.start):
            gap += 1
        gaps[gap].append(row)
    return gaps


def _at(start: datetime | None) -> datetime:
    return _NO_START if start is None else start
