"""A full disk, and the start of an export: the error names the file, and --resume goes on from where the export is."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pyas_async.cli._export.files import ExportState, Files
from pyas_async.cli._export.job import Job, format_of
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.tools import Done, Pyas
    from pyas_async.sandbox import SeenRequest

    Export = Callable[..., Done]

resource = pytest.importorskip("resource", reason="Windows has no limits of file sizes")
SUFFIXES = ["jsonl", "csv", "parquet", "ics", "duckdb"]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve two accounts."""
    with Sandbox(accounts=2, meetings=150) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture
def export(pyas: Pyas, tmp_path: Path) -> Export:
    """Return a function that exports to a file of a name."""

    def call(name: str, *options: object) -> Done:
        return pyas("meetings", "export", "--output", tmp_path / name, *options)

    return call


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file become larger than this, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def counted(export: Export, name: str) -> str:
    """Export again without a limit; return the summary."""
    done = export(name, "--resume")
    assert 0 == done.code, done.err
    return done.err.splitlines()[-1]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [10, 20_000, 60_000])
def test_every_write(export: Export, sandbox: Sandbox, tmp_path: Path, suffix: str, size: int) -> None:
    """Whichever write fails, of the part, the checkpoint or the file, the error names it, and the export can go on."""
    name = f"all.{suffix}"
    with largest_file(size):
        done = export(name, "--account", sandbox.account_ids[0], "--account", sandbox.account_ids[1])

    first = done.err.splitlines()[0]
    if done.code == 0:  # it fits
        assert size == 60_000
        return
    assert (1, True) == (done.code, first.startswith(f"pyas: error: {tmp_path / name}")), done.err
    assert "bug" not in done.err
    again = export(name, "--resume", *([] if "--resume" in done.err else ["--account", sandbox.account_ids[0]]))
    assert (0, [name]) == (again.code, [path.name for path in tmp_path.iterdir()]), again.err


@pytest.mark.parametrize("suffix", ["parquet", "ics"])
def test_the_file_of_a_finished_part(export: Export, sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    """If only the file does not fit, the rows are safe, and no call is needed to make it later."""
    name = f"all.{suffix}"
    accounts = ["--account", sandbox.account_ids[0], "--account", "unknown"]
    assert 8 == export(name, *accounts).code
    with largest_file(2_000):
        done = export(name, "--resume", "--partial")
    sandbox.requests.clear()
    state = Files(tmp_path / name).load()

    assert (1, f"pyas: error: {tmp_path / name}") == (done.code, done.err.splitlines()[1].rpartition(": ")[0]), done.err
    assert state is not None
    assert (True, 150) == (state.whole, state.rows)
    assert (0, []) == (export(name, "--resume").code, sandbox.requests)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_resume_without_a_checkpoint(export: Export, sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    """--resume starts if there is nothing to resume: without files, and after a kill before the first checkpoint."""
    part = tmp_path / f"all.{suffix}.part"
    ends = [counted(export, part.stem)]
    (tmp_path / part.stem).unlink()
    for rest in (b"", b"cut"):
        part.write_bytes(rest)
        ends.append(counted(export, part.stem))
        # With --force, the process was killed while the older file was still there.
        part.write_bytes(rest)
        (tmp_path / part.stem).write_bytes(b"old")
        ends.append(counted(export, part.stem))
        (tmp_path / part.stem).unlink()

    assert [f"{tmp_path / part.stem}: 150 meetings of 1 account, 1 call"] * 5 == ends


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("with_part", [True, False])
def test_resume_from_a_checkpoint_without_rows(
    export: Export, sandbox: Sandbox, tmp_path: Path, suffix: str, *, with_part: bool
) -> None:
    """The first checkpoint has no rows yet, but the options: --resume goes on with them."""
    files = Files(tmp_path / f"all.{suffix}")
    job = Job(
        format=format_of(files.output, None), accounts=tuple(sandbox.account_ids), start=None, end=None, type=None,
        page_size=100, plan=None, repair=False, begun="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    files.save(ExportState(job=job))
    if with_part:
        files.part.write_bytes(b"")
    sandbox.requests.clear()

    assert f"{files.output}: 300 meetings of 2 accounts, 4 calls" == counted(export, files.output.name)
    assert {"100"} == {request.query["maxResults"] for request in sandbox.requests}


def test_interrupted_before_the_first_row(
    export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C before the first row, --resume alone goes on: the checkpoint has the options."""

    def interrupt(_: SeenRequest) -> None:
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "on_request", interrupt)
        options = ["--account", sandbox.account_ids[1], "--page-size", 50, "--start", "2026-01-01"]
        done = export("all.jsonl", *options)
    sandbox.requests.clear()
    monkeypatch.delenv("PYAS_ACCOUNT_ID")

    said = "pyas: interrupted\nno row has arrived yet. To continue:\n  pyas meetings export --output"
    assert (130, True) == (done.code, done.err.startswith(said)), done.err
    assert 0 == export("all.jsonl", "--resume").code
    assert {(sandbox.account_ids[1], "50", "01-01-2026")} == {
        tuple(map(request.query.get, ("accountId", "maxResults", "startDate"))) for request in sandbox.requests
    }


def test_nothing_to_resume(export: Export, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a checkpoint and without an account, the error says which file is missing, and what to do."""
    monkeypatch.delenv("PYAS_ACCOUNT_ID")

    done = export("all.jsonl", "--resume")

    assert (2, [], []) == (done.code, sandbox.requests, list(tmp_path.iterdir()))
    assert f"there is no {tmp_path / 'all.jsonl.checkpoint'} to resume from" in done.err
    assert "Give the options of the export again." in done.err
