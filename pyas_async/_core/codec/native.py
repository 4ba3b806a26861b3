"""The fast way: msgspec reads bytes straight into the models, without a dict in between.

It takes about half as long again as into a msgspec Struct, and a third of what cattrs takes. It does not know cattrs'
hooks: it refuses what they are there for (``null`` where text belongs, digits for a number, a date without an offset),
and whoever calls it goes the tolerant way then.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Annotated, Any, TypedDict, TypeVar

import attrs
import msgspec

from pyas_async.models import Meeting
from pyas_async.models._base import Model
from pyas_async.models._source import too_deep, wire_name

T = TypeVar("T")
_Aware = Annotated[datetime, msgspec.Meta(tz=True)] | None


@contextlib.contextmanager
def _shown(*classes: type[Model]) -> Iterator[None]:
    """Show msgspec the models as they are on the wire, as long as it looks at them.

    - Without the field that holds where a model came from: no answer has it, and to fill in what is missing is the
      dearest thing that msgspec does for a class of attrs (a fifth of a row).
    - With dates that must have an offset: to look at each afterwards takes a tenth of a row.
    """
    whole: dict[Any, tuple[Any, Any]] = {cls: (attrs.fields(cls), cls.__annotations__) for cls in classes}
    try:
        for cls, (fields, hints) in whole.items():
            _forget(cls)  # whoever gave it to msgspec before us had it seen whole
            cls.__attrs_attrs__ = tuple(field for field in fields if field.name != "_source")
            cls.__annotations__ = {name: _Aware if hint == datetime | None else hint for name, hint in hints.items()}
        yield
    finally:
        for cls, (fields, hints) in whole.items():
            cls.__attrs_attrs__, cls.__annotations__ = fields, hints
            _forget(cls)  # and so shall whoever does so after us


def _forget(cls: Any) -> None:  # noqa: ANN401  (a class of ours, of whose cache nobody knows)
    """Let msgspec look at a class anew."""
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


def takes(kind: object) -> bool:
    """Whether a class is one of those that this way reads as cattrs' hooks do.

    msgspec calls fields by their names in Python, and does not know that empty text may mean nothing.
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
    """Make what decodes a type, with models in it, the fast way. Where they came from is still to be set."""
    classes = dict.fromkeys(_models_in(kind))
    assert all(map(takes, classes))  # noqa: S101  (a mistake in the models, found when the package is imported)
    with _shown(*classes):
        return msgspec.json.Decoder(kind)


set_source = Model.__dict__["_source"].__set__
"""Tells a model what it was made of: itself, it would refuse to be changed."""


def known_fields(cls: type) -> "msgspec.json.Decoder[dict[str, Any]]":
    """Make what parses an object, but for the fields that its class does not name: most of a long one is of these."""
    names = {wire_name(field): Any for field in attrs.fields(cls) if field.name != "_source"}
    return msgspec.json.Decoder(TypedDict(cls.__name__, names, total=False))  # type: ignore[operator]


def keeper(cls: type) -> Callable[..., None]:
    """Make what tells a model of a class, and those in it, where they came from: a buffer, and the keys in it."""
    inside = [
        (field.name, getattr(field.type, "__origin__", None) is tuple, keeper(found))
        for field in attrs.fields(cls)
        if (found := next(_models_in(field.type), None)) is not None
    ]

    def keep(model: Any, *path: object) -> None:  # noqa: ANN401  (of the class)
        buffer, *keys = path
        set_source(model, path if keys else buffer)
        for name, many, keep_inner in inside:
            value = getattr(model, name)
            if many:
                for index, item in enumerate(value):
                    keep_inner(item, *path, name, index)
            elif value is not None:
                keep_inner(value, *path, name)

    return keep


def loader(cls: type[T]) -> Callable[[bytes], T]:
    """Make what reads a model of a class, which this way `takes`, from bytes; what it raises is in `REFUSED`."""
    decode, keep = decoder(cls).decode, keeper(cls)

    def load(data: bytes) -> T:
        model = decode(data)
        keep(model, data)
        return model

    return load


class _Rows:
    """The bytes of a page, which are cut into rows when one is asked for."""

    __slots__ = ("_cut", "_rows")

    def __init__(self, cut: Callable[[], list[msgspec.Raw]]) -> None:
        self._cut = cut
        self._rows: list[msgspec.Raw] | None = None

    def row(self, index: int) -> bytes:
        if self._rows is None:
            try:
                self._rows = self._cut()
            except RecursionError:  # whoever asks now has used up more of the stack than whoever read the page
                raise too_deep() from None
        return bytes(self._rows[index])


class _Row(msgspec.Struct, gc=False):
    """Where a row came from: a page, and the number of the row. ``bytes()`` gives the row's JSON."""

    page: _Rows
    index: int

    def __bytes__(self) -> bytes:
        return self.page.row(self.index)

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        """Pickle, and copy, the row without its page."""
        return bytes, (bytes(self),)


def keep_rows(rows: Sequence[Meeting], cut: Callable[[], list[msgspec.Raw]]) -> None:
    """Tell the rows of a page where they came from: `cut` gives the JSON of each."""
    # One loop, and it runs in C.
    deque(map(set_source, rows, map(_Row, repeat(_Rows(cut)), range(len(rows)))), maxlen=0)
