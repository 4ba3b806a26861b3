"""Runs the console blocks of the documentation, and compares the output with what is shown.

A block shows a terminal. Lines that begin with ``$`` are typed, and a backslash at the end continues on the next line.
The other lines are output, in which ``…`` stands for any text, and alone on a line for any lines. Only the needed parts
of a shell work: ``export``, ``echo``, ``jq`` for one field, and pipes between these and ``pyas``.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pytest

    from cli.tools import Pyas

BLOCK = re.compile(r"^(<!-- Not run: .*? -->\n)?```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Typed(NamedTuple):
    """A command, and the output shown for it."""

    command: str
    shown: str


def typed(block: str) -> list[Typed]:
    """Split a block into its commands."""
    found: list[Typed] = []
    lines = iter(block.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1].rstrip() + " " + next(lines).strip()
            found.append(Typed(command, ""))
        else:
            found[-1] = Typed(found[-1].command, found[-1].shown + line + "\n")
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """Return the pattern that matches the shown output."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in shown.splitlines()
    ]
    return re.compile("".join(lines))


class Shell:
    """Runs commands, one after the other, in one environment."""

    def __init__(self, pyas: Pyas, patch: pytest.MonkeyPatch, names: dict[str, str]) -> None:
        """Begin a session.

        Args:
            pyas: Calls the command.
            patch: Changes the environment.
            names: Names in the documentation that differ here.
        """
        self._pyas = pyas
        self._patch = patch
        self._names = names

    def run(self, command: str) -> str:
        """Run a line; return its output, with the documentation's names in it."""
        text, written = "", ""
        for part in re.split(r" \| ", command):
            name, *arguments = [self._here(word) for word in shlex.split(part)]
            if name == "export":
                for setting in arguments:
                    self._patch.setenv(*setting.split("=", 1))
            elif name == "echo":
                text = " ".join(arguments) + "\n"
            elif name == "jq":
                values = [json.loads(line)[arguments[-1].lstrip(".")] for line in text.splitlines()]
                text = "".join((value if "-r" in arguments else json.dumps(value)) + "\n" for value in values)
            else:
                assert "pyas" == name, f"{name}: not supported here"
                done = self._pyas(*arguments, stdin=text)
                text, written = done.out, written + done.err
        if command.startswith("pyas meetings create") and (made := re.search(r"^ +id  (\d+)$", text, re.MULTILINE)):
            self._names.setdefault("1234", made[1])
        return self._there(text + written)

    def _here(self, word: str) -> str:
        for name, value in self._names.items():
            word = re.sub(rf"\b{name}\b", value, word)
        return word

    def _there(self, text: str) -> str:
        for name, value in self._names.items():
            text = text.replace(value, name)
        return text
