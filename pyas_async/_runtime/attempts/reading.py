"""Reads the body of a response within bounds, and leaves nothing on the connection."""

from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import httpx

from pyas_async._core.calls.body_reader import BodyReader
from pyas_async._runtime.attempts.private_names import has_surplus, spoil

if TYPE_CHECKING:
    from pyas_async._runtime.http.connection import Connection

_NO_BODY = httpx.ByteStream(b"")
_AT_ONCE = 100
"""Pieces of a body that are read without a pause. Only a body meant to keep the client busy has thousands."""


async def read(response: httpx.Response, encoding: str, own: "Connection | None") -> BodyReader:
    """Read the body of a response to its end, or as far as it can be used.

    Args:
        response: The response.
        encoding: Its ``Content-Encoding``.
        own: The connection of ours over which it came. It looks for surplus bytes itself.
    """
    try:
        if own is None or (pieces := own.pieces(response)) is None:
            try:
                return await _read(response, encoding, own=own is not None)
            finally:
                await response.aclose()
        body = BodyReader(encoding)
        for piece in pieces:
            if not body.feed(piece):
                break
        return body
    finally:
        if own is not None:
            # httpx's stream refers to the response, which would keep both until the garbage collector runs.
            response.stream = _NO_BODY


async def _read(response: httpx.Response, encoding: str, *, own: bool) -> BodyReader:
    if response.is_stream_consumed:  # a mock or a hook of the user has already read and decompressed it
        body = BodyReader()
        async for piece in response.aiter_bytes():
            body.feed(piece)
        return body
    body = BodyReader(encoding)
    try:
        # Not `aiter_raw`: at the end it returns the connection to the pool before it can be checked.
        stream: Any = response.stream
        pieces = 0
        async for piece in stream:
            if not body.feed(piece) and not await _hang_up(response, own=own):
                break
            pieces += 1
            if pieces % _AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
    except Exception:
        if body.fault is None:
            raise
    if not own and has_surplus(response):
        spoil(response)
    return body


async def _hang_up(response: httpx.Response, *, own: bool) -> bool:
    """Close the connection of a response; return whether that was possible.

    This lets all generators in between end by themselves. The event loop would have to clean up an unfinished one.
    """
    stream = response.extensions.get("network_stream")
    if stream is None:
        return False
    if not own:
        spoil(response)
    await stream.aclose()
    return True
