"""vcrpy records each request once, and replays all of them without the service."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import vcr

from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    BEFORE_CLIENT,
    EXCHANGES,
    MOMENTS,
    Exchange,
    call_everything,
    instrumented,
    serving,
)
from runtime.socket_server import KEY, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from instrumentation.traffic import Server

pytestmark = [pytest.mark.anyio, own_pool_only]


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


@pytest.fixture
def recorder(tmp_path: Path) -> vcr.VCR:
    """Record in a folder, without the key."""
    return vcr.VCR(cassette_library_dir=str(tmp_path), filter_headers=["x-api-key"], serializer="json")


def recorded_in(cassette: Any, service: Server) -> Counter[Exchange]:  # noqa: ANN401  (untyped)
    """Return the exchanges on a cassette."""
    return Counter(
        Exchange(request.method, request.uri.removeprefix(service.url), response["status"]["code"])
        for request, response in cassette.data
    )


@pytest.mark.parametrize(
    ("way", "moment"), [("own", moment) for moment in MOMENTS] + [("httpx", AFTER_CALLS), ("httpx2", AFTER_CALLS)]
)
async def test_record_and_replay(service: Server, way: str, moment: str, recorder: vcr.VCR, tmp_path: Path) -> None:
    """Each request is recorded once, with its body and without the key, and is replayed once, without the service."""
    async with instrumented(service, way, moment, lambda: recorder.use_cassette("all.json")) as (client, cassette):
        await call_everything(client)
        service.check_complete()
        assert EXCHANGES == recorded_in(cassette, service)
        assert 0 == cassette.play_count
    recording = (tmp_path / "all.json").read_text()
    assert 2 == recording.count("meetingData")
    assert KEY not in recording
    async with instrumented(service, way, moment, lambda: recorder.use_cassette("all.json")) as (client, cassette):
        await call_everything(client)
        assert [] == service.exchanges
        assert EXCHANGES.total() == cassette.play_count
        assert cassette.all_played


@pytest.mark.parametrize("replayed_by", ["httpx", "httpx2"])
async def test_replay_to_another_client(service: Server, replayed_by: str, recorder: vcr.VCR) -> None:
    """What was recorded over a client's own connections is replayed to a passed client as well."""
    async with instrumented(service, "own", BEFORE_CLIENT, lambda: recorder.use_cassette("all.json")) as (client, _):
        await call_everything(client)
    service.start_again()
    with recorder.use_cassette("all.json", record_mode="none") as cassette:
        async with client_of(service.url, way=replayed_by) as client:
            await call_everything(client)
    assert [] == service.exchanges
    assert cassette.all_played
