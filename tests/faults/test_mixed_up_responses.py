"""A response belongs to its request, a connection to its service, and the key to no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from faults.answers import ID, OTHER, says, surplus, text, well, whole
from faults.fault import usual
from faults.server import Later, serve
from pyas_async import APIStatusError, DecodeError
from runtime.socket_server import KEY, NEW, client_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faults.server import Step
    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio


def one_is_mistaken(seen: Seen) -> Iterable[Step]:
    """Respond with another meeting for one of the requested ones."""
    wrong = f"/{ID}?" in seen.target
    return (whole(text(seen, id=OTHER) if wrong else text(seen)),)


async def test_wrong_response_fails_one_call() -> None:
    """Of many meetings requested at once, only the one with the wrong response fails."""
    async with serve(one_is_mistaken) as server, client_of(server.url) as client:
        outcomes = await client.meetings.get_many([ID - 1, ID, str(ID + 1)])

    assert ["ok", "failed", "ok"] == [outcome.state for outcome in outcomes]
    assert isinstance(error := outcomes[1].error, DecodeError)
    assert ("$.meeting.id", True) == (error.path, f'"id": {OTHER}' in error.excerpt)


async def test_wrong_response_fails_all_callers() -> None:
    """All callers of a shared call get the error of its wrong response."""
    failures: list[DecodeError] = []
    async with serve(one_is_mistaken) as server, client_of(server.url, single_flight=True) as client:

        async def ask() -> None:
            with pytest.raises(DecodeError, match=f"expected meeting {ID}, got {OTHER}") as caught:
                await client.meetings.get(ID)
            failures.append(caught.value)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
        assert 1 == len(server.requests)
    assert 3 == len(set(map(id, failures)))


async def test_uuid_is_not_compared() -> None:
    """A call by uuid returns the meeting that the service returns, even another instance of it."""
    async with serve(well) as server, client_of(server.url) as client:
        assert "uuid-of-an-instance==" != (await client.meetings.get("uuid-of-an-instance==")).uuid


async def test_extra_bytes_cost_one_connection() -> None:
    """A response with extra bytes is used, and its connection is not reused; otherwise the connection is reused."""
    connections: set[int] = set()

    def answer(seen: Seen) -> Iterable[Step]:
        spoilt = f"/{ID}?" in seen.target
        return (whole(text(seen)) + (surplus() if spoilt else b""),)

    async with serve(answer) as server, client_of(server.url) as client:
        found = [(await client.meetings.get(number)).id for number in (1, 2, ID, 3, 4, ID, 5)]
        created = (await client.meetings.create(NEW)).id
        connections.add(server.connections)
    assert ([1, 2, ID, 3, 4, ID, 5], ID, {4}) == (found, created, connections)


async def test_late_extra_bytes_fail_one_call() -> None:
    """If extra bytes come after the next request was sent, that request fails, and no call gets another's response."""

    def answer(seen: Seen) -> Iterable[Step]:
        return (surplus(), Later(whole(text(seen)))) if f"/{ID}?" in seen.target else (whole(text(seen)),)

    async with serve(answer) as server, client_of(server.url) as client:
        with pytest.raises(DecodeError):
            await client.meetings.get(ID)
        await server.quiet()
        assert [1, 2] == [(await client.meetings.get(number)).id for number in (1, 2)]
        assert ID == (await client.meetings.create(NEW)).id


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("injected", [False, True])
async def test_redirect_gets_no_key(status: int, injected: bool) -> None:
    """A redirect is a response, and no other host gets the key, even if an injected client follows redirects."""
    async with serve(well) as elsewhere:
        script = says(b"", status, f"Location: {elsewhere.url}/zoom/meetings/{ID}")
        async with serve(script) as server, httpx.AsyncClient(follow_redirects=True, verify=usual()) as http:
            client = client_of(server.url, http_client=http if injected else None)
            with pytest.raises(APIStatusError) as caught:
                await client.meetings.get(ID)
            with pytest.raises(APIStatusError) as refused:
                await client.meetings.create(NEW)
            await client.aclose()
            assert [KEY, KEY] == [seen.headers["x-api-key"] for seen in server.requests]
        assert (0, []) == (elsewhere.connections, elsewhere.requests)
    assert status == caught.value.status
    assert ("rejected" if status in (307, 308) else "unknown") == refused.value.write_state


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (None, "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("gzip;q=0.5, identity", "gzip;q=0.5, identity"),
        ("identity", "identity"),
        ("br", "identity"),
    ],
)
async def test_only_bounded_compressions_are_requested(offered: str | None, expected: str) -> None:
    """The client requests only compressions that it can bound, whatever an injected client can decompress."""
    headers = {} if offered is None else {"accept-encoding": offered}
    async with (
        serve(well) as server,
        httpx.AsyncClient(headers=headers, verify=usual()) as http,
        client_of(server.url, http_client=None if offered is None else http) as client,
    ):
        await client.meetings.get(ID)
        assert [expected] == [seen.headers["accept-encoding"] for seen in server.requests]
