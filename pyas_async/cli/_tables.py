"""Text tables: one line per row, and one column that is cut if the terminal is too narrow.

Not rich's tables: these take half a millisecond per row, which is five seconds for ten thousand rows.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from pyas_async.cli._output import clean, stdout

GAP: Final = 3
"""Spaces between two columns."""
_NARROWEST: Final = 6
"""The minimum width of the column that is cut."""


def write_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = (), cut: str = ""
) -> None:
    """Write a table to stdout.

    Args:
        heads: The names of the columns.
        rows: The cells.
        numbers: The columns that are aligned to the right.
        cut: The column that is cut if the terminal is too narrow for all.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    console = stdout()
    widths = _widths(heads, cells, console.width, cut)
    right = [head in numbers for head in heads]
    head, *lines = (_line(row, widths, right) for row in (heads, *cells))
    rule = "─" * (sum(widths) + GAP * (len(widths) - 1))
    if console.is_terminal:
        console.print(Text(head, style="bold"), soft_wrap=True)
        console.print(Text(rule, style="dim"), soft_wrap=True)
    else:
        lines = [head, rule, *lines]
    sys.stdout.writelines(line + "\n" for line in lines)


def width_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[int]:
    """Return the widths of a table's columns."""
    return [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]], room: int, cut: str) -> list[int]:
    widths = width_of(heads, rows)
    if cut in heads:
        column = heads.index(cut)
        over = sum(widths) + GAP * (len(widths) - 1) - room
        widths[column] = max(min(widths[column], _NARROWEST), widths[column] - max(over, 0))
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], right: Iterable[bool]) -> str:
    return (" " * GAP).join(_fitted(*one) for one in zip(cells, widths, right, strict=True)).rstrip()


def _fitted(cell: str, width: int, right: bool) -> str:  # noqa: FBT001  (a column's alignment)
    wide = cell_len(cell)
    if wide > width:
        return set_cell_size(cell, width - 1) + "…"
    return " " * (width - wide) + cell if right else cell + " " * (width - wide)
