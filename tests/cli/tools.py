"""What the tests of the command share: it is called in this process, and its output read."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import inside
from pyas_async.cli import main

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Done:
    """How a call of the command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Read its output: an object on each line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        """Be a terminal."""
        return True


@dataclass(frozen=True)
class Pyas:
    """Calls the command."""

    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object, stdin: str = "", typed: str | None = None) -> Done:
        """Call it in this process, with a pipe as its input, or somebody at a terminal who types."""
        self.capsys.readouterr()
        with self.patch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(stdin) if typed is None else Terminal(typed))
            for target in inside.CLI_AT_TERMINAL:
                patch.setattr(target, lambda: typed is not None)
            code = main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return Done(code, out, err)
