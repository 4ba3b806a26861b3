"""Reading an answer's body off the wire: within bounds, and so that nothing is left on the connection."""

from typing import Any

import anyio.lowlevel
import httpx

from pyas_async._core.calls.body_reader import BodyReader

# The way from a response of httpx (or httpx2) down to the connection that it came over, if httpcore made it.
_INNER = ("_connection", "_httpcore_stream", "_stream")
_DEPTH = 8
_AT_ONCE = 100
"""Pieces of an answer that are taken at a stretch. One has thousands only if somebody cut it up to keep us busy."""


async def read(response: httpx.Response) -> BodyReader:
    """Read the body of an answer to its end, or as far as it can be used."""
    if response.is_stream_consumed:  # a mock, or a hook of the user's, was here before, and has decompressed it
        body = BodyReader()
        async for piece in response.aiter_bytes():
            body.feed(piece)
        return body
    body = BodyReader(response.headers.get("content-encoding", ""))
    try:
        # Not `aiter_raw`: that hands the connection back at the end, before anybody could look at it.
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
        # More came than the answer: httpcore would read it as the answer to the next request on this connection. (What
        # has not been read yet, it sees by itself when it takes the connection again, and closes it.)
        connection.send_failed()
    return body


def _is_more_decrypted(response: httpx.Response) -> bool:
    """Whether bytes that came with the answer wait to be decrypted: the socket has given them, so nobody sees them."""
    stream = getattr(response.extensions.get("network_stream"), "_stream", None)
    # anyio's, or trio's
    waiting = getattr(stream, "_read_bio", None) or getattr(stream, "_incoming", None)
    return getattr(waiting, "pending", 0) > 0


async def _hang_up(response: httpx.Response) -> bool:
    """Close the connection below an answer; say whether that could be done.

    It lets all of the generators in between end by themselves; one that is left in the middle would have to be cleaned
    up by the event loop.
    """
    stream = response.extensions.get("network_stream")
    if stream is None:
        return False
    if (connection := _h11_of(response.stream)) is not None:
        connection.send_failed()
    await stream.aclose()
    return True


def _h11_of(stream: Any) -> Any:  # noqa: ANN401  (whatever httpx has in there)
    """Find what speaks HTTP/1.1 below an answer; ``None`` for HTTP/2, a mock, or another transport.

    It decides whether httpcore uses the connection again: not after ``send_failed``.
    """
    for _ in range(_DEPTH):
        if (connection := getattr(stream, "_h11_state", None)) is not None:
            return connection
        stream = next((inner for name in _INNER if (inner := getattr(stream, name, None)) is not None), None)
    return None
