"""Real sockets: the server in a thread, and the sandbox as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
import httpx
import pytest

from pyas_async.sandbox import MissingExtraError, Sandbox, _cli
from sandbox.tools import create, flat, keys, list_all, list_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

on_both = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@on_both
@pytest.mark.anyio
async def test_served_rows_are_the_truth() -> None:
    """Over a socket, on any event loop, the pages hold every row once."""
    with Sandbox(accounts=1, meetings=700) as sandbox, sandbox.serve() as url:
        account = sandbox.account_ids[0]
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": sandbox.api_key}) as client:
            pages = await list_all(client, account, maxResults=300)
            uuid = next(row["uuid"] for row in sandbox.rows(account) if row["uuid"].startswith("/"))
            path = quote(quote(uuid, safe=""), safe="")
            found = await client.get(f"/zoom/meetings/{path}", params={"accountId": account})
        assert flat(pages) == sandbox.rows(account)
        assert found.json()["meeting"]["uuid"] == uuid
        assert found.headers.get_list("date") == [found.headers["date"]]


@on_both
@pytest.mark.anyio
async def test_latency() -> None:
    """Each response of the API is delayed as configured, on any event loop."""
    with Sandbox(accounts=1, latency=0.05) as sandbox:
        transport = httpx.ASGITransport(app=sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            before = time.perf_counter()
            await list_page(client, "x")
            assert time.perf_counter() - before >= 0.05


def test_sync_client_and_a_test_thread() -> None:
    """Requests are served while the test's thread reads and changes the rows."""
    with Sandbox(accounts=1, meetings=50) as sandbox, sandbox.serve() as url:
        account = sandbox.account_ids[0]
        statuses: list[int] = []

        def read() -> None:
            with httpx.Client(base_url=url, headers={"x-api-key": sandbox.api_key}) as client:
                statuses.extend(
                    client.get("/zoom/meetings", params={"accountId": account}).status_code for _ in range(20)
                )

        reader = threading.Thread(target=read)
        reader.start()
        while reader.is_alive():
            sandbox.add_meeting(account, at=0)
            assert len(sandbox.rows(account)) > 50
            sandbox.remove_row(account, 0)
        reader.join()
        assert statuses == [200] * 20


def test_stops_with_a_request_under_way() -> None:
    """The server stops promptly and leaves nothing open, despite a running request and an idle connection."""
    with Sandbox(accounts=1, latency=60) as sandbox:
        arrived = threading.Event()
        sandbox.on_request = lambda _: arrived.set()
        with sandbox.serve() as url:
            port = int(url.rpartition(":")[2])
            idle = socket.create_connection(("127.0.0.1", port))
            waiting = socket.create_connection(("127.0.0.1", port))
            waiting.sendall(b"GET /zoom/meetings HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            assert arrived.wait(5)
            before = time.perf_counter()
        assert time.perf_counter() - before < 2
        idle.close()
        waiting.close()


def test_serve_again() -> None:
    """One sandbox can be served again, and on a chosen port."""
    with Sandbox(accounts=1) as sandbox:
        with sandbox.serve() as url:
            port = int(url.rpartition(":")[2])
        with sandbox.serve(port=port) as again:
            assert again == url
            assert httpx.get(f"{again}/_sandbox/stats").json()["calls"] == 0


def test_port_in_use() -> None:
    """A port in use is the caller's error, at once."""
    with Sandbox(accounts=1) as sandbox, sandbox.serve() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), sandbox.serve(port=port):
            pass


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run the sandbox as a process; yield it and its printed JSON."""
    command = [sys.executable, "-W", "error", "-m", "pyas_async.sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process(tmp_path: Path, number: signal.Signals) -> None:
    """The process prints one line, obeys its arguments, and ends quietly on a signal; its file remains."""
    db = str(tmp_path / "world.db")

    async def talk(facts: dict[str, Any]) -> dict[str, Any]:
        account = facts["account_ids"][1]
        async with httpx.AsyncClient(base_url=facts["url"], headers={"x-api-key": facts["api_key"]}) as client:
            pages = await list_all(client, account, maxResults=300)
            token = (await list_page(client, account)).json()["data"]["next_page_token"]
            expired = (await client.post("/_sandbox/expire_tokens")).json()["expired"]
            expired_response = await list_page(client, account, nextPageToken=token)
            made = (await create(client, account)).json()["data"]
            stats = (await client.get("/_sandbox/stats")).json()
        assert ([len(page) for page in pages], expired, expired_response.status_code) == ([20, 20, 5], 3, 410)
        assert stats == {"calls": 6, "expired_answers": 1, "rate_limited": 0}
        return {"account": account, "rows": flat(pages), "made": made}

    arguments = "--accounts 2 --meetings 45 --page-size-cap 20 --expired-answer pyas_410 --daily-writes none --db"
    with process(*arguments.split(), db) as (running, facts):
        said = anyio.run(talk, facts)
        running.send_signal(number)
        rest, complaints = running.communicate(timeout=10)
    assert (running.returncode, rest, complaints) == (0, "", "")
    assert (sorted(facts), facts["db"]) == (["account_ids", "api_key", "db", "url"], db)
    with Sandbox(db=db) as sandbox:
        assert keys(sandbox.rows(said["account"]))[:45] == keys(said["rows"])
        assert sandbox.document(said["account"], said["made"]["id"]) == said["made"]
    assert [path.name for path in tmp_path.iterdir()] == ["world.db"]


def test_caller_that_hangs_up() -> None:
    """A client that disconnects during its request leaves no trace."""
    with Sandbox(accounts=1) as sandbox, sandbox.serve() as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(b"POST /zoom/meetings HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 99\r\n\r\n{")
        assert httpx.get(f"{url}/_sandbox/stats").json()["calls"] == 0


def test_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that prevents the server's start is raised from `serve`."""

    async def fail(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with Sandbox(accounts=1) as sandbox, pytest.raises(RuntimeError, match="did not start"), sandbox.serve():
        pass


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """An invalid setting is reported on stderr, and stdout stays empty."""
    assert _cli.main(["--token-ttl", "-1"]) == 2
    out, err = capsys.readouterr()
    assert (out, "token_ttl must be" in err) == ("", True)


@pytest.mark.parametrize(
    ("host", "needed"),
    [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)],  # noqa: S104  (any interface)
)
def test_exports(host: str, needed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a terminal, it prints what another program needs, with the permission for plain http to another host."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    # A signal that comes early ends the sandbox once it has printed everything.
    monkeypatch.setattr(signal, "signal", lambda number, handler: handler(number, None))
    assert 0 == _cli.main([f"--host={host}", "--accounts=1", "--meetings=1"])
    err = capsys.readouterr().err
    assert f"export PYAS_BASE_URL=http://{host}:" in err
    assert needed == ("export PYAS_INSECURE_HTTP=1" in err)


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_missing_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str) -> None:
    """Without the extra's packages, an exception, or one line of the command, names what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("_app", "_server"):
        monkeypatch.delitem(sys.modules, f"pyas_async.sandbox.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with (
        pytest.raises(MissingExtraError, match=r"pip install .*(\[sandbox\]|starlette)"),
        Sandbox() as sandbox,
        sandbox.serve(),
    ):
        pass
    assert _cli.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1
