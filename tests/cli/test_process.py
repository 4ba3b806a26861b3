"""The command as a process: its entry point, pipes that break, terminals and none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyas_async import __version__

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

PYAS = [sys.executable, "-m", "pyas_async.cli"]


def test_the_entry_point() -> None:
    """``pyas`` is what the installed script and ``python -m pyas_async.cli`` call."""
    code = "from importlib.metadata import entry_points as e; (p,) = e(group='console_scripts', name='pyas'); "
    code += "print(p.value); raise SystemExit(p.load()(['--version']))"
    if os.environ.get("PYAS_ASYNC_TEST_WHEEL") != "1":
        pytest.skip("about the installed wheel: run `python3 noxfile.py -s tests`")

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f"pyas_async.cli:main\npyas {__version__}\n" == done.stdout


def test_without_the_extra() -> None:
    """Where the extra is not installed, it says what to install, and ends with 2; no other module is taken for it."""
    code = """if True:
        import sys
        from pyas_async.cli import main
        for name in ("cyclopts", "rich", "getpass"):
            sys.modules[name] = None
            try:
                print(main(["--version"]))
            except ModuleNotFoundError as error:
                print(error.name)
            del sys.modules[name]
    """

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    missing = "pyas: error: it needs {}, which is not installed: pip install 'pyas_async[cli]'\n"
    assert "2\n2\ngetpass\n" == done.stdout
    assert missing.format("cyclopts") + missing.format("rich") == re.sub(r"rich\.\w+,", "rich,", done.stderr)


@pytest.mark.skipif(os.name == "nt", reason="Windows tells of broken pipes otherwise")
def test_a_reader_that_goes(sandbox: Sandbox) -> None:
    """A reader that has seen enough may go: the command ends without a word, with the code that shells know."""
    command = [*PYAS, "meetings", "list", "--json", "--page-size", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        said = process.stderr.read()

    assert sandbox.rows(sandbox.account_ids[0])[0] == first
    assert (141, "") == (process.returncode, said)


def test_not_a_terminal(sandbox: Sandbox) -> None:
    """Into a pipe go no colours, no bars, and lines of any length."""
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    environment.pop("COLUMNS", None)
    command = [*PYAS, "meetings", "list", "--limit", "40"]

    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment)

    topics = [row["topic"] for row in sandbox.rows(sandbox.account_ids[0])[:40]]
    assert (0, "40 meetings, 1 call\n") == (done.returncode, done.stderr)
    assert "\x1b" not in done.stdout
    assert [True] * 40 == [topic in line for topic, line in zip(topics, done.stdout.splitlines()[2:], strict=True)]
