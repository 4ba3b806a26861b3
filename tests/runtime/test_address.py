"""The address of a request is parsed only when it is read, and is then the one that httpx parses."""

from __future__ import annotations

import pickle
from urllib.parse import quote

import anyio
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyas_async._runtime.http.client import LazyURL, new_client

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
def test_behaves_as_httpx_url(base: str, path: list[str], query: list[tuple[str, str]] | None) -> None:
    """For any id, page token or filter, a lazy address behaves as httpx's own."""
    target = "/".join(["/zoom/meetings", *path])
    if query is not None:
        target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
    try:
        expected = httpx.URL(base + target)
    except httpx.InvalidURL:
        with pytest.raises(httpx.InvalidURL):
            str(LazyURL(base + target))
        return
    for read in (
        str,
        repr,
        hash,
        lambda url: url.raw_path,
        lambda url: url.port,
        lambda url: url.copy_with(query=b"a"),
    ):
        assert read(expected) == read(LazyURL(base + target))
    assert expected == LazyURL(base + target)
    assert expected == pickle.loads(pickle.dumps(LazyURL(base + target)))


def test_send_parses_no_address() -> None:
    """A plain call reads no attribute of its address, so that it is not parsed. This fails if httpx begins to read one.

    It also fails if httpx gives a URL attributes of its class, which a lazy one could not detect as missing.
    """
    url = LazyURL(f"{BASES[0]}/zoom/meetings?a=b")
    request = httpx.Request("GET", httpx.URL(BASES[0]))
    request.url = url
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    async def send() -> None:
        async with new_client(transport=httpx.MockTransport(answer)) as client:
            await client.send(request, auth=httpx.Auth(), follow_redirects=False)

    anyio.run(send)
    assert sent == [request]
    assert ["_text"] == list(vars(url))
    assert "/zoom/meetings" == url.path
    assert ["_text"] != list(vars(url))
