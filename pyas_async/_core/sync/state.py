"""What is known of an account's listing between two rounds, and its text.

The text is one line of JSON::

    {"version": 1, "kind": "sync", "account": …, "filters": {…}, "keep": "documents", "initial": false, "off": 0,
     "ignore": […], "shapes": [[…]], "listing": null, "journal": […], "moved": [], "digest": null, "rows": […],
     "check": "<crc32>"}

``rows`` holds the rows' JSON as it came, or with ``keep="digests"`` their digests as base85. ``off`` is by how many the
service's total differed from the rows at the end of the last round. ``listing`` is the position in the first round,
if that has not come to its end, and ``journal`` the changes that were handed out and may not have been processed.
"""

import json
import re
import weakref
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NoReturn

import attrs
import msgspec

from pyas_async._core.checkpoints import text as checks
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.seen_rows import digests
from pyas_async._core.sync.records import DigestRecords, DocumentRecords, Records, decode, encode
from pyas_async._public import public
from pyas_async.changes import Change, ChangeKind, Keep
from pyas_async.errors import CheckpointError
from pyas_async.models import Meeting

VERSION = 1
_CHECK = re.compile(r', "check": "([0-9a-f]{8})"\}\s*\Z')
_KINDS = ("created", "updated", "deleted", "left")


@attrs.frozen
class Effect:
    """What a change does to a state: the record that goes, the one that comes, and the position in a first round.

    Attributes:
        kind: The kind of change.
        removed: The record of the row as it was.
        added: The record of the row as it is now.
        fields: The names of the changed fields.
        initial: Whether the change belongs to the first round.
        document: The row's JSON, if `added` is a digest.
        position: The position after the row in the listing of the first round.
    """

    kind: ChangeKind
    removed: bytes | None = None
    added: bytes | None = None
    fields: tuple[str, ...] = ()
    initial: bool = False
    document: bytes | None = None
    position: Mapping[str, Any] | None = None

    def change(self, account_id: str, records: Records, meeting: Meeting | None = None) -> Change:
        """Return the change for the consumer; `meeting` is the row as it is now, if it is at hand."""
        if meeting is None and self.added is not None:
            read = records.read if self.document is None else DocumentRecords().read
            meeting = read(self.added if self.document is None else self.document)
        return Change(
            kind=self.kind,
            account_id=account_id,
            meeting=meeting,
            before=None if self.removed is None else records.read(self.removed),
            fields=self.fields,
            initial=self.initial,
        )


class StoredRows:
    """The records of a state, and the changes to them since: the states of one round share one of these.

    Attributes:
        changes: The records that went and came, in order; it only grows.
        parent: The rows that these continue from, and after how many of their changes, while they are in use.
    """

    __slots__ = ("__weakref__", "_base", "_load", "changes", "parent")

    def __init__(self, base: Sequence[bytes] = (), load: Callable[[], Sequence[bytes]] | None = None) -> None:
        """Begin with these records, or with a function that reads them when they are needed."""
        self._base = base
        self._load = load
        self.changes: list[tuple[bytes | None, bytes | None]] = []
        self.parent: tuple[weakref.ref[StoredRows], int] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the records are in memory."""
        return self._load is None

    @property
    def base(self) -> Sequence[bytes]:
        """The records before the first change. They are read now if they were not read before; that may block."""
        if self._load is not None:
            self._base, self._load = self._load(), None
        return self._base

    def after(self, count: int) -> Sequence[bytes]:
        """Return the records after the first `count` changes."""
        if not count:
            return self.base
        rows = dict.fromkeys(self.base)
        for removed, added in self.changes[:count]:
            if removed is not None:
                rows.pop(removed, None)
            if added is not None:
                rows[added] = None
        return list(rows)

    def continued(self, count: int) -> "StoredRows":
        """Return rows that begin after the first `count` changes of these."""
        read = bool(count) or self.is_loaded
        following = StoredRows(self.after(count)) if read else StoredRows(load=lambda: self.base)
        following.parent = weakref.ref(self), count
        return following


@attrs.frozen(kw_only=True, eq=False)
class Content:
    """What a state knows besides its account and its filters.

    Attributes:
        initial: Whether the first round has not come to its end.
        off: By how many the service's total differed from the rows at the end of the last round; ``None`` if unknown.
        ignore: The fields that the last round ignored.
        shapes: What digests refer to; see `DigestRecords`.
        position: The position in the listing of the first round, without its rows.
        journal: Changes that were handed out, and may not have been processed.
        moved: Meetings of which a new date was handed out, while nothing was said about a missing one.
        digest: The digest of the whole listing at the end of the last round, if the state holds exactly its rows.
        stored: The records, shared with the states before and after this one.
        count: How many of the changes in `stored` this state has.
    """

    initial: bool = True
    off: int | None = None
    ignore: tuple[str, ...] = ()
    shapes: Sequence[tuple[str, ...]] = ()
    position: Mapping[str, Any] | None = None
    journal: tuple[Effect, ...] = ()
    moved: tuple[tuple[int, str], ...] = ()
    digest: str | None = None
    stored: StoredRows = attrs.field(factory=StoredRows)
    count: int = 0

    def records(self) -> Sequence[bytes]:
        """Return the records of all rows. They are read now if they were not read before; that may block."""
        return self.stored.after(self.count)


@public
@attrs.frozen(kw_only=True, repr=False, eq=False)
class SyncState:
    """What is known of an account's listing, for the next round of `Meetings.changes`.

    ``str(state)`` is its text, and `parse` reads it. With ``keep="documents"`` it holds the rows: treat it like the
    listing itself.

    Attributes:
        account_id: The account.
        filters: The filters of the listing, in the form in which the service gets them.
        keep: What the state keeps of each row: its document, or digests.
        rows: How many rows it holds.
    """

    account_id: str
    filters: tuple[tuple[str, str], ...] = ()
    keep: Keep = "documents"
    rows: int = 0
    content: Content = attrs.field(factory=Content)

    @classmethod
    def parse(cls, text: str) -> "SyncState":
        """Read a state from its text.

        Raises:
            CheckpointError: If the text is damaged, or written by another version.
        """
        return _parse(text)

    def __str__(self) -> str:
        header = json.dumps(header_of(self))[:-1]
        written = bytes.decode if self.keep == "documents" else quoted
        rows = ",".join(map(written, self.content.records()))
        body = f'{header}, "rows": [{rows}]'
        return f'{body}, "check": "{zlib.crc32(body.encode()):08x}"}}'

    def __repr__(self) -> str:
        # Without the rows.
        return f"<SyncState of account {self.account_id!r}: {self.rows:,} rows, keep={self.keep!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return SyncState.parse, (str(self),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SyncState) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self.account_id, self.filters, self.rows))


def header_of(state: SyncState) -> dict[str, Any]:
    """Return everything but the rows as a JSON document."""
    content = state.content
    return {
        "version": VERSION,
        "kind": "sync",
        "account": state.account_id,
        "filters": dict(state.filters),
        "keep": state.keep,
        "initial": content.initial,
        "off": content.off,
        "ignore": list(content.ignore),
        "shapes": [list(shape) for shape in content.shapes],
        "listing": content.position,
        "journal": [_entry(effect, state.keep) for effect in content.journal],
        "moved": [list(key) for key in content.moved],
        "digest": content.digest,
    }


def quoted(record: bytes) -> str:
    """Write a digest record as a JSON string: base85 has no character that JSON escapes."""
    return f'"{encode(record)}"'


def checkpoint_of(state: SyncState, position: Mapping[str, Any], rows: Iterable[Meeting]) -> ListingCheckpoint:
    """Return the checkpoint of the first round of a state, whose rows are given."""
    seen = array("q", digests(list(rows)))
    # Rows without an identity are in no state: the listing meets them anew.
    fields = {**position, "account": state.account_id, "rows": checks.pack(seen), "unreadable": 0}
    return ListingCheckpoint.read(fields, state.filters)


def check_state(found: SyncState, wanted: SyncState) -> None:
    """Refuse a state that is of another account, of another listing, or of another kind than the one that is wanted.

    Filters that the caller left out come from the state.

    Raises:
        CheckpointError: Says what differs.
    """
    if found.account_id != wanted.account_id:
        raise CheckpointError(
            "since", f"a state of the account {wanted.account_id!r}", f"<one of {found.account_id!r}>"
        )
    own = dict(found.filters)
    for name, value in wanted.filters:
        if own.get(name) != value:
            got = f"<one with {name}={own[name]!r}>" if name in own else f"<one without {name}>"
            raise CheckpointError("since", f"a state of a listing with {name}={value!r}", got)
    if wanted.keep == "digests" != found.keep:
        raise CheckpointError("since", "a state with keep='digests'", "<one with keep='documents'>")


class ListingDigest:
    """A digest of the records of a listing, in its order."""

    def __init__(self) -> None:
        self._whole = blake2b(digest_size=16)
        self._complete = True

    def add(self, record: bytes) -> None:
        """Add the record of the next row."""
        self._whole.update(b"%d:%b" % (len(record), record))

    def incomplete(self) -> None:
        """Note that not all rows are added."""
        self._complete = False

    def value(self) -> str | None:
        """Return the digest; ``None`` if not all rows were added."""
        return self._whole.hexdigest() if self._complete else None


def from_header(header: Mapping[str, Any], stored: StoredRows, rows: int) -> SyncState:
    """Make a state of its header and its rows.

    Raises:
        CheckpointError: If the header is not one that this library writes.
    """
    _check_header(header)
    keep: Keep = header["keep"]
    return SyncState(
        account_id=header["account"],
        filters=checks.read_filters(header),
        keep=keep,
        rows=rows,
        content=Content(
            initial=header["initial"],
            off=header["off"],
            ignore=tuple(header["ignore"]),
            shapes=[tuple(shape) for shape in header["shapes"]],
            position=header["listing"],
            journal=tuple(_effect(entry, keep) for entry in header["journal"]),
            moved=tuple((key[0], key[1]) for key in header["moved"]),
            digest=header["digest"],
            stored=stored,
        ),
    )


class _Text(msgspec.Struct):
    rows: list[msgspec.Raw]


def _parse(text: object) -> SyncState:
    if not isinstance(text, str):
        raise CheckpointError("since", "the text of a state", f"<{type(text).__name__}>")
    found = _CHECK.search(text, max(0, len(text) - 64))
    body = text[: found.start()] if found else ""
    if found is None or f"{zlib.crc32(body.encode(errors='surrogatepass')):08x}" != found[1]:
        version = _version(text)
        if version not in (None, str(VERSION)):
            raise CheckpointError("since", f"version {VERSION}, which this release writes", f"<version {version}>")
        _refuse("it is not complete, or its checksum does not match")
    head, separator, _ = body.partition(', "rows": [')
    try:
        header = json.loads(head + "}") if separator else None
        raw = msgspec.json.decode(body + "}", type=_Text).rows
    except (ValueError, RecursionError, msgspec.MsgspecError):
        header, raw = None, []
    if not isinstance(header, dict) or header.get("kind") != "sync":
        _refuse("it is not the text of a state")
    if header.get("version") != VERSION:
        got = f"<version {str(header.get('version'))[:20]}>"
        raise CheckpointError("since", f"version {VERSION}, which this release writes", got)
    _check_header(header)
    records = list(_read_records(raw, header))
    return from_header(header, StoredRows(records), len(records))


def _read_records(raw: Sequence[msgspec.Raw], header: Mapping[str, Any]) -> Iterator[bytes]:
    if header["keep"] == "documents":
        for row in raw:
            record = bytes(row)
            if not record.startswith(b"{"):
                _refuse("a row is not an object")
            yield record
        return
    valid = DigestRecords((), header["shapes"]).is_valid
    for row in raw:
        digest = decode(bytes(row)[1:-1].decode())
        if digest is None or not valid(digest):
            _refuse("a row cannot be read")
        yield digest


def _version(text: str) -> str | None:
    found = re.match(r'\{"version": (\d{1,9}), "kind": "sync"', text)
    return None if found is None else found[1]


def _is_key(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and type(value[0]) is int and isinstance(value[1], str)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_FIELDS: Mapping[str, checks.Check] = {
    "account": checks.is_filled,
    "keep": lambda value: value in ("documents", "digests"),
    "initial": checks.is_flag,
    "off": checks.nullable(checks.is_whole),
    "ignore": _is_names,
    "shapes": lambda value: isinstance(value, list) and all(map(_is_names, value)),
    "listing": checks.nullable(lambda value: isinstance(value, dict)),
    "journal": checks.is_list,
    "moved": lambda value: isinstance(value, list) and all(map(_is_key, value)),
    "digest": checks.nullable(checks.is_text),
}


def _check_header(header: Mapping[str, Any]) -> None:
    for field, check in _FIELDS.items():
        if not check(header.get(field, ...)):
            _refuse(f"{field!r} is missing or of another kind")
    reason = None
    try:
        checks.read_filters(header)
        if header["listing"] is not None:
            position = {**header["listing"], "account": header["account"], "rows": "", "unreadable": 0}
            ListingCheckpoint.read(position, ())
    except CheckpointError:
        reason = "its filters or its position cannot be read"
    if reason:
        _refuse(reason)


def _entry(effect: Effect, keep: Keep) -> dict[str, Any]:
    def written(record: bytes | None) -> str | None:
        if record is None:
            return None
        return record.decode() if keep == "documents" else encode(record)

    return {
        "kind": effect.kind,
        "removed": written(effect.removed),
        "added": written(effect.added),
        "fields": list(effect.fields),
        "initial": effect.initial,
        "document": None if effect.document is None else effect.document.decode(),
        "position": effect.position,
    }


def _effect(entry: object, keep: Keep) -> Effect:
    def record(name: str) -> bytes | None:
        value = entry[name]  # type: ignore[index]
        if value is None:
            return None
        read: bytes | None = value.encode() if keep == "documents" or name == "document" else decode(value)
        if read is None:
            _refuse("a change cannot be read")
        return read

    try:
        effect = Effect(
            kind=entry["kind"],  # type: ignore[index]
            removed=record("removed"),
            added=record("added"),
            fields=tuple(entry["fields"]),  # type: ignore[index]
            initial=entry["initial"],  # type: ignore[index]
            document=record("document"),
            position=entry["position"],  # type: ignore[index]
        )
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError):
        effect = None
    if effect is None or effect.kind not in _KINDS:
        _refuse("a change cannot be read")
    return effect


def _refuse(reason: str) -> NoReturn:
    raise CheckpointError("since", "the whole text of a state, as str(state) gave it", f"<damage: {reason}>")
