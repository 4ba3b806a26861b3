"""Reads the response to a list call, and makes a page of it.

There are three paths, and they make equal pages. The fast path decodes the whole page at once. If it refuses the page,
each row is read separately. Then a row with an undocumented value slows down only itself, and a page full of such rows
does not block the event loop. If the response is not built as documented, the tolerant path reads it as a whole and
says what is wrong.

A row without an identity is not among the meetings of the page; the page's source has it (`unreadable.py`).
"""

import functools
import json
from array import array
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from pyas_async._core.codec import decoding
from pyas_async._core.codec.decoding import DECODE_ERRORS, parse
from pyas_async._core.codec.responses import check_failure, parse_object
from pyas_async._core.codec.unreadable import unreadable
from pyas_async.errors import DecodeError
from pyas_async.models import Meeting, Page
from pyas_async.models._source import PartlyReadSource, UnreadableField, UnreadableRow

if TYPE_CHECKING:
    from pyas_async.models._source import Source

T = TypeVar("T")


# The token is in one of four places, under one of two names: in `data` or beside it.
class _Data(msgspec.Struct):
    meetings: tuple[Meeting, ...]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None
    nextPageToken: str | None = None  # noqa: N815  (a name of the service)


class _Envelope(msgspec.Struct):
    data: _Data
    success: bool | None = None
    next_page_token: str | None = None
    nextPageToken: str | None = None  # noqa: N815  (as above)


class _RawData(msgspec.Struct):
    meetings: list[msgspec.Raw]
    next_page_token: Any = None
    page_size: Any = None
    total_records: Any = None
    nextPageToken: Any = None  # noqa: N815  (as above)


class _RawEnvelope(msgspec.Struct):
    data: _RawData
    success: Any = None
    next_page_token: Any = None
    nextPageToken: Any = None  # noqa: N815  (as above)


_MAX_SKIPPED = 15
"""The most consecutive rows that skip the fast path after it has refused some. If it refuses one row of a page, it
mostly refuses the others, too, and each refusal costs a sixth of the time for a row."""
_ROWS_PER_STEP = 50
"""Rows that one step reads on the tolerant path. They take a millisecond."""

_TOKEN_NAMES = ("next_page_token", "nextPageToken")
"""What the page token is called: the first name wins."""

_decoder = decoding.decoder(_Envelope)
_raw_decoder = msgspec.json.Decoder(_RawEnvelope)


def read_page(body: bytes) -> Page:
    """Read the response to a list call.

    Raises:
        DecodeError: If the response has no list of meetings.
        NotSuccessError: If the response reports an error.
    """
    return read_page_fast(body) or run_steps(_steps_without_fast_path(body))


def page_steps(body: bytes) -> Generator[None, None, Page]:
    """Read the response to a list call in steps. Each step is short if the response is built as documented.

    Raises:
        DecodeError: If the response has no list of meetings.
        NotSuccessError: If the response reports an error.
    """
    page = read_page_fast(body)
    if page is None:
        yield
        page = yield from _steps_without_fast_path(body)
    return page


def run_steps(steps: Generator[None, None, T]) -> T:
    """Run all steps at once, and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def read_page_fast(body: bytes) -> Page | None:
    """Read a response on the fast path; ``None`` if it refuses anything in it."""
    try:
        envelope = _decoder.decode(body)
    except DECODE_ERRORS:
        return None
    if envelope.success is False:
        return None
    data = envelope.data
    decoding.set_row_sources(data.meetings, lambda: _raw_decoder.decode(body).data.meetings)
    return Page(
        meetings=data.meetings,
        next_page_token=(
            data.next_page_token or envelope.next_page_token or data.nextPageToken or envelope.nextPageToken or None
        ),
        page_size=data.page_size,
        total_records=data.total_records,
        _source=(body, "data"),
    )


@functools.cache
def _row_loaders() -> tuple[Callable[[bytes], Meeting], Callable[[bytes], Meeting]]:
    from pyas_async._core.codec.converter import model_converter  # noqa: PLC0415 -- loads cattrs, so only if needed

    return decoding.loader(Meeting), model_converter().get_tolerant_loads_hook(Meeting)


class _Rows:
    """The rows of a page that are read one by one: the meetings, and those of which none can be made."""

    def __init__(self) -> None:
        self.meetings: list[Meeting] = []
        self.unreadable: list[UnreadableRow] = []

    def add_unreadable(self, path: str, reason: str, content: str) -> None:
        index = len(self.meetings) + len(self.unreadable)
        self.unreadable.append(UnreadableRow(index, path, reason, content))

    def page(self, values: dict[str, Any], beside: dict[str, Any], source: "Source") -> Page:
        """Make a page of these rows, and of what an answer has in `data` besides them, and beside `data`."""
        from pyas_async._core.codec.converter import structure  # noqa: PLC0415 -- loads cattrs, so only if needed

        name, token = _find_token(values, beside)
        others = {key: value for key, value in values.items() if key != "meetings" and key not in _TOKEN_NAMES}
        about = structure(Page, {**others, name: token})
        meetings, fields = tuple(self.meetings), {}
        if isinstance(about._source, PartlyReadSource):  # noqa: SLF001  (it is kept for the codec)
            fields = dict(about._source.fields)  # noqa: SLF001  (as above)
        lost = "next_page_token" in fields and bool(token)
        if self.unreadable:
            dropped = array("L", (row.index for row in self.unreadable))  # a page may have very many of them
            fields["meetings"] = UnreadableField("meetings", meetings, dropped)
        partly = PartlyReadSource(source, fields, self.unreadable, token_lost=lost)
        return attrs.evolve(about, meetings=meetings, _source=partly)


def _find_token(*places: dict[str, Any]) -> tuple[str, object]:
    """Return the first page token, with its name; if there is none, a value that means so, such as ``null``."""
    found = [(name, place[name]) for name in _TOKEN_NAMES for place in places if place.get(name) is not None]
    return next((pair for pair in found if pair[1]), found[0] if found else (_TOKEN_NAMES[0], None))


def _content(row: bytes) -> str:
    try:
        return json.dumps(parse(row), sort_keys=True)
    except DecodeError:  # nested too deep, in a field that no model has
        return row.decode(errors="replace")


def _read_rows(raw_rows: list[Any], rows: _Rows) -> Generator[None, None, None]:
    """Read each row on the fast path, or tolerantly; after several refusals, most rows skip the fast path."""
    from pyas_async._core.codec.hooks import StructureError  # noqa: PLC0415 -- loads cattrs, so only if needed

    load, load_tolerantly = _row_loaders()
    refused = skipped = tolerant = 0
    for data in raw_rows:
        if skipped:
            skipped -= 1
        else:
            try:
                rows.meetings.append(load(data))
            except DECODE_ERRORS:
                refused += 1
                skipped = min(refused - 1, _MAX_SKIPPED)
            else:
                refused = 0
                continue
        try:
            rows.meetings.append(load_tolerantly(data))
        except StructureError as error:
            rows.add_unreadable(error.path, error.reason, _content(data))
        tolerant += 1
        if tolerant % _ROWS_PER_STEP == 0:
            yield


def _steps_without_fast_path(body: bytes) -> Generator[None, None, Page]:
    return (yield from read_row_by_row(body)) or read_page_tolerantly(body)


def read_row_by_row(body: bytes) -> Generator[None, None, Page | None]:
    """Read each row separately, fast or tolerantly; ``None`` if the response has to be read as a whole."""
    from pyas_async._core.codec.failures import says_no  # noqa: PLC0415 -- loads cattrs, so only if needed

    rows = _Rows()
    try:
        envelope = _raw_decoder.decode(body)
        if says_no(envelope.success):
            return None
        data = envelope.data
        yield from _read_rows(data.meetings, rows)
        values, beside = msgspec.structs.asdict(data), msgspec.structs.asdict(envelope)
        return rows.page(values, beside, (body, "data"))
    except Exception:  # noqa: BLE001  (`read_page_tolerantly` meets the same fault, and says where it is)
        return None


def read_page_tolerantly(body: bytes) -> Page:
    """Read a response as a whole on the tolerant path, and say what is wrong with it.

    Raises:
        DecodeError: If the response has no list of meetings.
        NotSuccessError: If the response reports an error.
    """
    from pyas_async._core.codec.converter import structure  # noqa: PLC0415 -- loads cattrs, so only if needed
    from pyas_async._core.codec.hooks import StructureError  # noqa: PLC0415 -- as above

    document = parse_object(body)
    data, source = _find_page(document, body)
    rows = _Rows()
    for value in data.get("meetings") or ():
        try:
            rows.meetings.append(structure(Meeting, value))
        except StructureError as error:
            rows.add_unreadable(error.path, error.reason, json.dumps(value, sort_keys=True))
    return rows.page(data, document, source)


def _find_page(document: dict[str, Any], body: bytes) -> tuple[dict[str, Any], tuple[object, ...]]:
    """Find the page in a response: in `data`, or the bare object. An empty list as `data` is an empty page."""
    data = document.get("data")
    source: tuple[object, ...] = (body,)
    if isinstance(data, dict) and "meetings" in data:
        found, path, source = data, "$.data", (body, "data")
    elif data == [] or "meetings" in document:
        found, path = document, "$"
    else:
        check_failure(document)
        raise unreadable("no list of meetings found", body, "$.data.meetings")
    if found.get("meetings") not in (None, "") and not isinstance(found["meetings"], list):
        raise unreadable("expected a list", body, f"{path}.meetings")
    return found, source
