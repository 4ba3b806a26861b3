"""The address that the client assembles is the one that httpx would parse."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import inside
from pyas_async._runtime.http.address import Address

BASES = [
    "https://api.pyas.io",
    "http://127.0.0.1:8080",
    "http://[::1]:9/behind",
    "https://h.example:443/a%20b/c",
    "https://bücher.example/ü",
]
words = st.text(max_size=30)


@given(
    st.sampled_from(BASES),
    st.lists(words.map(lambda word: quote(word, safe="")), max_size=3),
    st.none() | st.lists(st.tuples(st.sampled_from(["accountId", "nextPageToken"]), words), max_size=3),
)
@example(BASES[0], [".."], None)
@example(BASES[0], [".", "a"], [])
@example(BASES[0], [], [("nextPageToken", "x" * 70_000)])
def test_equals_httpx_url(base: str, path: list[str], query: list[tuple[str, str]] | None) -> None:
    """For any id, page token or filter, the assembled address equals httpx's, and so do the bytes that are sent."""
    target = "/".join(["/zoom/meetings", *path])
    if query is not None:
        target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
    try:
        expected = httpx.URL(base + target)
    except httpx.InvalidURL:
        with pytest.raises(httpx.InvalidURL):
            Address(base).of(target)
        return
    address = Address(base).of(target)
    assert expected == address
    assert (expected.raw_path, expected.raw_host, expected.port) == (address.raw_path, address.raw_host, address.port)


def test_without_the_fast_path() -> None:
    """If httpx keeps the parts of an address elsewhere, it parses each address itself."""
    address = Address(BASES[0])
    assert inside.is_quick(address)
    inside.lose_parts(address)
    assert not inside.is_quick(address)
    assert httpx.URL(f"{BASES[0]}/zoom/meetings?a=b") == address.of("/zoom/meetings?a=b")
