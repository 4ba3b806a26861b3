"""Shared by the tests of the command: calls it in this process, and reads its output."""

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
    """The exit code and output of a call of the command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Parse the output: one JSON object per line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal(io.StringIO):
    """A stdin that is a terminal, with typed text."""

    def isatty(self) -> bool:
        """Return that this is a terminal."""
        return True


@dataclass(frozen=True)
class Pyas:
    """Calls the command."""

    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: object, stdin: str = "", typed: str | None = None) -> Done:
        """Call the command in this process, with a pipe as its input, or with text typed at a terminal."""
        self.capsys.readouterr()
        with self.patch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(stdin) if typed is None else Terminal(typed))
            for target in inside.CLI_AT_TERMINAL:
                patch.setattr(target, lambda: typed is not None)
            code = main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return Done(code, out, err)
