"""What httpx, and the packages below it, log about our requests: without what is secret in them.

httpx logs the address of each request at INFO, page token included; httpcore logs the headers of each answer at DEBUG,
and an answer may say again what it was asked; hpack logs the headers of each HTTP/2 request, key included.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias

_NAMES = ("httpx", *(f"httpcore{part}" for part in (".connection", ".http11", ".http2", ".proxy", ".socks")))
_LOGGERS = (*_NAMES, *(name.replace("httpx", "httpx2").replace("httpcore", "httpcore2") for name in _NAMES))
# They write headers as HTTP/2 packs them, which no search for a text finds.
_PACKED = ("hpack.hpack", "hpack.table")


Mask: TypeAlias = Callable[..., str]
"""Takes what is secret out of a text; with ``limit=None``, without shortening it."""

_SHORT = 4
"""Characters that are no secret: the words GET and OK, which each line has."""
_mask: ContextVar[Mask | None] = ContextVar("pyas_async_mask", default=None)
"""Whose secrets are on the wire: of the request that this task, or one that it began, is sending."""


@contextlib.contextmanager
def masking_logs(mask: Mask) -> Iterator[None]:
    """Take what is secret out of all that is logged about the request which is sent meanwhile."""
    before = _mask.get()
    _mask.set(mask)
    try:
        yield
    finally:
        # Not by a token, which can be given back only in the very context that it is from: who steps us is not known.
        _mask.set(before)


class _Hide(logging.Filter):
    """Masks records about our requests; other people's stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; let it pass, unless nobody could read it."""
        mask = _mask.get()
        if mask is None:
            return True
        if record.name in _PACKED:
            return False
        if isinstance(record.args, Mapping):
            record.args = {name: _masked(argument, mask) for name, argument in record.args.items()}
        elif record.args:
            record.args = tuple(_masked(argument, mask) for argument in record.args)
        else:
            record.msg = mask(str(record.msg), limit=None)
        return True


def _masked(argument: Any, mask: Mask) -> Any:  # noqa: ANN401  (whatever is logged)
    if argument is None or isinstance(argument, (int, float)):
        return argument
    text = str(argument)
    if len(text) < _SHORT:
        return argument
    # httpx passes its URL as an object; by name, since httpx2 has one of its own.
    if type(argument).__name__ == "URL" and "?" in text:
        return f"{text.partition('?')[0]}?***"
    shown = mask(text, limit=None)
    return argument if shown == text else shown


_HIDE = _Hide()


def install_log_filter() -> None:
    """Mask what httpx logs about our requests, from now on and for the whole process."""
    for name in (*_LOGGERS, *_PACKED):
        logging.getLogger(name).addFilter(_HIDE)  # the same filter is added only once
