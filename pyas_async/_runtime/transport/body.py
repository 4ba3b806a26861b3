"""The body of an answer, read to its end or to a bound."""

import zlib
from typing import Any

import httpx

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, decompressed, that are read at most."""
ENCODING = "gzip"
"""What we ask for: what can be decompressed within a bound, by the standard library."""


class TooLargeError(Exception):
    """The answer is larger than `MAX_BODY`."""


class EncodedError(Exception):
    """The answer is in an encoding that was not asked for, or not in the one that it names."""


class _Plain:
    """Joins the pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self._size += len(piece)
        if self._size > MAX_BODY:
            self._pieces.clear()
            raise TooLargeError
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Give the body, once its last piece was taken."""
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Gzip(_Plain):
    """Decompresses as well, and never more than it can keep: a thousandth of what comes out may be all that went in."""

    def __init__(self) -> None:
        super().__init__()
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._begun = False

    def add(self, piece: bytes) -> None:
        """Take a compressed piece."""
        while piece:
            self._begun = True
            try:
                super().add(self._unpack.decompress(piece, MAX_BODY - self._size + 1))
            except zlib.error:
                msg = "the answer is not the gzip that it says it is"
                raise EncodedError(msg) from None
            piece = self._unpack.unconsumed_tail
            if not piece and self._unpack.eof and self._unpack.unused_data.strip(b"\0"):
                # gzip allows several members in a row.
                piece, self._unpack = self._unpack.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 16)

    def whole(self) -> bytes:
        """Give the body."""
        if self._begun and not self._unpack.eof:
            msg = "the answer ends in the middle of its gzip"
            raise EncodedError(msg)
        return super().whole()


async def read(response: httpx.Response) -> bytes:
    """Read a body, decompressed.

    Raises:
        TooLargeError: If it is larger than `MAX_BODY`. The connection is hung up then.
        EncodedError: If its encoding is none that was asked for.
    """
    if response.is_stream_consumed:  # as mocks have it
        if len(response.content) > MAX_BODY:
            raise TooLargeError
        return response.content
    body = _joiner(response)
    refused: Exception | None = None
    # In stream, not in response.aiter_raw(), which would count and wrap each piece.
    stream: Any = response.stream
    try:
        async for piece in stream:
            if refused is None and (refused := _refusal(body, piece)) is None:
                continue
            # Hanging up lets all of the generators in between end by themselves; one that is left in the middle would
            # have to be cleaned up by the event loop.
            if (network := response.extensions.get("network_stream")) is None:
                break
            await network.aclose()
    except Exception:
        if refused is None:
            raise
    if refused is not None:
        raise refused
    return body.whole()


def _joiner(response: httpx.Response) -> _Plain:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Gzip()
    msg = f"the answer is in an encoding that was not asked for ({encoding[:40]!r})"
    raise EncodedError(msg)


def _refusal(body: _Plain, piece: bytes) -> Exception | None:
    try:
        body.add(piece)
    except (TooLargeError, EncodedError) as error:
        return error
    return None
