"""Ids in the requests that a server receives: each is one segment of the path, or one value of the query."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyas_async import InvalidArgumentError, PyasClient
from runtime.socket_server import CHANGE, client_of, heard, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.socket_server import Wire

# What has misled other software: dots, ends of a path, more of a query, a second request, odd characters.
TRICKS = [
    "..", ".", "../", "/..", "..%2f", "%2e%2e%2f", "%252e", "\\..\\", "/", "//", "\\", "?", "#", ";", ";a=b", "&", "=",
    "%", "%00", "\0", "\r\n", " HTTP/1.1\r\nx-api-key: theirs\r\n", "@", ":", "http://evil.example/", "//evil.example",
    "*", "+", " ", "\t", "é", "\uff0f", "\uff0e\uff0e", "ﬀ", "\u202e", "😀", "\ud800", "\x7f", "zoom", "oauth",
    "81", "u81==",
]  # fmt: skip
odd = st.lists(st.sampled_from(TRICKS) | st.text(max_size=3), min_size=1, max_size=5).map("".join)


@pytest.fixture(scope="module")
def server() -> Iterator[Wire]:
    """Serve for all examples."""
    with wire() as server:
        yield server


async def ask(url: str, calls: list[tuple[str, str]]) -> list[bool]:
    """Get, change or delete the meeting of each id, one after the other; return which ids were refused."""
    refused: list[bool] = []
    async with heard(client_of(url)) as client:
        for meeting_id, account_id in calls:
            begun = len(refused)
            try:
                await one(client, begun, meeting_id, account_id)
            except InvalidArgumentError:
                refused.append(True)
            else:
                refused.append(False)
    return refused


async def one(client: PyasClient, number: int, meeting_id: str, account_id: str) -> None:
    """Make one of the calls that take the id of a meeting."""
    if number % 3 == 0:
        await client.meetings.get(meeting_id, account_id=account_id)
    elif number % 3 == 1:
        await client.meetings.update(meeting_id, CHANGE, account_id=account_id)
    else:
        await client.meetings.delete(meeting_id, account_id=account_id)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(odd, odd), min_size=15, max_size=20))
@example([(trick, trick) for trick in TRICKS])
@example([(f"a{trick}b", f"a{trick}b") for trick in TRICKS])
def test_ids(server: Wire, calls: list[tuple[str, str]]) -> None:
    """An id is refused, or arrives unchanged where it belongs, and adds nothing else to the request."""
    server.requests.clear()
    refused = anyio.run(ask, server.url, calls)
    sent = [call for call, was_refused in zip(calls, refused, strict=True) if not was_refused]

    assert len(sent) == len(server.requests)
    for (meeting_id, account_id), seen in zip(sent, server.requests, strict=True):
        path, _, query = seen.target.partition("?")
        assert re.fullmatch(r"/zoom/meetings/[A-Za-z0-9._~%-]+", path)
        segment = path.rpartition("/")[2]
        assert segment not in (".", "..")
        twice = meeting_id.startswith("/") or "//" in meeting_id
        arrived = unquote(unquote(segment) if twice else segment)
        assert meeting_id == arrived
        # A server that decodes the path before it resolves dots stays in the same folder as well.
        assert not {".", ".."} & set(re.split(r"[/\\]", arrived))
        assert arrived.isprintable()
        if seen.method == "PATCH":
            assert "" == query
            assert account_id == json.loads(seen.body)["accountId"]
        else:
            assert re.fullmatch(r"accountId=[A-Za-z0-9._~%-]+", query)
            assert account_id == unquote(query.removeprefix("accountId="))
        assert 1 == len(seen.headers.get_list("x-api-key"))


@pytest.mark.parametrize(
    "meeting_id", ["..", "../x", "a/../../b", "..\\x", "/..", "a/.", "\0", "81\r\n", "\ud800", "", " "]
)
def test_refused_ids(meeting_id: str, server: Wire) -> None:
    """An id that a server could resolve to another path is refused before anything is sent."""
    server.requests.clear()
    assert [True] == anyio.run(ask, server.url, [(meeting_id, "acc")])
    assert [] == server.requests
