"""Reads the body of a response within bounds, and leaves nothing on the connection."""

from typing import Any

import anyio.lowlevel
import httpx

from pyas_async._core.calls.body_reader import BodyReader

# The path from a response of httpx (or httpx2) down to its connection, if httpcore made it.
_INNER = ("_connection", "_httpcore_stream", "_stream")
_DEPTH = 8
_AT_ONCE = 100
"""Pieces of a body that are read without a pause. Only a body meant to keep the client busy has thousands."""


async def read(response: httpx.Response) -> BodyReader:
    """Read the body of a response to its end, or as far as it can be used."""
    if response.is_stream_consumed:  # a mock or a hook of the user has already read and decompressed it
        body = BodyReader()
        async for piece in response.aiter_bytes():
            body.feed(piece)
        return body
    body = BodyReader(response.headers.get("content-encoding", ""))
    try:
        # Not `aiter_raw`: at the end it returns the connection to the pool before it can be checked.
        stream: Any = response.stream
        pieces = 0
        async for piece in stream:
            if not body.feed(piece) and not await _hang_up(response):
                break
            pieces += 1
            if pieces % _AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
    except Exception:
        if body.fault is None:
            raise
    connection = _h11_of(response.stream)
    if connection is not None and (connection.trailing_data[0] or _is_more_decrypted(response)):
        # More bytes came than the response has: httpcore would read them as the response to the next request on this
        # connection. (Unread bytes it detects itself when it takes the connection again, and closes it.)
        connection.send_failed()
    return body


def _is_more_decrypted(response: httpx.Response) -> bool:
    """Whether bytes after the response wait to be decrypted. They have left the socket: httpcore cannot see them."""
    stream = getattr(response.extensions.get("network_stream"), "_stream", None)
    # anyio's or trio's
    waiting = getattr(stream, "_read_bio", None) or getattr(stream, "_incoming", None)
    return getattr(waiting, "pending", 0) > 0


async def _hang_up(response: httpx.Response) -> bool:
    """Close the connection of a response; return whether that was possible.

    This lets all generators in between end by themselves. The event loop would have to clean up an unfinished one.
    """
    stream = response.extensions.get("network_stream")
    if stream is None:
        return False
    if (connection := _h11_of(response.stream)) is not None:
        connection.send_failed()
    await stream.aclose()
    return True


def _h11_of(stream: Any) -> Any:  # noqa: ANN401  (a private type of httpx)
    """Return h11's state of a response's connection; ``None`` for HTTP/2, a mock, or another transport.

    It decides whether httpcore uses the connection again: not after ``send_failed``.
    """
    for _ in range(_DEPTH):
        if (connection := getattr(stream, "_h11_state", None)) is not None:
            return connection
        stream = next((inner for name in _INNER if (inner := getattr(stream, name, None)) is not None), None)
    return None
