"""Bodies: complete or rejected, within limits, in pieces of any size."""

from __future__ import annotations

import gzip
import itertools
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk
from pyas_async._core.calls.body_reader import MAX_BODY, BodyReader, supported_encodings

LIMIT = 1_000
cuts = st.lists(st.integers(0, 2_000), max_size=6)


def fed(body: BodyReader, wire: bytes, cuts: list[int]) -> bytes | None:
    """Feed a body in pieces as long as more are wanted, and finish it."""
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    for start, end in itertools.pairwise(places):
        if not body.feed(wire[start:end]):
            break
    return body.finish()


@brisk
@given(text=st.binary(max_size=LIMIT), cuts=cuts, encoding=st.sampled_from(["", "identity", "utf-8", "Identity, none"]))
def test_plain(text: bytes, cuts: list[int], encoding: str) -> None:
    """A body that is not compressed is its pieces joined, even if the header names something that is no encoding."""
    assert text == fed(BodyReader(encoding.split(",", maxsplit=1)[0], LIMIT), text, cuts)


@brisk
@given(
    texts=st.lists(st.binary(max_size=200), min_size=1, max_size=3),
    zeros=st.integers(0, 20),
    cuts=cuts,
    encoding=st.sampled_from(["gzip", " GZIP ", "x-gzip", "identity, gzip", ", gzip", "gzip,"]),
)
def test_gzip(texts: list[bytes], zeros: int, cuts: list[int], encoding: str) -> None:
    """A compressed body is decompressed, from one member or several, with or without zeros after them."""
    wire = b"".join(map(gzip.compress, texts)) + bytes(zeros)

    assert b"".join(texts) == fed(BodyReader(encoding, LIMIT), wire, cuts)


def test_gzip_byte_by_byte() -> None:
    """A compressed body may come one byte at a time, also with zeros after it."""
    wire = gzip.compress(b"one") + gzip.compress(b"two") + bytes(20)

    assert b"onetwo" == fed(BodyReader("gzip", LIMIT), wire, list(range(len(wire))))


def test_long_gzip() -> None:
    """A body far longer than one step of decompression is complete, even from one piece."""
    text = b"0123456789" * 100_000

    assert text == fed(BodyReader("gzip"), gzip.compress(text), [])


def test_limit_is_for_all_members_together() -> None:
    """If the first member of a compressed body fills the limit, one more byte in the next is too much."""
    wire = gzip.compress(b" " * LIMIT) + gzip.compress(b" ")
    body = BodyReader("gzip", LIMIT)

    assert fed(body, wire, []) is None
    assert "larger than 1,000 bytes" in str(body.fault)


def test_memory_beyond_the_limit() -> None:
    """A small piece that decompresses to far more than the limit takes no more memory than a step of it."""
    wire = gzip.compress(bytes(16 * 2**20))
    body = BodyReader("gzip", LIMIT)
    tracemalloc.start()
    try:
        assert not body.feed(wire)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2 * 2**20


@brisk
@given(size=st.integers(0, 3 * LIMIT), cuts=cuts, packed=st.booleans())
def test_limit(size: int, cuts: list[int], packed: bool) -> None:
    """Exactly the bodies that are larger than the limit are rejected, by their decompressed size."""
    text = b" " * size
    body = BodyReader("gzip" if packed else "", LIMIT)
    found = fed(body, gzip.compress(text) if packed else text, cuts)

    assert (text if size <= LIMIT else None) == found
    assert (None if size <= LIMIT else "the response is larger than 1,000 bytes") == body.fault


@brisk
@given(text=st.binary(max_size=300), left_out=st.integers(1, 400), cuts=cuts)
def test_cut(text: bytes, left_out: int, cuts: list[int]) -> None:
    """A compressed body that is cut anywhere is rejected; if no byte came, the body is empty."""
    packed = gzip.compress(text)
    wire = packed[: max(0, len(packed) - left_out)]
    body = BodyReader("gzip", LIMIT)

    assert (None if wire else b"") == fed(body, wire, cuts)
    assert not wire or "cut" in str(body.fault)


@brisk
@given(wire=st.binary(min_size=1, max_size=200), cuts=cuts)
def test_no_gzip(wire: bytes, cuts: list[int]) -> None:
    """A body that is said to be gzip, and is not, has a fault, and raises nothing."""
    body = BodyReader("gzip", LIMIT)

    assert fed(body, wire, cuts) is None
    assert str(body.fault).startswith("the response ")


def test_zlib_is_no_gzip() -> None:
    """Other forms of the same compression are no gzip. Services confuse them, but each name means one form."""
    body = BodyReader("gzip", LIMIT)

    assert fed(body, zlib.compress(b"text"), []) is None
    assert "and is not" in str(body.fault)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "gzip, br", "Br;q=1"])
def test_not_asked_for(encoding: str) -> None:
    """The fault names a compression that was not asked for, and nothing of the body is kept."""
    body = BodyReader(encoding)

    assert not body.feed(b"whatever")
    assert body.finish() is None
    assert encoding.lower().removesuffix(";q=1") in str(body.fault)
    assert "which was not asked for" in str(body.fault)


def test_endless_nothing() -> None:
    """Compressed data that never yields a byte is limited as well."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    nothing = packer.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"
    body = BodyReader("gzip", LIMIT)
    body.feed(head)
    takes = 0
    while body.feed(nothing):
        takes += 1

    assert takes <= LIMIT
    assert body.finish() is None


def test_after_the_end() -> None:
    """Bytes after the end of the gzip stream that are neither zeros nor another member are a fault."""
    for surplus in (b"surplus" * 50, *(bytes([byte]) * 20 for byte in range(1, 256))):
        body = BodyReader("gzip", LIMIT)

        assert fed(body, gzip.compress(b"text") + surplus, [10, 40, 60]) is None
        assert "and is not" in str(body.fault)


def test_the_limit_of_users() -> None:
    """The default limit is 16 MiB."""
    body = BodyReader()

    assert body.feed(b" " * 16 * 2**20)
    assert not body.feed(b" ")
    assert 16 * 2**20 == MAX_BODY


@pytest.mark.parametrize(
    ("offered", "left"),
    [
        ("", "identity"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("br", "identity"),
        ("GZIP;q=0.5, identity;q=0", "GZIP;q=0.5, identity;q=0"),
    ],
)
def test_acceptable(offered: str, left: str) -> None:
    """Of the encodings that a client offers, only those are kept that are decompressed here."""
    assert left == supported_encodings(offered)
