"""What could not be read in a response: the error for it, or what its models lack.

A response with a meeting that has an identity raises nothing: its models know which fields and rows they lack.
"""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from pyas_async.errors import DecodeError
from pyas_async.models import Page
from pyas_async.models._base import Model
from pyas_async.models._source import PartlyReadSource, Source, UnreadableRow

_SHOWN_BEFORE = 100
"""Characters before the place that are shown, of the 500 that an error holds."""


class UnmaskedDecodeError(DecodeError):
    """A `DecodeError` whose excerpt may show secrets. The exchange masks it, since it knows the secrets of the call.

    Attributes:
        around: The text before the place that could not be read, and the text from there on.
    """

    def __init__(self, message: str, *, path: str, around: tuple[str, str]) -> None:
        super().__init__(message, path=path, excerpt=_join(*around))
        self.around = around

    def masked(self, mask: Callable[..., str]) -> DecodeError:
        """Return the error for callers. The mask takes the argument `limit` of `redact`."""
        # Each half begins where a value does, so that no secret is cut in two before it is masked.
        before, after = self.around
        excerpt = _join(mask(before, limit=None), mask(after))
        return DecodeError(mask(self.reason), path=self.path, excerpt=excerpt)


def unreadable(
    message: str, body: bytes, path: str = "$", cls: type[UnmaskedDecodeError] = UnmaskedDecodeError
) -> UnmaskedDecodeError:
    """Make the error for a response that cannot be read at this path."""
    from pyas_async._core.codec.excerpts import text_around  # noqa: PLC0415 -- many programs see no such error

    return cls(message, path=path, around=text_around(body, path))


def _join(before: str, after: str) -> str:
    return before + after if len(before) <= _SHOWN_BEFORE else f"…{before[-_SHOWN_BEFORE:]}{after}"


def _source(model: Model) -> Source:
    return model._source  # noqa: SLF001  (it is kept for the codec)


def unreadable_rows(page: Page) -> Sequence[UnreadableRow]:
    """Return the rows of a page, as it was read, of which no meeting can be made: they have no identity."""
    source = _source(page)
    return source.rows if isinstance(source, PartlyReadSource) else ()


def row_path(page: Page, row: UnreadableRow) -> str:
    """Return the path in the response of what could not be read in a row of a page, as it was read."""
    _, *keys = _body_and_keys(page)
    return ".".join(["$", *keys, f"meetings[{row.index}]{row.path}"])


def row_error(page: Page, row: UnreadableRow) -> UnmaskedDecodeError:
    """Make the error for an unreadable row of a page, as it was read."""
    return unreadable(row.reason, _body_and_keys(page)[0], row_path(page, row))


def _body_and_keys(page: Page) -> tuple[Any, ...]:
    source = _source(page)
    inner = source.inner if isinstance(source, PartlyReadSource) else source
    assert isinstance(inner, tuple)  # noqa: S101  (the source of a page of a response)
    return inner


def token_is_lost(page: Page) -> bool:
    """Whether a page, as it was read, has a page token that could not be read, so that its listing cannot go on."""
    source = _source(page)
    return isinstance(source, PartlyReadSource) and source.token_lost


def unreadable_names(value: object) -> Sequence[str]:
    """Return the names of fields that could not be read, as in ``Meeting.duration``, once for each model.

    What the fast path has read costs nothing here: it reads a response only if everything is as documented.
    """
    source = value._source if isinstance(value, Model) else None  # noqa: SLF001  (it is kept for the codec)
    if not isinstance(source, (PartlyReadSource, dict)):
        return ()
    fields = source.fields if isinstance(source, PartlyReadSource) else ()
    names = [f"{type(value).__name__}.{name}" for name in fields]
    for name in attrs.fields_dict(type(value)):  # type: ignore[arg-type]  # a model
        inner = getattr(value, name)
        for part in inner if isinstance(inner, tuple) else (inner,):
            names += unreadable_names(part)
    return names
