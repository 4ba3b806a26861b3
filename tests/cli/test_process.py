"""How the command is started: its entry point, and an extra that is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pyas_async import __version__
from pyas_async.cli import main


def test_the_entry_point() -> None:
    """``pyas`` is what the installed script and ``python -m pyas_async.cli`` call."""
    code = "from importlib.metadata import entry_points as e; (p,) = e(group='console_scripts', name='pyas'); "
    code += "print(p.value); raise SystemExit(p.load()(['--version']))"
    if os.environ.get("PYAS_ASYNC_TEST_WHEEL") != "1":
        pytest.skip("about the installed wheel: run `python3 noxfile.py -s tests`")

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f"pyas_async.cli:main\npyas {__version__}\n" == done.stdout


def import_without(monkeypatch: pytest.MonkeyPatch, name: str, *importers: str) -> None:
    """Have a module of the command imported anew, and what it imports first missing."""
    for module in ("_app", *importers):
        monkeypatch.delitem(sys.modules, f"pyas_async.cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(("name", "importer"), [("cyclopts", "_app"), ("rich.console", "_output")])
def test_without_the_extra(
    name: str, importer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the extra is not installed, it says what to install, and ends with 2."""
    import_without(monkeypatch, name, importer)

    assert 2 == main([])

    missing = f"pyas: error: it needs {name.partition('.')[0]}, which is not installed: pip install 'pyas_async[cli]'\n"
    assert ("", missing) == capsys.readouterr()


def test_another_module_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of anybody else's that is missing is not blamed on the extra."""
    import_without(monkeypatch, "getpass", "_service", "_asking")

    with pytest.raises(ModuleNotFoundError, match="getpass"):
        main([])


@pytest.mark.parametrize("moment", ["cyclopts.core.App.parse_args", "cyclopts.core.App.help_print"])
def test_ctrl_c_before_a_command_begins(
    moment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while options are read, or the help is written, ends it with the code that shells know, and no word."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moment, interrupt)

    assert 130 == main(["meetings", "list", "--help"] if moment.endswith("help_print") else ["meetings", "list"])
    assert ("", "") == capsys.readouterr()
