"""Reads the response to a list call, and makes a page of it.

There are three paths, and they make equal pages. The fast path decodes the whole page at once. If it refuses the page,
each row is read separately. Then a row with an undocumented value slows down only itself, and a page full of such rows
does not block the event loop. If the response is not built as documented, the tolerant path reads it as a whole and
says what is wrong.
"""

import functools
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import attrs
import msgspec

from pyas_async._core.codec import decoding
from pyas_async._core.codec.decoding import DECODE_ERRORS, unreadable
from pyas_async._core.codec.responses import check_failure, parse_object, structure_at
from pyas_async.models import Meeting, Page

T = TypeVar("T")


class _Data(msgspec.Struct):
    meetings: tuple[Meeting, ...]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class _Envelope(msgspec.Struct):
    data: _Data
    success: bool | None = None


class _RawData(msgspec.Struct):
    meetings: list[msgspec.Raw]
    next_page_token: Any = None
    page_size: Any = None
    total_records: Any = None


class _RawEnvelope(msgspec.Struct):
    data: _RawData
    success: Any = None


_MAX_SKIPPED = 15
"""The most consecutive rows that skip the fast path after it has refused some. If it refuses one row of a page, it
mostly refuses the others, too, and each refusal costs a sixth of the time for a row."""
_ROWS_PER_STEP = 50
"""Rows that one step reads on the tolerant path. They take a millisecond."""

_decoder = decoding.decoder(_Envelope)
_raw_decoder = msgspec.json.Decoder(_RawEnvelope)


def read_page(body: bytes) -> Page:
    """Read the response to a list call.

    Raises:
        DecodeError: If the response is not what the service documents.
        NotSuccessError: If the response reports an error.
    """
    return read_page_fast(body) or run_steps(_steps_without_fast_path(body))


def page_steps(body: bytes) -> Generator[None, None, Page]:
    """Read the response to a list call in steps. Each step is short if the response is built as documented.

    Raises:
        DecodeError: If the response is not what the service documents.
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
        next_page_token=data.next_page_token or None,
        page_size=data.page_size,
        total_records=data.total_records,
        _source=(body, "data"),
    )


@functools.cache
def _row_loaders() -> tuple[Callable[[bytes], Meeting], Callable[[bytes], Meeting]]:
    from pyas_async._core.codec.converter import model_converter  # noqa: PLC0415 -- loads cattrs, so only if needed

    return decoding.loader(Meeting), model_converter(detailed=False).get_tolerant_loads_hook(Meeting)


def _read_rows(raw_rows: list[Any], rows: list[Meeting]) -> Generator[None, None, None]:
    """Read each row on the fast path, or tolerantly; after several refusals, most rows skip the fast path."""
    load, load_tolerantly = _row_loaders()
    refused = skipped = tolerant = 0
    for data in raw_rows:
        if skipped:
            skipped -= 1
        else:
            try:
                rows.append(load(data))
            except DECODE_ERRORS:
                refused += 1
                skipped = min(refused - 1, _MAX_SKIPPED)
            else:
                refused = 0
                continue
        rows.append(load_tolerantly(data))
        tolerant += 1
        if tolerant % _ROWS_PER_STEP == 0:
            yield


def _steps_without_fast_path(body: bytes) -> Generator[None, None, Page]:
    return (yield from read_row_by_row(body)) or read_page_tolerantly(body)


def read_row_by_row(body: bytes) -> Generator[None, None, Page | None]:
    """Read each row separately, fast or tolerantly; ``None`` if the response has to be read as a whole."""
    from pyas_async._core.codec.converter import model_converter  # noqa: PLC0415 -- loads cattrs, so only if needed
    from pyas_async._core.codec.failures import says_no  # noqa: PLC0415 -- likewise

    rows: list[Meeting] = []
    try:
        envelope = _raw_decoder.decode(body)
        if says_no(envelope.success):
            return None
        data = envelope.data
        yield from _read_rows(data.meetings, rows)
        about = model_converter(detailed=False).structure(msgspec.structs.asdict(data) | {"meetings": None}, Page)
    except Exception:  # noqa: BLE001  (`read_page_tolerantly` meets the same fault, and says where it is)
        return None
    return attrs.evolve(about, meetings=tuple(rows), _source=(body, "data"))


def read_page_tolerantly(body: bytes) -> Page:
    """Read a response as a whole on the tolerant path, and say what is wrong with it.

    Raises:
        DecodeError: If the response is not what the service documents.
        NotSuccessError: If the response reports an error.
    """
    document = parse_object(body)
    data, path, source = document.get("data"), "$.data", (body, "data")
    if not isinstance(data, dict) and "meetings" in document:
        data, path, source = document, "$", (body,)  # type: ignore[assignment]
    if not isinstance(data, dict) or "meetings" not in data:
        check_failure(document)
        msg = "no list of meetings found"
        raise unreadable(msg, body, f"{path}.meetings")
    page = structure_at(Page, data, path, body)
    object.__setattr__(page, "_source", source)
    return page
