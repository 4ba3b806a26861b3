"""What msgspec does: bytes to JSON values, and, on the fast path, bytes straight to models.

The fast path makes no dict in between. It takes about 1.5 times as long as decoding to a msgspec Struct, and a third
of the time that cattrs takes. It does not know cattrs' hooks, so it refuses what they are for: ``null`` instead of
text, digits instead of a number, a date without an offset. Its callers then use the tolerant path, in `converter`.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Annotated, Any, TypedDict, TypeVar

import attrs
import msgspec

from pyas_async._core.codec.unreadable import unreadable
from pyas_async.models import Meeting
from pyas_async.models._base import Model
from pyas_async.models._source import is_too_deep, parse_leniently, too_deep, wire_name

T = TypeVar("T")
DECODE_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)
"""What msgspec raises for bytes that it refuses; broken UTF-8 is a ValueError."""
_Aware = Annotated[datetime, msgspec.Meta(tz=True)] | None


def parse(body: bytes) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    """Parse JSON.

    Raises:
        UnmaskedDecodeError: If the body is not JSON, or nested too deep.
    """
    reason = None
    document = None
    try:
        document = msgspec.json.decode(body)
    except DECODE_ERRORS:
        try:
            document = parse_leniently(body, keep_odd_numbers=True)
        except RecursionError:
            reason = "nested too deep"
        except ValueError as error:
            reason = str(error)
    # The depth that a parser can take differs between versions of Python; the bound that is checked here does not.
    if reason is None and is_too_deep(document, body):
        reason = "nested too deep"
    if reason is not None:
        raise unreadable(f"not JSON: {reason}", body)
    return document


@contextlib.contextmanager
def _fields_as_sent(*classes: type[Model]) -> Iterator[None]:
    """Change the fields of models to what the service sends, while msgspec builds its decoder.

    - Without ``_source``, which no response has: filling in missing fields is the most expensive thing that msgspec
      does for an attrs class (a fifth of the time for a row).
    - With dates that must have an offset: checking each one afterwards takes a tenth of the time for a row.
    """
    whole: dict[Any, tuple[Any, Any]] = {cls: (attrs.fields(cls), cls.__annotations__) for cls in classes}
    try:
        for cls, (fields, hints) in whole.items():
            _clear_msgspec_cache(cls)  # other code may have made msgspec look at the whole class before
            cls.__attrs_attrs__ = tuple(field for field in fields if field.name != "_source")
            cls.__annotations__ = {name: _Aware if hint == datetime | None else hint for name, hint in hints.items()}
        yield
    finally:
        for cls, (fields, hints) in whole.items():
            cls.__attrs_attrs__, cls.__annotations__ = fields, hints
            _clear_msgspec_cache(cls)  # and other code may do so later


def _clear_msgspec_cache(cls: Any) -> None:  # noqa: ANN401  (a class; type checkers do not know of its cache)
    with contextlib.suppress(AttributeError):
        del cls.__msgspec_cache__


def _models_in(kind: Any) -> Iterator[type[Model]]:  # noqa: ANN401  (an annotation)
    for inner in getattr(kind, "__args__", ()):
        yield from _models_in(inner)
    if isinstance(kind, type) and issubclass(kind, Model):
        for base in kind.__mro__:
            if issubclass(base, Model):
                yield base
        for field in attrs.fields(kind):
            yield from _models_in(field.type)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for hint in kind.__annotations__.values():
            yield from _models_in(hint)


def supports(kind: object) -> bool:
    """Whether the fast path reads a class as cattrs' hooks do.

    msgspec uses the Python names of fields, and does not know that empty text may mean ``None``.
    """
    return (
        isinstance(kind, type)
        and issubclass(kind, Model)
        and all(
            wire_name(field) == field.name and field.metadata.get("blank", True)
            for cls in _models_in(kind)
            for field in attrs.fields(cls)
        )
    )


def decoder(kind: type[T]) -> "msgspec.json.Decoder[T]":
    """Make a fast decoder for a type that contains models. It does not set the source of the models."""
    classes = dict.fromkeys(_models_in(kind))
    assert all(map(supports, classes))  # noqa: S101  (a mistake in the models, found when the package is imported)
    with _fields_as_sent(*classes):
        return msgspec.json.Decoder(kind)


set_source = Model.__dict__["_source"].__set__
"""Sets the source of a model, which is frozen: its own ``__setattr__`` would raise."""


def known_fields_decoder(cls: type) -> "msgspec.json.Decoder[dict[str, Any]]":
    """Make a decoder for an object that skips the fields which a class does not name: most of a long object."""
    names = {wire_name(field): Any for field in attrs.fields(cls) if field.name != "_source"}
    return msgspec.json.Decoder(TypedDict(cls.__name__, names, total=False))  # type: ignore[operator]


def source_setter(cls: type) -> Callable[..., None]:
    """Make a function that sets the source of a model and of the models in it, from a buffer and the keys in it."""
    inside = [
        (field.name, getattr(field.type, "__origin__", None) is tuple, source_setter(found))
        for field in attrs.fields(cls)
        if (found := next(_models_in(field.type), None)) is not None
    ]

    def set_sources(model: Any, *path: object) -> None:  # noqa: ANN401  (an instance of `cls`)
        buffer, *keys = path
        set_source(model, path if keys else buffer)
        for name, many, set_inner in inside:
            value = getattr(model, name)
            if many:
                for index, item in enumerate(value):
                    set_inner(item, *path, name, index)
            elif value is not None:
                set_inner(value, *path, name)

    return set_sources


def loader(cls: type[T]) -> Callable[[bytes], T]:
    """Make a function that reads a model of a supported class from bytes. It raises one of `DECODE_ERRORS`."""
    decode, set_sources = decoder(cls).decode, source_setter(cls)

    def load(data: bytes) -> T:
        model = decode(data)
        set_sources(model, data)
        return model

    return load


class _PageRows:
    """The bytes of a page, which are split into rows when the first row is needed."""

    __slots__ = ("_rows", "_split")

    def __init__(self, split: Callable[[], list[msgspec.Raw]]) -> None:
        self._split = split
        self._rows: list[msgspec.Raw] | None = None

    def row(self, index: int) -> bytes:
        if self._rows is None:
            try:
                self._rows = self._split()
            except RecursionError:  # less of the stack is left here than was left where the page was read
                raise too_deep() from None
        return bytes(self._rows[index])


class _RowSource(msgspec.Struct, gc=False):
    """The source of a row: its page and its index. ``bytes()`` gives the row's JSON."""

    page: _PageRows
    index: int

    def __bytes__(self) -> bytes:
        return self.page.row(self.index)

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        """Pickle, and copy, the row without its page."""
        return bytes, (bytes(self),)


def set_row_sources(rows: Sequence[Meeting], split: Callable[[], list[msgspec.Raw]]) -> None:
    """Set the source of each row of a page; `split` returns the JSON of all rows."""
    # One loop that runs in C.
    deque(map(set_source, rows, map(_RowSource, repeat(_PageRows(split)), range(len(rows)))), maxlen=0)
