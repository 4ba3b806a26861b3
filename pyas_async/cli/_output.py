"""The command's output: tables for people, JSON for programs, and messages.

Results go to stdout, everything else to stderr. Text from the service may contain characters that control a terminal;
they are replaced.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.text import Text

# Control characters (ESC starts the commands to a terminal), and characters that change the direction of text.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BLANKS = "\t\n\r"
# A pipe has no width: lines are neither cut nor wrapped for it.
_UNBOUNDED = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Raise, so that `pyas_async.cli._app.run` sets the exit code."""
        raise BrokenPipeError


def stdout() -> Console:
    """Return the console for results: as wide as the terminal, or without a limit if stdout is not a terminal."""
    console = _Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():  # a number, rich takes as the width
        console.width = _UNBOUNDED
    return console


def stderr() -> Console:
    """Return the console for messages: the live one, if there is one, since it writes above its moving lines."""
    return (
        _live_consoles[-1]
        if _live_consoles
        else _Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    )


_live_consoles: list[Console] = []


@contextmanager
def live_console() -> Iterator[Console]:
    """Yield a console for a live display, and make it the one for messages as long as the context lasts."""
    console = stderr()
    _live_consoles.append(console)
    try:
        yield console
    finally:
        _live_consoles.pop()


@contextmanager
def status(text: str) -> Iterator[Callable[[str], None]]:
    """Show a status message on a terminal as long as the context lasts; yields a function that changes it."""
    with live_console() as console, console.status(text) as shown:
        yield shown.update


def clean(text: str) -> str:
    """Replace the characters of a text that control a terminal; a line end becomes a space."""
    return _UNSAFE.sub(lambda found: " " if found[0] in _BLANKS else "\N{REPLACEMENT CHARACTER}", text)


def plural(number: int, noun: str) -> str:
    """Format a number with a noun, in the plural unless it is 1."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def say(text: str, *, style: str = "") -> None:
    """Write a line to stderr."""
    stderr().print(Text(clean(text), style=style))


def write(made: RenderableType) -> None:
    """Write to stdout; without trailing spaces if it is not a terminal."""
    console = stdout()
    if console.is_terminal:
        console.print(made)
        return
    with console.capture() as captured:
        console.print(made)
    sys.stdout.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def say_error(message: str, hint: str = "") -> None:
    """Write an error to stderr, and a hint on the next line."""
    console = stderr()
    console.print(Text.assemble(("pyas: error: ", "bold red"), clean(message)))
    if hint:
        console.print(Text(f"  {clean(hint)}"))


def write_json(*documents: object) -> None:
    """Write JSON to stdout, one object per line, and flush it."""
    # If the encoding of stdout is not UTF-8, JSON escapes keep all characters.
    utf8 = "utf" in (sys.stdout.encoding or "").lower()
    lines = (json.dumps(document, ensure_ascii=not utf8) for document in documents)
    # JSON does not require all of these to be escaped.
    sys.stdout.writelines(_UNSAFE.sub(_escaped, line) + "\n" for line in lines)
    sys.stdout.flush()


def _escaped(found: "re.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"
