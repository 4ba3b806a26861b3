"""Reads the body of a response within limits.

It is decompressed here, and not by httpx: 64 kB of gzip can hold 64 MB, which httpx returns in one piece. It would be
too late to check a limit after that.
"""

import functools
import zlib

MAX_BODY = 16 * 1024 * 1024
"""The largest body that is read, in bytes, decompressed."""
_STEP = 256 * 1024
"""Bytes that are decompressed at a time: a body over the limit never takes more memory than this beyond it."""
_GZIP = {"gzip", "x-gzip"}
_COMPRESSED = {"br", "zstd", "deflate", "compress", "x-compress", "dcb", "dcz"}


@functools.lru_cache(maxsize=16)
def supported_encodings(offered: str) -> str:
    """Reduce an ``Accept-Encoding`` to the encodings that are decompressed here."""
    kept = [part.strip() for part in offered.split(",") if _encoding(part) in ("gzip", "identity")]
    return ", ".join(kept) or "identity"


def _encoding(part: str) -> str:
    return part.partition(";")[0].strip().lower()


def _gzip_member() -> "zlib._Decompress":
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


class BodyReader:
    """Puts a body together from the pieces that the network delivers.

    Attributes:
        fault: Why the body cannot be used; ``None`` as long as there is no reason.
    """

    def __init__(self, encoding: str = "", limit: int | None = None) -> None:
        """Begin a body.

        Args:
            encoding: The ``Content-Encoding`` of the response.
            limit: The largest size in bytes, decompressed; `MAX_BODY` unless given.
        """
        self.fault: str | None = None
        self._limit = self._left = self._raw_left = MAX_BODY if limit is None else limit
        self._pieces: list[bytes] = []
        self._started = False
        encodings = [name for part in encoding.split(",") if (name := _encoding(part)) not in ("", "identity")]
        self._gzip = _gzip_member() if encodings and encodings[0] in _GZIP else None
        # A name that is not known as an encoding is ignored: some services write a character set there.
        if len(encodings) > 1 or (encodings and encodings[0] in _COMPRESSED):
            self.fault = f"the response is compressed as {', '.join(encodings)[:50]!r}, which was not asked for"

    def feed(self, piece: bytes) -> bool:
        """Add a piece; return whether more are wanted."""
        if self.fault is None and piece:
            # The compressed bytes are limited as well: compressed data need not yield any bytes.
            self._raw_left -= len(piece)
            self._started = True
            if self._gzip is None:
                self._keep(piece)
            else:
                self._gzip = self._decompress(self._gzip, piece)
            if self._left < 0 or self._raw_left < 0:
                self._fail(f"the response is larger than {self._limit:,} bytes")
        return self.fault is None

    def finish(self) -> bytes | None:
        """Return the whole body after its last piece; ``None`` if it cannot be used: then `fault` says why."""
        if self.fault is None and self._gzip is not None and self._started and not self._gzip.eof:
            self._fail("the response is cut: its gzip has no end")
        return b"".join(self._pieces) if self.fault is None else None

    def _decompress(self, gzip: "zlib._Decompress", piece: bytes) -> "zlib._Decompress":
        try:
            while piece and self._left >= 0:
                if gzip.eof:
                    # gzip allows several consecutive members, and zeros after them.
                    if not piece.strip(b"\0"):
                        break
                    gzip = _gzip_member()
                self._keep(gzip.decompress(piece, _STEP))
                piece = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
        except zlib.error as error:
            self._fail(f"the response says that it is gzip, and is not ({error})")
        return gzip

    def _keep(self, piece: bytes) -> None:
        self._left -= len(piece)
        self._pieces.append(piece)

    def _fail(self, reason: str) -> None:
        self.fault = reason
        self._pieces.clear()
