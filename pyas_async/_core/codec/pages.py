"""From the answer of a list call to the page inside.

Three ways lead there, and to equal pages. The fast one takes the whole page at once. What it refuses is taken row by
row: so one odd row costs what one row costs, and a page full of them does not hold the event loop up. Where the answer
is not built as documented, it is read as a whole, and that way says what is wrong with it.
"""

import functools
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import attrs
import msgspec

from pyas_async._core.codec import native
from pyas_async._core.codec.parsing import REFUSED, unreadable
from pyas_async._core.codec.responses import parse_object, structure_at
from pyas_async.models import Meeting, Page

T = TypeVar("T")


class _Data(msgspec.Struct):
    meetings: tuple[Meeting, ...]
    next_page_token: str | None = None
    page_size: int | None = None
    total_records: int | None = None


class _Answer(msgspec.Struct):
    data: _Data
    success: bool | None = None


class _RawData(msgspec.Struct):
    meetings: list[msgspec.Raw]
    next_page_token: Any = None
    page_size: Any = None
    total_records: Any = None


class _RawAnswer(msgspec.Struct):
    data: _RawData
    success: Any = None


_UNTRIED = 15
"""Rows that are read tolerantly untried, at most, where those before them were refused: an odd page is odd all over, as
a rule, and to try costs a sixth of a row."""

_A_STEP = 50
"""Rows that are read tolerantly at a stretch, which takes a millisecond."""

_answer = native.decoder(_Answer)
_raw_answer = msgspec.json.Decoder(_RawAnswer)


def read_page(body: bytes) -> Page:
    """Read the answer to a list call.

    Raises:
        DecodeError: If it is not what the service documents.
        Refused: If it says that it is an error.
    """
    return read_at_once(body) or finished(_slowly(body))


def page_steps(body: bytes) -> Generator[None, None, Page]:
    """Read the answer to a list call in steps, none of which takes long, so far as it is built as documented.

    Raises:
        DecodeError: If it is not what the service documents.
        Refused: If it says that it is an error.
    """
    page = read_at_once(body)
    if page is None:
        yield
        page = yield from _slowly(body)
    return page


def finished(steps: Generator[None, None, T]) -> T:
    """Take all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def read_at_once(body: bytes) -> Page | None:
    """Read an answer the fast way; ``None`` if that refuses anything in it."""
    try:
        answer = _answer.decode(body)
    except REFUSED:
        return None
    if answer.success is False:
        return None
    data = answer.data
    native.keep_rows(data.meetings, lambda: _raw_answer.decode(body).data.meetings)
    return Page(
        meetings=data.meetings,
        next_page_token=data.next_page_token or None,
        page_size=data.page_size,
        total_records=data.total_records,
        _source=(body, "data"),
    )


@functools.cache
def _row_loaders() -> tuple[Callable[[bytes], Meeting], Callable[[bytes], Meeting]]:
    from pyas_async._core.codec.converter import reader  # noqa: PLC0415 -- cattrs, if needed

    return native.loader(Meeting), reader(detailed=False).get_tolerant_loads_hook(Meeting)


def _read_rows(raws: list[Any], rows: list[Meeting]) -> Generator[None, None, None]:
    """Read each row the fast way, or tolerantly, to equal models; where many are refused, most of them untried."""
    load, load_tolerantly = _row_loaders()
    refused = untried = tolerantly = 0
    for data in raws:
        if untried:
            untried -= 1
        else:
            try:
                rows.append(load(data))
            except REFUSED:
                refused += 1
                untried = min(refused - 1, _UNTRIED)
            else:
                refused = 0
                continue
        rows.append(load_tolerantly(data))
        tolerantly += 1
        if tolerantly % _A_STEP == 0:
            yield


def _slowly(body: bytes) -> Generator[None, None, Page]:
    return (yield from row_by_row(body)) or read_whole(body)


def row_by_row(body: bytes) -> Generator[None, None, Page | None]:
    """Read each row by itself, fast or tolerantly; ``None`` if there is more to be said of the answer."""
    from pyas_async._core.codec.converter import reader  # noqa: PLC0415 -- cattrs, if needed

    rows: list[Meeting] = []
    try:
        answer = _raw_answer.decode(body)
        if answer.success is False:
            return None
        data = answer.data
        yield from _read_rows(data.meetings, rows)
        about = reader(detailed=False).structure(msgspec.structs.asdict(data) | {"meetings": None}, Page)
    except Exception:  # noqa: BLE001  (whatever it was: who reads the whole finds it again, and says where)
        return None
    return attrs.evolve(about, meetings=tuple(rows), _source=(body, "data"))


def read_whole(body: bytes) -> Page:
    """Read an answer as tolerantly as can be, and say what is wrong with it.

    Raises:
        DecodeError: If it is not what the service documents.
        Refused: If it says that it is an error.
    """
    document = parse_object(body)
    data, path, source = document.get("data"), "$.data", (body, "data")
    if not isinstance(data, dict) and "meetings" in document:
        data, path, source = document, "$", (body,)  # type: ignore[assignment]
    if not isinstance(data, dict) or "meetings" not in data:
        msg = "no list of meetings where one belongs"
        raise unreadable(msg, body, f"{path}.meetings")
    page = structure_at(Page, data, path, body)
    object.__setattr__(page, "_source", source)
    return page
