"""A filter for what httpx and the packages below it log about our requests, so that no secret reaches a log.

httpx logs the address of each request at INFO, page token included. httpcore logs the headers of each response at
DEBUG, and a response may repeat what the request said. hpack logs the headers of each HTTP/2 request, key included.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeAlias

TextMask: TypeAlias = Callable[..., str]
"""Removes secrets from a text; with ``limit=None``, without shortening it."""

_NAMES = ("httpx", *(f"httpcore{part}" for part in (".connection", ".http11", ".http2", ".proxy", ".socks")))
_MASKED_LOGGERS = (*_NAMES, *(name.replace("httpx", "httpx2").replace("httpcore", "httpcore2") for name in _NAMES))
# These log headers as HTTP/2 packs them, where no search for a text finds a secret. Their records are dropped.
_DROPPED_LOGGERS = ("hpack.hpack", "hpack.table")
_NO_SECRET = 4
"""Shorter arguments are left alone: they are words such as GET and OK, which each record has."""
_mask: ContextVar[TextMask | None] = ContextVar("pyas_async_mask", default=None)
"""The mask of the request that this task, or one that it started, is sending."""


@contextlib.contextmanager
def masking_logs(mask: TextMask) -> Iterator[None]:
    """Mask all records about the request that is sent within the block."""
    before = _mask.get()
    _mask.set(mask)
    try:
        yield
    finally:
        # Not by a token: it can be reset only in the context that made it, and the caller may step us in another one.
        _mask.set(before)


class _MaskingFilter(logging.Filter):
    """Masks records about our requests; records about other requests in the process stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place; drop it if it cannot be masked."""
        mask = _mask.get()
        if mask is None:
            return True
        if record.name in _DROPPED_LOGGERS:
            return False
        if isinstance(record.args, Mapping):
            record.args = {name: _masked(argument, mask) for name, argument in record.args.items()}
        elif record.args:
            record.args = tuple(_masked(argument, mask) for argument in record.args)
        else:
            record.msg = mask(str(record.msg), limit=None)
        return True


def _masked(argument: Any, mask: TextMask) -> Any:  # noqa: ANN401  (a logged argument can be anything)
    if argument is None or isinstance(argument, (int, float)):
        return argument
    text = str(argument)
    if len(text) < _NO_SECRET:
        return argument
    # httpx passes its URL as an object. It is recognized by its name, since httpx2 has a separate class.
    if type(argument).__name__ == "URL" and "?" in text:
        return f"{text.partition('?')[0]}?***"
    masked = mask(text, limit=None)
    return argument if masked == text else masked


_FILTER = _MaskingFilter()


def install_log_filter() -> None:
    """Mask what httpx logs about our requests, from now on and in the whole process."""
    for name in (*_MASKED_LOGGERS, *_DROPPED_LOGGERS):
        logging.getLogger(name).addFilter(_FILTER)  # logging adds the same filter only once
