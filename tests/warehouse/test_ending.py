"""How an incomplete load ends, the source alone, and secrets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pyas_async import (
    AuthenticationError,
    CheckpointError,
    InvalidArgumentError,
    PyasClient,
)
from pyas_async.integrations.dlt import _reader, load_meetings, meetings_source
from pyas_async.sandbox import Sandbox
from warehouse.worker import ask, load, pipeline_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

CURRENT = "SELECT count(*) FROM meetings AS m JOIN accounts AS a USING (account_id) WHERE m.round >= a.round"
KEY = "a-key-that-must-not-be-seen"


@pytest.fixture
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve three accounts with 60 meetings each."""
    with Sandbox(accounts=3, meetings=60) as sandbox, sandbox.serve() as url:
        yield sandbox, url


def test_fatal_error(tmp_path: Path, served: tuple[Sandbox, str]) -> None:
    """After a fatal error, the earlier rows are loaded and the error is raised; the next call continues the round."""
    sandbox, url = served

    def revoke(_: object) -> None:
        sandbox.api_key = "another" if len(sandbox.requests) == 3 else "sandbox-key"

    sandbox.on_request = revoke
    with pytest.raises(AuthenticationError):
        load(tmp_path, url, sandbox.account_ids, max_concurrency=1, slice_calls=100)
    before = ask(tmp_path, "SELECT count(*) FROM meetings")[0][0]
    assert 0 < before < 180
    with pytest.raises(CheckpointError, match="account_ids"):
        load(tmp_path, url, sandbox.account_ids[::-1])
    with pytest.raises(CheckpointError, match="type"):
        load(tmp_path, url, sandbox.account_ids, type="live")
    calls = len(sandbox.requests)
    loaded = load(tmp_path, url, sandbox.account_ids)
    assert (1, 180 - before) == (loaded.round, loaded.rows)
    assert len(sandbox.requests) - calls == loaded.calls < 6
    assert 2 == load(tmp_path, url, sandbox.account_ids[:1], type="live", anew=True).round


def test_ctrl_c(tmp_path: Path, served: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On Ctrl-C, the fetched rows are loaded before it is raised."""
    sandbox, url = served
    take, ids = _reader.Reader.next_slice, sandbox.account_ids

    def interrupted(self: _reader.Reader) -> _reader.Slice:
        take(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(_reader.Reader, "next_slice", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, url, ids, slice_calls=3, max_concurrency=1)
    monkeypatch.undo()
    before = ask(tmp_path, "SELECT count(*) FROM meetings")[0][0]
    assert 0 < before < 180
    assert 180 - before == load(tmp_path, url, ids).rows


def test_the_source_alone(tmp_path: Path, served: tuple[Sandbox, str]) -> None:
    """A run of the source is a round in one package; ids may come from any iterable, whose errors are raised."""
    sandbox, url = served

    async def ids() -> AsyncIterator[str]:
        for account_id in sandbox.account_ids:
            yield account_id

    client = partial(PyasClient, sandbox.api_key, base_url=url)
    info = pipeline_in(tmp_path).run(meetings_source(ids(), client=client))
    assert 1 == len(info.loads_ids)
    assert [(180,)] == ask(tmp_path, CURRENT)
    with pytest.raises(InvalidArgumentError, match="account_ids"):
        load_meetings(pipeline_in(tmp_path), "acc", client=client)


def test_secrets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The key is in no file of dlt's, not even with an error, nor in the log."""
    with Sandbox(accounts=1, meetings=5, api_key=KEY) as sandbox, sandbox.serve() as url:
        client = partial(PyasClient, KEY, base_url=url)
        load_meetings(pipeline_in(tmp_path), sandbox.account_ids, client=client)
        sandbox.api_key = "another"
        with pytest.raises(AuthenticationError):
            load_meetings(pipeline_in(tmp_path), sandbox.account_ids, client=client)
        with pytest.raises(Exception, match="extract"):
            pipeline_in(tmp_path).run(meetings_source(sandbox.account_ids, client=client))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "trace.pickle" for path in files)
    assert [] == [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in caplog.text
