"""How the command starts: its entry point, a missing extra, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pyas_async_cli
from cli.interrupted import LARGE
from pyas_async import __version__
from pyas_async._extras import how_to_install
from pyas_async.cli import main


def test_the_entry_point() -> None:
    """``pyas`` calls a module outside of the package, which loads at once."""
    code = "import sys; from importlib.metadata import entry_points as e; sys.argv = ['pyas', '--version']; "
    code += "(p,) = e(group='console_scripts', name='pyas'); main = p.load(); "
    code += "print(p.value, 'pyas_async' in sys.modules); raise SystemExit(main())"
    if os.environ.get("PYAS_ASYNC_TEST_WHEEL") != "1":
        pytest.skip("about the installed wheel: run `python3 noxfile.py -s tests`")

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f"pyas_async_cli:main False\npyas {__version__}\n" == done.stdout


def import_without(monkeypatch: pytest.MonkeyPatch, name: str, *importers: str) -> None:
    """Reload a module of the command with one of its imports missing."""
    for module in ("_app", *importers):
        monkeypatch.delitem(sys.modules, f"pyas_async.cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(("name", "importer"), [("cyclopts", "_app"), ("rich.console", "_output")])
def test_without_the_extra(
    name: str, importer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the extra, the command names the package to install, and ends with 2."""
    import_without(monkeypatch, name, importer)

    assert 2 == main([])

    missing = f"pyas: error: it needs {name.partition('.')[0]}, which is not installed: {how_to_install('cli')}\n"
    assert ("", missing) == capsys.readouterr()


def test_another_missing_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing module of another package is not blamed on the extra."""
    import_without(monkeypatch, "getpass", "_client", "_prompts")

    with pytest.raises(ModuleNotFoundError, match="getpass"):
        main([])


@pytest.mark.parametrize("moment", ["cyclopts.core.App.parse_args", "cyclopts.core.App.help_print"])
def test_ctrl_c_before_a_command_begins(
    moment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while options are parsed or the help is printed ends with the shell's exit code, and prints nothing."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moment, interrupt)

    assert 130 == main(["meetings", "list", "--help"] if moment.endswith("help_print") else ["meetings", "list"])
    assert ("", "") == capsys.readouterr()


ENDS = [(130, ""), (130, "pyas: interrupted\n")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")
@pytest.mark.parametrize("every", [20, pytest.param(4, marks=pytest.mark.long)])
def test_ctrl_c_at_every_moment_of_the_start(every: int) -> None:
    """Ctrl-C during any import ends the process with the shell's exit code, and prints one line at most."""
    # Its many processes would each leave a file of coverage.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    command = [sys.executable, str(Path(__file__).with_name("interrupted.py")), str(every), "meetings", "list"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    moments = [json.loads(line) for line in done.stdout.splitlines()]
    unfit = [moment for moment in moments if (moment["code"], moment["words"]) not in ENDS]
    assert (2, []) == (done.returncode, unfit)  # without a key; those that are struck do not come so far
    # While the client is loaded, the command, and the event loop; and between them, too.
    struck = {moment["at"].partition(".")[0] for moment in moments}
    assert set(LARGE) < struck
    assert len(moments) > 100 / every


def test_ctrl_c_around_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command runs, it handles Ctrl-C; after its end, Ctrl-C ends the process at once."""
    left: list[int] = []
    during: list[object] = []
    monkeypatch.setattr("os._exit", left.append)

    def command() -> int:
        during.append(signal.getsignal(signal.SIGINT))
        return 8

    monkeypatch.setattr("pyas_async.cli.main", command)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = pyas_async_cli.main()
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert (8, [130]) == (code, left)
    assert [signal.default_int_handler] == during


def test_ignored_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """A background process of a shell ignores a Ctrl-C that is meant for another command."""
    monkeypatch.setattr("pyas_async.cli.main", lambda: 0)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = pyas_async_cli.main()
        after = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert (0, signal.SIG_IGN) == (code, after)


def test_ctrl_c_outside_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between loading and the command, or after it, prints no traceback."""

    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyas_async.cli.main", interrupt)
    before = signal.getsignal(signal.SIGINT)
    try:
        assert 130 == pyas_async_cli.main()
    finally:
        signal.signal(signal.SIGINT, before)
