"""What a state keeps of a row, as bytes that are equal if the row has not changed.

``keep="documents"`` keeps the row's JSON as it came. ``keep="digests"`` keeps the row's identity, a digest of one byte
for each field, and one of five bytes for the whole: some 45 bytes for a row of 11 fields. A field that has changed has
the same byte as before once in 256 times. Then it is missing in `Change.fields`, but the row still counts as changed.
"""

import abc
import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Any
from zlib import crc32

import msgspec

from pyas_async._core.codec import decoding
from pyas_async._core.codec.converter import model_converter
from pyas_async._core.codec.decoding import DECODE_ERRORS
from pyas_async._core.codec.documents import to_dict
from pyas_async._moments import from_epoch
from pyas_async.changes import Keep
from pyas_async.models import Meeting
from pyas_async.models._source import PartlyReadSource, document, parse_leniently

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
_WHOLE = 5
"""Bytes of the digest of a whole row: of 100,000 rows that change, one is taken for unchanged once in ten million."""
_UUID_BYTES = 16
_NO_START, _SECONDS, _MICROSECONDS = range(3)
_NO_UUID, _BINARY_UUID, _TEXT_UUID = 0, 4, 8


class Records(abc.ABC):
    """Makes the records of rows, and reads and compares them."""

    @abc.abstractmethod
    def of(self, row: Meeting) -> bytes:
        """Return the record of a row."""

    @abc.abstractmethod
    def read(self, record: bytes) -> Meeting:
        """Return what a record holds of its row: at least its identity."""

    @abc.abstractmethod
    def changed_fields(self, before: bytes, after: bytes) -> tuple[str, ...] | None:
        """Return the names of the fields that differ, less the ignored ones; ``None`` if the rows count as equal."""


class DocumentRecords(Records):
    """Keeps rows as JSON."""

    def __init__(self, ignore: Collection[str] = ()) -> None:
        """Ignore these fields in comparisons."""
        self._ignore = frozenset(ignore)

    def of(self, row: Meeting) -> bytes:
        return row_json(row)

    def read(self, record: bytes) -> Meeting:
        return _read_row(record)

    def changed_fields(self, before: bytes, after: bytes) -> tuple[str, ...] | None:
        old, new = _parse(before), _parse(after)
        names = [*new, *(name for name in old if name not in new)]
        return (
            tuple(
                name
                for name in names
                if name not in self._ignore and not equal_json(old.get(name, ...), new.get(name, ...))
            )
            or None
        )


class DigestRecords(Records):
    """Keeps digests of rows.

    Attributes:
        shapes: The names of the fields of rows. A record names its shape by the number.
        ignore: Fields that are left out.
    """

    def __init__(
        self,
        ignore: Collection[str] = (),
        shapes: Sequence[Sequence[str]] = (),
        ignored_before: Collection[str] | None = None,
    ) -> None:
        """Continue with the shapes of earlier records, which were made without the fields in `ignored_before`."""
        self.ignore = frozenset(ignore)
        self.shapes: list[tuple[str, ...]] = [tuple(shape) for shape in shapes]
        self._numbers = {shape: number for number, shape in enumerate(self.shapes)}
        before = self.ignore if ignored_before is None else frozenset(ignored_before)
        self._not_comparable = self.ignore | before
        self._whole_comparable = before == self.ignore

    def of(self, row: Meeting) -> bytes:
        fields = {
            name: _encode(value if type(value) is str else _plain(value))
            for name, value in _parse(row_json(row)).items()
            if name not in ("id", "uuid") and name not in self.ignore
        }
        shape = tuple(fields)
        number = self._numbers.get(shape)
        if number is None:
            number = self._numbers[shape] = len(self.shapes)
            self.shapes.append(shape)
        # With the names in one order, since JSON objects have none.
        whole = b"".join([part for name in sorted(fields) for part in (name.encode(errors="replace"), fields[name])])
        return b"".join(
            [
                _varint(number),
                _identity(row),
                bytes([crc32(value) & 0xFF for value in fields.values()]),
                blake2b(whole, digest_size=_WHOLE).digest(),
            ]
        )

    def read(self, record: bytes) -> Meeting:
        return _Reader(record).meeting()

    def changed_fields(self, before: bytes, after: bytes) -> tuple[str, ...] | None:
        old, new = self._fields(before), self._fields(after)
        changed = tuple(
            name
            for name in (*new, *(name for name in old if name not in new))
            if name not in self._not_comparable and old.get(name) != new.get(name)
        )
        same = not self._whole_comparable or before[-_WHOLE:] == after[-_WHOLE:]
        return None if same and not changed else changed

    def _fields(self, record: bytes) -> Mapping[str, int]:
        reader = _Reader(record)
        shape = self.shapes[reader.shape]
        return dict(zip(shape, reader.rest, strict=False))

    def is_valid(self, record: bytes) -> bool:
        """Return whether a record can be read with these shapes."""
        try:
            reader = _Reader(record)
            reader.meeting()
            return len(reader.rest) == len(self.shapes[reader.shape]) + _WHOLE
        except (IndexError, ValueError, OverflowError):
            return False


def make_records(
    keep: Keep,
    ignore: Collection[str],
    shapes: Sequence[Sequence[str]] = (),
    ignored_before: Collection[str] | None = None,
) -> Records:
    """Make what `keep` says."""
    return DocumentRecords(ignore) if keep == "documents" else DigestRecords(ignore, shapes, ignored_before)


def row_json(row: Meeting) -> bytes:
    """Return a row's JSON as it came, as UTF-8."""
    source = row._source  # noqa: SLF001  (it is kept for the codec)
    if isinstance(source, PartlyReadSource):
        source = source.inner
    if source is None or isinstance(source, (dict, tuple)):
        return msgspec.json.encode(to_dict(row) if source is None else document(source))
    raw: bytes = bytes(source)  # type: ignore[call-overload]
    if raw.isascii():
        return raw
    # A field that the decoder skips may hold broken UTF-8.
    return raw.decode(errors="replace").encode()


def equal_json(one: object, other: object) -> bool:
    """Compare JSON values. Python takes ``True`` for 1, JSON does not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_json, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def encode(record: bytes) -> str:
    """Write a digest record as text."""
    return base64.b85encode(record).decode()


def decode(text: str) -> bytes | None:
    """Read what `encode` wrote; ``None`` if it is something else."""
    try:
        return base64.b85decode(text)
    except (ValueError, binascii.Error):
        return None


@cache
def _row_loaders() -> tuple[Callable[[bytes], Meeting], Callable[[bytes], Meeting]]:
    return decoding.loader(Meeting), model_converter().get_tolerant_loads_hook(Meeting)


def _read_row(raw: bytes) -> Meeting:
    load, load_tolerantly = _row_loaders()
    try:
        return load(raw)
    except DECODE_ERRORS:
        return load_tolerantly(raw)


def _parse(raw: bytes) -> dict[str, Any]:
    """Parse a row; ten times as fast as `parse_leniently`, where nothing in it is odd."""
    try:
        parsed = msgspec.json.decode(raw)
    except DECODE_ERRORS:
        parsed = parse_leniently(raw, keep_odd_numbers=True)
    return parsed if isinstance(parsed, dict) else {}


_encode = msgspec.json.Encoder(order="sorted").encode


def _plain(value: Any) -> Any:  # noqa: ANN401  (a JSON value can be anything)
    """Make equal JSON numbers equal text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return -((number + 1) >> 1) if number & 1 else number >> 1


def _identity(row: Meeting) -> bytes:
    start, uuid = row.start_time, row.uuid
    kind, start_bytes = _NO_START, b""
    if start is not None:
        since = start - _EPOCH
        kind, unit = (_SECONDS, _SECOND) if not start.microsecond else (_MICROSECONDS, _MICROSECOND)
        start_bytes = _varint(_zigzag(since // unit))
    if not uuid:
        return bytes([kind | _NO_UUID]) + _varint(_zigzag(row.id)) + start_bytes
    binary = _binary_uuid(uuid)
    if binary is not None:
        return bytes([kind | _BINARY_UUID]) + _varint(_zigzag(row.id)) + start_bytes + binary
    text = uuid.encode(errors="replace")
    return bytes([kind | _TEXT_UUID]) + _varint(_zigzag(row.id)) + start_bytes + _varint(len(text)) + text


def _binary_uuid(uuid: str) -> bytes | None:
    """Return the 16 bytes that Zoom writes as base64; ``None`` if the uuid is something else."""
    if len(uuid) != 24 or not uuid.endswith("=="):
        return None
    try:
        binary = base64.b64decode(uuid, validate=True)
    except (ValueError, binascii.Error):
        return None
    return binary if base64.b64encode(binary).decode() == uuid else None


class _Reader:
    """Reads a digest record: its shape, its identity, and the digests that follow."""

    def __init__(self, record: bytes) -> None:
        self._record = record
        self._at = 0
        self.shape = self._number()
        kind = self._take(1)[0]
        self._id = _unzigzag(self._number())
        self._start: datetime | None = None
        if start_kind := kind & 3:
            number = _unzigzag(self._number())
            self._start = from_epoch(number * 1_000_000 if start_kind == _SECONDS else number)
            if self._start is None:
                msg = "a start outside of the calendar"
                raise ValueError(msg)
        uuid_kind = kind & 12
        self._uuid = ""
        if uuid_kind == _BINARY_UUID:
            self._uuid = base64.b64encode(self._take(_UUID_BYTES)).decode()
        elif uuid_kind == _TEXT_UUID:
            self._uuid = self._take(self._number()).decode()

    @property
    def rest(self) -> bytes:
        return self._record[self._at :]

    def meeting(self) -> Meeting:
        return Meeting(id=self._id, uuid=self._uuid, start_time=self._start)

    def _take(self, count: int) -> bytes:
        taken = self._record[self._at : self._at + count]
        if len(taken) < count:
            raise IndexError(count)
        self._at += count
        return taken

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
