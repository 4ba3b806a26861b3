"""What the command writes: tables for people, JSON for programs, and messages on the side.

Results go to stdout, everything else to stderr. What the service sends may hold characters that a terminal acts upon;
none of them gets there.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.text import Text

# Control characters, of which ESC begins the commands to a terminal, and what turns the direction of writing around.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BLANKS = "\t\n\r"
# A pipe has no width: nothing is cut or wrapped for it.
_UNBOUNDED = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to `pyas_async.cli._app.run`, which knows the exit code."""
        raise BrokenPipeError


def stdout() -> Console:
    """Give the console for results: as wide as the terminal, or without bounds where there is none."""
    console = _Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not console._environ.get("COLUMNS"):  # noqa: SLF001  (what it goes by itself)
        console.width = _UNBOUNDED
    return console


def stderr() -> Console:
    """Give the console for everything else: while something moves on it, the one that knows to write above that."""
    return _moving[-1] if _moving else _Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


_moving: list[Console] = []


@contextmanager
def moving() -> Iterator[Console]:
    """Give the console for something that moves, as long as the context lasts."""
    console = stderr()
    _moving.append(console)
    try:
        yield console
    finally:
        _moving.pop()


@contextmanager
def status(text: str) -> Iterator[Callable[[str], None]]:
    """Show at a terminal what goes on, as long as the context lasts; gives what changes the text."""
    with moving() as console, console.status(text) as shown:
        yield shown.update


def clean(text: str) -> str:
    """Take out of a text what a terminal would act upon; a line end becomes a blank."""
    return _UNSAFE.sub(lambda found: " " if found[0] in _BLANKS else "\N{REPLACEMENT CHARACTER}", text)


def many(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def say(text: str, *, style: str = "") -> None:
    """Write a line to stderr."""
    stderr().print(Text(clean(text), style=style))


def write(made: RenderableType) -> None:
    """Write to stdout; into a pipe without the blanks at the lines' ends."""
    console = stdout()
    if console.is_terminal:
        console.print(made)
        return
    with console.capture() as captured:
        console.print(made)
    sys.stdout.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def say_error(message: str, hint: str = "") -> None:
    """Write what went wrong to stderr, and on the next line what to do."""
    console = stderr()
    console.print(Text.assemble(("pyas: error: ", "bold red"), clean(message)))
    if hint:
        console.print(Text(f"  {clean(hint)}"))


def write_json(*documents: object) -> None:
    """Write JSON to stdout, one object a line, and see it off."""
    # Where the terminal's or the pipe's encoding is not UTF-8, no character is lost, either.
    utf8 = "utf" in (sys.stdout.encoding or "").lower()
    lines = (json.dumps(document, ensure_ascii=not utf8) for document in documents)
    # Unlike the rest, these may stand in JSON as they are.
    sys.stdout.writelines(_UNSAFE.sub(_escaped, line) + "\n" for line in lines)
    sys.stdout.flush()


def _escaped(found: "re.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"
