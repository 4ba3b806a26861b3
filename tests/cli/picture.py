"""Draws the picture of a week in docs/cli.md from the command's terminal output: `nox -s pages` writes it.

The meetings are those of that page, whose console blocks run with them as well.
"""

from __future__ import annotations

import html
import io
import os
import re
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from pyas_async.cli import main as pyas
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "week.svg"
WIDTH = 110
# A past day, so that nothing on the page is marked as today.
NOW = datetime(2026, 1, 14, 10, 30, tzinfo=UTC).timestamp()


# The meetings of each day of two weeks: the day's number counted from Monday, start, minutes, title.
WEEK = [
    *((day, "09:00", 15, "Standup") for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)),
    (0, "10:00", 120, "Sprint planning"),
    (0, "10:30", 30, "1:1 Ada"),
    (1, "14:00", 90, "Design review"),
    (1, "14:30", 60, "Hiring panel"),
    (2, "13:00", 60, "Customer call: Contoso"),
    (3, "23:00", 90, "Release"),
    (4, "15:00", 60, "Retro"),
    (8, "10:00", 60, "Board meeting"),
    (11, "15:00", 60, "Retro"),
]
# rich's own format, but without a font that would be loaded from another site.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


@contextmanager
def serve() -> Iterator[tuple[Sandbox, str]]:
    """Serve two accounts: one with the meetings of two weeks of January 2026, and one with two meetings more."""
    with Sandbox(accounts=2, meetings=0, clock=lambda: NOW, plan="growth") as sandbox, sandbox.serve() as url:
        first, second = sandbox.account_ids
        for number, (day, start, minutes, title) in enumerate(sorted(WEEK)):
            moment = f"2026-01-{12 + day:02}T{start}:00Z"
            facts = {"start_time": moment, "duration": minutes, "topic": title, "timezone": "UTC"}
            urls = {"id": 85_746_065_400 + 17 * number, "join_url": f"https://us05web.zoom.us/j/{number}?pwd=x"}
            sandbox.add_meeting(first, {"type": 2, **facts, **urls, "created_at": "2026-01-05T08:00:00Z"})
        sandbox.add_meeting(
            first, {"type": 1, "id": 85_746_065_999, "topic": "Ad hoc", "created_at": "2026-01-13T08:00:00Z"}
        )
        for day in (13, 27):
            sandbox.add_meeting(second, {"type": 2, "topic": "Lecture", "start_time": f"2026-01-{day}T08:00:00Z"})
        yield sandbox, url


def draw(sandbox: Sandbox, url: str) -> str:
    """Run the command as in a terminal, and draw its output."""
    service = {"PYAS_BASE_URL": url, "PYAS_API_KEY": sandbox.api_key, "PYAS_ACCOUNT_ID": sandbox.account_ids[0]}
    terminal = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    written = io.StringIO()
    with mock.patch.dict(os.environ, environment | service | terminal, clear=True), redirect_stdout(written):
        assert pyas(["meetings", "week", "2026-01-14", "--time-zone", "UTC"]) == 0
    console = Console(record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(written.getvalue()))
    title = "pyas meetings week 2026-01-14"
    drawn = console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=FORMAT, unique_id="week")
    return "".join(line.rstrip() + "\n" for line in drawn.splitlines())


def texts(picture: str) -> list[str]:
    """Return the texts in a picture, whichever version of rich drew it."""
    found = (html.unescape(text).strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", picture))
    return [text for text in found if text]


def main() -> None:
    """Write the picture."""
    with serve() as (sandbox, url):
        PICTURE.write_text(draw(sandbox, url), "utf-8")


if __name__ == "__main__":
    main()
