"""Detects mocks, recorders and tracers below `httpx.AsyncClient.send`.

All of our requests go through `send`, and libraries that replace it see them. Others replace methods of httpx's and
httpcore's transports, which our own connections do not use. While such a method is replaced, our requests go through
httpx's transports as well.
"""

import logging
import sys
from types import FunctionType

_METHOD = "handle_async_request"
_CLASSES = [
    ("httpx", "AsyncHTTPTransport"),  # OpenTelemetry, pytest-httpx, vcrpy
    ("httpcore", "AsyncConnectionPool"),  # respx
    ("httpcore", "AsyncHTTPConnection"),  # Elastic's agent
]
_LOGS = [logging.getLogger("httpcore.connection"), logging.getLogger("httpcore.http11")]
_originals: list[object] = [None] * len(_CLASSES)


def is_instrumented() -> bool:
    """Whether another library has replaced a method, or httpcore's debug log is enabled."""
    for index, (module, name) in enumerate(_CLASSES):
        # httpx loads httpcore for its own transports. What is not loaded is not replaced.
        cls = getattr(sys.modules.get(module), name, None)
        if cls is None:
            continue
        method = vars(cls).get(_METHOD)
        # By identity: a wrapper that wrapt has made is equal to what it wraps.
        if method is not _originals[index]:
            if type(method) is not FunctionType or method.__code__.co_qualname != f"{name}.{_METHOD}":
                return True
            _originals[index] = method
    return _LOGS[0].isEnabledFor(logging.DEBUG) or _LOGS[1].isEnabledFor(logging.DEBUG)
