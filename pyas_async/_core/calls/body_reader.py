"""The body of an answer, put together within bounds.

It is decompressed here, and not by httpx: 64 kB of gzip can hold 64 MB, and those come out of httpx in one piece. To
look at a bound afterwards is too late.
"""

import functools
import zlib

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, decompressed, that are read at most."""
_STEP = 256 * 1024
"""Bytes that are decompressed at a time: nothing beyond the bound ever takes more memory than this."""
_GZIP = {"gzip", "x-gzip"}
_COMPRESSED = {"br", "zstd", "deflate", "compress", "x-compress", "dcb", "dcz"}


@functools.lru_cache(maxsize=16)
def acceptable(offered: str) -> str:
    """Leave of an ``Accept-Encoding`` what is decompressed here."""
    kept = [part.strip() for part in offered.split(",") if _coding(part) in ("gzip", "identity")]
    return ", ".join(kept) or "identity"


def _coding(part: str) -> str:
    return part.partition(";")[0].strip().lower()


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


class BodyReader:
    """Takes the pieces of a body as they come over the wire; gives the whole, or says why there is none.

    Attributes:
        fault: Why the body cannot be used; ``None`` as long as nothing is known to be wrong with it.
    """

    def __init__(self, encoding: str = "", limit: int | None = None) -> None:
        """Begin.

        Args:
            encoding: The answer's ``Content-Encoding``.
            limit: Bytes at most, decompressed; `MAX_BODY` unless given.
        """
        self.fault: str | None = None
        self._limit = self._room = self._raw_room = MAX_BODY if limit is None else limit
        self._pieces: list[bytes] = []
        self._begun = False
        codings = [name for part in encoding.split(",") if (name := _coding(part)) not in ("", "identity")]
        self._gzip = _member() if codings and codings[0] in _GZIP else None
        # A coding that nobody knows is none: services are known to write a character set there.
        if len(codings) > 1 or (codings and codings[0] in _COMPRESSED):
            self.fault = f"the answer is compressed as {', '.join(codings)[:50]!r}, which was not asked for"

    def take(self, piece: bytes) -> bool:
        """Take a piece; say whether more are wanted."""
        if self.fault is None and piece:
            # What is compressed and never gives anything must come to an end, too.
            self._raw_room -= len(piece)
            self._begun = True
            if self._gzip is None:
                self._keep(piece)
            else:
                self._gzip = self._expand(self._gzip, piece)
            if self._room < 0 or self._raw_room < 0:
                self._fail(f"the answer is larger than {self._limit:,} bytes")
        return self.fault is None

    def end(self) -> bytes | None:
        """Give all of it, now that it has ended; ``None`` if it cannot be used: then `fault` says why."""
        if self.fault is None and self._gzip is not None and self._begun and not self._gzip.eof:
            self._fail("the answer is cut: its gzip has no end")
        return b"".join(self._pieces) if self.fault is None else None

    def _expand(self, gzip: "zlib._Decompress", piece: bytes) -> "zlib._Decompress":
        try:
            while piece and self._room >= 0:
                if gzip.eof:
                    # gzip allows several members in a row, and zeros behind them.
                    if not piece.strip(b"\0"):
                        break
                    gzip = _member()
                self._keep(gzip.decompress(piece, _STEP))
                piece = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
        except zlib.error as error:
            self._fail(f"the answer says that it is gzip, and is none ({error})")
        return gzip

    def _keep(self, piece: bytes) -> None:
        self._room -= len(piece)
        self._pieces.append(piece)

    def _fail(self, reason: str) -> None:
        self.fault = reason
        self._pieces.clear()
